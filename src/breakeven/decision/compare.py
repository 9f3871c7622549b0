"""Compare: cost every Option on the same draws, find where their curves cross, and what the answer hangs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from breakeven.costs.line import CostLine
from breakeven.decision.breakeven import BreakEvenReport, lower_envelope, pairwise
from breakeven.decision.comparison import (
    Band,
    Choice,
    Comparison,
    Lever,
    LineResult,
    OptionResult,
    Pair,
    Unavailable,
    UnavailableKind,
    leaf_nodes,
    lowest_expected,
    range_of,
    rival_of,
)
from breakeven.decision.curve import CostCurve, Tail
from breakeven.errors import BreakevenError, CatalogError, ConstraintNotMet, ScenarioError, UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.options.option import Evaluation, Option, OptionCost, Situation

STATUS_QUO = "frontier_api"
AXIS_LOW_MTOK, AXIS_HIGH_MTOK = 10.0, 100_000.0
"""10 million to 100 billion tokens a month; doubled until it holds ten times the user's own volume."""
REFERENCE_MTOK = 1024.0
"""A volume at which an option is asked for what does not hang on the volume: its success and its steps."""
STEPS_MAX_COUNT = 4000
BAND_POINTS_COUNT = 61
BAND_DRAWS_LOG2 = 11
BAND_CHUNK_POINTS_COUNT = 16
"""Volumes that are evaluated at once, with every draw: more of them no longer fit the processor's cache."""

Progress = Callable[[str], None]
CostOfVolumes = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def compare(
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    *,
    progress: Progress = lambda _: None,
    with_bands: bool = True,
) -> Comparison:
    """Cost `options` for `situation`; the status quo must be among them and have a price.

    `with_bands`: False leaves out the cost curves' ranges, which take longest.

    Raises UnknownPrice when today's models have no price: without a 'before' there is no comparison.
    """
    progress("costing the options")
    costs, unavailable = cost_all(situation, options, Evaluation(draws.of))
    usable = {name: options[name] for name in costs}
    open_to_all = frozenset(name for name, cost in costs.items() if not cost.only_if)
    results = _results(costs, draws.draws_count)
    progress("finding the break-even volumes")
    axis = along_volumes(situation, usable)
    progress("drawing the cost curves")
    grid = np.unique(np.append(np.geomspace(axis.low_mtok, axis.end_mtok, BAND_POINTS_COUNT), axis.here_mtok))
    bands = _bands(situation, usable, open_to_all, draws.first(BAND_DRAWS_LOG2), grid) if with_bands else ()
    progress("finding the levers")
    return Comparison(
        situation.demand,
        STATUS_QUO,
        results,
        unavailable,
        axis.curves,
        lower_envelope([each for each in axis.curves if each.name in open_to_all], axis.low_mtok, axis.end_mtok),
        axis.pairs,
        bands,
        levers_between(situation, usable, *_contest(results)),
        axis.here_mtok,
        draws.draws_count,
        draws.seed,
    )


def typical(assumption: Assumption) -> Draws:
    """The typical value, as draws of shape ``(1,)``."""
    return np.asarray([assumption.typical])


def typical_volume_mtok(situation: Situation) -> float:
    """The log's volume of a month of typical hours."""
    known = situation.scenario if "hours_per_month" in situation.scenario else situation.catalog.assumptions
    return float(situation.demand.volume_mtok_per_month(known["hours_per_month"].typical))


def cost_all(
    situation: Situation, options: Mapping[str, Option], evaluation: Evaluation
) -> tuple[dict[str, OptionCost], tuple[Unavailable, ...]]:
    """What each Option costs, and those that cannot be costed.

    Raises UnknownPrice when the status quo cannot, ScenarioError when nobody may take any of the others or it.
    """
    costs: dict[str, OptionCost] = {}
    unavailable: list[Unavailable] = []
    for name, option in options.items():
        try:
            costs[name] = option.cost(situation, evaluation)
        except (UnknownPrice, CatalogError) as error:
            unavailable.append(Unavailable(name, option.title, str(error), option.family, _kind_of(error)))
    if STATUS_QUO not in costs:
        reasons = [each.reason for each in unavailable if each.name == STATUS_QUO]
        raise UnknownPrice(f"the API as it is today cannot be costed: {'; '.join(reasons) or 'not among the options'}")
    if all(cost.only_if for cost in costs.values()):
        raise _none_left(situation, costs, unavailable)
    return costs, tuple(unavailable)


