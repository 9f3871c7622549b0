"""Increments: the wealth is the product of bets, exact whatever the predictions, and units are summed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.pilot.clusters import numbered
from breakeven.pilot.confidence_sequence import success_sequence
from breakeven.pilot.increments import (
    LARGEST_STAKE_FRACTION,
    Increments,
    Stakes,
    folded,
    grid_stakes,
    ln_e_path,
    ln_e_value,
    of_one_mean,
    planned_stakes,
    ratio_bounds,
)
from breakeven.pilot.observations import Codes, Floats


def pairs(candidate: Floats, baseline: Floats, unit: Codes | None = None) -> Increments:
    zero, one = np.zeros((len(candidate), 1)), np.ones((len(candidate), 1))
    return Increments(candidate, baseline, zero, one, zero, one, one[:, 0], unit)


def coins(rng: np.random.Generator, count: int, chance: float) -> Floats:
    return (rng.uniform(size=count) < chance).astype(float)


def test_the_wealth_is_the_product_of_its_bets() -> None:
    rng = np.random.default_rng(1)
    candidate, baseline = coins(rng, 40, 0.8), coins(rng, 40, 0.7)
    stakes = Stakes(np.array([0.1, 0.7, 30.0]), np.array([0.5, 0.25, 0.25]))
    bets = np.minimum(stakes.sizes, LARGEST_STAKE_FRACTION / 0.9)
    wealth = stakes.weights @ [np.prod(1 + bet * (candidate - 0.9 * baseline)) for bet in bets]
    assert ln_e_value(pairs(candidate, baseline), 0.9, stakes) == pytest.approx(np.log(wealth), rel=1e-10)
    assert ln_e_path(pairs(candidate, baseline), 0.9, stakes)[-1] == pytest.approx(np.log(wealth), rel=1e-10)


@pytest.mark.parametrize("is_inferior", [False, True])
def test_neither_order_nor_folding_changes_the_evidence(is_inferior: bool) -> None:
    rng = np.random.default_rng(2)
    rows = pairs(coins(rng, 500, 0.8), coins(rng, 500, 0.85))
    shuffled = rows.at(np.ones(500, dtype=bool))
    order = rng.permutation(500)
    shuffled = pairs(rows.candidate[order], rows.baseline[order])
    told = [ln_e_value(each, 0.95, planned_stakes(0.3), is_inferior) for each in (rows, shuffled, folded(rows))]
    assert told[1:] == pytest.approx([told[0]] * 2, rel=1e-10)
    assert len(folded(rows).candidate) == 4


def test_a_bet_on_units_is_a_bet_on_their_sums() -> None:
    rng = np.random.default_rng(3)
    candidate, baseline = coins(rng, 60, 0.8), coins(rng, 60, 0.8)
    unit = np.repeat(np.arange(20), 3)
    rows = pairs(candidate, baseline, unit)
    sums = (candidate - 0.95 * baseline).reshape(20, 3).sum(axis=1)
    sizes = grid_stakes().sizes
    wealth = np.mean([np.prod(1 + min(size, LARGEST_STAKE_FRACTION / (3 * 0.95)) * sums) for size in sizes])
    assert ln_e_value(rows, 0.95, grid_stakes()) == pytest.approx(np.log(wealth), rel=1e-9)
    assert rows.units_count == 20
    assert rows.at(slice(7)).units_count == 3


def test_no_outcome_can_take_all() -> None:
    worst = pairs(np.zeros(50), np.ones(50))
    best = pairs(np.ones(50), np.zeros(50))
    least = 50 * np.log(1 - LARGEST_STAKE_FRACTION)
    assert ln_e_value(worst, 0.95, grid_stakes()) > least
    assert ln_e_value(best, 0.95, grid_stakes(), is_inferior=True) > least


def test_the_interval_of_a_ratio_is_what_the_bets_have_not_refuted() -> None:
    rng = np.random.default_rng(4)
    rows = pairs(coins(rng, 400, 0.8), coins(rng, 400, 0.8))
    low, high = ratio_bounds(rows, 0.05, grid_stakes())
    kept = [
        ratio
        for ratio in np.arange(0.7, 1.4, 0.005)
        if ln_e_value(rows, ratio, grid_stakes()) < np.log(40)
        and ln_e_value(rows, ratio, grid_stakes(), is_inferior=True) < np.log(40)
    ]
    assert low == pytest.approx(min(kept), abs=0.005)
    assert high == pytest.approx(max(kept), abs=0.005)


def test_intervals_of_one_mean_are_like_those_of_a_beta_mixture() -> None:
    values = coins(np.random.default_rng(5), 800, 0.9)
    told = of_one_mean(values, np.zeros(800), np.ones(800))
    mixture = success_sequence(float(values.sum()), 800, 0.05)
    assert ratio_bounds(told, 0.05, grid_stakes()) == pytest.approx((mixture.low, mixture.high), abs=0.012)


def test_nothing_seen_tells_nothing() -> None:
    nothing = pairs(np.zeros(0), np.zeros(0))
    assert ratio_bounds(nothing, 0.05, grid_stakes()) == (0.0, np.inf)
    assert ln_e_value(nothing, 0.95, grid_stakes()) == pytest.approx(0.0)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_units_are_numbered_as_they_appear(unit: list[int]) -> None:
    found = numbered(np.array(unit))
    if len(set(unit)) == len(unit):
        assert found is None
    else:
        names = list(dict.fromkeys(unit))
        assert found is not None
        assert found.tolist() == [names.index(each) for each in unit]
