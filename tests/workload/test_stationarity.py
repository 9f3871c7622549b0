"""Stationarity: the statistic is that of statsmodels; a random walk is rejected, a steady level is not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from breakeven.workload.stationarity import CRITICAL_RATIOS, kpss_ratio
from workload.planted_days import scatter


@pytest.mark.parametrize("days", [28, 61, 200])
@pytest.mark.parametrize("memory", [0.0, 0.6, 0.95])
def test_the_statistic_is_that_of_statsmodels(days: int, memory: float) -> None:
    stattools = pytest.importorskip("statsmodels.tsa.stattools")
    values = scatter(days, memory, np.random.default_rng(days))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # p-values beyond its table
        expected = stattools.kpss(values, regression="c", nlags="auto")[0]
    assert kpss_ratio(values) == pytest.approx(expected, rel=1e-9)


def test_a_steady_level_is_rarely_rejected_and_a_walk_mostly() -> None:
    limit = CRITICAL_RATIOS[0.05]
    steady = [kpss_ratio(np.random.default_rng(seed).standard_normal(120)) > limit for seed in range(200)]
    walks = [kpss_ratio(np.cumsum(np.random.default_rng(seed).standard_normal(200))) > limit for seed in range(100)]
    assert np.mean(steady) <= 0.10
    assert np.mean(walks) >= 0.6


def test_days_that_never_scatter() -> None:
    assert kpss_ratio(np.full(40, 3.0)) == 0.0


def test_equal_days_do_not_wander() -> None:
    """Rounding is all that differs: a sum of squares of 1e-30 over another one says nothing."""
    assert kpss_ratio(np.full(120, np.log(4167.0)) - np.tile(np.arange(7) * 1e-16, 18)[:120]) == 0.0
    assert kpss_ratio(np.log(120.0) + np.random.default_rng(1).integers(-1, 2, 120) * 4e-15) == 0.0
