"""Terms: each option's month in a form that a kernel evaluates in a nanosecond: a line in the volume, and steps.

In a month with volume v, of which the share r has moved, an option of n purchase units (replicas, or servers) pays

    (u + a A + o O) v r + F(n) + G(n) R + (1 - r) (today's bill),   n = max(fewest, ceil(v r w / step))

with A, O, R the ratios of API, open-token and rent prices and w the work per token over today's (1 where units are sold
by their tokens). u, a, o, F and G are
read off the option itself, costed at a few volumes per draw; F and G are straight between a few knots. The error of
that against the exact months is measured and reported, never assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon.exact import Setting, once_usd
from breakeven.decision.horizon.price_of_line import price_of
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws, sum_in_order
from breakeven.facts.memory import recalled
from breakeven.facts.trace import Node
from breakeven.options.assembly.staircase import Staircase
from breakeven.options.option import Evaluation, Option, OptionCost, Situation
from breakeven.options.remembered import view_of

KNOTS_COUNT: Final = 6
"""Bends of F and G between the fewest and the most units that the draws meet."""
Floats = NDArray[np.float64]
HORIZON_MONTHS: Final = "horizon_months"
NO_FLEET, WHOLE_UNITS, FRACTIONS, UNITS_OF_TOKENS = 0, 1, 2, 3
"""What an option buys, as the kernels number it."""
_INSIDE: Final = 1 - 1e-9
FAR_COUNT: Final = 1e5


@dataclass(frozen=True, slots=True)
class Terms:
    """One option; every array of shape ``(draws,)``, or ``(1,)`` for the same in all, unless it says otherwise."""

    name: str
    moves: bool
    per_mtok: Floats
    """u, a, o: USD per Mtok at today's prices, shape ``(3, draws)``."""
    kind: int
    """`NO_FLEET`: nothing but the volume matters; `FRACTIONS`: n may be a fraction (a fleet that goes to sleep);
    `UNITS_OF_TOKENS`: newer open models, that do with less work, leave n as it is."""
    step_mtok: Floats
    """Volume that one more unit carries."""
    fewest_count: Floats
    knots: Floats
    """Units at which F and G bend, shape ``(KNOTS_COUNT,)``."""
    today: Floats
    """F as value at 0, slope, and change of slope at each knot, shape ``(2 + bends, draws)``; without steps, the first
    row."""
    rent: Floats
    """G in the same form; ``(1, 1)``: nothing."""
    commitment_months: int
    once_usd: Floats
    capex_usd: Floats
    """Hardware of one unit; 0: none is owned."""
    annuity_usd_per_month: Floats
    """What F holds for it, per unit."""
    lifetime_months: Floats
    age_months: Floats

    @property
    def steps(self) -> bool:
        """False: nothing but the volume matters."""
        return self.kind != NO_FLEET


def terms_of(setting: Setting, options: Mapping[str, Option]) -> tuple[Terms, ...]:
    """The terms of every option, in order; the status quo must be among them."""
    return tuple(one_by_one(setting, options))


def one_by_one(setting: Setting, options: Mapping[str, Option]) -> Iterator[Terms]:
    """The same, each made when it is asked for."""
    base = options[STATUS_QUO].cost(setting.situation, Evaluation(setting.draw, setting.volume_mtok))
    for option in options.values():
        yield _terms(setting, option, base.success.value)


