"""Non-inferiority: the exact checks, no order, shards that add up, oracles in exact arithmetic, the risk promised."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pilot.made_pairs import pairs_from, pairs_with

from breakeven.errors import PilotError
from breakeven.pilot.bets import Bets, plain_grid, plain_inferior_grid, planned_bets, planned_inferior_bets
from breakeven.pilot.noninferiority import (
    counts_of,
    ln_e_path,
    ln_e_value,
    ln_inferior_e_value,
    ln_mixture,
    ln_wealths,
)
from breakeven.pilot.observations import PairCounts, Pairs
from breakeven.pilot.pair_chances import pair_chances
from breakeven.pilot.stopping import mixture_of_pairs, race

COUNTS = st.builds(PairCounts, *(st.integers(0, 400) for _ in range(4)))


def product_of(pairs: Pairs, margin: float, bets: Bets) -> float:
    """The oracle: every bet's wealth multiplied pair by pair in exact fractions, then mixed; its logarithm."""
    total = Fraction(0)
    for stake, weight in zip(bets.at(margin), bets.weights_fraction, strict=True):
        wealth = Fraction(weight)
        for b, s in zip(pairs.baseline, pairs.candidate, strict=True):
            wealth *= 1 + Fraction(stake) * (Fraction(s) - Fraction(margin) * Fraction(b))
        total += wealth
    return math.log(total.numerator) - math.log(total.denominator)


@pytest.mark.parametrize(
    ("counts", "ln_e"), [(PairCounts(30, 70, 850, 50), 20.5133), (PairCounts(12, 6, 76, 6), math.log(0.64995))]
)
def test_exact_checks_hold_to_the_digits_shown(counts: PairCounts, ln_e: float) -> None:
    assert ln_e_value(counts, 0.95, plain_grid(0.95)) == pytest.approx(ln_e, abs=5.1e-5 if ln_e > 1 else 8e-6)


@pytest.mark.parametrize("margin", [0.9, 0.95, 1.0])
def test_it_is_the_product_in_exact_arithmetic(margin: float) -> None:
    pairs = pairs_with(PairCounts(9, 5, 60, 12), seed=3)
    planned = planned_bets(margin, 0.85, 1.05, 0.2)
    assert ln_e_value(pairs, margin, planned) == pytest.approx(product_of(pairs, margin, planned), abs=1e-12)
    against = planned_inferior_bets(margin, 0.85, 0.2)
    assert ln_inferior_e_value(pairs, margin, against) == pytest.approx(product_of(pairs, margin, against), abs=1e-12)


def test_fractional_outcomes_are_the_product_too() -> None:
    rng = np.random.default_rng(5)
    pairs = pairs_from(rng.random(40), rng.random(40))
    for bets in (plain_grid(0.95), plain_inferior_grid(0.95)):
        assert ln_e_value(pairs, 0.95, bets) == pytest.approx(product_of(pairs, 0.95, bets), abs=1e-12)


@given(counts=COUNTS, seed=st.integers(0, 2**32 - 1))
def test_order_does_not_matter(counts: PairCounts, seed: int) -> None:
    bets = planned_bets(0.95, 0.9, 1.0, 0.3)
    of_counts = ln_e_value(counts, 0.95, bets)
    first, second = pairs_with(counts, seed), pairs_with(counts, seed + 1)
    assert ln_e_value(first, 0.95, bets) == ln_e_value(second, 0.95, bets)
    assert ln_e_value(first, 0.95, bets) == pytest.approx(of_counts, rel=1e-12, abs=1e-12)


@given(parts=st.lists(COUNTS, min_size=1, max_size=6))
def test_shards_merge_by_counts_and_by_wealths(parts: list[PairCounts]) -> None:
    bets = planned_bets(0.95, 0.9, 0.98, 0.3)
    whole = sum(parts[1:], parts[0])
    by_wealths = ln_mixture(np.sum([ln_wealths(each, 0.95, bets) for each in parts], axis=0), bets)
    assert by_wealths == pytest.approx(ln_e_value(whole, 0.95, bets), rel=1e-12, abs=1e-12)


