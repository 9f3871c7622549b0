"""Terms: each option's month in a form that a kernel evaluates in a nanosecond: a line in the volume, and steps.

In a month with volume v, of which the share r has moved, an option of n purchase units (replicas, or servers) pays

    (u + a A + o O) v r + F(n) + G(n) R + (1 - r) (today's bill),   n = max(fewest, ceil(v r w / step))

with A, O, R the ratios of API, open-token and rent prices and w the work per token over today's. u, a, o, F and G are
read off the option itself, costed at a few volumes per draw; F and G are straight between a few knots. The error of
that against the exact months is measured and reported, never assumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon.exact import Setting, once_usd
from breakeven.decision.horizon.price_of_line import price_of
from breakeven.facts.distribution import Draws
from breakeven.options.assembly.staircase import Staircase
from breakeven.options.option import Evaluation, Option, OptionCost

KNOTS_COUNT: Final = 6
"""Bends of F and G between the fewest and the most units that the draws meet."""
Floats = NDArray[np.float64]
_INSIDE: Final = 1 - 1e-9
_FAR_COUNT: Final = 1e5


@dataclass(frozen=True, slots=True)
class Terms:
    """One option; every array of shape ``(draws,)`` unless it says otherwise."""

    name: str
    moves: bool
    per_mtok: Floats
    """u, a, o: USD per Mtok at today's prices, shape ``(3, draws)``."""
    steps: bool
    """False: nothing but the volume matters."""
    whole: bool
    """False: n may be a fraction (a fleet that goes to sleep)."""
    step_mtok: Floats
    """Volume that one more unit carries."""
    fewest_count: Floats
    knots: Floats
    """Units at which F and G bend, shape ``(KNOTS_COUNT,)``."""
    today: Floats
    """F as value at 0, slope, and change of slope at each knot, shape ``(2 + KNOTS_COUNT, draws)``."""
    rent: Floats
    """G in the same form."""
    commitment_months: int
    once_usd: Floats
    capex_usd: Floats
    """Hardware of one unit; 0: none is owned."""
    annuity_usd_per_month: Floats
    """What F holds for it, per unit."""
    lifetime_months: Floats
    age_months: Floats


def terms_of(setting: Setting, options: Mapping[str, Option]) -> tuple[Terms, ...]:
    """The terms of every option, in order; the status quo must be among them."""
    base = options[STATUS_QUO].cost(setting.situation, Evaluation(setting.draw, setting.volume_mtok))
    return tuple(_terms(setting, option, base.success.value) for option in options.values())


def _terms(setting: Setting, option: Option, base_success: Draws) -> Terms:
    cost = option.cost(setting.situation, Evaluation(setting.draw, setting.volume_mtok))
    factor = np.asarray(base_success / cost.success.value)
    if cost.staircase is None:
        return _without_fleet(setting, option, cost, factor)
    return _with_fleet(setting, option, cost, factor, cost.staircase)


def _without_fleet(setting: Setting, option: Option, cost: OptionCost, factor: Draws) -> Terms:
    double = option.cost(setting.situation, Evaluation(setting.draw, 2 * setting.volume_mtok))
    here, there = _by_price(cost), _by_price(double)
    volume = setting.volume_mtok
    slope = (there["today"] - here["today"]) / volume
    shape = np.broadcast_shapes(np.shape(volume), *(np.shape(each) for each in here.values()), np.shape(factor))
    flat = np.zeros((2 + KNOTS_COUNT, *shape))
    flat[0] = (here["today"] - slope * volume) * factor
    return Terms(
        option.name,
        option.name != STATUS_QUO,
        _per_mtok(here, slope, volume, factor, shape),
        False,
        True,
        np.full(shape, np.inf),
        np.ones(shape),
        np.full(KNOTS_COUNT, _FAR_COUNT),
        flat,
        np.zeros_like(flat),
        0,
        _wide(once_usd(cost, setting.facts), shape),
        *(np.zeros(shape) for _ in range(4)),
    )


