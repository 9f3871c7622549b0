"""Compare: cost every Option on the same draws, find where their curves cross, and what the answer hangs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from breakeven.costs.line import CostLine
from breakeven.decision.breakeven import lower_envelope, pairwise
from breakeven.decision.comparison import (
    Band,
    Comparison,
    Lever,
    LineResult,
    OptionResult,
    Pair,
    Unavailable,
    lowest_expected,
    range_of,
    rival_of,
)
from breakeven.decision.curve import CostCurve, Tail
from breakeven.errors import BreakevenError, CatalogError, UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.option import Evaluation, Option, OptionCost, Situation

STATUS_QUO = "frontier_api"
AXIS_LOW_MTOK, AXIS_HIGH_MTOK = 10.0, 100_000.0
"""10 million to 100 billion tokens a month; widened to hold the user's own volume."""
STEPS_MAX_COUNT = 4000
BAND_POINTS_COUNT = 61
BAND_DRAWS_LOG2 = 11

Progress = Callable[[str], None]


def compare(
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    *,
    progress: Progress = lambda _: None,
) -> Comparison:
    """Cost `options` for `situation`; the status quo must be among them and have a price.

    Raises UnknownPrice when today's models have no price: without a 'before' there is no comparison.
    """
    progress("costing the options")
    costs, unavailable = _cost_all(situation, options, Evaluation(draws.of))
    if STATUS_QUO not in costs:
        reasons = [each.reason for each in unavailable if each.name == STATUS_QUO]
        raise UnknownPrice(f"the API as it is today cannot be costed: {'; '.join(reasons) or 'not among the options'}")
    usable = {name: options[name] for name in costs}
    results = _results(costs, draws.draws_count)
    volume = float(situation.demand.volume_mtok_per_month(_typical_hours(situation)))
    progress("finding the break-even volumes")
    curves, end_mtok = _curves(situation, usable, volume)
    low_mtok = min(AXIS_LOW_MTOK, volume / 10)
    reference = next(curve for curve in curves if curve.name == STATUS_QUO)
    pairs = tuple(
        Pair(each.name, pairwise(reference, each, low_mtok, end_mtok)) for each in curves if each.name != STATUS_QUO
    )
    progress("drawing the cost curves")
    bands = _bands(situation, usable, draws, low_mtok, end_mtok, volume)
    progress("finding the levers")
    return Comparison(
        situation.demand,
        STATUS_QUO,
        results,
        unavailable,
        curves,
        lower_envelope(curves, low_mtok, end_mtok),
        pairs,
        bands,
        _levers(situation, usable, results),
        volume,
        draws.draws_count,
        draws.seed,
    )


def typical(assumption: Assumption) -> Draws:
    """The typical value, as draws of shape ``(1,)``."""
    return np.asarray([assumption.typical])


def _typical_hours(situation: Situation) -> float:
    facts = {**situation.catalog.assumptions, **situation.scenario}
    return facts["hours_per_month"].typical


def _cost_all(
    situation: Situation, options: Mapping[str, Option], evaluation: Evaluation
) -> tuple[dict[str, OptionCost], tuple[Unavailable, ...]]:
    costs: dict[str, OptionCost] = {}
    unavailable: list[Unavailable] = []
    for name, option in options.items():
        try:
            costs[name] = option.cost(situation, evaluation)
        except (UnknownPrice, CatalogError) as error:
            unavailable.append(Unavailable(name, option.title, str(error)))
    return costs, tuple(unavailable)


def _results(costs: Mapping[str, OptionCost], draws_count: int) -> tuple[OptionResult, ...]:
    """Ranges and odds, sorted by the median cost per successful outcome."""
    per_success = {name: _full(cost.cost_per_success.value, draws_count) for name, cost in costs.items()}
    successes = {name: cost.requests.value * cost.success.value for name, cost in costs.items()}
    with_losses = {
        name: _full(cost.breakdown.total_with_losses_usd_per_month() / successes[name], draws_count)
        for name, cost in costs.items()
    }
    cheapest = np.argmin(np.stack(list(per_success.values())), axis=0)
    cheapest_with_losses = np.argmin(np.stack(list(with_losses.values())), axis=0)
    base = costs[STATUS_QUO]
    results = []
    for index, cost in enumerate(costs.values()):
        equal = _full(cost.total.value * (base.success.value / cost.success.value), draws_count)
        results.append(
            _result(
                cost,
                draws_count,
                equal,
                equal - _full(base.total.value, draws_count),
                float(np.mean(cheapest == index)),
                float(np.mean(cheapest_with_losses == index)),
            )
        )
    return tuple(sorted(results, key=lambda each: (each.usd_per_success.p50, each.name)))


def _result(
    cost: OptionCost,
    draws_count: int,
    equal: Draws,
    extra: Draws,
    cheapest_fraction: float,
    cheapest_with_losses_fraction: float,
) -> OptionResult:
    total = _full(cost.total.value, draws_count)
    rent = cost.breakdown.raw_rent_usd_per_month()
    rented = rent is not None and bool(np.all(rent > 0))
    return OptionResult(
        cost,
        range_of(total),
        range_of(total / cost.volume.value),
        range_of(_full(cost.cost_per_success.value, draws_count)),
        range_of(equal),
        range_of(_full(cost.breakdown.total_with_losses_usd_per_month(), draws_count)),
        range_of(_full(cost.success.value, draws_count)),
        range_of(_full(rent, draws_count)) if rent is not None and rented else None,
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
        range_of(_full(line.usd_per_month.value, draws_count)),
        range_of(_full(hours.value, draws_count)) if hours is not None else None,
    )


