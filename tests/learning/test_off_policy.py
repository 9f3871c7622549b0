"""Off-policy estimates against simulated logs whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.errors import LearningError
from breakeven.learning.off_policy import LoggedChoices, logged_choices, off_policy
from breakeven.outcomes.outcome import OutcomeTable

CHANCES = np.array([[0.9, 0.95], [0.3, 0.9]])  # of easy and hard requests, by model
COSTS = np.array([0.001, 0.01])


def log(rows: int, seed: int, *, sent_right: float = 0.7) -> tuple[LoggedChoices, np.ndarray, float]:
    """A log whose policy sends easy requests to the small model with chance `sent_right`, hard ones to the large.

    With it the policy to judge (small for the easy, large for the hard) and its true success.
    """
    rng = np.random.default_rng(seed)
    hard = rng.integers(0, 2, rows)
    target = hard  # model 0 for the easy
    right = np.where(rng.uniform(size=rows) < sent_right, target, 1 - target)
    propensity = np.where(right == target, sent_right, 1 - sent_right)
    success = (rng.uniform(size=rows) < CHANCES[hard, right]).astype(float)
    return LoggedChoices(right, propensity, success, COSTS[right]), target, float(CHANCES[[0, 1], [0, 1]].mean())


@pytest.mark.parametrize("quality", ["right", "wrong"])
def test_intervals_hold_the_truth_as_often_as_they_say(quality: str) -> None:
    covered = {"ips": 0, "dr": 0}
    width = {"ips": 0.0, "dr": 0.0}
    for seed in range(400):
        logged, target, truth = log(500, seed)
        hard = target  # the planted predictions know what is hard, or know nothing
        predicted = CHANCES[hard] if quality == "right" else np.full((500, 2), 0.2)
        found = off_policy(logged, target, predicted)
        for name, each in (("ips", found.success_ips), ("dr", found.success_dr)):
            covered[name] += each.low <= truth <= each.high
            width[name] += each.high - each.low
    assert 370 <= covered["ips"] <= 393  # 380 expected, 4.4 is one standard error
    assert 370 <= covered["dr"] <= 393
    assert width["dr"] < width["ips"]


def test_without_a_lot_for_the_wrong_way_it_is_the_plain_mean() -> None:
    logged, target, _ = log(200, 1, sent_right=1.0)
    found = off_policy(logged, target, np.full((200, 2), 0.5))
    assert found.success_ips.value == pytest.approx(logged.success.mean())
    assert found.success_dr.value == pytest.approx(logged.success.mean())
    assert found.cost_usd_ips is not None
    assert found.cost_usd_ips.value == pytest.approx(logged.cost_usd.mean())
    assert found.effective_requests_count == pytest.approx(200)
    assert not found.caution


def test_choices_that_were_never_made_are_said() -> None:
    logged, target, _ = log(300, 2, sent_right=1.0)
    chances = np.zeros((300, 2))
    chances[np.arange(300), logged.chosen] = 1.0
    found = off_policy(replace(logged, all_propensities=chances), 1 - target, np.full((300, 2), 0.5))
    assert found.unsupported_requests_count == 300
    assert "that the log never chose" in found.caution


def test_few_effective_calls_are_said() -> None:
    logged, target, _ = log(60, 3, sent_right=0.1)
    assert "too few to conclude from" in off_policy(logged, target, np.full((60, 2), 0.5)).caution


def table(propensity: np.ndarray | None, success: np.ndarray) -> OutcomeTable:
    rows = len(success)
    return OutcomeTable(
        tuple(str(i) for i in range(rows)),
        ("small", "large"),
        success,
        np.where(np.isfinite(success), 0.01, np.nan),
        ("",) * rows,
        {"task": ("faq",) * rows},
        propensity_fraction=propensity,
    )


def test_the_choices_of_a_table() -> None:
    success = np.array([[1.0, np.nan], [np.nan, 0.0]])
    found = logged_choices(table(np.array([[0.25, 0.75], [0.25, 0.75]]), success))
    assert found.chosen.tolist() == [0, 1]
    assert found.propensity_fraction.tolist() == [0.25, 0.75]
    assert found.success.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("propensity", "success", "words"),
    [
        (None, np.array([[1.0, np.nan]]), "carry no propensity"),
        (np.array([[0.5, 0.5]]), np.array([[1.0, 1.0]]), "1 of 1 requests were tried by none or several"),
        (np.array([[np.nan, 0.5]]), np.array([[1.0, np.nan]]), "1 logged choices have no propensity"),
        (np.array([[1.5, 0.5]]), np.array([[1.0, np.nan]]), "1 logged choices have no propensity"),
        (np.array([[1e-300, 0.5]]), np.array([[1.0, np.nan]]), "1 logged choices have no propensity from 1e-09 to 1"),
    ],
)
def test_what_is_no_log_by_lot_is_named(propensity: np.ndarray | None, success: np.ndarray, words: str) -> None:
    with pytest.raises(LearningError, match=words):
        logged_choices(table(propensity, success))
