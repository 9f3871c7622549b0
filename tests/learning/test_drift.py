"""Drift: stated rates of false alarms by simulation, and shifts that are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from breakeven.errors import LearningError
from breakeven.learning.drift import _shift, drift, drift_reference

GROUPS = np.array([f"task {i}" for i in range(30)])
MIX = np.arange(1, 31) / np.arange(1, 31).sum()


def calls(count: int, rng: np.random.Generator, mix: np.ndarray = MIX) -> tuple[list[str], np.ndarray]:
    chosen = rng.choice(30, count, p=mix)
    return GROUPS[chosen].tolist(), np.clip(chosen / 40 + rng.normal(0.1, 0.05, count), 0, 1)


@pytest.mark.parametrize("window", [100, 2_000])
def test_false_alarms_are_as_rare_as_stated(window: int) -> None:
    rng = np.random.default_rng(4)
    reference = drift_reference(*calls(4_000, rng))
    alarms = sum(drift(reference, *calls(window, rng)).alarm for _ in range(1_000))
    assert alarms <= 10 + 3 * 3.15  # 1 % and three standard errors


def test_the_statistic_alone_keeps_its_level() -> None:
    rng = np.random.default_rng(5)
    low = 0
    for _ in range(2_000):
        reference = drift_reference(*calls(1_000, rng))
        low += drift(reference, *calls(500, rng)).mix.p_value_fraction < 0.05
    assert 70 <= low <= 130  # 100 expected, 9.7 is one standard error


def test_a_shift_of_the_mix_is_found() -> None:
    rng = np.random.default_rng(6)
    report = drift(drift_reference(*calls(4_000, rng)), *calls(300, rng, MIX[::-1]))
    assert report.mix.alarm
    assert report.inputs.alarm
    assert "has shifted" in report.mix.words


def test_new_groups_are_a_shift() -> None:
    rng = np.random.default_rng(7)
    groups, scores = calls(4_000, rng)
    report = drift(drift_reference(groups, scores), ["new"] * 60 + groups[:140], scores[:200])
    assert report.mix.alarm
    assert not report.inputs.alarm


def test_a_shift_too_small_to_matter_raises_no_alarm() -> None:
    before, now = np.array([500_000.0, 500_000.0]), np.array([510_000.0, 490_000.0])
    shift = _shift("mix", before, now)
    assert shift.p_value_fraction < 1e-6
    assert not shift.alarm


def test_the_statistic_is_that_of_scipy() -> None:
    before, now = np.array([30.0, 50.0, 20.0]), np.array([20.0, 20.0, 25.0])
    assert _shift("mix", before, now).p_value_fraction == pytest.approx(chi2_contingency([before, now])[1], rel=1e-9)


def test_an_empty_window_is_an_error() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(LearningError, match="a window of 0 groups"):
        drift(drift_reference(*calls(10, rng)), [], np.zeros(0))
    with pytest.raises(LearningError, match="no call to learn"):
        drift_reference([], np.zeros(0))


def test_equal_scores_make_one_bin() -> None:
    reference = drift_reference(["a"] * 20, np.full(20, 0.5))
    assert not drift(reference, ["a"] * 10, np.full(10, 0.5)).alarm
    assert drift(reference, ["a"] * 30, np.full(30, 0.1)).inputs.alarm
