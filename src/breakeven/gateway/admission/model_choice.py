"""Model choice: what a loaded policy says of a request, asked once per kind of request where no word decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from breakeven.routing.known_groups import known_groups
from breakeven.routing.policy import Decision
from breakeven.routing.policy_file import LoadedPolicy
from breakeven.routing.request import RouteRequest

_KEPT_MAX_COUNT: Final = 8_192
_UNKNOWN: Final = "\x00unknown"
"""Stands for every model asked for that the policy does not know."""
Models = frozenset[str]


class ModelChoice:
    """One version of a policy."""

    __slots__ = ("_allowed", "_decisions", "_groups", "_levels", "loaded", "models", "reads_words")

    def __init__(self, loaded: LoadedPolicy) -> None:
        self.loaded = loaded
        self.models = loaded.models
        """The models that it may choose."""
        self._groups = known_groups(loaded.document)
        self._levels = tuple(dict.fromkeys((*loaded.document.levels, "task")))
        self._decisions: dict[tuple[object, ...], Decision] = {}
        self._allowed: dict[tuple[str, ...], Models | None] = {}
        self.reads_words = _reads_words(loaded)

    @property
    def levels(self) -> tuple[str, ...]:
        """The groups that it looks at."""
        return self._levels

    @property
    def agreement_model(self) -> str | None:
        """Of a cascade that compares answers: the model that must say the same."""
        plan = self.loaded.document.cascade if self.loaded.kind == "cascade" else None
        return None if plan is None else plan.agreement_model

    def decide(
        self, groups: Mapping[str, str], asked_model: str | None, closed: Models, prompt: str | None = None
    ) -> Decision:
        """The policy's decision; `prompt` where it reads words."""
        if asked_model is not None and asked_model not in self.models:
            asked_model = _UNKNOWN
        if self.reads_words:
            return self.loaded.decide(RouteRequest(prompt or "", groups, asked_model, closed))
        kind = (*[groups.get(level, "") for level in self._levels], asked_model, closed)
        decision = self._decisions.get(kind)
        if decision is None:
            if len(self._decisions) >= _KEPT_MAX_COUNT:
                self._decisions.clear()
            decision = self._decisions[kind] = self.loaded.decide(RouteRequest("", groups, asked_model, closed))
        return decision

    def allowed(self, groups: Mapping[str, str]) -> Models | None:
        """The only models that the policy ever lets take such a request (residency, latency); None: it does not say."""
        kind = tuple([groups.get(level, "") for level in self._levels])
        if kind in self._allowed:
            return self._allowed[kind]
        flags = self._groups.asked(RouteRequest("", groups)).may_take
        found = None
        if not flags.all():
            found = frozenset(name for name, may in zip(self.models, flags.tolist(), strict=True) if may)
        if len(self._allowed) >= _KEPT_MAX_COUNT:
            self._allowed.clear()
        self._allowed[kind] = found
        return found


def _reads_words(loaded: LoadedPolicy) -> bool:
    """Whether a decision depends on the prompt."""
    document = loaded.document
    if loaded.kind == "allocation":
        return document.scorer is not None or any(each.share_fractions for each in document.groups)
    return loaded.kind == "threshold"
