"""Known groups: what a policy knows of the group of a request, found by the longest known beginning of its path."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven.routing.heads import logit
from breakeven.routing.policy_document import GroupChoice, PolicyDocument
from breakeven.routing.request import RouteRequest

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
UNKNOWN_RATE_FRACTION = 0.5
"""What a scorer is told where no rate of a model is known; such a model is never chosen for its rate."""


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """A group, with what it does not say itself taken from the groups above it. Arrays have shape (models,)."""

    choice: GroupChoice
    label: str
    """`task=faq`, or `all requests`."""
    rates: Floats
    """Success fraction of each model; 0.5 where not known."""
    logits: Floats
    """Of the rates."""
    rates_known: Flags
    usd_per_request: Floats
    """NaN where not known."""
    success_fractions: Mapping[str, float]
    """The known rates by name."""
    allowed: Flags
    """Which models may take its requests."""
    known: bool
    """False of the stand-in for the group of all requests."""


@dataclass(frozen=True, slots=True)
class AskedGroup:
    """The group of one request, and who may take the request."""

    group: KnownGroup
    """The nearest known one."""
    unknown: bool
    """Whether the request says more of its group than is known: a task, say, that was not seen."""
    may_take: Flags
    """Models that are allowed and not closed, shape (models,)."""

    @property
    def label(self) -> str:
        """The group in a reason."""
        return "unknown group" if self.unknown else self.group.label

    @property
    def falls_back(self) -> bool:
        """Whether the model of the nearest known group takes the request, and nothing that is predicted of it."""
        choice = self.group.choice
        return choice.is_fallback or (self.unknown and len(choice.allowed_models) == 1)


@dataclass(frozen=True, slots=True)
class KnownGroups:
    """All groups of a policy."""

    models: tuple[str, ...]
    levels: tuple[str, ...]
    by_path: Mapping[tuple[str, ...], KnownGroup]
    nothing: KnownGroup
    """Stands for the group of all requests where the policy has none."""
    allowed_by_task: Mapping[str, Flags]
    """Task -> which models may take its requests, whatever their group; absent: all."""

    def find(self, groups: Mapping[str, str]) -> KnownGroup:
        """The group of a request: its values at each level, or at as many of the first levels as are known."""
        return self._nearest(tuple([groups.get(level, "") for level in self.levels]))[0]

    def asked(self, request: RouteRequest) -> AskedGroup:
        """The group of a request, whether it is known to its last value, and who may take the request."""
        path = tuple([request.groups.get(level, "") for level in self.levels])
        found, length = self._nearest(path)
        may_take = found.allowed
        if self.allowed_by_task:
            allowed = self.allowed_by_task.get(request.groups.get("task", ""))
            may_take = may_take if allowed is None else may_take & allowed
        if request.closed:
            may_take = may_take & np.array([name not in request.closed for name in self.models], dtype=np.bool_)
        return AskedGroup(found, any(path[length:]), may_take)

    def _nearest(self, path: tuple[str, ...]) -> tuple[KnownGroup, int]:
        """The group of the longest known beginning of a path, and its length."""
        found = self.by_path.get(path)
        while found is None and path:
            path = path[:-1]
            found = self.by_path.get(path)
        return (self.nothing if found is None else found), len(path)


def known_groups(document: PolicyDocument) -> KnownGroups:
    """The groups of a document, each completed from those above it."""
    names = document.model_names
    nothing = _nothing(document)
    by_path: dict[tuple[str, ...], KnownGroup] = {}
    for choice in sorted(document.groups, key=lambda each: len(each.path)):
        beginnings = [choice.path[:at] for at in range(len(choice.path) - 1, -1, -1)]
        above = next((by_path[each] for each in beginnings if each in by_path), nothing)
        by_path[choice.path] = _completed(choice, document.levels, names, above)
    by_task = {task: np.array([name in each for name in names]) for task, each in document.allowed_by_task.items()}
    return KnownGroups(names, document.levels, by_path, by_path.get((), nothing), by_task)


def _nothing(document: PolicyDocument) -> KnownGroup:
    """A group of which only the models' mean costs are known."""
    usd = [math.nan if each.usd_per_request is None else each.usd_per_request for each in document.models]
    count = len(document.models)
    return KnownGroup(
        choice=GroupChoice((), document.default_model),
        label="unknown",
        rates=np.full(count, UNKNOWN_RATE_FRACTION),
        logits=logit(np.full(count, UNKNOWN_RATE_FRACTION)),
        rates_known=np.zeros(count, dtype=np.bool_),
        usd_per_request=np.array(usd),
        success_fractions={},
        allowed=np.ones(count, dtype=np.bool_),
        known=False,
    )


def _completed(choice: GroupChoice, levels: tuple[str, ...], names: tuple[str, ...], above: KnownGroup) -> KnownGroup:
    """One group, with the rates and costs of the group above where it has none of its own."""
    inherited = np.where(above.rates_known, above.rates, math.nan)
    rates = np.array([choice.success_fractions.get(name, rate) for name, rate in zip(names, inherited, strict=True)])
    usd = [choice.usd_per_request.get(name, each) for name, each in zip(names, above.usd_per_request, strict=True)]
    known = ~np.isnan(rates)
    told = np.where(known, rates, UNKNOWN_RATE_FRACTION)
    pairs = [f"{level}={value}" for level, value in zip(levels, choice.path, strict=False) if value]
    return KnownGroup(
        choice=choice,
        label=", ".join(pairs) or "all requests",
        rates=told,
        logits=logit(told),
        rates_known=known,
        usd_per_request=np.array(usd),
        success_fractions={name: float(rates[at]) for at, name in enumerate(names) if known[at]},
        allowed=np.array([not choice.allowed_models or name in choice.allowed_models for name in names]),
        known=True,
    )