def _terms(setting: Setting, option: Option, base_success: Draws) -> Terms:
    cost = option.cost(setting.situation, Evaluation(setting.draw, setting.volume_mtok))
    factor: Draws = recalled(_ratio, base_success, cost.success.value)
    once = once_usd(cost, setting.facts)
    found: Terms
    if cost.staircase is None:
        evaluation = Evaluation(setting.draw, recalled(_doubled, setting.volume_mtok), lines_only=True)
        double = view_of(option, at_any_horizon(setting.situation, cost), evaluation, _by_price)
        found = recalled(_without_fleet, cost, double, setting.volume_mtok, factor, once)
        return found
    step, fewest = _units_of(cost, cost.staircase)
    whole = not cost.staircase.kinks_mtok
    if whole:
        most = setting.paths.most_volume if cost.staircase.of_tokens else setting.paths.most_work
        nodes = recalled(_nodes, most, setting.volume_mtok, step, fewest)
    else:
        nodes = recalled(_smooth_nodes, setting.volume_mtok, step, *setting.paths.years("volume"))
    evaluation = Evaluation(setting.draw, recalled(_volumes_of, step, nodes, whole), lines_only=True)
    situation = _at_the_fewest(setting.situation, cost.staircase)
    at_units = view_of(option, at_any_horizon(situation, cost), evaluation, _at_units)  # all volumes at once
    found = recalled(_with_fleet, cost, at_units, nodes, step, fewest, setting.volume_mtok, factor, once)
    return found


def _at_the_fewest(situation: Situation, stairs: Staircase) -> Situation:
    """The same with the fewest units of any draw in all of them: where the draws differ in it, F and G are read from
    there on in each, and n is held to the draw's own fewest."""
    fewest = stairs.fewest_of_draws_count
    name, said = stairs.fewest_fact, situation.scenario
    fact = said.get(name) or situation.catalog.assumptions.get(name)
    if fewest is None or fact is None or fact.is_certain or stairs.kinks_mtok:
        return situation
    scenario: Mapping[str, Assumption] = recalled(_with_fact, said, fact, float(np.min(fewest)))
    return replace(situation, scenario=scenario)


def _with_fact(scenario: Mapping[str, Assumption], fact: Assumption, value: float) -> dict[str, Assumption]:
    return {**scenario, fact.name: fact.fixed_at(value, fact.source)}


def at_any_horizon(situation: Situation, cost: OptionCost) -> Situation:
    """The same without its horizon, where the months only share out what is paid once (which `once_usd` reads off the
    cost itself): then another horizon finds the views of this one."""
    if HORIZON_MONTHS not in situation.scenario or _hangs_on_the_horizon(cost):
        return situation
    scenario: Mapping[str, Assumption] = recalled(_without_horizon, situation.scenario)
    return replace(situation, scenario=scenario)


def _hangs_on_the_horizon(cost: OptionCost) -> bool:
    """Whether the horizon is behind a line of every month, or the hardware: resale at its end."""
    left = [line.usd_per_month for line in cost.breakdown.counted if price_of(line, cost) != "once"]
    if (owned := cost.capital) is not None:
        left += [owned.capex_usd, owned.annuity_usd_per_month, owned.lifetime_months]
        left += [owned.age_months] if owned.age_months is not None else []
    seen = set[Node]()
    while left:
        node = left.pop()
        if node.name == HORIZON_MONTHS:
            return True
        if node not in seen:
            seen.add(node)
            left += node.inputs
    return False


def _without_horizon(scenario: Mapping[str, Assumption]) -> dict[str, Assumption]:
    return {name: each for name, each in scenario.items() if name != HORIZON_MONTHS}


def _ratio(one: Draws, other: Draws) -> Draws:
    return np.asarray(one / other)


def _doubled(volume_mtok: Draws) -> Draws:
    return 2 * volume_mtok


def _without_fleet(cost: OptionCost, double: Mapping[str, Draws], volume: Draws, factor: Draws, once: Draws) -> Terms:
    here, there = _by_price(cost), double
    slope = (there["today"] - here["today"]) / volume
    shape = np.broadcast_shapes(np.shape(volume), *(np.shape(each) for each in here.values()), np.shape(factor))
    fixed = _wide((here["today"] - slope * volume) * factor, shape)
    return Terms(
        cost.name,
        cost.name != STATUS_QUO,
        _per_mtok(here, slope, volume, factor, shape),
        NO_FLEET,
        np.full(1, np.inf),
        np.ones(1),
        np.full(KNOTS_COUNT, FAR_COUNT),
        fixed[None],
        np.zeros((1, 1)),
        0,
        _wide(once, shape),
        *(np.zeros(1) for _ in range(4)),
    )


