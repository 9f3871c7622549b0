"""Item success: the likeliest Beta of repeated tries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom

from breakeven.errors import OutcomeError
from breakeven.outcomes.item_success import ItemSuccess, fit_item_success


@pytest.mark.parametrize(("alpha", "beta"), [(1.2, 0.8), (8.0, 2.0), (0.3, 0.1)])
def test_planted_rates_are_found(alpha: float, beta: float) -> None:
    rng = np.random.default_rng(3)
    tries = rng.integers(2, 7, 6000)
    successes = rng.binomial(tries, rng.beta(alpha, beta, 6000))
    found = fit_item_success(tries, successes)
    assert found.success_fraction == pytest.approx(alpha / (alpha + beta), abs=0.02)
    assert found.correlation_fraction == pytest.approx(1 / (alpha + beta + 1), abs=0.03)
    assert found.repeated_count == 6000


def test_no_other_beta_on_a_grid_is_likelier() -> None:
    """Oracle: scipy's beta-binomial."""
    rng = np.random.default_rng(4)
    tries = rng.integers(1, 5, 300)
    successes = rng.binomial(tries, rng.beta(2.0, 1.0, 300))
    found = fit_item_success(tries, successes)
    best = betabinom.logpmf(successes, tries, found.alpha_count, found.beta_count).sum()
    for alpha in np.geomspace(0.2, 20, 25):
        for beta in np.geomspace(0.2, 20, 25):
            assert betabinom.logpmf(successes, tries, alpha, beta).sum() <= best + 1e-6


def test_independent_tries_have_no_correlation_to_speak_of() -> None:
    rng = np.random.default_rng(5)
    tries = np.full(4000, 5)
    found = fit_item_success(tries, rng.binomial(tries, 0.6))
    assert found.correlation_fraction < 0.02
    assert found.all_fail_fraction(5) == pytest.approx(0.4**5, rel=0.15)


def test_tries_that_repeat_themselves_are_fully_correlated() -> None:
    rng = np.random.default_rng(6)
    found = fit_item_success(np.full(500, 4), 4 * rng.binomial(1, 0.7, 500))
    assert found.correlation_fraction > 0.99
    assert found.all_fail_fraction(4) == pytest.approx(1 - found.success_fraction, abs=0.01)


def test_single_tries_tell_the_mean_and_nothing_of_the_correlation() -> None:
    found = fit_item_success(np.ones(100), np.r_[np.ones(80), np.zeros(20)])
    assert found.repeated_count == 0
    assert found.success_fraction == pytest.approx(0.8, abs=0.01)


def test_worked_example() -> None:
    assert ItemSuccess(1.2, 0.8, 0).all_fail_fraction(3) == pytest.approx(0.168, abs=5e-5)
    assert ItemSuccess(1.2, 0.8, 0).all_fail_fraction(5) == pytest.approx(0.102144, abs=5e-7)


@pytest.mark.parametrize(
    ("tries", "successes"), [([], []), ([0, 0], [0, 0]), ([1], [2]), ([1, 2], [1]), ([2], [np.nan]), ([2], [-1])]
)
def test_impossible_counts_are_refused(tries: list[float], successes: list[float]) -> None:
    with pytest.raises(OutcomeError, match="tries"):
        fit_item_success(tries, successes)


def test_all_succeed_and_all_fail_stay_inside() -> None:
    for successes in (np.full(50, 3), np.zeros(50)):
        found = fit_item_success(np.full(50, 3), successes)
        assert np.isfinite([found.alpha_count, found.beta_count]).all()
        assert 0 < found.success_fraction < 1
