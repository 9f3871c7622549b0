"""Solve: the values of one fact at which two options cost the same, at typical values of everything else.

The gap between two options is looked at on a grid between two bounds, and every change of its sign is narrowed down.
Where a fleet jumps by a replica the gap may change its sign without being zero: that is a solution too, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

import numpy as np

from breakeven.decision.answers.outlook import equal_success_of
from breakeven.decision.bounds import ONE_OR_MORE, limits_of
from breakeven.errors import BreakevenError
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.source import Grade, Source
from breakeven.facts.trace import Node
from breakeven.options.option import Evaluation, Option, OptionCost, Situation

GRID_POINTS_COUNT: Final = 97
REACH_RATIO: Final = 20.0
"""How far from the typical value a solution is looked for, up and down, unless bounds are given."""
SMALLEST_SHARE_FRACTION: Final = 1e-3
"""Shares that are never zero are looked at from here on: something may be divided by them."""
TOLERANCE_FRACTION: Final = 1e-9
STEPS_MAX_COUNT: Final = 200
SCALAR_ONLY: Final = frozenset(
    {"ttft_target_ms", "tpot_target_ms", "input_cv2_ratio", "output_cv2_ratio", "hours_per_month"}
)
"""Facts whose typical value chooses the size of a replica: each value is a sizing of its own."""

_NO_DAY: Final = date(1970, 1, 1)
Gap = Callable[[Draws], Draws]
"""Values of the fact -> cost of one option less the other's, USD."""


@dataclass(frozen=True, slots=True)
class Solution:
    """One value at which the cheaper of two options changes."""

    value: float
    kind: Literal["crossing", "jump"]
    """Both cost the same there; or a fleet jumps by a replica, and the gap with it."""
    falls: bool
    """Whether the first option becomes the cheaper one above the value."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a solution is looked for."""

    low: float
    high: float


def bounds_of(fact: Assumption) -> Bounds:
    """A factor of twenty around the range of a fact, as far as a person may set it; a share stays one."""
    smallest, largest = limits_of(fact.name, fact.unit)
    if fact.unit == "fraction":
        return Bounds(SMALLEST_SHARE_FRACTION if fact.low > 0 else 0.0, 1.0)
    if fact.high <= 0:
        return Bounds(0.0, 1.0)
    if smallest < 0:
        return Bounds(smallest, min(max(fact.high, 0.0) + REACH_RATIO * abs(fact.high - fact.low), largest))
    lowest = max(fact.low if fact.low > 0 else fact.typical, 0.0) / REACH_RATIO
    return Bounds(max(lowest, 1.0) if fact.name in ONE_OR_MORE else lowest, min(fact.high * REACH_RATIO, largest))


def solutions(gap: Gap, bounds: Bounds, points_count: int = GRID_POINTS_COUNT) -> tuple[Solution, ...]:
    """Every sign change of the gap between the bounds, in order; empty: one of the two is cheaper throughout.

    >>> [round(each.value, 6) for each in solutions(lambda x: (x - 2.0) * (x - 5.0), Bounds(1.0, 10.0))]
    [2.0, 5.0]
    """
    spaced = np.geomspace if bounds.low > 0 and bounds.high / bounds.low > 10 else np.linspace
    grid = spaced(bounds.low, bounds.high, points_count)
    with np.errstate(divide="ignore", invalid="ignore"):  # a value of zero that something is divided by
        values = gap(grid)
    known = np.isfinite(values)
    grid, values = grid[known], values[known]
    found = []
    for index in range(grid.size - 1):
        left, right = values[index], values[index + 1]
        if left * right < 0 or (right == 0 and left != 0):
            found.append(_narrowed(gap, float(grid[index]), float(grid[index + 1]), float(left)))
    return tuple(found)


