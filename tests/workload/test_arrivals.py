"""Arrivals: what the log says of each request, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from breakeven.errors import UsageError
from breakeven.workload.arrivals import SPREAD_S, arrivals_of, calls_of_models

from .typed_calls import MONDAY, call, table

pytestmark = pytest.mark.usefixtures("each_engine")


def test_requests_in_the_order_of_their_start() -> None:
    found = arrivals_of(
        table(
            [
                call(1, 2.0, input_tokens=30, output_tokens=3),
                call(2, 0.0, input_tokens=10, output_tokens=1, cache_read_tokens=4),
                call(3, 1.0000001, input_tokens=20, output_tokens=2),
            ]
        )
    )
    assert found.first_time == MONDAY
    np.testing.assert_allclose(found.start_s, [0.0, 3600.00036, 7200.0], atol=1e-6)
    assert found.input_tokens.tolist() == [10, 20, 30]
    assert found.output_tokens.tolist() == [1, 2, 3]
    assert found.cached_tokens.tolist() == [4, 0, 0]
    assert found.prefixes is None and found.spans is None
    assert found.observed_s == pytest.approx(3 * 3600)


def test_calls_without_tokens_are_left_out_and_missing_output_is_one() -> None:
    found = arrivals_of(
        table(
            [
                call(1, 0.0, input_tokens=0, output_tokens=0, status="error"),
                call(2, 1.0, input_tokens=50, output_tokens=0),
                call(3, 2.0),
            ]
        )
    )
    assert (found.left_out_count, found.raised_count) == (1, 1)
    assert found.output_tokens.tolist() == [1, 100]


def test_sampled_calls_stand_for_several_nearby() -> None:
    calls = [call(number, number / 10, weight=4.0) for number in range(50)]
    found = arrivals_of(table(calls), seed=7)
    assert found.start_s.size == 200
    assert (np.diff(found.start_s) >= 0).all()
    for number in range(50):
        near = np.abs(found.start_s - number * 360.0) <= SPREAD_S / 2 + 1e-6
        assert near.sum() == 4
    np.testing.assert_array_equal(found.start_s, arrivals_of(table(calls), seed=7).start_s)


def test_prefixes_follow_their_requests() -> None:
    found = arrivals_of(
        table(
            [
                call(1, 1.0, prefix_hashes=(1, 2, 9)),
                call(2, 0.0, prefix_hashes=(1, 2)),
                call(3, 2.0, input_tokens=0, output_tokens=0, prefix_hashes=(5,)),
                call(4, 3.0),
            ]
        )
    )
    assert found.prefixes is not None
    assert found.prefixes.hashes.tolist() == [1, 2, 1, 2, 9]
    assert found.prefixes.ends.tolist() == [2, 5, 5]


def test_buckets_keep_their_span_count_and_means() -> None:
    def bucket(number: int, hours: float, requests: int) -> object:
        return call(
            number,
            hours,
            grain="bucket",
            request_count=requests,
            end_time=MONDAY + timedelta(hours=hours + 0.5),
            input_tokens=requests * 200,
            output_tokens=requests * 20,
            cache_read_tokens=requests * 50,
        )

    found = arrivals_of(table([bucket(1, 0.0, 10), bucket(2, 0.5, 30)]))  # type: ignore[list-item]
    assert found.spans is not None
    assert found.spans.start_s.tolist() == [0.0, 1800.0]
    assert found.spans.length_s.tolist() == [1800.0, 1800.0]
    assert found.spans.requests_count.tolist() == [10, 30]
    assert found.spans.input_tokens.tolist() == [200, 200]
    assert (found.spans.output_tokens[0], found.spans.cached_tokens[0]) == (20, 50)
    assert found.requests_count == 40


def test_nothing_to_serve() -> None:
    with pytest.raises(UsageError, match="no call of the log has a token"):
        arrivals_of(table([call(number, number, input_tokens=0, output_tokens=0) for number in range(3)]))


def test_a_bucket_without_an_end() -> None:
    with pytest.raises(UsageError, match="when it ends"):
        arrivals_of(table([call(1, 0.0), call(2, 1.0, grain="bucket", request_count=5)]))


def test_only_the_calls_of_some_models() -> None:
    calls = table(
        [
            call(1, 0.0, request_model="a"),
            call(2, 1.0, request_model="a", response_model="a-2026"),
            call(3, 2.0, request_model="b"),
        ]
    )
    assert arrivals_of(calls_of_models(calls, ())).start_s.size == 3
    assert arrivals_of(calls_of_models(calls, ("a-2026", "b"))).start_s.size == 2
    with pytest.raises(UsageError, match="no calls of 'c'; known: a, a-2026, b"):
        calls_of_models(calls, ("c",))
