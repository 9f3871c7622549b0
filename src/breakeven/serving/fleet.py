"""Fleet: whole replicas for the busiest hour, and the share of their hours that does useful work."""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK


@formula
def cached_fraction(cached_input_fraction: Draws, prefix_cache_kept_fraction: Draws) -> Draws:
    """Share of the input that a replica need not compute: what its own prefix cache holds.

    `cached_input_fraction` is what the log shows as cached at the API; a self-hosted engine keeps a share of it.

    >>> float(cached_fraction(0.5, 0.8))
    0.4
    """
    return cached_input_fraction * prefix_cache_kept_fraction


@formula
def peak_req_per_s(
    requests_per_month: Draws,
    hours_per_month: Draws,
    hourly_peak_to_mean_ratio: Draws,
    burst_headroom_ratio: Draws,
) -> Draws:
    """Requests per second to provide for: the mean, times the busiest hour, times headroom for bursts within it.

    A ratio below 1, from the tail of its range, counts as 1: the busiest hour is no quieter than the mean one.

    >>> float(peak_req_per_s(2_628_000.0, 730.0, 2.0, 1.5)), float(peak_req_per_s(2_628_000.0, 730.0, 2.0, 0.9))
    (3.0, 2.0)
    """
    mean_req_per_s = requests_per_month / (hours_per_month * SECONDS_PER_HOUR)
    return mean_req_per_s * np.maximum(hourly_peak_to_mean_ratio, 1.0) * np.maximum(burst_headroom_ratio, 1.0)


@formula
def replicas_count(peak_req_per_s: Draws, replica_capacity_req_per_s: Draws, replicas_min_count: Draws) -> Draws:
    """Whole replicas that carry the peak; never fewer than the minimum. Always on: no autoscaling is assumed.

    >>> float(replicas_count(25.0, 10.0, 2.0)), float(replicas_count(0.1, 10.0, 2.0))
    (3.0, 2.0)
    """
    return np.ceil(np.maximum(peak_req_per_s / replica_capacity_req_per_s, replicas_min_count))


_BY_VOLUME: Final = 2


@replicas_count.computed_by
def _narrowed_replicas_count(
    peak_req_per_s: Draws, replica_capacity_req_per_s: Draws, replicas_min_count: Draws
) -> Draws:
    """The same; where every draw of a volume has as many, one number for it: what follows reads less."""
    found: Draws = replicas_count.function(peak_req_per_s, replica_capacity_req_per_s, replicas_min_count)
    if np.ndim(found) == _BY_VOLUME and (found == found[:, :1]).all():
        return found[:, :1].copy()
    return found


@formula
def gpus_count(replicas_count: Draws, gpus_per_replica_count: Draws) -> Draws:
    """GPUs paid for."""
    return replicas_count * gpus_per_replica_count


@formula
def busy_fraction(
    requests_per_month: Draws,
    hours_per_month: Draws,
    replicas_count: Draws,
    replica_capacity_req_per_s: Draws,
) -> Draws:
    """Share of the paid replica-hours that does useful work; computed from the calls' own rate, never assumed.

    With an always-on fleet the sum over the hour-of-week profile is the mean rate over capacity.

    >>> float(busy_fraction(2_628_000.0, 730.0, 2.0, 1.0))
    0.5
    """
    mean_req_per_s = requests_per_month / (hours_per_month * SECONDS_PER_HOUR)
    return np.minimum(mean_req_per_s / (replicas_count * replica_capacity_req_per_s), 1.0)


@formula
def replica_step_mtok_per_month(
    replica_capacity_req_per_s: Draws,
    tokens_per_request: Draws,
    hours_per_month: Draws,
    hourly_peak_to_mean_ratio: Draws,
    burst_headroom_ratio: Draws,
) -> Draws:
    """Monthly volume that one more replica carries: the width of a step of the cost staircase.

    >>> float(replica_step_mtok_per_month(1.0, 1000.0, 730.0, 2.0, 1.0))
    1314.0
    """
    full_month = replica_capacity_req_per_s * hours_per_month * SECONDS_PER_HOUR * tokens_per_request
    headroom: Draws = np.maximum(hourly_peak_to_mean_ratio, 1.0) * np.maximum(burst_headroom_ratio, 1.0)
    return full_month / headroom / TOKENS_PER_MTOK
