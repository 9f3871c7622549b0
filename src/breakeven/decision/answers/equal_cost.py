"""Equal cost: the values of one number at which two named options cost the same, and how sure that is.

Over the horizon it is the expected present costs that are equal, in one month the costs at typical values of the rest.
Every value between two bounds is found; over the futures the only one gets a range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.decision.answers.changes import API_PRICE, VOLUME
from breakeven.decision.answers.expected import Expectation, MeanGap, Moved, narrowed
from breakeven.decision.answers.outlook import OWN_FLEET, equal_success_of
from breakeven.decision.answers.solve import (
    Bounds,
    Gap,
    Solution,
    as_fact,
    bounds_of,
    crossings_of_futures,
    gap_between,
    pinned,
    solutions,
)
from breakeven.decision.bounds import check_bounds
from breakeven.decision.compare import AXIS_HIGH_MTOK, AXIS_LOW_MTOK, typical
from breakeven.decision.comparison import Costed, Range, SideBySide, open_to_all, range_of
from breakeven.decision.told_demand import at_price
from breakeven.errors import BreakevenError, UnknownName, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.assembly.success import ANY_OPEN_MODEL
from breakeven.options.discover import OPTION_ALIASES
from breakeven.options.option import Evaluation, Option, Situation

CLASSES: Final = frozenset(f"{size}_model_success_fraction" for size in ("small", "mid", "large", "moe"))
"""Success rates by the class of an open model, which `open_model_success_fraction` takes the place of."""
API_PRICE_BOUNDS: Final = Bounds(0.01, 20.0)
RANGE_DRAWS_LOG2: Final = 9
RANGE_POINTS_COUNT: Final = 65
AHEAD_POINTS_COUNT: Final = 25
AHEAD_TOLERANCE_FRACTION: Final = 1e-6
JUMP_FRACTION: Final = 1e-2
"""Of the gap's way between two points of the grid: what is left at a solution, where the gap is not zero."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The values of one fact at which two options cost the same."""

    fact: Assumption
    first: str
    second: str
    bounds: Bounds
    found: tuple[Solution, ...]
    gap_now_usd_per_month: float
    """Cost of the first option less that of the second with the fact as it is."""
    crossing: Range | None
    """Of the only solution, over the futures in which there is one."""
    never_fraction: float | None
    """Share of the futures in which there is none between the bounds; None: not looked at."""
    months_count: int | None = None
    """Months over which the costs are expected; None: one month at typical values."""
    gap_now_present_usd: float | None = None
    """Expected present cost of the first option less that of the second with the fact as it is."""


def option_named(said: str, comparison: SideBySide) -> Costed:
    """The option behind a typed name; ``self_host``, ``managed`` and ``best`` are those that cost least."""
    costed = {each.name: each for each in comparison.options}
    name = OPTION_ALIASES.get(said, "rented_on_demand" if said == "rented" else said)
    if name in costed:
        return costed[name]
    of_family = {
        "self_host": ("self_hosted",),
        "self_hosting": ("self_hosted",),
        "managed": ("managed",),
        "gpus": OWN_FLEET,
        "best": None,
    }
    if said in of_family:
        families = of_family[said]
        known = [each for each in open_to_all(comparison.options) if families is None or each.cost.family in families]
        if known:
            return min(known, key=lambda each: each.equal_success_usd_per_month.mean)
    reason = next((each.reason for each in comparison.unavailable if each.name == name), None)
    if reason:
        raise UnknownName(f"'{said}' cannot be costed here: {reason}")
    raise UnknownName(f"no option named '{said}'; {nearest(said, [*costed, *OPTION_ALIASES, *of_family])}")