@given(cuts=st.lists(st.integers(0, 300), max_size=4), seed=st.integers(0, 1000))
def test_shards_of_fractional_outcomes_merge(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    baseline, candidate = rng.random(300), rng.random(300)
    bets, edges = plain_grid(0.95), [0, *sorted(cuts), 300]
    parts = [pairs_from(baseline[a:b], candidate[a:b]) for a, b in pairwise(edges)]
    merged = ln_mixture(np.sum([ln_wealths(each, 0.95, bets) for each in parts], axis=0), bets)
    whole = ln_e_value(pairs_from(baseline, candidate), 0.95, bets)
    assert merged == pytest.approx(whole, rel=1e-12, abs=1e-12)


def test_the_path_ends_where_the_value_is_and_may_be_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.pilot.noninferiority.CHUNK_PAIRS", 64)
    pairs, bets = pairs_with(PairCounts(20, 40, 400, 25), seed=9), planned_bets(0.95, 0.9, 1.0, 0.3)
    path = ln_e_path(pairs, 0.95, bets)
    assert len(path) == 485
    for count in (1, 64, 65, 200, 485):
        part = pairs_from(pairs.baseline[:count], pairs.candidate[:count])
        assert path[count - 1] == pytest.approx(ln_e_value(part, 0.95, bets), abs=1e-10)
    thin = ln_e_path(pairs, 0.95, bets, np.array([1.0, 64.0, 65.0, 485.0]))
    assert thin.tolist() == path[[0, 63, 64, 484]].tolist()


def test_nothing_seen_proves_nothing() -> None:
    assert ln_e_value(PairCounts(0, 0, 0, 0), 0.95, planned_bets(0.95, 0.9, 1.0)) == pytest.approx(0.0, abs=1e-12)
    assert ln_e_value(PairCounts(0, 500, 0, 0), 0.95, plain_grid(0.95)) == pytest.approx(0.0, abs=1e-12)


def test_good_candidates_are_proven_and_bad_ones_refused() -> None:
    good, bad = PairCounts(20, 40, 900, 40), PairCounts(200, 40, 700, 60)
    bets, against = planned_bets(0.95, 0.9, 1.0, 0.3), planned_inferior_bets(0.95, 0.9, 0.3)
    assert ln_e_value(good, 0.95, bets) > math.log(20) > 0 > ln_inferior_e_value(good, 0.95, against)
    assert ln_e_value(bad, 0.95, bets) < 0 < math.log(100) < ln_inferior_e_value(bad, 0.95, against)


def test_counts_of_pairs() -> None:
    counts = PairCounts(3, 4, 5, 6)
    assert counts_of(pairs_with(counts, 1)) == counts
    assert counts_of(pairs_from(np.array([0.5]), np.array([1.0]))) is None


def test_outcomes_out_of_range_or_missing_are_refused() -> None:
    for wrong in (1.5, -0.1, float("nan")):
        with pytest.raises(PilotError, match="successes from 0 to 1"):
            ln_e_value(pairs_from(np.array([wrong]), np.array([1.0])), 0.95, plain_grid(0.95))


def test_bets_on_the_candidate_cannot_prove_it_inferior() -> None:
    with pytest.raises(PilotError, match="stakes below 0"):
        ln_inferior_e_value(PairCounts(1, 1, 1, 1), 0.95, plain_grid(0.95))


@pytest.mark.parametrize(("success", "phi"), [(0.5, 0.0), (0.9, 0.3), (0.99, 0.6)])
def test_a_candidate_at_the_margin_is_accepted_as_rarely_as_promised(success: float, phi: float) -> None:
    """Looked at again and again up to 2,000 pairs, 1,500 runs; three standard errors above 5 % are 6.7 %."""
    bets = planned_bets(0.95, success, 1.0, phi)
    test = mixture_of_pairs(0.95, bets, math.log(20))
    ends = race(pair_chances(success, 0.95, phi).array, (test,), 2_000, seed=7, runs_count=1_500)
    share = float((ends.winner == 0).mean())
    assert 0.005 < share <= 0.067


def test_the_naive_z_test_is_not() -> None:
    """What this is for: looked at after every pair from the 30th on, it accepts such candidates again and again."""
    rng = np.random.default_rng(11)
    kinds = rng.choice(4, p=pair_chances(0.9, 0.95, 0.3).array, size=(400, 2_000))
    x = np.array([-0.95, 0.0, 0.05, 1.0])[kinds]
    count = np.arange(1, 2_001)
    mean = x.cumsum(axis=1) / count
    spread = np.sqrt(np.maximum((x**2).cumsum(axis=1) / count - mean**2, 1e-12) / count)
    assert (mean / spread > 1.645)[:, 29:].any(axis=1).mean() > 0.25


def test_bad_candidates_are_stopped_early() -> None:
    """True ratio 0.8, alpha 0.01: the planned bets stop half of the runs within about 107 pairs, the grid 130."""
    chances = pair_chances(0.9, 0.8, 0.3).array
    middles = []
    for bets in (planned_inferior_bets(0.95, 0.9, 0.3), plain_inferior_grid(0.95)):
        ends = race(chances, (mixture_of_pairs(0.95, bets, math.log(100)),), 2_000, seed=3, runs_count=1_000)
        middles.append(float(np.median(ends.stops)))
    assert 95 <= middles[0] <= 119
    assert 118 <= middles[1] <= 142
