"""Areas under cost-quality curves, against RouteLLM's formula, scipy's hull and brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from breakeven.errors import LearningError
from breakeven.learning.frontier import (
    Curve,
    aiq,
    aiq_of_draws,
    apgr,
    choose,
    cost_at,
    cpt,
    curve,
    hull,
    measured,
    most_successful,
    threshold_sweep,
    value_sweep,
)
from breakeven.outcomes.outcome import Floats

WEAK, STRONG = 0, 1


def pair(seed: int, n: int = 400) -> tuple[Floats, Floats]:
    """A score that wants the strong model, and outcomes that it tells something of."""
    rng = np.random.default_rng(seed)
    hard = rng.uniform(size=n)
    weak, strong = rng.uniform(size=n) > 0.2 + 0.6 * hard, rng.uniform(size=n) > 0.1 + 0.15 * hard
    return hard + rng.normal(0, 0.3, n), np.stack([weak, strong], axis=1).astype(float)


def pair_curve(score: Floats, success: Floats) -> Curve:
    calls = np.zeros_like(success)
    calls[:, STRONG] = 1.0
    return measured(threshold_sweep(score, WEAK, STRONG), success, calls, "strong_calls")


def routellm(score: Floats, success: Floats) -> tuple[float, list[float]]:
    """As its repository computes them: qcut, a frame of results, trapezoids, np.interp."""
    _, thresholds = pd.qcut(pd.Series(score), 10, retbins=True)
    rows = []
    for i, threshold in enumerate(thresholds):
        selection = score >= threshold if i != len(thresholds) - 1 else score > threshold
        rows.append((selection.mean() * 100, np.where(selection, success[:, STRONG], success[:, WEAK]).mean() * 100))
    frame = pd.DataFrame(rows, columns=["strong_percentage", "accuracy"]).sort_values(by=["strong_percentage"])
    weak_accuracy, strong_accuracy = success.mean(axis=0) * 100
    share = frame["strong_percentage"].to_numpy() / 100
    auc = np.trapezoid(frame["accuracy"], share)
    weak_auc = np.trapezoid(np.full(len(frame), weak_accuracy), share)
    strong_auc = np.trapezoid(np.full(len(frame), strong_accuracy), share)
    wanted = [
        float(np.interp(pct * (strong_accuracy - weak_accuracy) + weak_accuracy, frame["accuracy"], share))
        for pct in (0.2, 0.5, 0.8)
    ]
    return float((auc - weak_auc) / (strong_auc - weak_auc)), wanted


@pytest.mark.parametrize("seed", range(8))
def test_apgr_and_cpt_are_routellms(seed: int) -> None:
    score, success = pair(seed)
    found = pair_curve(score, success)
    weak, strong = success.mean(axis=0)
    area, shares = routellm(score, success)
    assert float(apgr(found.shares[:, STRONG], found.success_fraction, weak, strong)) == pytest.approx(area, abs=1e-12)
    if (np.diff(found.success_fraction) > 0).all():  # np.interp means nothing on values that fall
        mine = [float(cpt(found.shares[:, STRONG], found.success_fraction, weak, strong, x)) for x in (0.2, 0.5, 0.8)]
        assert mine == pytest.approx(shares, abs=1e-12)


def test_some_seed_has_a_rising_curve() -> None:
    """The comparison of CPT above is not empty."""
    curves = [pair_curve(*pair(seed)) for seed in range(8)]
    assert sum((np.diff(found.success_fraction) > 0).all() for found in curves) >= 2


def test_random_scores_recover_half_of_the_gap() -> None:
    rng = np.random.default_rng(99)
    _, success = pair(1, n=40_000)
    found = pair_curve(rng.uniform(size=40_000), success)
    weak, strong = success.mean(axis=0)
    assert float(apgr(found.shares[:, STRONG], found.success_fraction, weak, strong)) == pytest.approx(0.5, abs=0.02)


def test_cpt_is_the_first_crossing_of_a_curve_that_falls_again() -> None:
    share, success = np.linspace(0, 1, 5), np.array([0.5, 0.9, 0.6, 0.7, 0.8])
    assert float(cpt(share, success, np.array(0.5), np.array(0.8), 0.5)) == pytest.approx(0.25 * 0.15 / 0.4)


def test_a_strong_model_that_is_not_better_has_no_gap() -> None:
    share, success = np.linspace(0, 1, 3), np.array([0.8, 0.8, 0.8])
    assert np.isnan(apgr(share, success, np.array(0.8), np.array(0.8)))
    assert np.isnan(cpt(share, success, np.array(0.8), np.array(0.7), 0.5))


@pytest.mark.parametrize("distinct", [1, 2, 3, 50])
def test_tied_scores_keep_both_ends(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    score = rng.integers(0, distinct, 500).astype(float)
    sweep = threshold_sweep(score, WEAK, STRONG)
    shares = (sweep.choices == STRONG).mean(axis=1)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert (np.diff(shares) > 0).all()
    reachable = {float((score >= edge).mean()) for edge in np.unique(score)} | {0.0}
    assert set(shares.tolist()) <= reachable
    if distinct <= 3:
        assert set(shares.tolist()) == reachable


def hull_by_scipy(cost: Floats, success: Floats, cheapest: float, dearest: float) -> float:
    """Area under the upper hull of the points and their shadows on the axis and to the right."""
    low, high = min(cost.min(), cheapest), max(cost.max(), dearest) + 1.0
    points = np.concatenate(
        [np.stack([cost, success], axis=1), [[low, -1.0], [high, -1.0], [high, success.max()]]], axis=0
    )
    corners = points[ConvexHull(points).vertices]
    top = corners[corners[:, 1] > -1.0]
    top = top[np.argsort(top[:, 0])]
    grid = np.unique(np.concatenate([[cheapest, dearest], top[(top[:, 0] > cheapest) & (top[:, 0] < dearest), 0]]))
    return float(np.trapezoid(np.interp(grid, top[:, 0], top[:, 1]), grid) / (dearest - cheapest))


@given(st.integers(0, 10_000), st.integers(2, 30))
@settings(max_examples=60, deadline=None)
def test_aiq_is_the_area_under_scipys_hull(seed: int, points: int) -> None:
    rng = np.random.default_rng(seed)
    single_cost, single_success = rng.uniform(0.1, 1.0, 3), rng.uniform(size=3)
    cost = np.concatenate([rng.uniform(0.0, 1.2, points), [single_cost.min() - 0.01]])
    success = rng.uniform(size=points + 1)
    mine = aiq(cost, success, single_cost, single_success)
    assert mine == pytest.approx(hull_by_scipy(cost, success, single_cost.min(), single_cost.max()), abs=1e-9)


def test_aiq_joins_a_curve_that_begins_late_to_the_cheapest_model() -> None:
    single_cost, single_success = np.array([1.0, 3.0]), np.array([0.4, 0.8])
    assert aiq(np.array([3.0]), np.array([0.8]), single_cost, single_success) == pytest.approx(0.6)


def test_aiq_of_models_that_cost_the_same_is_the_best_success_there() -> None:
    assert aiq(np.array([2.0, 2.0]), np.array([0.5, 0.7]), np.array([2.0, 2.0]), np.array([0.5, 0.6])) == 0.7


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_no_point_lies_above_the_hull_and_the_hull_rises_ever_slower(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost, success = rng.integers(0, 6, 20).astype(float), rng.integers(0, 6, 20) / 5
    x, y = hull(cost, success)
    inside = (cost >= x[0]) & (cost <= x[-1])
    assert (success[inside] <= np.interp(cost[inside], x, y) + 1e-12).all()
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) > 0).all()
    assert (np.diff(np.diff(y) / np.diff(x)) < 1e-12).all()


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_every_setting_is_the_best_that_can_be_chosen_at_its_value(seed: int) -> None:
    """Brute force over all assignments of four requests to three models."""
    rng = np.random.default_rng(seed)
    scores, usd = rng.integers(0, 11, (4, 3)) / 10, np.array([1.0, 2.0, 4.0])
    sweep = value_sweep(scores, usd, settings_count=1000)
    assignments = np.array(list(itertools.product(range(3), repeat=4)))
    rows = np.arange(4)
    for value, choice in zip(sweep.settings[:-1], sweep.choices[:-1], strict=True):
        worth = (usd[assignments] + value * (1 - scores[rows, assignments])).sum(axis=1)
        mine = (usd[choice] + value * (1 - scores[rows, choice])).sum()
        assert mine <= worth.min() + 1e-6 * max(value, 1.0)
    assert (sweep.choices[0] == 0).all()
    assert scores[rows, sweep.choices[-1]].tolist() == scores.max(axis=1).tolist()


def test_equal_scores_go_to_the_cheaper_then_to_the_first() -> None:
    scores = np.array([[0.5, 0.5, 0.5]])
    assert choose(scores, np.array([2.0, 1.0, 1.0]), np.inf).tolist() == [1]
    assert choose(scores, np.array([1.0, 1.0, 2.0]), 7.0).tolist() == [0]


def test_without_costs_strong_calls_are_the_axis() -> None:
    score, success = pair(3)
    scores = np.stack([1 - score, np.full(len(score), 0.9)], axis=1)
    unpriced = curve(scores, success, np.full_like(success, np.nan))
    assert unpriced.cost_basis == "strong_calls"
    assert unpriced.cost_per_request == pytest.approx(unpriced.shares[:, STRONG])
    assert curve(scores, success, None).cost_per_request.tolist() == unpriced.cost_per_request.tolist()
    assert curve(scores, success, np.ones_like(success) * [1.0, 9.0]).cost_basis == "usd"


def test_cost_at_is_between_two_settings() -> None:
    cost, success = np.array([3.0, 1.0, 2.0]), np.array([0.9, 0.5, 0.7])
    assert float(cost_at(cost, success, np.array(0.6))) == pytest.approx(1.5)
    assert float(cost_at(cost, success, np.array(0.2))) == 1.0
    assert np.isnan(cost_at(cost, success, np.array(0.95)))


def test_areas_of_many_resamples_are_those_of_each() -> None:
    rng = np.random.default_rng(5)
    share, success = np.sort(rng.uniform(size=(6, 9)), axis=1), np.sort(rng.uniform(size=(6, 9)), axis=1)
    weak, strong = np.full(6, 0.2), np.full(6, 0.8)
    together = apgr(share, success, weak, strong), cpt(share, success, weak, strong, 0.5)
    for i in range(6):
        alone = (
            apgr(share[i], success[i], weak[i], strong[i]),
            cpt(share[i], success[i], weak[i], strong[i], 0.5),
        )
        assert together[0][i] == pytest.approx(float(alone[0]))
        assert together[1][i] == pytest.approx(float(alone[1]), nan_ok=True)


def test_one_model_missing_outcomes_or_scores_are_named() -> None:
    with pytest.raises(LearningError, match="one model only"):
        curve(np.ones((3, 1)), np.ones((3, 1)), None)
    with pytest.raises(LearningError, match="2 of 3 requests lack"):
        curve(np.ones((3, 2)), np.array([[1, np.nan], [np.nan, 0], [1, 0]]), None)
    with pytest.raises(LearningError, match="NaN"):
        curve(np.full((3, 2), np.nan), np.ones((3, 2)), None)
    with pytest.raises(LearningError, match="at least one request"):
        curve(np.ones((0, 2)), np.ones((0, 2)), None)


def test_the_most_successful_is_judged_where_it_was_tried() -> None:
    assert most_successful(np.array([[1.0, np.nan], [1.0, 1.0], [0.0, np.nan]])) == 1


@given(st.integers(0, 10_000), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_aiq_of_draws_is_aiq_of_each(seed: int, points: int) -> None:
    rng = np.random.default_rng(seed)
    cost, success = rng.integers(0, 8, (5, points)).astype(float), rng.integers(0, 8, (5, points)) / 7
    single_cost, single_success = rng.integers(1, 6, (5, 3)).astype(float), rng.integers(0, 8, (5, 3)) / 7
    together = aiq_of_draws(cost, success, single_cost, single_success)
    each = [aiq(*row) for row in zip(cost, success, single_cost, single_success, strict=True)]
    assert together.tolist() == pytest.approx(each, abs=1e-12)
