"""Intervals by drawing requests again: right on average, and they cover the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.learning import resampling
from breakeven.learning.resampling import figure, resampled_means, resampled_weights, untold


@pytest.mark.parametrize("rows", [40, 2000])
def test_the_spread_of_a_mean_is_its_standard_error(rows: int) -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, (rows, 2))
    draws = resampled_means(values, 4000, seed=2)
    assert draws.mean(axis=0) == pytest.approx(values.mean(axis=0), abs=5 * 2 / np.sqrt(rows * 4000))
    assert draws.std(axis=0) == pytest.approx(values.std(axis=0) / np.sqrt(rows), rel=0.06)


def test_a_large_constant_does_not_drown_small_differences() -> None:
    """Means are taken around the mean: single precision would lose a dollar in a million."""
    values = np.random.default_rng(1).normal(0.0, 1e-3, (1500, 1))
    assert resampled_means(values + 1e3, 500, seed=3) - 1e3 == pytest.approx(resampled_means(values, 500, 3), abs=1e-4)


def test_poisson_numbers_have_mean_and_variance_of_one() -> None:
    weights = np.concatenate(list(resampled_weights(2000, 500, seed=4)))
    assert weights.shape == (500, 2000)
    assert weights.mean() == pytest.approx(1.0, abs=0.01)
    assert weights.var() == pytest.approx(1.0, abs=0.02)


def test_few_rows_are_drawn_as_often_as_there_are() -> None:
    weights = np.concatenate(list(resampled_weights(30, 600, seed=4)))
    assert (weights.sum(axis=1) == 30).all()


def test_strata_keep_their_size_in_every_draw() -> None:
    strata = ("a",) * 1 + ("b",) * 1999
    weights = np.concatenate(list(resampled_weights(2000, 300, seed=4, strata=strata)))
    assert (weights[:, 0] == 1).all()
    assert (weights[:, 1:].sum(axis=1) == 1999).all()


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(300):
        values = np.random.default_rng(seed).random((150, 1)) < 0.7
        found = figure(float(values.mean()), resampled_means(values.astype(float), 400, seed)[:, 0])
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.7 <= found.high
    assert 0.92 * 300 <= covered <= 0.98 * 300


def test_what_cannot_be_told_says_why() -> None:
    assert untold("no costs").value is None
    assert figure(float("nan"), np.ones(10), "no gap").why == "no gap"
    partly = figure(0.5, np.array([np.nan] * 10 + [0.5] * 90), "there is no gap")
    assert partly.value == 0.5
    assert partly.low is None
    assert "10 %" in partly.why


def test_the_same_seed_gives_the_same_draws_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).random((60, 3))
    first = resampled_means(values, 100, seed=5)
    assert (first == resampled_means(values, 100, seed=5)).all()
    assert (first != resampled_means(values, 100, seed=6)).any()
    monkeypatch.setattr(resampling, "_CHUNK", 100)
    assert resampled_means(values, 100, seed=5) == pytest.approx(first)
