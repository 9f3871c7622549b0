"""Success watch: a stated rate of false alarms, and falls that are found, early and late."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.errors import OutcomeError
from breakeven.outcomes.restarting_bets import ln_start_weights, ln_waiting_weight, ln_wealth_path
from breakeven.outcomes.success_watch import SuccessWatch


def test_success_above_the_floor_rings_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(8)
    bets = SuccessWatch(0.9).bets
    outcomes = rng.uniform(size=(500, 1_500)) < 0.9  # exactly at the floor: the worst case
    rang = sum(bool((ln_wealth_path(0.9 - row, bets) >= np.log(100)).any()) for row in outcomes)
    assert rang <= 5 + 3 * 2.2  # 1 % of 500 and three standard errors


@pytest.mark.parametrize(("success", "most"), [(0.5, 60), (0.8, 700)])
def test_a_fallen_success_is_found(success: float, most: int) -> None:
    rng = np.random.default_rng(9)
    found = []
    for _ in range(60):
        watch = SuccessWatch(0.9)
        watch.see_all((rng.uniform(size=2_000) < success).astype(float))
        assert watch.alarm_at_count is not None
        found.append(watch.alarm_at_count)
    assert np.quantile(found, 0.9) <= most


def test_a_fall_after_a_long_good_time_is_found() -> None:
    rng = np.random.default_rng(10)
    late = []
    for _ in range(10):
        watch = SuccessWatch(0.9)
        assert not watch.see_all((rng.uniform(size=20_000) < 0.97).astype(float))
        watch.see_all((rng.uniform(size=2_000) < 0.6).astype(float))
        assert watch.alarm_at_count is not None
        late.append(watch.alarm_at_count - 20_000)
    assert np.quantile(late, 0.9) <= 150


def test_the_wealth_is_that_of_gamblers_who_start_at_every_outcome() -> None:
    watch = SuccessWatch(0.8)
    outcomes = (1.0, 0.0, 0.25, 1.0)
    for outcome in outcomes:
        watch.see(outcome)
    wealth = 0.0
    for start, weight in enumerate(np.exp(ln_start_weights(0, 4))):
        wealth += weight * np.prod([1 + watch.bets * (0.8 - x) for x in outcomes[start:]], axis=0).mean()
    assert watch.ln_wealth == pytest.approx(np.log(wealth + np.exp(ln_waiting_weight(4))))
    assert watch.outcomes_count == 4


def test_all_starts_are_one_wealth() -> None:
    assert np.exp(ln_start_weights(0, 50)).sum() + np.exp(ln_waiting_weight(50)) == pytest.approx(1)


def test_one_by_one_and_all_at_once_are_the_same() -> None:
    outcomes = np.random.default_rng(11).uniform(size=300)
    once, steps = SuccessWatch(0.7), SuccessWatch(0.7)
    once.see_all(outcomes)
    for outcome in outcomes:
        steps.see(float(outcome))
    assert once.ln_wealth == pytest.approx(steps.ln_wealth, rel=1e-12)
    assert once.alarm_at_count == steps.alarm_at_count


@pytest.mark.parametrize("outcome", [float("nan"), -0.1, 1.5])
def test_no_outcome_is_an_error(outcome: float) -> None:
    with pytest.raises(OutcomeError, match="wanted a success from 0 to 1"):
        SuccessWatch(0.9).see(outcome)


@pytest.mark.parametrize("floor", [0.0, 1.0, float("nan")])
def test_no_floor_is_an_error(floor: float) -> None:
    with pytest.raises(OutcomeError, match="wanted a success between 0 and 1"):
        SuccessWatch(floor)
