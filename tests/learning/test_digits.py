"""Digits: nine of them, the nearest ones, once and for all."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Context, Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from breakeven.learning.digits import plain_rounded, rounded, rounded_up

SIZES = st.floats(1e-12, 1e8, allow_nan=False) | st.floats(-1e8, -1e-12, allow_nan=False)


@given(SIZES)
def test_the_nearest_number_of_nine_digits_and_the_same_again(value: float) -> None:
    found = float(rounded(value))
    assert abs(found - value) <= 5.000001e-9 * abs(value)
    assert len(Decimal(repr(found)).normalize().as_tuple().digits) <= 9
    assert float(rounded(found)) == found


@given(st.floats(1e-12, 1e8))
def test_rounding_up_never_falls_below_by_more_than_a_float_can_tell(value: float) -> None:
    found = float(rounded_up(value))
    assert found >= value * (1 - 1e-15)
    exact = Context(prec=9, rounding=ROUND_CEILING).create_decimal(Decimal(value))
    assert math.isclose(found, float(exact), rel_tol=1.1e-8)


def test_what_is_not_finite_or_has_no_grid_stays() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, 5e-324, 1e300])
    np.testing.assert_array_equal(rounded(odd), odd)
    assert plain_rounded({"a": [None, math.inf, {"b": 1 / 3}], "c": (True, 2)}) == {
        "a": [None, math.inf, {"b": 0.333333333}],
        "c": [True, 2],
    }
