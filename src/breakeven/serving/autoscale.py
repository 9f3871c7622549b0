"""Autoscale: the share of a fleet's hours that is billed when replicas come and go with the demand, down to none.

A replica stays up for the idle timeout after a request. With requests that arrive at random (Poisson, rate r) and a
timeout T, some replica is up in a share 1 - exp(-r T) of the time. Real traffic comes in bursts, whose gaps are longer:
this counts too much time rather than too little. The curve is kept as straight pieces (at most 0.7 % of the time too
low), so that a cost curve over it stays exact.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import SECONDS_PER_HOUR

KNOTS_RATIO: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.35, 1.75, 2.25, 3.0, 4.0, 6.0, 9.0)
"""Requests within one timeout at which the straight pieces meet."""
HEIGHTS_FRACTION: Final = (*(-np.expm1(-np.asarray(KNOTS_RATIO[:-1]))).tolist(), 1.0)
"""Share of the time awake at each of them."""


@formula
def requests_within_timeout_ratio(
    requests_per_month: Draws, hours_per_month: Draws, idle_timeout_s: Draws, cold_start_s: Draws
) -> Draws:
    """Requests that arrive while one replica waits and starts, on average.

    >>> float(requests_within_timeout_ratio(730.0, 730.0, 3300.0, 300.0))
    1.0
    """
    return requests_per_month / (hours_per_month * SECONDS_PER_HOUR) * (idle_timeout_s + cold_start_s)


@formula
def awake_fraction(requests_within_timeout_ratio: Draws) -> Draws:
    """Share of the time in which at least one replica is up, 1 - exp(-x) in straight pieces.

    >>> round(float(awake_fraction(1.0)), 4), float(awake_fraction(50.0))
    (0.6321, 1.0)
    """
    return np.asarray(np.interp(requests_within_timeout_ratio, KNOTS_RATIO, HEIGHTS_FRACTION))


@formula
def billed_fraction(
    awake_fraction: Draws,
    requests_per_month: Draws,
    hours_per_month: Draws,
    replicas_count: Draws,
    replica_capacity_req_per_s: Draws,
    burst_headroom_ratio: Draws,
) -> Draws:
    """Billed replica-hours over all replica-hours: one replica while awake, more as the load (with headroom) asks.

    >>> float(billed_fraction(0.5, 2_628_000.0, 730.0, 4.0, 0.5, 1.5))
    0.75
    >>> float(billed_fraction(0.5, 2_628.0, 730.0, 4.0, 0.5, 1.5))
    0.125
    """
    mean_req_per_s = requests_per_month / (hours_per_month * SECONDS_PER_HOUR)
    wanted_req_per_s = mean_req_per_s * np.maximum(burst_headroom_ratio, 1.0)
    worked = wanted_req_per_s / (replicas_count * replica_capacity_req_per_s)  # as `busy_fraction` has it: never below
    return np.minimum(np.maximum(awake_fraction / replicas_count, worked), 1.0)


@formula
def cold_start_events_per_month(requests_per_month: Draws, awake_fraction: Draws) -> Draws:
    """Requests that find nobody awake and wait for a start.

    >>> float(cold_start_events_per_month(1_000.0, 0.75))
    250.0
    """
    return requests_per_month * (1 - awake_fraction)


def kinks_mtok(timeout_ratio_per_mtok: float, replicas_wanted_per_mtok: float) -> tuple[float, ...]:
    """Monthly volumes at which the billed hours bend: the pieces' ends, and where the load wants a second replica.

    >>> kinks_mtok(0.01, 0.001)[0]
    25.0
    """
    if not timeout_ratio_per_mtok:  # no timeout, no cold start: awake for the load alone
        return ()
    ends = [knot / timeout_ratio_per_mtok for knot in KNOTS_RATIO[1:]]
    grid = np.asarray([0.0, *ends, 1e3 / timeout_ratio_per_mtok, *(k / replicas_wanted_per_mtok for k in (1.0, 2.0))])
    grid = np.unique(grid)
    gap = awake_fraction(grid * timeout_ratio_per_mtok) - grid * replicas_wanted_per_mtok
    crossings = [
        float(left + (right - left) * above / (above - below))
        for left, right, above, below in zip(grid[:-1], grid[1:], gap[:-1], gap[1:], strict=True)
        if above > 0 >= below
    ]
    return tuple(sorted({*ends, *crossings}))
