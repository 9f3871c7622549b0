"""Histogram quantiles: the true percentile lies between the edges that are told."""

from __future__ import annotations

from bisect import bisect_left
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from breakeven.web.gateway.histogram_quantiles import quantile

EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99]))
def test_the_true_percentile_lies_between_the_edges(values: list[float], fraction: float) -> None:
    buckets = [0.0] * (len(EDGES) + 1)
    for each in values:
        buckets[bisect_left(EDGES, each)] += 1
    found = quantile(buckets, EDGES, fraction)
    true = sorted(values)[max(ceil(fraction * len(values) - 1e-9) - 1, 0)]
    assert found is not None
    assert found.low_s <= true
    if found.high_s is None:
        assert found.value_s is None and true > EDGES[-1]
    else:
        assert true <= found.high_s
        assert found.value_s is not None and found.low_s <= found.value_s <= found.high_s


def test_nothing_counted_has_no_percentile() -> None:
    assert quantile((0, 0, 0), (1.0, 2.0), 0.5) is None
    assert quantile((1, 1), (1.0, 2.0), 0.5) is None, "other buckets than edges"