def _none_left(
    situation: Situation, costs: Mapping[str, OptionCost], unavailable: Sequence[Unavailable]
) -> ScenarioError:
    """Why no option is left that everybody may take, where that is written, and what to do."""
    place = situation.choices.require.place
    told = [f"{name}: only if {cost.only_if}" for name, cost in costs.items()]
    told += [f"{each.name}: {each.reason.partition('; ')[0]}" for each in unavailable]
    more = f"; and {len(told) - 3} more" if len(told) > 3 else ""
    return ScenarioError(
        f"{place + ': ' if place else ''}the constraints leave no option: {'; '.join(told[:3])}{more}. Loosen one, "
        f"write what your contract says of a provider under providers:, or compare other options (--options)"
    )


def _kind_of(error: BreakevenError) -> UnavailableKind:
    if isinstance(error, UnknownPrice):
        return "price"
    return "constraint" if isinstance(error, ConstraintNotMet) else "other"


def _results(costs: Mapping[str, OptionCost], draws_count: int) -> tuple[OptionResult, ...]:
    """Ranges and odds, sorted by the median cost per successful outcome."""
    per_success = {name: full(cost.cost_per_success.value, draws_count) for name, cost in costs.items()}
    with_losses = {
        name: full(
            cost.breakdown.total_with_losses_usd_per_month() / (cost.requests.value * cost.success.value), draws_count
        )
        for name, cost in costs.items()
    }
    open_to_all = [name for name, cost in costs.items() if not cost.only_if]
    odds, odds_with_losses = _odds(per_success, open_to_all), _odds(with_losses, open_to_all)
    twins = twins_of(per_success)
    base = costs[STATUS_QUO]
    results = []
    for name, cost in costs.items():
        equal = full(cost.total.value * (base.success.value / cost.success.value), draws_count)
        extra = equal - full(base.total.value, draws_count)
        found = _result(cost, draws_count, equal, extra, odds[name], odds_with_losses[name])
        results.append(replace(found, same_as=twins.get(name)))
    return tuple(sorted(results, key=lambda each: (each.usd_per_success.p50, each.name)))


def _odds(values: Mapping[str, Draws], open_to_all: Sequence[str]) -> dict[str, float]:
    """Share of the draws in which each is the lowest: of all that are open to all, the first where several are.

    One that is not open to all is held against them, and takes nothing from their odds.
    """
    stack = np.stack([values[name] for name in open_to_all])
    lowest = np.argmin(stack, axis=0)
    found = {name: float(np.mean(lowest == index)) for index, name in enumerate(open_to_all)}
    others = [name for name in values if name not in found]
    floor = np.min(stack, axis=0)
    return found | {name: float(np.mean(values[name] < floor)) for name in others}


def twins_of(per_success: Mapping[str, Draws]) -> dict[str, str]:
    """Options that cost the same as an earlier one in every draw, e.g. the cheapest broker and that broker by name."""
    found: dict[str, str] = {}
    names = list(per_success)
    for index, name in enumerate(names):
        earlier = (each for each in names[:index] if each not in found)
        same = next((each for each in earlier if _equal(per_success[each], per_success[name])), None)
        if same is not None:
            found[name] = same
    return found


def _equal(one: Draws, other: Draws) -> bool:
    return one is other or (one.flat[0] == other.flat[0] and np.array_equal(one, other))


def _result(
    cost: OptionCost,
    draws_count: int,
    equal: Draws,
    extra: Draws,
    cheapest_fraction: float,
    cheapest_with_losses_fraction: float,
) -> OptionResult:
    total = full(cost.total.value, draws_count)
    rent = cost.breakdown.raw_rent_usd_per_month()
    rented = rent is not None and bool(np.all(rent > 0))
    return OptionResult(
        cost,
        range_of(total),
        range_of(total / cost.volume.value),
        range_of(full(cost.cost_per_success.value, draws_count)),
        range_of(equal),
        range_of(full(cost.breakdown.total_with_losses_usd_per_month(), draws_count)),
        range_of(full(cost.success.value, draws_count)),
        range_of(full(rent, draws_count)) if rent is not None and rented else None,
        range_of(total / rent) if rent is not None and rented else None,
        cheapest_fraction,
        cheapest_with_losses_fraction,
        range_of(extra),
        tuple(_line_result(line, draws_count) for line in cost.breakdown.lines),
    )


def _line_result(line: CostLine, draws_count: int) -> LineResult:
    hours = line.engineer_hours_per_month
    return LineResult(
        line,
        range_of(full(line.usd_per_month.value, draws_count)),
        range_of(full(hours.value, draws_count)) if hours is not None else None,
    )


def full(value: Draws, draws_count: int) -> Draws:
    """`value` broadcast to shape ``(draws,)``."""
    return np.broadcast_to(value, (draws_count,)).astype(np.float64)


CurveMaker = Callable[[OptionCost, float, float, CostOfVolumes], CostCurve]
"""Option at typical values, factor for equal successes, end of the axis, its cost along volumes -> its curve."""


