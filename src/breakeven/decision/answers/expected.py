"""Expected: present costs over the horizon with one number moved, and where the expected gap of two options turns.

The money is the decision's own: the mean over the shared draws, of which the first few are taken. Each value is the
what-if of that value: the scenario states the fact, or the log has another volume or another price of today's API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.decision.answers.solve import pinned
from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon.exact import setting_of
from breakeven.decision.horizon.present import present_costs_usd
from breakeven.decision.told_demand import at_price
from breakeven.errors import BreakevenError
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.options.option import Option, Situation

DRAWS_LOG2: Final = 10
CANDIDATES_COUNT: Final = 6
"""Options beside the recommended one that are asked whether they win at a value: those of the lowest cost."""
NARROW_FRACTION: Final = 1e-3
STEPS_MAX_COUNT: Final = 40
HORIZON_MONTHS: Final = "horizon_months"
CAPITAL: Final = "cost_of_capital_fraction_per_year"
MeanGap = Callable[[float], float]
"""Value of the number -> expected present cost of one option less another's; not a number: it cannot be costed."""
Moved = Callable[[float], Situation]
"""Value of the number -> the situation with it."""
Way = tuple[float, float]
"""From one value to another, which may be the smaller one."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What present costs are made from."""

    situation: Situation
    options: Mapping[str, Option]
    draws: DrawSet
    estimates: Mapping[str, Assumption]
    """Facts that the log shows (its growth), under what the scenario sets."""

    @property
    def months_count(self) -> int:
        """Months of the horizon."""
        return round(self.fact(HORIZON_MONTHS).typical)

    def few(self, draws_log2: int = DRAWS_LOG2) -> Expectation:
        """The same over the first draws."""
        return replace(self, draws=self.draws.first(draws_log2))

    def fact(self, name: str) -> Assumption:
        """A fact of the horizon as it stands: the scenario's, the log's, the catalogue's."""
        for known in (self.situation.scenario, self.estimates):
            if name in known:
                return known[name]
        return self.situation.catalog.assumptions[name]

    def path_facts(self) -> frozenset[str]:
        """Names of the facts that the months to come read."""
        setting = setting_of(self.situation, lambda each: np.asarray([each.typical]), self.estimates)
        return frozenset({*setting.facts.nodes, CAPITAL})

    def costs_usd(self, situation: Situation, names: Sequence[str]) -> dict[str, Draws]:
        """Present cost of `names` in a situation, shape ``(draws,)``."""
        wanted = {name: self.options[name] for name in dict.fromkeys((STATUS_QUO, *names))}

        def draw(assumption: Assumption) -> Draws:
            return np.asarray([assumption.typical]) if assumption.is_certain else self.draws.of(assumption)

        found = present_costs_usd(situation, wanted, draw, self.estimates)
        return {name: np.broadcast_to(found[name], (self.draws.draws_count,)) for name in names}

    def gaps_usd(self, situation: Situation, first: str, second: str) -> Draws:
        """Present cost of `first` less that of `second`, future by future."""
        costs = self.costs_usd(situation, (first, second))
        return np.asarray(costs[first] - costs[second])

    def mean_gap(self, moved: Moved, first: str, second: str) -> MeanGap:
        """The expected gap as a function of one number."""

        def gap(value: float) -> float:
            try:
                return float(np.mean(self.gaps_usd(moved(value), first, second)))
            except BreakevenError:
                return float("nan")

        return gap

    def winner(self, moved: Moved, value: float, names: Sequence[str]) -> str | None:
        """What has the lowest expected present cost at a value; None: it cannot be costed."""
        try:
            costs = self.costs_usd(moved(value), names)
        except BreakevenError:
            return None
        return min(names, key=lambda name: float(np.mean(costs[name])))

    def with_fact(self, fact: Assumption) -> Moved:
        """The scenario states the fact."""
        told = self.situation
        return lambda value: replace(told, scenario={**told.scenario, fact.name: pinned(fact, value)})

    def with_volume(self, here_mtok: float) -> Moved:
        """The log has another volume than `here_mtok` a month."""
        told, demand = self.situation, self.situation.demand
        return lambda mtok: replace(
            told, demand=replace(demand, observed_hours=demand.observed_hours * here_mtok / mtok)
        )

    def with_price(self) -> Moved:
        """Today's models cost a multiple of today's price."""
        told = self.situation
        return lambda ratio: replace(told, demand=at_price(told.demand, ratio))


