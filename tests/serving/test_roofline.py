"""The serving formulas: limits that physics sets, and directions that must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.serving import fleet, memory, roofline

positive = st.floats(0.1, 1e4)


def decode(batch: float, weights_gb: float = 16.06, sequence_gb: float = 0.1, overhead_ms: float = 0.0) -> float:
    return float(roofline.decode_s_per_token(weights_gb, batch, sequence_gb, 1.0, 3350.0, 1.0, overhead_ms))


def test_decode_at_batch_one_is_the_speed_of_light() -> None:
    """16.06 GB of weights at 3,350 GB/s: 4.79 ms a token, plus the cache."""
    assert decode(1, sequence_gb=0.0) == pytest.approx(16.06 / 3350, rel=1e-12)


def test_a_bigger_batch_shares_the_weights() -> None:
    per_token = [decode(batch) / batch for batch in (1, 2, 8, 64)]
    assert per_token == sorted(per_token, reverse=True)
    assert per_token[-1] > 0.1 / 3350  # the cache of each sequence is not shared


@settings(max_examples=100, deadline=None)
@given(batch=st.floats(1, 512), k=st.integers(1, 16), experts=st.integers(16, 256))
def test_experts_read_lie_between_one_tokens_and_all(batch: float, k: int, experts: int) -> None:
    share = k / experts
    read = float(roofline.weights_read_gb(100.0, 0.9, share, batch))
    assert 10 + 90 * share * (1 - 1e-9) <= read <= 100 * (1 + 1e-9)


def test_experts_read_against_simulation() -> None:
    """Oracle: draw the experts of 8 tokens at random and count how many differ."""
    rng = np.random.default_rng(0)
    experts, k, batch, runs = 64, 4, 8, 4000
    seen = [
        len({e for _ in range(batch) for e in rng.choice(experts, k, replace=False)}) / experts for _ in range(runs)
    ]
    read = float(roofline.weights_read_gb(1.0, 1.0, k / experts, batch))
    assert read == pytest.approx(np.mean(seen), abs=4 * np.std(seen) / np.sqrt(runs))


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


def test_memory_that_nvidia_smi_shows_holds_a_70b_on_two_gpus() -> None:
    """Marketing gigabytes (80) at 0.9 would leave 2.9 GB; 85.5 GB at 0.92 leave 16."""
    assert float(memory.kv_cache_gb(2.0, 85.5, 0.92, 141.1)) == pytest.approx(16.22)
    assert float(memory.kv_cache_gb(1.0, 85.5, 0.92, 141.1)) < 0


@pytest.mark.parametrize(("cache_gb", "wanted"), [(0.05, 1.0), (1.0, 10.0), (100.0, 64.0)])
def test_the_batch_is_what_the_cache_holds_within_limits(cache_gb: float, wanted: float) -> None:
    assert float(memory.batch_count(cache_gb, 0.1, 64.0)) == pytest.approx(wanted)
