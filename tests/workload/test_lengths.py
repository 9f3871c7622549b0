"""Spreads of lengths: against numpy, and put together and taken apart again."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.load import load_catalog
from breakeven.workload.lengths import LengthSpread, together
from breakeven.workload.profile import profile_workload

from .typed_calls import call, table

lengths = st.lists(st.tuples(st.integers(1, 20_000), st.integers(0, 4_000)), min_size=1, max_size=30)


def of(pairs: list[tuple[int, int]]) -> LengthSpread:
    inputs, outputs = (np.array(each, np.float64) for each in zip(*pairs, strict=True))
    return LengthSpread.of_sums(len(pairs), (inputs.sum(), (inputs**2).sum()), (outputs.sum(), (outputs**2).sum()))


@given(one=lengths, two=lengths)
def test_parts_together_are_the_whole_and_can_be_taken_out(
    one: list[tuple[int, int]], two: list[tuple[int, int]]
) -> None:
    whole = together([of(one), of(two)])
    inputs = np.array([pair[0] for pair in (*one, *two)], np.float64)
    assert whole.requests_count == len(one) + len(two)
    assert whole.input_tokens == pytest.approx(inputs.mean())
    assert whole.input_cv2_ratio == pytest.approx(inputs.var() / inputs.mean() ** 2, abs=1e-9)
    back = whole.without(of(two))
    assert back.input_tokens == pytest.approx(of(one).input_tokens, rel=1e-6)
    assert back.output_cv2_ratio == pytest.approx(of(one).output_cv2_ratio, abs=1e-3)
    assert not whole.without(whole)


def test_a_log_is_weighted_and_its_buckets_and_empty_calls_are_left_out() -> None:
    rng = np.random.default_rng(0)
    inputs, outputs = rng.integers(1, 9000, 200), rng.integers(1, 900, 200)
    weights = rng.integers(1, 5, 200)
    single = [
        call(i, i / 2, input_tokens=int(a), output_tokens=int(b), weight=float(w))
        for i, (a, b, w) in enumerate(zip(inputs, outputs, weights, strict=True))
    ]
    bucket = call(900, 3, grain="bucket", request_count=50, input_tokens=10**6, output_tokens=10)
    failed = call(901, 4, input_tokens=0, output_tokens=0, status="error")
    workload = profile_workload(table([*single, bucket, failed]), catalog=load_catalog(date(2026, 11, 23)))
    many = np.repeat(inputs, weights)
    assert workload.lengths.requests_count == weights.sum()
    assert workload.lengths.input_tokens == pytest.approx(many.mean())
    assert workload.lengths.input_cv2_ratio == pytest.approx(many.var() / many.mean() ** 2)
    answers = np.repeat(outputs, weights)
    assert workload.lengths.output_cv2_ratio == pytest.approx(answers.var() / answers.mean() ** 2)