def _full(value: Draws, draws_count: int) -> Draws:
    """`value` broadcast to shape ``(draws,)``."""
    return np.broadcast_to(value, (draws_count,)).astype(np.float64)


def _curves(situation: Situation, options: Mapping[str, Option], volume: float) -> tuple[tuple[CostCurve, ...], float]:
    """Exact typical cost of each Option against volume, for equal successful outcomes, and where the axis ends."""
    at_typical = {name: option.cost(situation, Evaluation(typical)) for name, option in options.items()}
    base_success = float(at_typical[STATUS_QUO].success.value.flat[0])
    widest = max(AXIS_HIGH_MTOK, volume * 10)
    stairs = [cost.staircase for cost in at_typical.values() if cost.staircase is not None]
    end_mtok = min([widest, *(max(stair.step_mtok * STEPS_MAX_COUNT, volume * 2) for stair in stairs)])
    curves = []
    for name, option in options.items():
        factor = base_success / float(at_typical[name].success.value.flat[0])
        stair = at_typical[name].staircase
        steps_mtok = stair.steps_mtok(end_mtok) if stair is not None else np.empty(0)
        curve = CostCurve.from_function(name, _typical_cost(situation, option, factor), steps_mtok, 0.0, end_mtok)
        curves.append(_for_ever(curve) if stair is None else curve)
    return tuple(curves), end_mtok


def _for_ever(curve: CostCurve) -> CostCurve:
    """A bill per token goes on as it began: one line, also beyond the axis."""
    fixed_usd, slope = float(curve.intercepts_usd[-1]), float(curve.slopes_usd_per_mtok[-1])
    return replace(curve, tail=Tail(slope, fixed_usd, fixed_usd))


def _typical_cost(
    situation: Situation, option: Option, factor: float
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def cost(volumes_mtok: NDArray[np.float64]) -> NDArray[np.float64]:
        total = option.cost(situation, Evaluation(typical, volumes_mtok)).total.value
        return np.broadcast_to(total, volumes_mtok.shape) * factor

    return cost


def _bands(
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    low_mtok: float,
    end_mtok: float,
    volume: float,
) -> tuple[Band, ...]:
    """P10/P50/P90 along a logarithmic grid that contains the user's own volume."""
    grid = np.unique(np.append(np.geomspace(low_mtok, end_mtok, BAND_POINTS_COUNT), volume))
    fewer = draws.first(BAND_DRAWS_LOG2)
    count = fewer.draws_count
    names = list(options)
    p10, p50, p90, typicals, odds = (np.empty((len(names), grid.size)) for _ in range(5))
    for point, volume_mtok in enumerate(grid):
        at = np.asarray([volume_mtok])
        equal = _equal_success(situation, options, Evaluation(fewer.of, at), count)
        p10[:, point], p50[:, point], p90[:, point] = np.quantile(equal, (0.1, 0.5, 0.9), axis=1)
        odds[:, point] = np.bincount(np.argmin(equal, axis=0), minlength=len(names)) / count
        typicals[:, point] = _equal_success(situation, options, Evaluation(typical, at), 1)[:, 0]
    return tuple(
        Band(name, grid, p10[row], p50[row], p90[row], typicals[row], odds[row]) for row, name in enumerate(names)
    )


def _equal_success(
    situation: Situation, options: Mapping[str, Option], evaluation: Evaluation, count: int
) -> NDArray[np.float64]:
    """Monthly cost for equal successful outcomes, shape ``(options, count)``."""
    costs = {name: option.cost(situation, evaluation) for name, option in options.items()}
    base = costs[STATUS_QUO].success.value
    return np.stack([_full(cost.total.value * (base / cost.success.value), count) for cost in costs.values()])


def _levers(
    situation: Situation, options: Mapping[str, Option], results: tuple[OptionResult, ...]
) -> tuple[Lever, ...]:
    """Move one Assumption at a time from its low to its high, the others typical; the gap is rival minus winner."""
    winner = lowest_expected(results)
    rival = rival_of(winner, results, STATUS_QUO)
    if rival is None:
        return ()
    two = {each.name: options[each.name] for each in (rival, winner)}
    leaves: dict[str, Node] = {}
    for each in (rival, winner):
        for node in (each.cost.cost_per_success, each.cost.total):
            leaves.update(node.leaves())
    uncertain = {name: node for name, node in leaves.items() if node.assumption and not node.assumption.is_certain}

    def gap(moved: Assumption | None, value: float) -> float:
        def draw(assumption: Assumption) -> Draws:
            same = moved is not None and assumption.name == moved.name
            return np.asarray([_moved(assumption, value) if same else assumption.typical])

        equal = _equal_success(situation, two, Evaluation(draw), 1)[:, 0]
        order = list(two)
        return float(equal[order.index(rival.name)] - equal[order.index(winner.name)])

    middle = gap(None, 0.0)
    levers = []
    for name, node in uncertain.items():
        fact = node.assumption
        assert fact is not None
        try:
            at_low, at_high = gap(fact, -1.0), gap(fact, 1.0)
        except BreakevenError:
            continue
        levers.append(Lever(name, fact.low, fact.high, at_low, at_high, middle, node))
    return tuple(sorted(levers, key=lambda each: -each.swing_usd_per_month))


def _moved(assumption: Assumption, direction: float) -> float:
    """The low or high of whichever range this Option binds the name to."""
    return assumption.low if direction < 0 else assumption.high
