"""Bets: grids as published, planned stakes that grow fastest, and a wealth that is fair at the margin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from breakeven.errors import PilotError
from breakeven.pilot.bets import (
    best_stake_ratio,
    plain_grid,
    plain_inferior_grid,
    planned_bets,
    planned_inferior_bets,
)
from breakeven.pilot.pair_chances import gains, pair_chances

MARGINS = st.floats(0.5, 1.0)
SUCCESSES = st.floats(0.05, 0.995)


def test_plain_grid_is_that_of_the_exact_checks() -> None:
    grid = plain_grid(0.95)
    assert grid.stakes_ratio == pytest.approx(np.geomspace(0.005, 0.98 / 0.95, 24), rel=1e-14)
    assert (grid.weights_fraction == 1 / 24).all()


@given(ratio=st.floats(0.01, 5.0))
def test_plain_grid_at_another_ratio_is_the_grid_made_for_it(ratio: float) -> None:
    """Also its cap: at ratios so large that the smallest stake would pass the largest, all are the largest."""
    assert plain_grid(0.95).at(ratio) == pytest.approx(np.geomspace(0.005, 0.98 / ratio, 24), rel=1e-12)


@pytest.mark.parametrize(("ratio", "phi"), [(1.0, 0.3), (0.98, 0.0), (1.05, 0.6), (0.9, 0.3), (0.8, 0.0)])
def test_best_stake_is_where_growth_is_largest(ratio: float, phi: float) -> None:
    chances = pair_chances(0.9, ratio, phi)

    def shrinks(stake: float) -> float:
        return -float(chances.array @ np.log1p(stake * gains(0.95)))

    oracle = minimize_scalar(shrinks, bounds=(-0.98, 0.98 / 0.95), method="bounded", options={"xatol": 1e-10})
    assert best_stake_ratio(chances, 0.95) == pytest.approx(oracle.x, abs=1e-6)


def test_best_stake_is_cut_where_nothing_can_be_lost() -> None:
    assert best_stake_ratio(pair_chances(1.0, 1.0), 0.95) == 0.98 / 0.95
    assert best_stake_ratio(pair_chances(0.5, 0.0), 0.95) == -0.98


@given(margin=MARGINS, success=SUCCESSES, ratio=st.floats(0.2, 1.5), phi=st.floats(-1, 1))
def test_no_pair_can_take_all_and_shares_add_up(margin: float, success: float, ratio: float, phi: float) -> None:
    for bets in (planned_bets(margin, success, ratio, phi), planned_inferior_bets(margin, success, phi)):
        assert bets.weights_fraction.sum() == pytest.approx(1.0, abs=1e-12)
        for at in (0.05, margin, 3.0, 400.0):
            if not bets.is_against:
                assert (1.0 + np.outer(gains(at), bets.at(at)) >= 0.019).all()
        assert (1.0 + np.outer(gains(margin), bets.at(margin)) >= 0.019).all()


@given(margin=MARGINS, success=SUCCESSES, phi=st.floats(-0.5, 0.9))
def test_a_pair_at_the_margin_neither_wins_nor_loses_on_average(margin: float, success: float, phi: float) -> None:
    """The e-variable of one pair has a mean of exactly 1 at the boundary of the hypothesis."""
    chances = pair_chances(success, margin, phi).array
    for bets in (planned_bets(margin, success, 1.0, phi), planned_inferior_bets(margin, success, phi)):
        one_pair = (1.0 + np.outer(gains(margin), bets.at(margin))) @ bets.weights_fraction
        assert float(chances @ one_pair) == pytest.approx(1.0, abs=1e-12)


def test_a_plan_that_does_not_beat_the_margin_leaves_the_grid() -> None:
    assert planned_bets(0.95, 0.9, 0.95, 0.3).words == plain_grid(0.95).words
    assert planned_inferior_bets(0.95, 0.9, 0.3, feared_ratio=1.0).words == plain_inferior_grid(0.95).words


def test_directions_are_told_apart() -> None:
    assert planned_inferior_bets(0.95, 0.9, 0.3).is_against
    assert not planned_bets(0.95, 0.9, 1.0, 0.3).is_against


def test_impossible_margins_are_refused() -> None:
    with pytest.raises(PilotError, match="a margin of 0"):
        plain_grid(0.0)
