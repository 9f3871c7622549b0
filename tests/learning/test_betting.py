"""The betting bound keeps its promise for means of zero, and needs hardly more than a normal test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.learning import betting
from breakeven.learning.betting import mean_above_zero
from breakeven.outcomes.outcome import Floats

TESTS = 2000


def drawn(values: list[float], chances: list[float], rows: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.choice(np.array(values), p=np.array(chances), size=(rows, TESTS))


@pytest.mark.parametrize("rows", [20, 300, 1200])
@pytest.mark.parametrize(
    ("values", "chances"),
    [
        ([-0.95, 0.05, 1.0], [0.05, 0.95, 0.0]),
        ([-0.98, 0.0, 0.02, 1.0], [0.05, 0.171, 0.75, 0.029 + 0.005]),
        ([-1.0, 1.0], [0.5, 0.5]),
        ([-0.9, 0.001], [0.001 / 0.901, 0.9 / 0.901]),
    ],
)
def test_a_mean_of_zero_is_taken_for_more_in_one_of_twenty_at_most(
    values: list[float], chances: list[float], rows: int
) -> None:
    chances = [each / sum(chances) for each in chances]
    middle = sum(v * c for v, c in zip(values, chances, strict=True))
    gains = drawn(values, chances, rows, seed=3) - max(middle, 0.0)
    lowest = min(values) - max(middle, 0.0)
    for squares in (None, np.full(TESTS, 1e-4), np.full(TESTS, 5.0), (gains**2).mean(axis=0)):
        wrong = mean_above_zero(gains, lowest, 0.95, squares).mean()
        assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / TESTS)


def test_it_uses_most_of_the_error_that_it_may_make() -> None:
    """A bound that never errs would be wasteful."""
    assert mean_above_zero(drawn([-1.0, 1.0], [0.5, 0.5], 1500, 5), -1.0, 0.95).mean() >= 0.035


def test_power_is_near_that_of_the_normal_test() -> None:
    """At a mean of 2.487 standard errors the best test of 5 % has power 0.8."""
    rows, tests = 2000, 2000
    rng = np.random.default_rng(9)
    shift = 2.487 / np.sqrt(rows)
    gains = np.where(rng.random((rows, tests)) < 0.5 * (1 + shift), 1.0, -1.0)
    assert mean_above_zero(gains, -1.0, 0.95).mean() >= 0.77


def test_a_long_series_is_bet_on_in_blocks_with_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    gains = drawn([-1.0, 1.0], [0.47, 0.53], 1200, 11)[:, :400]
    row_by_row = mean_above_zero(gains, -1.0, 0.95)
    monkeypatch.setattr(betting, "ROUNDS_MAX", 300)
    blocks = mean_above_zero(gains, -1.0, 0.95)
    assert (row_by_row == blocks).mean() >= 0.95


@given(st.integers(0, 1000), st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_wealth_never_breaks(seed: int, rows: int) -> None:
    """Any gains within bounds: an answer for each test, and none for gains that are never positive."""
    rng = np.random.default_rng(seed)
    gains = rng.uniform(-0.9, 1.0, (rows, 3))
    gains[:, 1] = -np.abs(gains[:, 1])
    gains[:, 2] = 0.0
    found = mean_above_zero(gains, np.array([-0.9, -1.0, -0.9]), 0.95)
    assert found.shape == (3,)
    assert not found[1:].any()
