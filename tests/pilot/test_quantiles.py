"""Quantiles at any time: bounds that hold at every look."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import lognorm

from breakeven.pilot.quantiles import quantile_bounds, upper_bound

TRUTH = float(lognorm.ppf(0.95, 0.7))


def test_the_bounds_hold_at_every_look() -> None:
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(150):
        seconds = rng.lognormal(0, 0.7, 2_000)
        for count in (50, 100, 200, 300, 500, 800, 1_200, 2_000):
            found = quantile_bounds(seconds[:count], 0.1)
            if not found.low <= TRUTH <= found.high:
                missed += 1
                break
    assert missed <= 15 + 3 * 3.7  # 10 % and three standard errors


def test_the_bounds_close_in() -> None:
    seconds = np.random.default_rng(2).lognormal(0, 0.7, 20_000)
    found = quantile_bounds(seconds, 0.05)
    assert found.value == pytest.approx(TRUTH, rel=0.03)
    assert found.high / found.low < 1.15


def test_few_outcomes_bound_nothing() -> None:
    few = quantile_bounds(np.array([1.0]), 0.05)
    assert (few.low, few.high) == (-np.inf, np.inf)
    assert np.isnan(quantile_bounds(np.zeros(0), 0.05).value)
    assert upper_bound(np.zeros(0), 0.05) == np.inf