def _units_of(cost: OptionCost, stairs: Staircase) -> tuple[Draws, Draws]:
    """Volume that one more purchase unit carries, and the fewest of them."""
    assert stairs.step_of_draws_mtok is not None and stairs.fewest_of_draws_count is not None
    together = cost.capital.bought_together_count if cost.capital else 1.0
    step: Draws = recalled(_step_of_units, stairs.step_of_draws_mtok, together)
    fewest = np.ceil(stairs.fewest_of_draws_count / together) if not stairs.kinks_mtok else np.zeros(1)
    return step, fewest


def _step_of_units(step_mtok: Draws, together_count: float) -> Draws:
    return np.asarray(step_mtok * together_count)


def _volumes_of(step: Draws, nodes: Sequence[float], whole: bool) -> Draws:
    return np.asarray(step * _just_inside(nodes, whole))


def _just_inside(nodes: Sequence[float], whole: bool) -> Draws:
    """The units at the nodes, and a volume inside the first step."""
    return np.array([*nodes, nodes[0] / 2 if whole else nodes[0]])[:, None] * _INSIDE


@dataclass(frozen=True, slots=True)
class _AtUnits:
    """What is read off an option at some numbers of units; rows are units."""

    today: Draws
    gpu_rent: Draws
    capex_usd: Draws | None
    annuity_usd_per_month: Draws | None
    lifetime_months: Draws | None
    age_months: Draws | None


def _at_units(cost: OptionCost) -> _AtUnits:
    priced, first = _by_price(cost), cost.capital
    if first is None:
        return _AtUnits(priced["today"], priced["gpu_rent"], None, None, None, None)
    return _AtUnits(
        priced["today"],
        priced["gpu_rent"],
        _first_row(first.capex_usd.value),
        _first_row(first.annuity_usd_per_month.value),
        first.lifetime_months.value,
        first.age_months.value if first.age_months else None,
    )


def _with_fleet(
    cost: OptionCost,
    at_units: _AtUnits,
    nodes: Sequence[float],
    step: Draws,
    fewest: Draws,
    volume: Draws,
    factor: Draws,
    once: Draws,
) -> Terms:
    assert cost.staircase is not None
    whole = not cost.staircase.kinks_mtok
    shape = np.broadcast_shapes(np.shape(volume), np.shape(step), np.shape(factor), np.shape(cost.total.value))
    units = _just_inside(nodes, whole)
    priced_today, priced_rent = (
        np.broadcast_to(each, (len(units), *shape)) for each in (at_units.today, at_units.gpu_rent)
    )
    slope: Draws = np.zeros(1)
    if whole:  # within a step only what goes with the volume moves
        slope = (priced_today[0] - priced_today[-1]) / (step * (units[0] - units[-1]))
    here = _by_price(cost)
    wide_factor, nothing = _wide(factor, shape), np.zeros(1)
    today = _bent(nodes, units, priced_today[:-1], _wide(slope * step, shape), wide_factor)
    rent: Floats = np.zeros((1, 1))
    if not _is_nothing(at_units.gpu_rent):
        rent = _bent(nodes, units, priced_rent[:-1], _wide(nothing, shape), wide_factor)
    knots = np.full(KNOTS_COUNT, FAR_COUNT)
    knots[: len(nodes) - 2] = nodes[1:-1]
    first = at_units
    return Terms(
        cost.name,
        True,
        _per_mtok(here, slope, volume, factor, shape),
        _kind_of(cost.staircase),
        _wide(step, shape),
        _wide(fewest, shape),
        knots,
        today,
        rent,
        cost.commitment_months,
        _wide(once, shape),
        nothing if first.capex_usd is None else _wide(first.capex_usd * factor / nodes[0], shape),
        nothing
        if first.annuity_usd_per_month is None
        else _wide(first.annuity_usd_per_month * factor / nodes[0], shape),
        nothing if first.lifetime_months is None else _wide(np.maximum(np.ceil(first.lifetime_months), 1.0), shape),
        nothing if first.age_months is None else _wide(first.age_months, shape),
    )


