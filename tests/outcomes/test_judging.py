"""Judging: PPI++ against another implementation, coverage of the intervals, Rogan and Gladen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from breakeven.errors import OutcomeError
from breakeven.outcomes.judging import Confusion, CorrectedRate, confusion_of, prediction_powered, rogan_gladen


def _sample(
    rng: np.random.Generator, success: float, sensitivity: float, specificity: float, count: int
) -> tuple[np.ndarray, np.ndarray]:
    truth = (rng.random(count) < success).astype(float)
    chance = rng.random(count)
    return truth, np.where(truth == 1, chance < sensitivity, chance >= specificity).astype(float)


@pytest.mark.parametrize(
    ("seed", "rates", "gold_count", "more_count", "expected"),
    [
        (0, (0.7, 0.9, 0.8), 60, 900, 0.6834831707658787),
        (1, (0.9, 0.95, 0.4), 40, 2000, 0.8296541760407037),
        (2, (0.5, 0.6, 0.6), 200, 300, 0.4860381857755586),
        (3, (0.8, 0.5, 0.5), 100, 1000, 0.83),
    ],
)
def test_point_is_that_of_ppi_python(
    seed: int, rates: tuple[float, float, float], gold_count: int, more_count: int, expected: float
) -> None:
    """Oracle: `ppi_mean_pointestimate` of ppi-python 0.2.3 on the same labels."""
    truth, judged = _sample(np.random.default_rng(seed), *rates, gold_count + more_count)
    found = prediction_powered(truth[:gold_count], judged[:gold_count], judged[gold_count:])
    assert found.success_fraction == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("success", "errors"), [(0.6, (0.95, 0.8)), (0.85, (0.9, 0.3)), (0.95, (0.95, 0.8)), (0.99, (0.9, 0.3))]
)
def test_interval_covers_as_often_as_it_says(success: float, errors: tuple[float, float]) -> None:
    """90 % intervals with 60 gold labels, in 300 simulated audits of 900 answers each."""
    rng = np.random.default_rng(12)
    hits = 0
    for _ in range(300):
        truth, judged = _sample(rng, success, *errors, 960)
        found = prediction_powered(truth[:60], judged[:60], judged[60:])
        hits += found.low_fraction <= success <= found.high_fraction
    assert hits / 300 >= 0.9 - 3 * np.sqrt(0.09 / 300)


def test_a_good_judge_narrows_and_a_useless_one_does_not_harm() -> None:
    rng = np.random.default_rng(2)
    widths: dict[str, list[float]] = {"good": [], "useless": [], "gold alone": []}
    for _ in range(100):
        for name, errors in (("good", (0.97, 0.95)), ("useless", (0.5, 0.5))):
            truth, judged = _sample(rng, 0.7, *errors, 1060)
            found = prediction_powered(truth[:60], judged[:60], judged[60:])
            widths[name].append(found.high_fraction - found.low_fraction)
        widths["gold alone"].append(2 * 1.645 * np.sqrt(0.7 * 0.3 / 60))
    means = {name: float(np.mean(values)) for name, values in widths.items()}
    assert means["good"] < 0.65 * means["gold alone"]
    assert means["useless"] < 1.1 * means["gold alone"]


def test_a_judge_that_passes_all_is_corrected_to_the_gold() -> None:
    gold = np.r_[np.ones(35), np.zeros(15)]
    found = prediction_powered(gold, np.ones(50), np.ones(950))
    assert found.success_fraction == pytest.approx(0.7)
    assert found.judge_weight_ratio == 0.0
    assert found.bias_fraction == pytest.approx(0.3)


def test_all_gold_succeeds() -> None:
    found = prediction_powered(np.ones(20), np.ones(20), np.r_[np.ones(90), np.zeros(10)])
    assert (found.success_fraction, found.high_fraction) == (1.0, 1.0)
    assert 0 < found.low_fraction < 1


@pytest.mark.parametrize("count", [0, 9])
def test_too_little_gold_is_refused(count: int) -> None:
    with pytest.raises(OutcomeError, match="at least 10"):
        prediction_powered(np.ones(count), np.ones(count), np.ones(100))


def _audit_by_confusion(rng: np.random.Generator) -> CorrectedRate:
    truth, judged = _sample(rng, 0.3, 0.9, 0.8, 200)
    _, fresh = _sample(rng, 0.75, 0.9, 0.8, 1500)
    return rogan_gladen(float(fresh.sum()), 1500, confusion_of(truth, judged))


def test_rogan_gladen_covers_although_the_sample_has_another_success() -> None:
    rng = np.random.default_rng(5)
    found = [_audit_by_confusion(rng) for _ in range(300)]
    hits = np.mean([each.low_fraction <= 0.75 <= each.high_fraction for each in found])
    assert hits >= 0.9 - 3 * np.sqrt(0.09 / 300)
    assert np.mean([each.success_fraction for each in found]) == pytest.approx(0.75, abs=0.01)


def test_rogan_gladen_by_hand() -> None:
    found = rogan_gladen(700, 1000, Confusion(95, 5, 80, 20))
    assert found.success_fraction == pytest.approx((0.7 + 0.8 - 1) / (0.95 + 0.8 - 1))
    assert found.judged_fraction == 0.7


def test_a_judge_without_a_word_is_refused() -> None:
    with pytest.raises(OutcomeError, match="says nothing about success"):
        rogan_gladen(700, 1000, Confusion(50, 50, 40, 60))


def test_confusion_counts() -> None:
    found = confusion_of(np.array([1, 1, 0, 0, 1.0]), np.array([1, 0, 1, 0, 0.7]))
    assert found == Confusion(2, 1, 1, 1)
    assert found.false_accept_fraction == 0.5


@pytest.mark.parametrize(("good", "count"), [(60, 100), (95, 100), (100, 100), (0, 50), (20, 25)])
def test_the_beta_of_a_corrected_rate_has_its_interval(good: int, count: int) -> None:
    gold = np.r_[np.ones(good), np.zeros(count - good)]
    rate = prediction_powered(gold, gold, np.tile(gold, 900 // count))
    alpha, beta_count = rate.beta_counts
    width = rate.high_fraction - rate.low_fraction
    low, high = beta(alpha, beta_count).ppf([0.05, 0.95])
    near = 0.35 * width if good in (0, count) else 0.02 * width
    assert (low, high) == pytest.approx((rate.low_fraction, rate.high_fraction), abs=near)
    assert alpha / (alpha + beta_count) == pytest.approx(rate.success_fraction, abs=0.3 * width)