def first_turn(gap: MeanGap, way: Way, points_count: int = 1) -> float | None:
    """The first value on the way at which the gap changes its sign; None: there is none.

    Seen at `points_count` values, evenly spaced by ratio.

    >>> round(first_turn(lambda x: x - 3.0, (1.0, 20.0)), 2)
    3.0
    >>> first_turn(lambda x: x - 30.0, (1.0, 20.0)) is None
    True
    """
    here, before = way[0], gap(way[0])
    for each in _along(way, points_count):
        after = gap(each)
        if not np.isfinite(after) or not np.isfinite(before):
            return None
        if before * after < 0:
            return narrowed(gap, (here, before), (each, after))
        here, before = each, after
    return None


def _along(way: Way, points_count: int) -> list[float]:
    spaced = np.geomspace if min(way) > 0 else np.linspace
    return [float(each) for each in spaced(*way, points_count + 1)[1:]]


def narrowed(
    gap: MeanGap, low: tuple[float, float], high: tuple[float, float], tolerance_fraction: float = NARROW_FRACTION
) -> float:
    """Between two values and their gaps of opposite sign, by regula falsi (Illinois), halved where that is slow.

    >>> round(narrowed(lambda x: x * x - 2.0, (1.0, -1.0), (4.0, 14.0), 1e-9), 6)
    1.414214
    """
    logs = min(low[0], high[0]) > 0
    (a, at_a), (b, at_b) = ((float(np.log(x)) if logs else x, y) for x, y in (low, high))
    weight_a, weight_b = at_a, at_b
    for step in range(STEPS_MAX_COUNT):
        if abs(b - a) <= tolerance_fraction * (1.0 if logs else max(abs(a), abs(b), 1e-12)):
            break
        middle = 0.5 * (a + b) if step % 3 == 2 else (a * weight_b - b * weight_a) / (weight_b - weight_a)
        at = gap(float(np.exp(middle)) if logs else middle)
        if at == 0 or not np.isfinite(at):
            a = b = middle
            break
        if (at > 0) == (at_a > 0):
            a, at_a, weight_a, weight_b = middle, at, at, 0.5 * weight_b
        else:
            b, at_b, weight_b, weight_a = middle, at, at, 0.5 * weight_a
    last = a if a == b else (a * at_b - b * at_a) / (at_b - at_a)
    return float(np.exp(last)) if logs else float(last)


Switch = tuple[float, str]
"""A value, and what costs least in expectation beyond it."""


def first_switch(
    expected: Expectation, moved: Moved, names: Sequence[str], way: Way, points_count: int = 1
) -> Switch | None:
    """The first value on the way at which another of `names` costs less than the first of them; None: there is none."""
    recommended, here = names[0], way[0]
    for each in _along(way, points_count):
        best = expected.winner(moved, each, names)
        if best is None:
            return None
        if best != recommended:
            return _nearest_switch(expected, moved, names, (here, each), best)
        here = each
    return None


def _nearest_switch(expected: Expectation, moved: Moved, names: Sequence[str], way: Way, best: str) -> Switch | None:
    """Between a value at which the first of `names` wins and one at which `best` does: a third may win before."""
    here, there = way
    for _ in names:
        value = first_turn(expected.mean_gap(moved, names[0], best), (here, there))
        if value is None:
            return None
        there = value + (here - value) * 1e-2
        other = expected.winner(moved, there, names)
        if other in (None, names[0], best):
            return value, best
        best = other
    return None


@dataclass(frozen=True, slots=True)
class Turn:
    """A value of one number inside its range from which another option costs least in expectation."""

    name: str
    unit: str
    typical: float
    value: float
    above: bool
    option: str
    """What wins there."""


def turns_of(expected: Expectation, fact: Assumption, recommended: str, others: Sequence[str]) -> tuple[Turn, ...]:
    """Below and above the typical value, as far as the range goes; `others`: lowest expected cost first."""
    names, moved = (recommended, *others[:CANDIDATES_COUNT]), expected.with_fact(fact)
    if expected.winner(moved, fact.typical, names) != recommended:
        return ()
    found = []
    for end in (fact.low, fact.high):
        switch = first_switch(expected, moved, names, (fact.typical, end)) if end != fact.typical else None
        if switch is not None:
            found.append(Turn(fact.name, fact.unit, fact.typical, switch[0], end > fact.typical, switch[1]))
    return tuple(found)
