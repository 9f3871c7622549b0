"""Canary stopping: requests are bet on as the two-sample test does, fair at the margin, sizes near the fixed one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from breakeven.pilot.canary_stopping import canary_chances, mixture_of_requests, told_ratio
from breakeven.pilot.fixed_sample import fixed_sample_two_arms_count
from breakeven.pilot.increments import ln_e_value, planned_stakes
from breakeven.pilot.stopping import race, size_figures
from breakeven.pilot.two_sample import Dealt, two_sample_increments, two_sample_stake_ratio


@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.parametrize("is_inferior", [False, True])
def test_a_request_at_the_margin_neither_wins_nor_loses_on_average(share: float, is_inferior: bool) -> None:
    chances = canary_chances(0.9, 0.95, share)
    assert chances.sum() == pytest.approx(1.0, abs=1e-15)
    test = mixture_of_requests(0.9, 0.95, 0.95, share, math.log(20), (0.9, 1.0), is_inferior=is_inferior)
    assert float(chances @ test.factors @ test.wealth) == pytest.approx(1.0, abs=1e-12)
    assert (test.factors > 0.019).all()


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_the_first_request_is_bet_on_as_the_two_sample_test_does(kind: int) -> None:
    """Before anything was seen, its predictions are the plan's, here the truth: the same e-value."""
    arm, success = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))[kind]
    one = np.zeros(1, dtype=np.intp)
    rows = Dealt(np.array([arm]), np.array([0.3]), np.array([success]), one, one, np.zeros(1), np.ones(1))
    theirs = ln_e_value(
        two_sample_increments(rows, 0.9, 1.0), 0.95, planned_stakes(two_sample_stake_ratio(0.9, 1.0, 0.95))
    )
    ours = mixture_of_requests(0.9, 1.0, 0.95, 0.3, math.log(20))
    assert math.log(float(ours.factors[kind] @ ours.wealth)) == pytest.approx(theirs, abs=5e-3)


@pytest.mark.parametrize(("ratio", "share", "most"), [(1.0, 0.5, 1.25), (0.98, 0.5, 1.25), (1.0, 0.2, 1.45)])
def test_sizes_are_near_those_of_one_look(ratio: float, share: float, most: float) -> None:
    fixed = fixed_sample_two_arms_count(0.9, ratio, 0.95, share)
    assert fixed is not None
    test = mixture_of_requests(0.9, ratio, 0.95, share, math.log(20))
    found = size_figures(race(canary_chances(0.9, ratio, share), (test,), 8 * fixed, 3, 500).stops, 8 * fixed)
    assert 0.9 * fixed < found.mean_count <= most * fixed


def test_what_a_request_tells_at_a_small_share() -> None:
    """As many requests at 5 % as at 50 % tell as much as the fixed-sample sizes say."""
    small, even = (fixed_sample_two_arms_count(0.9, 1.0, 0.95, share) for share in (0.05, 0.5))
    assert small is not None
    assert even is not None
    assert told_ratio(0.9, 1.0, 0.95, 0.05, 0.5) == pytest.approx(even / small, rel=2e-3)
    assert told_ratio(0.9, 1.0, 0.95, 0.5, 0.5) == 1.0
    assert told_ratio(1.0, 1.0, 0.95, 0.05, 0.5) == 1.0
