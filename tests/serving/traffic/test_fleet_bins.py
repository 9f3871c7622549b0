"""Fleet bins: the log's own minutes, and a need that the fluid model gives."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from breakeven.serving.traffic.fleet_bins import LatencyTarget, bins_of, needed_replicas
from breakeven.serving.traffic.fluid import Lengths, max_rate_req_per_s
from breakeven.workload.arrivals import Arrivals, Spans
from fleet_logs import H100, log


def test_bins_hold_the_requests_of_their_minutes() -> None:
    arrivals = log([10.0, 20.0, 310.0], [100, 300, 50], [10, 10, 40], until_s=900.0, cached=[0, 200, 0])
    bins = bins_of(arrivals, 300.0)
    assert bins.requests_count.tolist() == [2, 1, 0]
    np.testing.assert_allclose(bins.input_tokens, [200, 50, np.nan])
    np.testing.assert_allclose(bins.input_cv2_ratio, [0.25, 0, np.nan])
    np.testing.assert_allclose(bins.output_tokens, [10, 40, np.nan])
    np.testing.assert_allclose(bins.cached_tokens, [100, 0, np.nan])
    overall = bins.overall_lengths()
    together = Lengths.seen([100, 300, 50], [10, 10, 40], [0, 200, 0])
    for name in Lengths.__dataclass_fields__:
        assert float(getattr(overall, name)) == pytest.approx(float(getattr(together, name))), name


def test_buckets_are_spread_over_their_span() -> None:
    spans = Spans(
        *(np.array(each, float) for each in ([0, 600], [600, 300], [60, 30], [500, 1000], [50, 50], [0, 100]))
    )
    empty = np.zeros(0)
    arrivals = Arrivals(
        datetime(2026, 1, 1, tzinfo=UTC), 900.0, empty, *(empty.astype(np.int64),) * 3, None, spans, 0, 0
    )
    bins = bins_of(arrivals, 300.0)
    assert bins.requests_count.tolist() == [30, 30, 30]
    assert bins.input_tokens.tolist() == [500, 500, 1000]
    assert bins.cached_tokens.tolist() == [0, 0, 100]
    np.testing.assert_allclose(bins.output_cv2_ratio, 1.0)
    assert bins.burst_ratio.tolist() == [1, 1, 1]


def test_busy_minutes_raise_the_need() -> None:
    steady = log(np.arange(0, 600, 2.0), 500, 100, until_s=600.0)
    bursts = log(np.concatenate([np.arange(0, 60, 0.4), 300 + np.arange(0, 60, 0.4)]), 500, 100, until_s=600.0)
    target = LatencyTarget(0.5, 0.03)
    even, uneven = (needed_replicas(H100, bins_of(each, 600.0), target)[0] for each in (steady, bursts))
    assert even == pytest.approx(0.5 / float(max_rate_req_per_s(H100, Lengths.of(500, 100), ttft_s=0.5, tpot_s=0.03)))
    assert uneven > 3 * even


def test_a_bin_of_requests_too_long_for_the_target_still_has_a_need() -> None:
    arrivals = log([1.0, 2.0, 3.0, 301.0], [100, 100, 100, 60_000], 20, until_s=600.0)
    needed = needed_replicas(H100, bins_of(arrivals, 300.0), LatencyTarget(0.2, 0.02, 0.7))
    assert np.isfinite(needed).all() and (needed > 0).all()


def test_no_request_no_need() -> None:
    arrivals = log([1.0, 700.0], 100, 20, until_s=900.0)
    assert needed_replicas(H100, bins_of(arrivals, 300.0), LatencyTarget())[1] == 0.0