def _kind_of(stairs: Staircase) -> int:
    if stairs.kinks_mtok:
        return FRACTIONS
    return UNITS_OF_TOKENS if stairs.of_tokens else WHOLE_UNITS


def _by_price(cost: OptionCost) -> dict[str, Draws]:
    """Sums of the counted lines by what moves them."""
    lines: dict[str, list[Draws]] = {name: [] for name in _PRICES}
    for line in cost.breakdown.counted:
        lines[price_of(line, cost)].append(line.usd_per_month.value)
    return {name: sum_in_order(each) for name, each in lines.items()}


_PRICES: Final = ("today", "gpu_rent", "api_list_price", "open_token_price", "once")


def _per_mtok(here: Mapping[str, Draws], slope: Draws, volume: Draws, factor: Draws, shape: tuple[int, ...]) -> Floats:
    return np.stack(
        [
            _wide(slope * factor, shape),
            _wide(here["api_list_price"] / volume * factor, shape),
            _wide(here["open_token_price"] / volume * factor, shape),
        ]
    )


def _nodes(most_ratio: Draws, volume_mtok: Draws, step: Draws, fewest: Draws) -> tuple[float, ...]:
    """Whole units from the fewest to the most that nearly all draws meet, at most `KNOTS_COUNT` between the ends."""
    low = float(np.min(fewest))
    most = most_ratio * volume_mtok
    wanted = np.maximum(np.ceil(most / step), fewest)
    high = max(float(np.quantile(wanted, 0.995)), low + 1.0)
    inner = np.geomspace(max(low, 1.0), high, KNOTS_COUNT + 2)
    if high - low <= KNOTS_COUNT + 1:
        inner = np.arange(low, high + 1)
    return tuple(sorted({float(each) for each in np.round(inner)}))


def _smooth_nodes(volume_mtok: Draws, step: Draws, *volume_ratio_by_year: Draws) -> tuple[float, ...]:
    """Loads of a fleet that goes to sleep, in replicas, from the least to the most that nearly all draws meet."""
    from breakeven.decision.horizon.order_statistics import quantiles_of_loads

    low, middle, high = quantiles_of_loads(volume_ratio_by_year, volume_mtok, step, (0.02, 0.5, 0.98))
    inner = np.geomspace(min(low, middle * 0.2), max(high, middle * 4), KNOTS_COUNT + 2)
    return tuple(float(each) for each in inner)


def _first_row(value: Draws) -> Draws:
    return value[0] if value.ndim > 1 else value


def _bent(nodes: Sequence[float], units: Floats, priced: Floats, per_unit: Floats, factor: Floats) -> Floats:
    """Value at 0, slope, and change of slope at each inner node of the straight pieces through the values at `nodes`.

    The values: `priced` at the `units`, less `per_unit` of each draw, times `factor`.
    """
    from breakeven.decision.horizon.bent_kernel import bent_rows

    found = np.empty((len(nodes), factor.size))
    counts = np.ascontiguousarray(units[:-1, 0])
    bent_rows(np.ascontiguousarray(priced), per_unit, counts, factor, np.asarray(nodes, dtype=np.float64), found)
    return found


def _is_nothing(value: Draws) -> bool:
    return value.size == 1 and value.flat[0] == 0.0


def _wide(value: Draws, shape: tuple[int, ...]) -> Floats:
    if value.shape == shape and value.dtype == np.float64:
        return value
    return np.broadcast_to(value, shape).astype(np.float64)