def straight_pieces(
    at_typical: OptionCost, _: float, end_mtok: float, cost_usd: CostOfVolumes, known: CostCurve | None = None
) -> CostCurve:
    """The exact pieces of one Option's cost, from nothing to the end of the axis; `known`: the same to another end."""
    stair = at_typical.staircase
    steps_mtok = stair.steps_mtok(end_mtok) if stair is not None else np.empty(0)
    curve = CostCurve.from_function(at_typical.name, cost_usd, steps_mtok, 0.0, end_mtok, known=known)
    return _for_ever(curve) if stair is None else curve


PairMaker = Callable[[CostCurve, CostCurve, float, float], BreakEvenReport]
"""Curve of the status quo, another, and the axis from low to end -> where they cross."""


@dataclass(frozen=True, slots=True)
class AlongVolumes:
    """Options along the axis of volumes, at typical values."""

    here_mtok: float
    """The log's own volume."""
    low_mtok: float
    end_mtok: float
    curves: tuple[CostCurve, ...]
    """Exact monthly cost of each Option, for equal successful outcomes."""
    pairs: tuple[Pair, ...]
    """Where each crosses the status quo."""


def along_volumes(
    situation: Situation,
    options: Mapping[str, Option],
    curve_of: CurveMaker = straight_pieces,
    pair_of: PairMaker = pairwise,
) -> AlongVolumes:
    """The curves of `options`, and where each crosses that of the status quo.

    `curve_of` and `pair_of`: who makes a curve, and compares two, where they may be known already.
    """
    here_mtok = typical_volume_mtok(situation)
    curves, end_mtok = _curves(situation, options, here_mtok, curve_of)
    low_mtok = min(AXIS_LOW_MTOK, here_mtok / 10)
    today = next(curve for curve in curves if curve.name == STATUS_QUO)
    pairs = tuple(
        Pair(each.name, pair_of(today, each, low_mtok, end_mtok)) for each in curves if each.name != STATUS_QUO
    )
    return AlongVolumes(here_mtok, low_mtok, end_mtok, curves, pairs)


def _curves(
    situation: Situation, options: Mapping[str, Option], volume_mtok: float, make: CurveMaker
) -> tuple[tuple[CostCurve, ...], float]:
    """Exact typical cost of each Option against volume, for equal successful outcomes, and where the axis ends."""
    somewhere = Evaluation(typical, np.array([REFERENCE_MTOK]), lines_only=True)
    at_typical = {name: option.cost(situation, somewhere) for name, option in options.items()}
    base_success = float(at_typical[STATUS_QUO].success.value.flat[0])
    widest = _widest_mtok(volume_mtok)
    stairs = [cost.staircase for cost in at_typical.values() if cost.staircase is not None]
    end_mtok = min([widest, *(max(stair.step_mtok * STEPS_MAX_COUNT, volume_mtok * 2) for stair in stairs)])
    curves = []
    for name, option in options.items():
        factor = base_success / float(at_typical[name].success.value.flat[0])
        curves.append(make(at_typical[name], factor, end_mtok, _typical_cost(situation, option, factor)))
    return tuple(curves), end_mtok


def _widest_mtok(volume_mtok: float) -> float:
    """How far an axis reaches that holds ten times a volume: doubled for a large one, so that the next volume has the
    same axis, and its curves need not be made anew.

    >>> [_widest_mtok(volume_mtok) for volume_mtok in (40.0, 10_000.0, 10_001.0, 45_000.0)]
    [100000.0, 100000.0, 200000.0, 800000.0]
    """
    return float(AXIS_HIGH_MTOK * 2 ** max(ceil(log2(volume_mtok * 10 / AXIS_HIGH_MTOK)), 0))


def _for_ever(curve: CostCurve) -> CostCurve:
    """A bill per token goes on as it began: one line, also beyond the axis."""
    fixed_usd, slope = float(curve.intercepts_usd[-1]), float(curve.slopes_usd_per_mtok[-1])
    return replace(curve, tail=Tail(slope, fixed_usd, fixed_usd))


def _typical_cost(situation: Situation, option: Option, factor: float) -> CostOfVolumes:
    def cost(volumes_mtok: NDArray[np.float64]) -> NDArray[np.float64]:
        cost = option.cost(situation, Evaluation(typical, volumes_mtok, lines_only=True))
        total = cost.breakdown.total_usd_per_month()
        return np.broadcast_to(total, volumes_mtok.shape) * factor

    return cost


