"""Commitments: the cheapest mix of reserved, on-demand and spot GPUs for an hourly load.

Two ways that must agree. The percentile rule (the newsvendor's, as in inventory): the k-th GPU is worth reserving when
what it displaces over all hours costs more than its reservation; without spot that is the share of hours that need k
GPUs or more against the reserved price over the on-demand price. And the mixed-integer programme, which knows no rule.
A commitment is paid for its whole term, also when the need ends earlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breakeven.errors import ServingError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reservation:
    """GPUs paid for every hour of a term, used or not."""

    name: str
    usd_per_gpu_hour: float
    term_months: float


@dataclass(frozen=True, slots=True)
class GpuPrices:
    """What a GPU hour costs. On-demand is always to be had; spot up to a share of each hour's demand."""

    on_demand_usd_per_gpu_hour: float
    reservations: tuple[Reservation, ...] = ()
    spot_usd_per_gpu_hour: float | None = None
    spot_most_fraction: float = 0.0
    """Share of an hour's GPUs that may be spot, rounded down to whole GPUs."""
    horizon_months: float = 36.0
    """How long the load will be there; a longer term is paid to its end."""

    def effective_usd_per_gpu_hour(self, reservation: Reservation) -> float:
        """Price of an hour within the horizon: whole terms are paid.

        >>> GpuPrices(1.0, horizon_months=18.0).effective_usd_per_gpu_hour(Reservation("one year", 0.75, 12.0))
        1.0
        """
        terms = np.ceil(self.horizon_months / reservation.term_months - 1e-9)
        return float(reservation.usd_per_gpu_hour * terms * reservation.term_months / self.horizon_months)


@dataclass(frozen=True, slots=True)
class CommitmentMix:
    """How the GPU hours of a load are bought."""

    reserved_counts: tuple[int, ...]
    """GPUs of each reservation, in the order asked."""
    on_demand_hours: float
    """GPU hours."""
    spot_hours: float
    reserved_hours: float
    reserved_idle_hours: float
    """Reserved and not needed."""
    cost_usd: float
    """Over the hours given."""
    on_demand_cost_usd: float
    """The same load, all on demand."""

    @property
    def saved_usd(self) -> float:
        """Against all on demand."""
        return self.on_demand_cost_usd - self.cost_usd


def mix_by_percentile(demand_count: ArrayLike, prices: GpuPrices) -> CommitmentMix:
    """The cheapest mix, by the percentile rule. `demand_count`: whole GPUs needed, hour by hour.

    >>> load = [1, 1, 2, 2, 2, 3, 5, 5]
    >>> mix = mix_by_percentile(load, GpuPrices(1.0, (Reservation("reserved", 0.6, 12.0),)))
    >>> mix.reserved_counts, round(mix.cost_usd, 9)
    ((2,), 16.6)
    """
    demand = _checked(demand_count, prices)
    costs = [prices.effective_usd_per_gpu_hour(each) for each in prices.reservations]
    counts = [0] * len(costs)
    if costs:
        best = int(np.argmin(costs))
        units = np.arange(1, int(demand.max(initial=0)) + 1)
        above = demand[None, :] - units[:, None] + 1  # which of the units not yet covered this one would be
        spot = _spot_most(demand, prices)[None, :]
        spot_usd = prices.spot_usd_per_gpu_hour or 0.0
        displaced = np.where(above > spot, prices.on_demand_usd_per_gpu_hour, np.where(above > 0, spot_usd, 0.0))
        worth = displaced.sum(axis=1) > costs[best] * demand.size * (1 + 1e-12)
        counts[best] = int(worth.sum())
    return _mix(demand, tuple(counts), prices)