def solve(
    situation: Situation,
    options: Mapping[str, Option],
    comparison: SideBySide,
    name: str,
    first: Costed,
    second: Costed,
    *,
    bounds: Bounds | None = None,
    draws: DrawSet | None = None,
) -> Solved:
    """Every value of the fact `name` at which `first` and `second` cost the same, at typical values of the rest.

    With `draws` also the range of the only solution over the futures.
    """
    one, two, base = options[first.name], options[second.name], options[comparison.status_quo]
    if name == VOLUME:
        fact = _volume_fact(comparison)
        gap = _volume_gap(situation, one, two, base)
        bounds = bounds or _volume_bounds(fact.typical)
    elif name == API_PRICE:
        fact = _price_fact(comparison)
        gap = _price_gap(situation, one, two, base)
        bounds = bounds or API_PRICE_BOUNDS
    else:
        fact = _fact(name, (first, second))
        gap = gap_between(situation, one, two, base, fact)
        bounds = bounds or bounds_of(fact)
    if name not in (VOLUME, API_PRICE):
        check_bounds(name, fact.unit, bounds.low, bounds.high)
    found = solutions(gap, bounds)
    now = _gap_now(situation, one, two, base)
    spread, never = None, None
    if draws is not None and len(found) == 1 and name not in (VOLUME, API_PRICE):
        spread, never = _over_futures(
            situation, (one, two, base), fact, bounds, found[0], draws.first(RANGE_DRAWS_LOG2)
        )
    return Solved(fact, first.name, second.name, bounds, found, now, spread, never)


def solve_ahead(
    expected: Expectation,
    comparison: SideBySide,
    name: str,
    first: Costed,
    second: Costed,
    *,
    bounds: Bounds | None = None,
) -> Solved:
    """Every value of the fact `name` at which the expected present costs of `first` and `second` are the same."""
    few = expected.few()
    fact, moved, widest = _ahead(few, comparison, name, (first, second))
    if bounds is not None and name not in (VOLUME, API_PRICE):
        check_bounds(name, fact.unit, bounds.low, bounds.high)
    bounds = bounds or widest
    spaced = np.geomspace if bounds.low > 0 and bounds.high / bounds.low > 10 else np.linspace
    grid = spaced(bounds.low, bounds.high, AHEAD_POINTS_COUNT)
    gaps = np.stack([_gaps_or_nan(few, moved, float(each), first.name, second.name) for each in grid])
    grid, gaps = grid[np.isfinite(gaps).all(axis=1)], gaps[np.isfinite(gaps).all(axis=1)]
    found = _turns(few.mean_gap(moved, first.name, second.name), grid, np.mean(gaps, axis=1))
    spread, never = None, None
    if len(found) == 1:
        values = crossings_of_futures(grid, gaps, falls=found[0].falls)
        known = values[np.isfinite(values)]
        spread, never = range_of(known) if known.size else None, float(np.mean(~np.isfinite(values)))
    one, two, base = (few.options[each] for each in (first.name, second.name, comparison.status_quo))
    return Solved(
        fact,
        first.name,
        second.name,
        bounds,
        found,
        _gap_now(few.situation, one, two, base),
        spread,
        never,
        few.months_count,
        float(np.mean(few.gaps_usd(few.situation, first.name, second.name))),
    )


def _ahead(
    expected: Expectation, comparison: SideBySide, name: str, two: Sequence[Costed]
) -> tuple[Assumption, Moved, Bounds]:
    """The number, how it is moved, and where a solution is looked for."""
    if name == VOLUME:
        fact = _volume_fact(comparison)
        here = fact.typical
        return fact, expected.with_volume(here), _volume_bounds(here)
    if name == API_PRICE:
        return _price_fact(comparison), expected.with_price(), API_PRICE_BOUNDS
    try:
        fact = _fact(name, two)
    except UnknownName:
        if name not in expected.path_facts():
            raise
        fact = expected.fact(name)
    return fact, expected.with_fact(fact), bounds_of(fact)


def _gaps_or_nan(expected: Expectation, moved: Moved, value: float, first: str, second: str) -> Draws:
    try:
        return expected.gaps_usd(moved(value), first, second)
    except BreakevenError:
        return np.full(expected.draws.draws_count, np.nan)


def _turns(gap: MeanGap, grid: Draws, means: Draws) -> tuple[Solution, ...]:
    found = []
    for index in range(grid.size - 1):
        left, right = float(means[index]), float(means[index + 1])
        if left * right < 0:
            value = narrowed(gap, (float(grid[index]), left), (float(grid[index + 1]), right), AHEAD_TOLERANCE_FRACTION)
            jump = not abs(gap(value)) <= JUMP_FRACTION * abs(left - right)
            found.append(Solution(value, "jump" if jump else "crossing", left > 0))
    return tuple(found)


