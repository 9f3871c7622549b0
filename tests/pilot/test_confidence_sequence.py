"""Confidence sequence: the exact checks, roots that are the lattice's ends, duality with the test, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binom
from tests.pilot.made_pairs import pairs_from, pairs_with

from breakeven.errors import PilotError
from breakeven.pilot.bets import plain_grid, planned_bets, planned_inferior_bets
from breakeven.pilot.confidence_sequence import (
    ratio_at_least,
    ratio_at_most,
    ratio_sequence,
    ratio_sequence_on_lattice,
    success_sequence,
)
from breakeven.pilot.noninferiority import ln_e_value, ln_inferior_e_value
from breakeven.pilot.observations import PairCounts
from breakeven.pilot.pair_chances import pair_chances
from breakeven.pilot.stopping import mixture_of_pairs, race

COUNTS = st.builds(PairCounts, *(st.integers(0, 300) for _ in range(4)))


@pytest.mark.parametrize(
    ("counts", "low", "high"), [(PairCounts(30, 70, 850, 50), 0.989, 1.059), (PairCounts(12, 6, 76, 6), 0.762, 1.116)]
)
def test_exact_checks_on_the_lattice_and_by_roots(counts: PairCounts, low: float, high: float) -> None:
    lattice = ratio_sequence_on_lattice(counts, 0.05)
    assert (lattice.low, lattice.high) == (low, high)
    roots = ratio_sequence(counts, 0.05)
    assert roots.low is not None
    assert roots.high is not None
    assert low - 0.001 < roots.low <= low
    assert high <= roots.high < high + 0.001


@given(counts=COUNTS)
@example(PairCounts(0, 0, 0, 1000))
@example(PairCounts(1, 0, 0, 5000))
@example(PairCounts(5000, 0, 0, 1))
@example(PairCounts(0, 500, 0, 0))
@example(PairCounts(0, 0, 800, 0))
def test_the_ends_are_where_the_e_values_pass_the_boundary(counts: PairCounts) -> None:
    bets, against = planned_bets(0.95, 0.9, 1.0, 0.3), planned_inferior_bets(0.95, 0.9, 0.3)
    found = ratio_sequence(counts, 0.05, bets, against)
    if not counts.pairs_count:
        assert found.why_not
        return
    boundary = math.log(40)
    assert found.low is not None
    if found.low > 0:
        assert ln_e_value(counts, found.low * (1 - 1e-7), bets) >= boundary - 1e-9
        assert ln_e_value(counts, found.low * (1 + 1e-7), bets) <= boundary + 1e-9
    if found.high is not None:
        assert ln_inferior_e_value(counts, found.high * (1 - 1e-7), against) <= boundary + 1e-9
        assert ln_inferior_e_value(counts, found.high * (1 + 1e-7), against) >= boundary - 1e-9
        assert found.low < found.high
    if found.value is not None:
        assert found.low <= found.value <= (math.inf if found.high is None else found.high)


@given(counts=COUNTS, lower=st.floats(0.05, 3.0), step=st.floats(1e-3, 2.0))
def test_wealth_falls_with_the_ratio_for_bets_on_and_rises_for_bets_against(
    counts: PairCounts, lower: float, step: float
) -> None:
    """Why what is left is one interval."""
    on, against = planned_bets(0.95, 0.8, 1.0, 0.2), planned_inferior_bets(0.95, 0.8, 0.2)
    assert ln_e_value(counts, lower, on) >= ln_e_value(counts, lower + step, on) - 1e-9
    assert ln_inferior_e_value(counts, lower, against) <= ln_inferior_e_value(counts, lower + step, against) + 1e-9


@given(counts=COUNTS)
def test_the_lower_limit_reaches_the_margin_exactly_when_the_candidate_is_accepted(counts: PairCounts) -> None:
    bets = planned_bets(0.95, 0.9, 1.0, 0.3)
    ln_e = ln_e_value(counts, 0.95, bets)
    if abs(ln_e - math.log(20)) > 1e-6:
        assert (ratio_at_least(counts, 0.05, bets) > 0.95) == (ln_e > math.log(20))


def test_pairs_and_counts_agree_and_fractions_work() -> None:
    counts = PairCounts(12, 6, 76, 6)
    assert ratio_sequence(pairs_with(counts, 3), 0.05) == ratio_sequence(counts, 0.05)
    rng = np.random.default_rng(1)
    found = ratio_sequence(pairs_from(rng.random(2_000), rng.random(2_000)), 0.05)
    assert found.low is not None
    assert found.high is not None
    assert 0.9 < found.low < 1.0 < found.high < 1.1


def test_nothing_limits_a_ratio_to_a_baseline_that_never_succeeds() -> None:
    found = ratio_sequence(PairCounts(0, 10, 0, 90), 0.05)
    assert found.value is None
    assert found.high is None
    assert found.low is not None
    assert found.low > 5
    assert found.why_not == "the baseline has no success yet"
    assert ratio_at_most(PairCounts(0, 10, 0, 0), 0.05) is None


def test_a_lattice_with_nothing_left_says_so() -> None:
    found = ratio_sequence_on_lattice(PairCounts(0, 0, 0, 2_000), 0.05, step_ratio=0.01)
    assert found.low is None
    assert found.why_not


@pytest.mark.parametrize(("success", "ratio", "phi"), [(0.9, 1.0, 0.3), (0.7, 0.9, 0.0)])
def test_the_truth_is_ever_left_out_as_rarely_as_promised(success: float, ratio: float, phi: float) -> None:
    """Both sides raced at the true ratio over 1,500 pairs; three standard errors above 5 % are 7.1 %."""
    bets = (planned_bets(0.95, success, 1.0, phi), planned_inferior_bets(0.95, success, phi))
    tests = tuple(mixture_of_pairs(ratio, each, math.log(40)) for each in bets)
    ends = race(pair_chances(success, ratio, phi).array, tests, 1_500, seed=5, runs_count=1_000)
    assert 0.005 < float((ends.winner >= 0).mean()) <= 0.071


def test_planned_bets_narrow_the_interval_at_the_planned_size() -> None:
    counts = PairCounts(*(round(500 * float(each)) for each in pair_chances(0.9, 1.0, 0.3).array))
    plain = ratio_sequence(counts, 0.05)
    planned = ratio_sequence(counts, 0.05, planned_bets(0.95, 0.9, 1.0, 0.3), planned_inferior_bets(0.95, 0.9, 0.3))
    assert plain.low is not None
    assert plain.high is not None
    assert planned.low is not None
    assert planned.high is not None
    assert planned.high - planned.low < 0.92 * (plain.high - plain.low)


def test_one_arm_is_ever_left_out_as_rarely_as_promised() -> None:
    """Exact: the chance that the interval ever leaves the truth out in 120 outcomes, by forward recursion."""
    truth, alive = 0.8, {0: 1.0}
    for count in range(1, 121):
        after: dict[int, float] = {}
        for successes, chance in alive.items():
            after[successes] = after.get(successes, 0.0) + chance * (1 - truth)
            after[successes + 1] = after.get(successes + 1, 0.0) + chance * truth
        alive = {each: chance for each, chance in after.items() if _keeps(each, count, truth)}
    missed = 1.0 - sum(alive.values())
    assert 0.005 < missed <= 0.05


def _keeps(successes: int, count: int, truth: float) -> bool:
    if binom.logpmf(successes, count, truth) > math.log(0.05):
        return True  # the wealth is a chance over this one, so below 20
    found = success_sequence(successes, count, 0.05)
    return found.low is not None and found.high is not None and found.low <= truth <= found.high


def test_one_arm_at_the_ends() -> None:
    none, all_of_them = success_sequence(0, 50, 0.05), success_sequence(50, 50, 0.05)
    assert none.low == 0.0
    assert all_of_them.high == 1.0
    assert none.high == pytest.approx(1.0 - (all_of_them.low or 0.0), abs=1e-8)
    assert success_sequence(0, 0, 0.05).why_not
    with pytest.raises(PilotError, match="successes from 0 to 1"):
        success_sequence(3, 2, 0.05)


def test_impossible_risks_are_refused() -> None:
    with pytest.raises(PilotError, match="an alpha of 0"):
        ratio_sequence(PairCounts(1, 1, 1, 1), 0.0, plain_grid(0.95))
