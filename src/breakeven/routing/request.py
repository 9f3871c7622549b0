"""Request: what a router may look at before it chooses a model: the words, and who asks for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """One request, as the policy sees it."""

    prompt: str = ""
    """The last user message."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """`task`, `template_id`, `schema_hash`, `system_hash`, `endpoint`, `api_key_hash`, `application`: those known."""
    incumbent: str | None = None
    """The model that the client asked for."""
    closed: frozenset[str] = frozenset()
    """Models that must not take it: no capacity left, a broken upstream, data that may not go there."""