def mix_by_programme(demand_count: ArrayLike, prices: GpuPrices) -> CommitmentMix:
    """The cheapest mix, by mixed-integer programming (SciPy's HiGHS)."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, eye_array, hstack

    demand = _checked(demand_count, prices)
    hours, kinds = demand.size, len(prices.reservations)
    spot = _spot_most(demand, prices)
    spot_usd = prices.on_demand_usd_per_gpu_hour
    if prices.spot_usd_per_gpu_hour is not None:
        spot_usd = prices.spot_usd_per_gpu_hour
    # unknowns: GPUs of each reservation, then on-demand GPUs and spot GPUs, hour by hour
    reserved = np.array([prices.effective_usd_per_gpu_hour(each) * hours for each in prices.reservations])
    cost = np.concatenate([reserved, np.full(hours, prices.on_demand_usd_per_gpu_hour), np.full(hours, spot_usd)])
    served = hstack([csr_array(np.ones((hours, kinds))), eye_array(hours), eye_array(hours)])
    most = np.concatenate([np.full(kinds, float(demand.max(initial=0))), demand.astype(np.float64), spot])
    solved = milp(
        cost,
        constraints=[LinearConstraint(served, demand, np.inf)],
        integrality=np.concatenate([np.ones(kinds), np.zeros(2 * hours)]),
        bounds=Bounds(np.zeros_like(most), most),
        options={"mip_rel_gap": 0.0},
    )
    if solved.x is None:
        raise ServingError(f"no mix carries this load: {solved.message}")
    return _mix(demand, tuple(int(each) for each in np.round(solved.x[:kinds])), prices)


def _checked(demand_count: ArrayLike, prices: GpuPrices) -> Ints:
    demand = np.asarray(demand_count, np.float64).ravel()
    if demand.size == 0:
        raise ServingError("there are no hours to buy GPUs for")
    if not (np.isfinite(demand).all() and (demand >= 0).all() and (demand == np.round(demand)).all()):
        raise ServingError("the load must be whole GPUs, none of them negative, hour by hour")
    if not 0 <= prices.spot_most_fraction <= 1:
        raise ServingError(f"a share of {prices.spot_most_fraction:g} of the GPUs on spot; wanted 0 to 1")
    named = [("on demand", prices.on_demand_usd_per_gpu_hour), ("spot", prices.spot_usd_per_gpu_hour or 0.0)]
    for name, usd in (*named, *((each.name, each.usd_per_gpu_hour) for each in prices.reservations)):
        if not (np.isfinite(usd) and usd >= 0):
            raise ServingError(f"{name}: {usd:g} USD per GPU hour; wanted a price of 0 or more")
    return demand.astype(np.int64)


def _spot_most(demand: Ints, prices: GpuPrices) -> Floats:
    """Spot GPUs at most, hour by hour; none when spot is dearer than on demand."""
    usd = prices.spot_usd_per_gpu_hour
    if usd is None or usd > prices.on_demand_usd_per_gpu_hour:
        return np.zeros(demand.size)
    return np.asarray(np.floor(demand * prices.spot_most_fraction + 1e-9))


def _mix(demand: Ints, counts: Sequence[int], prices: GpuPrices) -> CommitmentMix:
    reserved = sum(counts)
    left = np.maximum(demand - reserved, 0)
    spot = np.minimum(left, _spot_most(demand, prices))
    on_demand = left - spot
    fixed = sum(
        count * prices.effective_usd_per_gpu_hour(each) for count, each in zip(counts, prices.reservations, strict=True)
    )
    return CommitmentMix(
        reserved_counts=tuple(counts),
        on_demand_hours=float(on_demand.sum()),
        spot_hours=float(spot.sum()),
        reserved_hours=float(reserved * demand.size),
        reserved_idle_hours=float(np.maximum(reserved - demand, 0).sum()),
        cost_usd=float(
            fixed * demand.size
            + on_demand.sum() * prices.on_demand_usd_per_gpu_hour
            + spot.sum() * (prices.spot_usd_per_gpu_hour or 0.0)
        ),
        on_demand_cost_usd=float(demand.sum() * prices.on_demand_usd_per_gpu_hour),
    )