def crossings_of_futures(value: Draws, gaps_usd: Draws, *, falls: bool) -> Draws:
    """The first value at which each future's gap changes its sign so, interpolated; not a number where it never does.

    `gaps_usd` has shape ``(values, draws)``.

    >>> gaps = np.array([[1.0, -1.0], [-1.0, -1.0], [-3.0, 1.0]])
    >>> crossings_of_futures(np.array([0.0, 1.0, 2.0]), gaps, falls=True)
    array([0.5, nan])
    """
    left, right = gaps_usd[:-1], gaps_usd[1:]
    turns = (left >= 0) & (right < 0) if falls else (left < 0) & (right >= 0)
    row, columns = np.argmax(turns, axis=0), np.arange(gaps_usd.shape[1])
    above, below = left[row, columns], right[row, columns]
    share = np.clip(above / np.where(above == below, 1.0, above - below), 0.0, 1.0)
    return np.where(turns.any(axis=0), value[row] + share * (value[row + 1] - value[row]), np.nan)


def gap_between(situation: Situation, first: Option, second: Option, status_quo: Option, fact: Assumption) -> Gap:
    """Cost of `first` less that of `second` for as many successful outcomes, as a function of one fact."""

    def cost_at(value: Draws) -> Draws:
        return _equal(situation, first, status_quo, fact, value) - _equal(situation, second, status_quo, fact, value)

    def one_by_one(value: Draws) -> Draws:
        return np.array([float(_or_nan(cost_at, np.array([each])).flat[0]) for each in value])

    return one_by_one if fact.name in SCALAR_ONLY else lambda values: _whole_or_parts(cost_at, one_by_one, values)


def _whole_or_parts(cost_at: Gap, one_by_one: Gap, values: Draws) -> Draws:
    """All at once; one by one where some of them cannot be costed."""
    try:
        return np.broadcast_to(cost_at(values), values.shape).astype(np.float64)
    except BreakevenError:
        return one_by_one(values)


def _or_nan(cost_at: Gap, value: Draws) -> Draws:
    try:
        return cost_at(value)
    except BreakevenError:
        return np.array([np.nan])


def pinned(fact: Assumption, value: float) -> Assumption:
    """A fact at one value."""
    return fact.fixed_at(value, fact.source)


def as_fact(node: Node) -> Assumption:
    """The fact behind a node; one that an option derives becomes a fact at its typical value."""
    if node.assumption is not None:
        return node.assumption
    value = float(node.value.flat[0])
    source = node.source or Source("derived", node.summary, _NO_DAY, Grade.GUESS)
    return Assumption(node.name, node.unit, value, value, value, source)


def typical_with(moved: Mapping[str, Draws]) -> Callable[[Assumption], Draws]:
    """Typical values, with some facts at given ones."""

    def draw(assumption: Assumption) -> Draws:
        return moved[assumption.name] if assumption.name in moved else np.asarray([assumption.typical])

    return draw


def cost_with(situation: Situation, option: Option, moved: Mapping[str, tuple[Assumption, Draws]]) -> OptionCost:
    """One option at typical values, with some facts at given ones, which the scenario then states."""
    facts = {name: pinned(fact, float(values.flat[0])) for name, (fact, values) in moved.items()}
    told = replace(situation, scenario={**situation.scenario, **facts})
    return option.cost(told, Evaluation(typical_with({name: values for name, (_, values) in moved.items()})))


def _equal(situation: Situation, option: Option, status_quo: Option, fact: Assumption, values: Draws) -> Draws:
    moved = {fact.name: (fact, values)}
    cost = cost_with(situation, option, moved)
    base = cost if option.name == status_quo.name else cost_with(situation, status_quo, moved)
    return equal_success_of(cost, base)


def _narrowed(gap: Gap, low: float, high: float, at_low: float) -> Solution:
    """Bisection: the gap may jump, and then no faster method is safe."""
    falls = at_low > 0
    ends = gap(np.array([low, high]))
    width = abs(float(ends[0] - ends[1]))
    for _ in range(STEPS_MAX_COUNT):
        middle = 0.5 * (low + high)
        if high - low <= TOLERANCE_FRACTION * max(abs(low), abs(high), 1e-12) or middle in (low, high):
            break
        at = float(gap(np.array([middle]))[0])
        if at == 0:
            return Solution(middle, "crossing", falls)
        if (at > 0) == (at_low > 0):
            low = middle
        else:
            high = middle
    left, right = (float(each) for each in gap(np.array([low, high])))
    jump = abs(left - right) > 1e-3 * max(width, 1e-12)
    return Solution(0.5 * (low + high), "jump" if jump else "crossing", falls)
