"""Estimates: values and errors against textbook formulas and numeric slopes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.pilot.estimate import PRIORS_COUNT, Estimate, mean_of, success_of

UNITS = np.arange(200)
HERE = np.ones(200, dtype=bool)
EVEN = np.ones(200)


def means(seed: int) -> tuple[Estimate, Estimate, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cost = rng.lognormal(size=200)
    success = (rng.random(200) < 0.8) * 1.0
    one, other = mean_of(cost, HERE, UNITS, EVEN), mean_of(success, HERE, UNITS, EVEN)
    assert one and other
    return one, other, cost, success


def variance(estimate: Estimate) -> float:
    return float(np.dot(estimate.scores, estimate.scores))


def test_the_variance_of_a_mean_is_the_textbook_one() -> None:
    one, _, cost, _ = means(1)
    assert one.value == pytest.approx(cost.mean())
    assert variance(one) == pytest.approx(cost.var() / 200)


def test_the_variance_of_a_ratio_is_that_of_its_residuals() -> None:
    one, other, cost, success = means(2)
    ratio = cost.mean() / success.mean()
    found = one / other
    assert found.value == pytest.approx(ratio)
    assert variance(found) == pytest.approx(np.mean((cost - ratio * success) ** 2) / 200 / success.mean() ** 2)


@given(st.floats(0.5, 2.0), st.floats(-2.0, 2.0), st.integers(0, 50))
def test_estimates_do_the_arithmetic_of_their_values(scale: float, shift: float, seed: int) -> None:
    one, other, _, _ = means(seed)
    found = (one * scale - other + shift) * other / one
    expected = (one.value * scale - other.value + shift) * other.value / one.value
    assert found.value == pytest.approx(expected)
    step = 1e-6
    slopes = [
        (((a * scale - b + shift) * b / a) - expected) / step
        for a, b in ((one.value + step, other.value), (one.value, other.value + step))
    ]
    assert found.scores == pytest.approx(slopes[0] * one.scores + slopes[1] * other.scores, rel=1e-3, abs=1e-5)


def test_logarithms_move_by_the_relative_change() -> None:
    one, _, _, _ = means(3)
    assert one.log().value == pytest.approx(np.log(one.value))
    assert one.log().scores == pytest.approx(one.scores / one.value)


def test_rows_of_a_unit_are_one_observation() -> None:
    values = np.repeat([0.0, 1.0], 50)
    found = mean_of(values, np.ones(100, dtype=bool), np.repeat([0, 1], 50), np.ones(100))
    assert found is not None and found.units_count == 2
    assert variance(found) == pytest.approx(0.25 / 2)


def test_weights_and_unknown_values() -> None:
    values = np.array([1.0, np.nan, 3.0, 100.0])
    found = mean_of(values, np.ones(4, dtype=bool), np.arange(4), np.array([1.0, 1.0, 3.0, 0.0]))
    assert found is not None and found.value == pytest.approx(2.5) and found.units_count == 2
    assert mean_of(values, np.zeros(4, dtype=bool), np.arange(4), np.ones(4)) is None


def test_a_clean_record_is_not_certain_and_the_arms_share_no_row() -> None:
    perfect = np.ones(200)
    one, other = (success_of(perfect, HERE, UNITS, EVEN, arm) for arm in (0, 1))
    assert one and other and one.value == other.value == 1.0
    assert 0.003 < np.sqrt(variance(one)) < 0.006, "about one failure in 200"
    assert float(np.dot(one.scores, other.scores)) == 0.0
    assert len(one.scores) == 200 + PRIORS_COUNT
