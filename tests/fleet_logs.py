"""Logs for tests of fleets, typed in or drawn, and the timing of a replica that is like an 8B model on an H100."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike

from breakeven.serving.traffic.replica_timing import ReplicaTiming
from breakeven.workload.arrivals import Arrivals, Prefixes

H100 = ReplicaTiming(
    step_tokens=np.array([1.0, 200.0, 8192.0]),
    step_s=np.array([0.006, 0.006, 0.006 + 30e-6 * 7992]),
    sequence_s=7.5e-6,
    cache_read_s_per_token=2e-8,
    attention_s_per_pair=1e-10,
    first_token_s=0.01,
    cache_capacity_tokens=400_000,
    sequences_max_count=256,
    step_max_tokens=8192,
)


def log(
    start_s: ArrayLike,
    tokens_in: ArrayLike,
    tokens_out: ArrayLike,
    *,
    until_s: float,
    cached: ArrayLike = 0,
    prefixes: Prefixes | None = None,
) -> Arrivals:
    """Requests at these seconds."""
    start = np.asarray(start_s, np.float64)
    columns = [np.broadcast_to(np.asarray(each, np.int64), start.shape) for each in (tokens_in, tokens_out, cached)]
    return Arrivals(datetime(2026, 1, 1, tzinfo=UTC), until_s, start, *columns, prefixes, None, 0, 0)


def day_and_night(
    seed: int, hours: float, req_per_s: float, swing: float = 0.9, tokens_in: int = 800, tokens_out: int = 150
) -> Arrivals:
    """Poisson arrivals whose rate follows a sine of 24 hours, with exponential lengths."""
    rng = np.random.default_rng(seed)
    count = rng.poisson(req_per_s * (1 + swing) * hours * 3600)
    start = np.sort(rng.uniform(0, hours * 3600, count))
    kept = rng.random(count) < (1 + swing * np.sin(2 * np.pi * (start / 86400 - 0.25))) / (1 + swing)
    start = start[kept]
    return log(
        start, rng.geometric(1 / tokens_in, start.size), rng.geometric(1 / tokens_out, start.size), until_s=hours * 3600
    )
