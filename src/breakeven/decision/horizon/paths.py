"""Paths: how volume and prices move over the months, as multiples of today's; one Formula each.

`elapsed_months` is 0 in month 1. Volume follows a damped trend (Gardner and McKenzie 1985). The price of equal quality
falls steeply, but only a buyer who switches models receives it. GPU rents revert to a long-run level, two-sided, with
chance of an Ornstein-Uhlenbeck process, whose path is drawn by its three largest principal components.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.horizon.capital import discount_ratio
from breakeven.errors import ScenarioError
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import Formula, formula
from breakeven.facts.memory import recalled
from breakeven.facts.trace import Binder, Node
from breakeven.units import MONTH_MONTHS, MONTHS_PER_YEAR, YEAR_MONTHS

SHOCKS: Final = ("gpu_rent_shock_1_ratio", "gpu_rent_shock_2_ratio", "gpu_rent_shock_3_ratio")
LOG_GROWTH: Final = "log_growth_fraction_per_month"
LOG_PRESENT: Final = "log_present_ratio"
_FLAT_RATIO: Final = 1e-9
_WORTHLESS_RATIO: Final = 1e-9
"""Keeps the fall of a price defined where it would lose everything within a year."""
YEAR_LENGTH_COUNT: Final = 12
"""Months that are computed together."""
LARGEST_VOLUME_RATIO: Final = 1e6
"""A workload that grows beyond a million times itself is a slip in the scenario."""


@formula
def volume_level_ratio(
    log_growth_fraction_per_month: Draws, log_lead_months: Draws, log_length_months: Draws, log_present_ratio: Draws
) -> Draws:
    """Volume of month 1 over the mean of a log: the mean of its present level over that of the log, and its growth.

    Lead and length are those of the present level: from its middle to the middle of month 1. The mean of an exponential
    over its length stands above its middle by sinh(x) / x, x half of the growth over it.

    >>> round(float(volume_level_ratio(0.30, 2.5, 4.0, 1.0)), 3), float(volume_level_ratio(0.0, 2.5, 4.0, 1.2))
    (1.841, 1.2)
    """
    rate = np.log1p(log_growth_fraction_per_month * MONTH_MONTHS) / MONTH_MONTHS
    half = rate * log_length_months / 2.0
    flat = np.abs(half) < _FLAT_RATIO
    middle_over_mean: Draws = np.where(flat, 1.0, half / np.sinh(np.where(flat, 1.0, half)))
    return log_present_ratio * np.exp(rate * log_lead_months) * middle_over_mean


@formula
def volume_ratio(
    volume_growth_fraction_per_month: Draws,
    growth_half_life_months: Draws,
    volume_level_ratio: Draws,
    elapsed_months: Draws,
) -> Draws:
    """Volume over the mean of the log: the level at its end, and growth that halves with every half-life.

    >>> [round(float(volume_ratio(0.04, 1e12, 1.0, m)), 4) for m in (0.0, 1.0, 12.0)]
    [1.0, 1.04, 1.601]
    >>> [round(float(volume_ratio(0.04, 12.0, 1.1, m)), 3) for m in (0.0, 12.0, 36.0)]
    [1.1, 1.56, 2.027]
    """
    keeps = -np.log(2.0) / growth_half_life_months
    months: Draws = np.expm1(keeps * elapsed_months) / np.expm1(keeps * MONTH_MONTHS)
    return volume_level_ratio * np.exp(np.log1p(volume_growth_fraction_per_month * MONTH_MONTHS) * months)


@formula
def api_list_price_ratio(
    list_price_decline_fraction_per_year: Draws,
    equal_quality_price_decline_ratio: Draws,
    model_switching_fraction: Draws,
    elapsed_months: Draws,
) -> Draws:
    """Price of an API token for the quality that is bought today, over today's, by how far the buyer switches models.

    >>> [round(float(api_list_price_ratio(0.05, 10.0, share, 12.0)), 9) for share in (0.0, 1.0)]
    [0.95, 0.1]
    """
    years = elapsed_months / YEAR_MONTHS
    kept = np.maximum(1 - list_price_decline_fraction_per_year * (YEAR_MONTHS / MONTHS_PER_YEAR), _WORTHLESS_RATIO)
    stays = np.log(kept) * (1 - model_switching_fraction)
    moves = -np.log(equal_quality_price_decline_ratio) * model_switching_fraction
    return np.exp((stays + moves) * years)


@formula
def open_token_price_ratio(
    list_price_decline_fraction_per_year: Draws,
    equal_quality_price_decline_ratio: Draws,
    open_model_switching_fraction: Draws,
    elapsed_months: Draws,
) -> Draws:
    """The same for tokens of open models at a broker.

    >>> round(float(open_token_price_ratio(0.0, 10.0, 0.5, 24.0)), 9)
    0.1
    """
    years = elapsed_months / YEAR_MONTHS
    kept = np.maximum(1 - list_price_decline_fraction_per_year * (YEAR_MONTHS / MONTHS_PER_YEAR), _WORTHLESS_RATIO)
    stays = np.log(kept) * (1 - open_model_switching_fraction)
    moves = -np.log(equal_quality_price_decline_ratio) * open_model_switching_fraction
    return np.exp((stays + moves) * years)


@formula
def open_model_work_ratio(
    equal_quality_price_decline_ratio: Draws,
    open_model_switching_fraction: Draws,
    open_model_work_share_fraction: Draws,
    elapsed_months: Draws,
) -> Draws:
    """Work per token of an open model of equal quality, over today's: what reaches a fleet of one's own.

    >>> round(float(open_model_work_ratio(10.0, 0.5, 0.5, 24.0)), 9)
    0.316227766
    """
    years = elapsed_months / YEAR_MONTHS
    reaches = open_model_switching_fraction * open_model_work_share_fraction
    return np.exp(-np.log(equal_quality_price_decline_ratio) * reaches * years)


@formula
def gpu_rent_trend_ratio(
    gpu_rent_long_run_ratio: Draws, gpu_rent_half_life_months: Draws, elapsed_months: Draws
) -> Draws:
    """GPU rent over today's without chance: half of the way to the long-run level in every half-life.

    >>> round(float(gpu_rent_trend_ratio(0.25, 12.0, 12.0)), 9)
    0.5
    """
    gone: Draws = -np.expm1(-np.log(2.0) * elapsed_months / gpu_rent_half_life_months)
    return np.exp(np.log(gpu_rent_long_run_ratio) * gone)


@formula
def moved_fraction(migration_ramp_months: Draws, elapsed_months: Draws) -> Draws:
    """Share of the traffic that has moved: equal parts, all of it after the ramp.

    >>> [float(moved_fraction(3.0, m)) for m in (0.0, 1.0, 2.0, 3.0, 9.0)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """
    return np.minimum((elapsed_months + MONTH_MONTHS) / (migration_ramp_months + MONTH_MONTHS), 1.0)


PATHS: Final[dict[str, Formula]] = {
    "volume": volume_ratio,
    "api_list_price": api_list_price_ratio,
    "open_token_price": open_token_price_ratio,
    "open_model_work": open_model_work_ratio,
    "gpu_rent": gpu_rent_trend_ratio,
}
"""Name of a path -> its Formula; the chance of GPU rents comes on top (`shock_loadings`)."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Multiples of today's, month 1 first; each of shape ``(months, draws)``."""

    volume: NDArray[np.float64]
    api_list_price: NDArray[np.float64]
    open_token_price: NDArray[np.float64]
    open_model_work: NDArray[np.float64]
    gpu_rent: NDArray[np.float64]
    moved: NDArray[np.float64]
    """Share of the traffic that has moved, for an option that moves it."""


@dataclass(frozen=True, slots=True)
class PathFacts:
    """The Nodes behind the paths, each of shape ``(draws,)`` or ``(1,)``."""

    nodes: dict[str, Node]
    months_count: int
    discount_fraction_per_year: Node

    def value(self, name: str) -> Draws:
        """Draws of the fact `name`."""
        return self.nodes[name].value

    @property
    def typical_half_life_months(self) -> float:
        """One half-life for the shape of chance in all draws: its typical value."""
        node = self.nodes["gpu_rent_half_life_months"]
        return node.assumption.typical if node.assumption else float(node.value.flat[0])

    def discount(self) -> Draws:
        """Worth today of a dollar a month from now."""
        return discount_ratio(self.discount_fraction_per_year.value)


def path_facts(binder: Binder) -> PathFacts:
    """Resolve every fact of the paths in `binder`; ScenarioError where the growth would overflow the horizon."""
    names = {name for each in (*PATHS.values(), moved_fraction) for name in each.parameters} - {"elapsed_months"}
    names |= {"gpu_rent_volatility_ratio", *SHOCKS}
    _bind_level(binder)
    months_count = int(binder.value("horizon_months").flat[0])
    facts = PathFacts(
        {name: binder.node(name) for name in sorted(names)},
        months_count,
        binder.node("cost_of_capital_fraction_per_year"),
    )
    _refuse_overflow(facts)
    return facts


def _bind_level(binder: Binder) -> None:
    """Where the log shows its growth or a level shift, month 1 has the volume of its end; else the mean of the log."""
    if LOG_GROWTH not in binder.offer and LOG_PRESENT not in binder.offer:
        binder.derive("volume_level_ratio", 1.0, "the log shows no growth: its mean is today's volume")
        return
    for name, (value, why) in _NOT_SHOWN.items():
        if name not in binder.offer:
            binder.derive(name, value, why)
    binder.evaluate(volume_level_ratio)


_SHORT: Final = "too few days since the level shift of the log to show growth"
_NOT_SHOWN: Final = {
    LOG_PRESENT: (1.0, "the log shows no level shift"),
    LOG_GROWTH: (0.0, _SHORT),
    "log_lead_months": (0.0, _SHORT),
    "log_length_months": (0.0, _SHORT),
}


class ProjectedPaths:
    """The same paths, each computed when somebody first asks for it."""

    def __init__(self, facts: PathFacts) -> None:
        self._facts = facts
        self._months = np.arange(facts.months_count, dtype=np.float64)[:, None]
        self._years: dict[str, list[NDArray[np.float64]]] = {}

    @property
    def made_of(self) -> tuple[object, ...]:
        """All that the paths hang on."""
        return (self._facts.months_count, *(each.value for each in self._facts.nodes.values()))

    @property
    def draws_count(self) -> int:
        """Futures in which the volume is drawn."""
        names = (name for name in volume_ratio.parameters if name != "elapsed_months")
        return int(np.broadcast_shapes((1,), *(np.shape(self._facts.value(name)) for name in names))[-1])

    @cached_property
    def volume(self) -> NDArray[np.float64]:
        """Volume over the mean of the log."""
        return self._path("volume")

    @cached_property
    def api_list_price(self) -> NDArray[np.float64]:
        """Price of an API token for the quality that is bought today."""
        return self._path("api_list_price")

    @cached_property
    def open_token_price(self) -> NDArray[np.float64]:
        """The same at a broker of open models."""
        return self._path("open_token_price")

    @cached_property
    def open_model_work(self) -> NDArray[np.float64]:
        """Work per token of an open model of equal quality."""
        return self._path("open_model_work")

    @cached_property
    def gpu_rent(self) -> NDArray[np.float64]:
        """Rent of a GPU, with its chance."""
        return self._path("gpu_rent") * np.exp(rent_chance(self._facts))

    @cached_property
    def moved(self) -> NDArray[np.float64]:
        """Share of the traffic that has moved."""
        return over_months(moved_fraction, self._facts, self._months)

    @cached_property
    def most_work(self) -> NDArray[np.float64]:
        """Largest product of volume and work per token over the months, shape ``(draws,)``."""
        years = zip(self.years("volume"), self.years("open_model_work"), strict=True)
        return np.asarray(np.max([recalled(_largest_product, *each) for each in years], axis=0))

    @cached_property
    def most_volume(self) -> NDArray[np.float64]:
        """Largest volume over the months, over today's, shape ``(draws,)``."""
        return np.asarray(np.max([recalled(_largest, each) for each in self.years("volume")], axis=0))

    def years(self, name: str) -> list[NDArray[np.float64]]:
        """A path of `PATHS` year by year, so that another horizon shares the years of this one."""
        if name not in self._years:
            last = self._facts.months_count
            firsts = range(0, last, YEAR_LENGTH_COUNT)
            whole = [over_months(PATHS[name], self._facts, _months_of_year(first)) for first in firsts]
            self._years[name] = [year[: last - first] for year, first in zip(whole, firsts, strict=True)]
        return self._years[name]

    def all(self) -> Paths:
        """All of them."""
        return Paths(**{each.name: getattr(self, each.name) for each in fields(Paths)})

    def _path(self, name: str) -> NDArray[np.float64]:
        return np.concatenate(self.years(name))


def paths_of(facts: PathFacts) -> ProjectedPaths:
    """All paths over the whole horizon."""
    return ProjectedPaths(facts)


@lru_cache(maxsize=256)
def _months_of_year(first_month: int) -> NDArray[np.float64]:
    found = np.arange(first_month, first_month + YEAR_LENGTH_COUNT, dtype=np.float64)[:, None]
    found.setflags(write=False)
    return found


def _largest_product(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.max(one * other, axis=0))


def _largest(one: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.max(one, axis=0))


def rent_chance(facts: PathFacts) -> NDArray[np.float64]:
    """Logarithm of what chance does to GPU rents, shape ``(months, draws)``."""
    loadings = shock_loadings(facts.months_count, facts.typical_half_life_months)
    shocks = np.stack(np.broadcast_arrays(*(facts.value(name) for name in SHOCKS)))
    return np.asarray(facts.value("gpu_rent_volatility_ratio") * (loadings @ shocks))


@lru_cache(maxsize=256)
def shock_loadings(months_count: int, half_life_months: float) -> NDArray[np.float64]:
    """How far each of three standard normal shocks moves the logarithm of the rent, for a yearly volatility of 1.

    The three largest principal components of the covariance of an Ornstein-Uhlenbeck process that starts at today's
    known rent. The sum over the months, which present costs hang on, keeps nearly all of its variance; ups and downs of
    a few weeks are left out. Shape ``(months, 3)``.
    """
    from scipy.linalg import eigh_tridiagonal

    found = np.zeros((months_count, len(SHOCKS)))
    if months_count < 2:
        return found
    kept_count = min(len(SHOCKS), months_count - 1)
    # The inverse of the covariance after month 1 has three diagonals, and the same components; its smallest first.
    speed = np.log(2.0) / half_life_months
    left = np.exp(-speed)
    variance_of_month = -np.expm1(-2 * speed) / (2 * speed) / MONTHS_PER_YEAR
    diagonal = np.full(months_count - 1, (1 + left**2) / variance_of_month)
    diagonal[-1] = 1 / variance_of_month
    beside = np.full(months_count - 2, -left / variance_of_month)
    values, vectors = eigh_tridiagonal(diagonal, beside, select="i", select_range=(0, kept_count - 1))
    kept = vectors / np.sqrt(values)
    found[1:, :kept_count] = kept * np.where(kept[-1] < 0, -1.0, 1.0)
    return found


def over_months(path: Formula, facts: PathFacts, months: NDArray[np.float64]) -> NDArray[np.float64]:
    """`path` after so many `months`, of any shape that broadcasts with the draws."""
    values = [months if name == "elapsed_months" else facts.value(name) for name in path.parameters]
    return np.asarray(path(*values), dtype=np.float64)


def _refuse_overflow(facts: PathFacts) -> None:
    growth = facts.nodes["volume_growth_fraction_per_month"]
    last = np.asarray(float(facts.months_count - 1))
    ratio = volume_ratio(growth.value, facts.value("growth_half_life_months"), np.ones(1), last)
    middle = float(np.median(ratio))
    if not np.isfinite(ratio).all() or middle > LARGEST_VOLUME_RATIO:
        raise ScenarioError(
            f"volume_growth_fraction_per_month is {float(np.median(growth.value)):g}: after {facts.months_count} "
            f"months the volume would be {middle:.3g} times today's; wanted at most {LARGEST_VOLUME_RATIO:,.0f}. "
            "Give a smaller growth, a shorter growth_half_life_months or a shorter horizon_months under overrides"
        )
