"""The range of draws: its quantiles are those of numpy, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from breakeven.decision.comparison import range_of

DRAWS = arrays.arrays(
    np.float64,
    st.integers(1, 300),
    elements=st.one_of(st.floats(-1e12, 1e12), st.sampled_from([0.0, -0.0, 1e-300, 0.1, 1e300])),
)


@given(DRAWS)
def test_quantiles_are_those_of_numpy_to_the_bit(draws: np.ndarray) -> None:
    given_order = draws.copy()
    found = range_of(draws)
    assert (found.p10, found.p50, found.p90) == tuple(np.quantile(draws, (0.1, 0.5, 0.9)).tolist())
    assert found.mean == float(np.mean(draws))
    assert np.array_equal(draws, given_order), "left as they were"


@pytest.mark.parametrize("count", [1, 2, 3, 11, 128, 1_001, 16_384])
def test_sizes_that_scenarios_have(count: int) -> None:
    draws = np.random.default_rng(count).lognormal(8, 1.5, count)
    found = range_of(draws)
    assert (found.p10, found.p50, found.p90) == tuple(np.quantile(draws, (0.1, 0.5, 0.9)).tolist())


def test_one_draw_that_is_no_number_leaves_none() -> None:
    draws = np.array([3.0, np.nan, 1.0])
    found = range_of(draws)
    assert all(np.isnan(each) for each in (found.p10, found.p50, found.p90, found.mean))
