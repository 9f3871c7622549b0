"""Known groups: what a policy knows of the group of a request, found by the longest known beginning of its path."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven.routing.policy_document import GroupChoice, PolicyDocument

Floats = npt.NDArray[np.float64]
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
    rates_known: npt.NDArray[np.bool_]
    usd_per_request: Floats
    """NaN where not known."""
    success_fractions: Mapping[str, float]
    """The known rates by name."""
    allowed: npt.NDArray[np.bool_]
    """Which models may take it."""
    known: bool
    """False of the stand-in for the group of all requests."""


@dataclass(frozen=True, slots=True)
class KnownGroups:
    """All groups of a policy."""

    levels: tuple[str, ...]
    by_path: Mapping[tuple[str, ...], KnownGroup]
    nothing: KnownGroup
    """Stands for the group of all requests where the policy has none."""

    def find(self, groups: Mapping[str, str]) -> KnownGroup:
        """The group of a request: its values at each level, or at as many of the first levels as are known."""
        path = tuple([groups.get(level, "") for level in self.levels])
        found = self.by_path.get(path)
        while found is None and path:
            path = path[:-1]
            found = self.by_path.get(path)
        return self.nothing if found is None else found


def known_groups(document: PolicyDocument) -> KnownGroups:
    """The groups of a document, each completed from those above it."""
    names = document.model_names
    nothing = _nothing(document)
    by_path: dict[tuple[str, ...], KnownGroup] = {}
    for choice in sorted(document.groups, key=lambda each: len(each.path)):
        beginnings = [choice.path[:at] for at in range(len(choice.path) - 1, -1, -1)]
        above = next((by_path[each] for each in beginnings if each in by_path), nothing)
        by_path[choice.path] = _completed(choice, document.levels, names, above)
    return KnownGroups(document.levels, by_path, by_path.get((), nothing))


def _nothing(document: PolicyDocument) -> KnownGroup:
    """A group of which only the models' mean costs are known."""
    usd = [math.nan if each.usd_per_request is None else each.usd_per_request for each in document.models]
    count = len(document.models)
    return KnownGroup(
        choice=GroupChoice((), document.default_model),
        label="unknown",
        rates=np.full(count, UNKNOWN_RATE_FRACTION),
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
    pairs = [f"{level}={value}" for level, value in zip(levels, choice.path, strict=False) if value]
    return KnownGroup(
        choice=choice,
        label=", ".join(pairs) or "all requests",
        rates=np.where(known, rates, UNKNOWN_RATE_FRACTION),
        rates_known=known,
        usd_per_request=np.array(usd),
        success_fractions={name: float(rates[at]) for at, name in enumerate(names) if known[at]},
        allowed=np.array([not choice.allowed_models or name in choice.allowed_models for name in names]),
        known=True,
    )
