"""Request: what a router may look at before it chooses a model: the words, and who asks for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


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


def last_user_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of the last user message of a chat request, of whatever shape; "" where there is none.

    >>> last_user_text([{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url"}]}])
    'Hi'
    """
    for message in reversed(messages):
        if type(message) is not dict and not isinstance(message, Mapping):  # the second costs ten times the first
            continue
        if message.get("role") != "user":
            continue
        content = message.get("content")
        if isinstance(content, str):
            return content
        parts = content if isinstance(content, list | tuple) else []
        texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
        return "\n".join(text for text in texts if isinstance(text, str))
    return ""