def _volume_bounds(here_mtok: float) -> Bounds:
    return Bounds(min(AXIS_LOW_MTOK, here_mtok / 10), max(AXIS_HIGH_MTOK, here_mtok * 10))


def _volume_fact(comparison: SideBySide) -> Assumption:
    here = comparison.typical_volume_mtok
    return Assumption(VOLUME, "mtok/month", here, here, here, comparison.demand.source)


def _price_fact(comparison: SideBySide) -> Assumption:
    return Assumption(API_PRICE, "ratio", 1.0, 1.0, 1.0, comparison.demand.source)


def _volume_gap(situation: Situation, one: Option, two: Option, base: Option) -> Gap:
    def gap(volume_mtok: Draws) -> Draws:
        evaluation = Evaluation(typical, volume_mtok)
        today = base.cost(situation, evaluation)
        first, second = (equal_success_of(each.cost(situation, evaluation), today) for each in (one, two))
        return np.broadcast_to(first - second, volume_mtok.shape).astype(np.float64)

    return gap


def _price_gap(situation: Situation, one: Option, two: Option, base: Option) -> Gap:
    def at(ratio: float) -> float:
        told = replace(situation, demand=at_price(situation.demand, ratio))
        today = base.cost(told, Evaluation(typical))
        first, second = (equal_success_of(each.cost(told, Evaluation(typical)), today) for each in (one, two))
        return float((first - second).flat[0])

    return lambda values: np.array([at(float(each)) for each in values])


def _gap_now(situation: Situation, one: Option, two: Option, base: Option) -> float:
    """As things are: each option with its own value of the fact."""
    evaluation = Evaluation(typical)
    today = base.cost(situation, evaluation)
    first, second = (equal_success_of(each.cost(situation, evaluation), today) for each in (one, two))
    return float((first - second).flat[0])


def _fact(name: str, two: Sequence[Costed]) -> Assumption:
    """The fact as one of the two options reads it; raises UnknownName where neither does."""
    for each in two:
        node = _node(each, name)
        if node is not None:
            return as_fact(node)
    if name == ANY_OPEN_MODEL:
        for each in two:
            leaf = next((leaf for known, leaf in each.cost.success.leaves().items() if known in CLASSES), None)
            if leaf is not None:
                return replace(as_fact(leaf), name=ANY_OPEN_MODEL)
    read = sorted({leaf for each in two for leaf in each.cost.total.leaves()})
    told = " nor ".join(each.name for each in two)
    raise UnknownName(
        f"neither {told} depends on '{name}' this month, so no value of it makes them equal; {nearest(name, read)}"
    )


def _node(result: Costed, name: str) -> Node | None:
    waiting = [result.cost.total, result.cost.success, *(line.usd_per_month for line in result.cost.breakdown.lines)]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.name == name:
            return node
        waiting.extend(node.inputs)
    return None


def _over_futures(
    situation: Situation,
    three: tuple[Option, Option, Option],
    fact: Assumption,
    bounds: Bounds,
    solution: Solution,
    draws: DrawSet,
) -> tuple[Range | None, float]:
    """The value at which the gap changes its sign in the same direction, future by future."""
    spaced = np.geomspace if bounds.low > 0 else np.linspace
    grid = spaced(bounds.low, bounds.high, RANGE_POINTS_COUNT)

    def draw(assumption: Assumption) -> Draws:
        return grid[:, None] if assumption.name == fact.name else draws.of(assumption)

    told = replace(situation, scenario={**situation.scenario, fact.name: pinned(fact, solution.value)})
    base = three[2].cost(told, Evaluation(draw))
    one, two = (equal_success_of(each.cost(told, Evaluation(draw)), base) for each in three[:2])
    gaps = np.broadcast_to(one - two, (grid.size, draws.draws_count))
    values = crossings_of_futures(grid, gaps, falls=solution.falls)
    known = values[np.isfinite(values)]
    return (range_of(known) if known.size else None), float(np.mean(~np.isfinite(values)))
