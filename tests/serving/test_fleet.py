"""The fleet's formulas: whole replicas for the peak, steps where one more is needed, and the busy share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.serving import fleet

positive = st.floats(0.1, 1e4)


@settings(max_examples=200, deadline=None)
@given(peak=positive, capacity=positive, fewest=st.integers(1, 4))
def test_replicas_carry_the_peak_and_one_fewer_would_not(peak: float, capacity: float, fewest: int) -> None:
    replicas = float(fleet.replicas_count(peak, capacity, float(fewest)))
    assert replicas == int(replicas)
    assert replicas >= fewest
    assert replicas * capacity >= peak * (1 - 1e-12)
    assert replicas == fewest or (replicas - 1) * capacity < peak


def test_the_step_is_where_one_more_replica_is_needed() -> None:
    """replicas_count jumps exactly at multiples of replica_step_mtok_per_month."""
    capacity, tokens, hours, peak, headroom = 0.7, 1900.0, 730.0, 2.3, 1.3
    step = float(fleet.replica_step_mtok_per_month(capacity, tokens, hours, peak, headroom))
    for count in (1, 2, 7):
        for factor, wanted in ((1 - 1e-9, count), (1 + 1e-9, count + 1)):
            requests = count * step * factor * 1e6 / tokens
            needed = fleet.replicas_count(fleet.peak_req_per_s(requests, hours, peak, headroom), capacity, 1.0)
            assert float(needed) == wanted


def test_busy_is_the_mean_of_the_hourly_load_over_the_fleet() -> None:
    """Summing the load of each hour of a profile over an always-on fleet gives the same share as the mean rate."""
    rng = np.random.default_rng(3)
    hourly_requests = rng.uniform(100, 5000, 730)
    replicas, capacity = 3.0, 0.9
    by_hour = np.mean(hourly_requests / 3600 / (replicas * capacity))
    assert float(fleet.busy_fraction(hourly_requests.sum(), 730.0, replicas, capacity)) == pytest.approx(by_hour)