def _bands(
    situation: Situation,
    options: Mapping[str, Option],
    open_to_all: frozenset[str],
    draws: DrawSet,
    grid: NDArray[np.float64],
) -> tuple[Band, ...]:
    """P10/P50/P90 at the volumes `grid`, ascending, and the odds of being cheapest of all that are open to all."""
    equal = _equal_success(situation, options, draws, grid)
    at_typical = {name: option.cost(situation, Evaluation(typical, grid)) for name, option in options.items()}
    base = at_typical[STATUS_QUO].success.value
    rivals = [name for name in options if name in open_to_all]
    cheapest = np.argmin(np.stack([equal[name] for name in rivals]), axis=0)
    never = np.zeros(grid.size)
    bands = []
    for name, cost in at_typical.items():
        p10, p50, p90 = np.quantile(equal[name], (0.1, 0.5, 0.9), axis=1)
        line = np.broadcast_to(cost.total.value * (base / cost.success.value), grid.shape).astype(np.float64)
        odds = np.mean(cheapest == rivals.index(name), axis=1) if name in open_to_all else never
        bands.append(Band(name, grid, p10, p50, p90, line, odds))
    return tuple(bands)


def _equal_success(
    situation: Situation, options: Mapping[str, Option], draws: DrawSet, grid: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Monthly cost for equal successful outcomes of every draw at every volume, each of shape ``(volumes, draws)``.

    Volumes lie along the first axis and draws along the second, so that what does not depend on the volume is
    computed once for all of a chunk.
    """
    shape = (grid.size, draws.draws_count)
    names = sorted(options, key=lambda name: name != STATUS_QUO)
    found = {name: np.empty(shape) for name in options}
    for start in range(0, grid.size, BAND_CHUNK_POINTS_COUNT):
        rows = slice(start, start + BAND_CHUNK_POINTS_COUNT)
        evaluation = Evaluation(draws.of, grid[rows, None])
        base: Draws = np.ones(1)
        for name in names:
            cost = options[name].cost(situation, evaluation)
            base = cost.success.value if name == STATUS_QUO else base
            found[name][rows] = cost.total.value * (base / cost.success.value)
    return found


def chosen(comparison: Comparison, situation: Situation, options: Mapping[str, Option], choice: Choice) -> Comparison:
    """`comparison` with what the months to come recommend, and the levers between that and its rival."""
    found = replace(comparison, choice=choice)
    if found.best.name == comparison.best.name:
        return found
    return replace(found, levers=levers_between(situation, options, found.best, found.rival))


def _contest(results: tuple[OptionResult, ...]) -> tuple[OptionResult, OptionResult | None]:
    winner = lowest_expected(results)
    return winner, rival_of(winner, results, STATUS_QUO)


def levers_between(
    situation: Situation, options: Mapping[str, Option], winner: OptionResult, rival: OptionResult | None
) -> tuple[Lever, ...]:
    """Move one Assumption at a time from its low to its high, the others typical; the gap is rival minus winner."""
    if rival is None:
        return ()
    leaves = leaf_nodes(node for each in (rival, winner) for node in (each.cost.cost_per_success, each.cost.total))
    uncertain = {node.name: node for node in leaves if node.assumption and not node.assumption.is_certain}
    gap = _Gap(situation, options[rival.name], options[winner.name])
    middle = gap.at(None, 0)
    levers = []
    for name, node in uncertain.items():
        fact = node.assumption
        assert fact is not None
        try:
            at_low, at_high = gap.at(name, -1), gap.at(name, 1)
        except BreakevenError:
            continue
        levers.append(Lever(name, fact.low, fact.high, at_low, at_high, middle, node))
    return tuple(sorted(levers, key=lambda each: (-each.swing_usd_per_month, each.name)))


class _Gap:
    """Rival minus winner at typical values, one Assumption moved; an Option that does not read it is asked once."""

    def __init__(self, situation: Situation, rival: Option, winner: Option) -> None:
        self._situation = situation
        self._two = (rival, winner)
        self._read: tuple[set[str], set[str]] = (set(), set())
        self._typical = tuple(
            self._ends(option, None, 0, read) for option, read in zip(self._two, self._read, strict=True)
        )

    def at(self, moved: str | None, direction: int) -> float:
        """USD a month for equal successful outcomes, with the Assumption `moved` at its low (-1) or high (1)."""
        (rival, of_rival), (winner, of_winner) = (
            self._ends(option, moved, direction, set()) if moved in read else known
            for option, read, known in zip(self._two, self._read, self._typical, strict=True)
        )
        base = of_rival if self._two[0].name == STATUS_QUO else of_winner
        return float(rival * (base / of_rival) - winner * (base / of_winner))

    def _ends(self, option: Option, moved: str | None, direction: int, read: set[str]) -> tuple[float, float]:
        """Total and success of `option`; the names of what it drew are added to `read`."""

        def draw(assumption: Assumption) -> Draws:
            read.add(assumption.name)
            value = _moved(assumption, direction) if assumption.name == moved else assumption.typical
            return np.asarray([value])

        cost = option.cost(self._situation, Evaluation(draw))
        return float(cost.total.value.flat[0]), float(cost.success.value.flat[0])


def _moved(assumption: Assumption, direction: int) -> float:
    """The low or high of whichever range this Option binds the name to."""
    return assumption.low if direction < 0 else assumption.high
