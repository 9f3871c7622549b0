"""Outlook: what each option costs in every future, in a month or over the horizon, and the regret of choosing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

import numpy as np

from breakeven.decision.comparison import Comparison, OptionResult, Range, SideBySide, open_to_all, range_of
from breakeven.facts.distribution import Draws
from breakeven.options.option import Family, OptionCost

Period = Literal["month", "horizon"]
ON_GPUS: Final[tuple[Family, ...]] = ("self_hosted", "managed", "hybrid")
"""Families whose bill is for GPUs, at least in part: what the guide calls self-hosting, in its several degrees."""
OWN_FLEET: Final[tuple[Family, ...]] = ("self_hosted", "managed")
"""Families in which all of the work runs on GPUs that are paid by the hour or bought."""


class PresentCosts(Protocol):
    """What a horizon must tell: each option's present cost in every future, and which it recommends."""

    @property
    def present_cost_usd(self) -> Mapping[str, Draws]:
        """By option, shape ``(draws,)``; the status quo is among them."""
        ...

    @property
    def recommended(self) -> str:
        """Lowest expected present cost of the options open to all."""
        ...


@dataclass(frozen=True, slots=True)
class Outlook:
    """The same money for every answer: what the options cost, future by future."""

    period: Period
    costs: Mapping[str, Draws]
    """USD a month, or present USD over the horizon, for as many successful outcomes as today; by option."""
    open_names: tuple[str, ...]
    """Options that everybody may take, without twins of another."""
    status_quo: str
    recommended: str

    @property
    def rival(self) -> str | None:
        """The status quo; the best of the others where that is recommended, or no option; None: there is none."""
        if self.recommended != self.status_quo and self.status_quo in self.open_names:
            return self.status_quo
        others = [name for name in self.open_names if name != self.recommended]
        return min(others, key=self.mean_usd) if others else None

    def mean_usd(self, name: str) -> float:
        """Expected cost of an option."""
        return float(np.mean(self.costs[name]))

    def range(self, name: str) -> Range:
        """Cost of an option by its quantiles."""
        return range_of(self.costs[name])

    def saves(self, name: str) -> Draws:
        """What an option saves against the status quo, future by future; negative where it costs more."""
        return self.costs[self.status_quo] - self.costs[name]

    def loses_fraction(self, name: str) -> float:
        """Share of the futures in which an option costs more than the status quo."""
        return float(np.mean(self.saves(name) < 0))

    def regret(self, name: str) -> Draws:
        """What an option costs beyond the best of each future."""
        best = np.min(np.stack([self.costs[each] for each in self._rivals(name)]), axis=0)
        return np.asarray(self.costs[name] - best)

    def odds_fraction(self, name: str) -> float:
        """Share of the futures in which an option costs least."""
        return float(np.mean(self.regret(name) <= 0))

    def odds_fractions(self) -> dict[str, float]:
        """The same of every option."""
        floor = np.min(np.stack([self.costs[name] for name in self.open_names]), axis=0)
        found = {}
        for name, cost in self.costs.items():
            best = floor if name in self.open_names else np.minimum(floor, cost)
            found[name] = float(np.mean(cost - best <= 0))
        return found

    def best_of(self, names: tuple[str, ...]) -> str | None:
        """Lowest expected cost among `names`; None when there are none."""
        return min(names, key=self.mean_usd) if names else None

    def without(self, names: frozenset[str]) -> Outlook:
        """The same without some options; the status quo stays."""
        left = tuple(name for name in self.open_names if name not in names or name == self.status_quo)
        if not left or left == self.open_names:
            return self
        best = self.recommended if self.recommended in left else min(left, key=self.mean_usd)
        return replace(self, open_names=left, recommended=best)

    def _rivals(self, name: str) -> tuple[str, ...]:
        return self.open_names if name in self.open_names else (*self.open_names, name)


def outlook_of(comparison: Comparison, horizon: PresentCosts | None = None) -> Outlook:
    """This month's costs from the comparison, or the present costs of a horizon."""
    open_names = tuple(each.name for each in open_to_all(comparison.options) if each.same_as is None)
    if horizon is not None:
        known = horizon.present_cost_usd
        named = tuple(name for name in open_names if name in known)
        return Outlook("horizon", known, named, comparison.status_quo, horizon.recommended)
    return Outlook(
        "month",
        {each.name: equal_success_usd(comparison, each) for each in comparison.options},
        open_names,
        comparison.status_quo,
        comparison.best_today.name,
    )


def horizon_outlook(comparison: SideBySide, present_cost_usd: Mapping[str, Draws]) -> Outlook:
    """The present costs of the options of a comparison; the lowest expected one is recommended."""
    names = tuple(each.name for each in open_to_all(comparison.options) if each.same_as is None)
    shape = np.broadcast_shapes(*(np.shape(each) for each in present_cost_usd.values()))
    costs = {name: np.broadcast_to(each, shape) for name, each in present_cost_usd.items()}
    best = min(names, key=lambda name: float(np.mean(costs[name])))
    return Outlook("horizon", costs, names, comparison.status_quo, best)


def equal_success_usd(comparison: Comparison, result: OptionResult) -> Draws:
    """Monthly cost of as many successful outcomes as the status quo gives, shape ``(draws,)``."""
    base = comparison.option(comparison.status_quo).cost
    value = equal_success_of(result.cost, base)
    return np.broadcast_to(value, (comparison.draws_count,)).astype(np.float64)


def equal_success_of(cost: OptionCost, base: OptionCost) -> Draws:
    """The same for one costed option against a costed status quo, in the shape of their draws."""
    return np.asarray(cost.total.value * (base.success.value / cost.success.value))