def _with_fleet(setting: Setting, option: Option, cost: OptionCost, factor: Draws, stairs: Staircase) -> Terms:
    assert stairs.step_of_draws_mtok is not None and stairs.fewest_of_draws_count is not None
    capital = cost.capital
    together = capital.bought_together_count if capital else 1.0
    volume = setting.volume_mtok
    whole = not stairs.kinks_mtok
    step = np.asarray(stairs.step_of_draws_mtok * together)
    fewest = np.ceil(stairs.fewest_of_draws_count / together) if whole else np.zeros(1)
    shape = np.broadcast_shapes(np.shape(volume), np.shape(step), np.shape(factor), np.shape(cost.total.value))
    nodes = _nodes(setting, step, fewest) if whole else _smooth_nodes(setting, step)
    units = np.array([*nodes, nodes[0] / 2 if whole else nodes[0]])[:, None] * _INSIDE
    at_units = option.cost(setting.situation, Evaluation(setting.draw, step * units))  # all volumes at once
    priced = {name: np.broadcast_to(each, (len(units), *shape)) for name, each in _by_price(at_units).items()}
    slope: Draws = np.zeros(1)
    if whole:  # within a step only what goes with the volume moves
        slope = (priced["today"][0] - priced["today"][-1]) / (step * (units[0] - units[-1]))
    here = _by_price(cost)
    today = (priced["today"][:-1] - slope * step * units[:-1]) * factor
    rent = priced["gpu_rent"][:-1] * factor
    knots = np.full(KNOTS_COUNT, _FAR_COUNT)
    knots[: len(nodes) - 2] = nodes[1:-1]
    first = at_units.capital
    return Terms(
        option.name,
        True,
        _per_mtok(here, slope, volume, factor, shape),
        True,
        whole,
        _wide(step, shape),
        _wide(fewest, shape),
        knots,
        _bent(nodes, today),
        _bent(nodes, rent),
        cost.commitment_months,
        _wide(once_usd(cost, setting.facts), shape),
        _wide(_first_row(first.capex_usd.value) * factor / nodes[0], shape) if first else np.zeros(shape),
        _wide(_first_row(first.annuity_usd_per_month.value) * factor / nodes[0], shape) if first else np.zeros(shape),
        _wide(np.maximum(np.ceil(first.lifetime_months.value), 1.0), shape) if first else np.zeros(shape),
        _wide(first.age_months.value, shape) if first and first.age_months else np.zeros(shape),
    )


def _by_price(cost: OptionCost) -> dict[str, Draws]:
    """Sums of the counted lines by what moves them."""
    found: dict[str, Draws] = {
        name: np.zeros(1) for name in ("today", "gpu_rent", "api_list_price", "open_token_price", "once")
    }
    for line in cost.breakdown.counted:
        price = price_of(line, cost)
        found[price] = found[price] + line.usd_per_month.value
    return found


def _per_mtok(here: Mapping[str, Draws], slope: Draws, volume: Draws, factor: Draws, shape: tuple[int, ...]) -> Floats:
    return np.stack(
        [
            _wide(slope * factor, shape),
            _wide(here["api_list_price"] / volume * factor, shape),
            _wide(here["open_token_price"] / volume * factor, shape),
        ]
    )


def _nodes(setting: Setting, step: Draws, fewest: Draws) -> list[float]:
    """Whole units from the fewest to the most that nearly all draws meet, at most `KNOTS_COUNT` between the ends."""
    low = float(np.min(fewest))
    most = np.max(setting.paths.volume * setting.paths.open_model_work, axis=0) * setting.volume_mtok
    wanted = np.maximum(np.ceil(most / step), fewest)
    high = max(float(np.quantile(wanted, 0.995)), low + 1.0)
    inner = np.geomspace(max(low, 1.0), high, KNOTS_COUNT + 2)
    if high - low <= KNOTS_COUNT + 1:
        inner = np.arange(low, high + 1)
    return sorted({float(each) for each in np.round(inner)})


def _smooth_nodes(setting: Setting, step: Draws) -> list[float]:
    """Loads of a fleet that goes to sleep, in replicas, from the least to the most that nearly all draws meet."""
    loads = setting.paths.volume * setting.volume_mtok / step
    low, middle, high = (float(each) for each in np.quantile(loads, (0.02, 0.5, 0.98)))
    inner = np.geomspace(min(low, middle * 0.2), max(high, middle * 4), KNOTS_COUNT + 2)
    return [float(each) for each in inner]


def _first_row(value: Draws) -> Draws:
    return value[0] if value.ndim > 1 else value


def _bent(nodes: Sequence[float], values: Floats) -> Floats:
    """Value at 0, slope, and change of slope at each inner node of the straight pieces through `values` at `nodes`."""
    found = np.zeros((2 + KNOTS_COUNT, *values.shape[1:]))
    slopes = np.diff(values, axis=0) / np.diff(nodes)[:, None]
    found[0] = values[0] - slopes[0] * nodes[0]
    found[1] = slopes[0]
    found[2 : 1 + len(slopes)] = np.diff(slopes, axis=0)
    return found


def _wide(value: Draws, shape: tuple[int, ...]) -> Floats:
    return np.broadcast_to(value, shape).astype(np.float64)
