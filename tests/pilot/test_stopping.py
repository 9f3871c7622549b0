"""Stopping: sizes against closed forms and a plain loop, what has been seen counted in, the marks promised."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from breakeven.pilot.bets import Bets, plain_grid, planned_bets, planned_inferior_bets
from breakeven.pilot.fixed_sample import fixed_sample_pairs_count
from breakeven.pilot.noninferiority import ln_e_value
from breakeven.pilot.observations import PairCounts
from breakeven.pilot.pair_chances import PairChances, gains, pair_chances
from breakeven.pilot.stopping import (
    _grown,
    expected_pairs_count,
    look_counts,
    mixture_of_pairs,
    more_pairs_count,
    race,
    size_figures,
)

LN_20 = math.log(20)


def test_a_candidate_that_always_succeeds_beside_a_sure_baseline_stops_at_the_closed_form() -> None:
    """Every pair multiplies the one bet by 1 + stake / 20: a known number of pairs, in every run."""
    bets = Bets(np.array([1.0]), np.ones(1), np.ones(1), 0.95, "one")
    found = expected_pairs_count(PairChances(0, 0, 1, 0), 0.95, bets, LN_20, 1_000, runs_count=50)
    assert found.p50_count == math.ceil(LN_20 / math.log(1.05)) == 62
    assert found.mean_count == 62
    assert found.stopped_fraction == 1.0


def test_mean_sizes_are_those_of_a_plain_loop() -> None:
    """Pair by pair, the wealths multiplied out, against looks in steps; three standard errors and 1 % for the steps."""
    chances, bets, runs = pair_chances(0.9, 1.0, 0.6), planned_bets(0.95, 0.9, 1.0, 0.6), 600
    factors = 1.0 + np.outer(gains(0.95), bets.at(0.95))
    rng = np.random.default_rng(17)
    lengths = []
    for _ in range(runs):
        kinds = rng.choice(4, size=1_500, p=chances.array)
        wealth = factors[kinds].cumprod(axis=0) @ bets.weights_fraction
        lengths.append(int(np.argmax(wealth >= 20)) + 1 if (wealth >= 20).any() else 1_500)
    found = expected_pairs_count(chances, 0.95, bets, LN_20, 1_500, seed=4, runs_count=2_000)
    error = 3 * float(np.std(lengths)) * math.sqrt(1 / runs + 1 / 2_000)
    assert found.mean_count == pytest.approx(float(np.mean(lengths)), abs=error + 0.01 * found.mean_count)


@pytest.mark.parametrize(("ratio", "phi"), [(1.0, 0.0), (1.0, 0.3), (0.98, 0.3)])
def test_sizes_keep_the_marks(ratio: float, phi: float) -> None:
    """Planned right: 1.25 times the fixed sample on average, 1.8 times for a power of 80 %; better than the grid."""
    chances = pair_chances(0.9, ratio, phi)
    fixed = fixed_sample_pairs_count(chances, 0.95)
    assert fixed is not None
    found = expected_pairs_count(
        chances, 0.95, planned_bets(0.95, 0.9, ratio, phi), LN_20, 8 * fixed, seed=2, runs_count=1_500
    )
    assert found.mean_count <= 1.25 * fixed
    assert found.p80_count is not None
    assert found.p80_count <= 1.8 * fixed
    plain = expected_pairs_count(chances, 0.95, plain_grid(0.95), LN_20, 8 * fixed, seed=2, runs_count=500)
    assert plain.mean_count > 1.15 * found.mean_count


def test_a_wrong_plan_costs_less_than_having_none() -> None:
    """Planned 1.0, true 0.98: at most a quarter more than with the right plan, and less than the plain grid."""
    truth, sizes = pair_chances(0.9, 0.98, 0.3), []
    for bets in (planned_bets(0.95, 0.9, 1.0, 0.3), planned_bets(0.95, 0.9, 0.98, 0.3), plain_grid(0.95)):
        sizes.append(expected_pairs_count(truth, 0.95, bets, LN_20, 9_000, seed=6, runs_count=800).mean_count)
    wrong, right, none = sizes
    assert right < wrong < 1.25 * right
    assert wrong < none


def test_what_has_been_seen_counts() -> None:
    plan, bets = pair_chances(0.9, 1.0, 0.3), planned_bets(0.95, 0.9, 1.0, 0.3)
    nothing = more_pairs_count(PairCounts(0, 0, 0, 0), plan, 0.95, bets, LN_20)
    half_way = PairCounts(12, 8, 168, 12)
    some = more_pairs_count(half_way, plan, 0.95, bets, LN_20)
    assert 0 < ln_e_value(half_way, 0.95, bets) < LN_20
    assert some.mean_count < 0.8 * nothing.mean_count
    there = more_pairs_count(PairCounts(10, 60, 900, 40), plan, 0.95, bets, LN_20)
    assert there.mean_count == 0.0


def test_bad_candidates_are_stopped_and_good_ones_accepted_in_one_race() -> None:
    tests = (
        mixture_of_pairs(0.95, planned_bets(0.95, 0.9, 1.0, 0.3), LN_20),
        mixture_of_pairs(0.95, planned_inferior_bets(0.95, 0.9, 0.3), math.log(100)),
    )
    bad = race(pair_chances(0.9, 0.8, 0.3).array, tests, 3_000, seed=1, runs_count=400)
    good = race(pair_chances(0.9, 1.0, 0.3).array, tests, 3_000, seed=1, runs_count=400)
    assert (bad.winner == 1).mean() > 0.98
    assert (good.winner == 0).mean() > 0.98
    assert (np.isfinite(bad.stops) == (bad.winner >= 0)).all()


def test_runs_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    chances, test = pair_chances(0.9, 1.0, 0.3).array, mixture_of_pairs(0.95, plain_grid(0.95), LN_20)
    first, again, other = (race(chances, (test,), 500, seed, 100).stops.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_looks_are_close_enough() -> None:
    looks = look_counts(50_000)
    assert looks[:200] == tuple(range(1, 201))
    assert looks[-1] == 50_000
    assert all(b - a <= max(1, a / 100) for a, b in pairwise(looks))
    assert look_counts(0) == ()


def test_long_steps_of_strong_evidence_do_not_overflow() -> None:
    """10,000 pairs at once would multiply a bet by 2 ** 10,000: it is as much as anybody needs, and finite."""
    factors = 1.0 + np.outer(gains(0.95), plain_grid(0.95).at(0.95))
    share = np.array([0.0, 0.0, 0.0, 1.0])
    grown = _grown(np.random.default_rng(1), share, factors, 10_000, 3)
    assert np.isfinite(grown).all()
    assert grown.max() == pytest.approx(math.exp(600))
    against = _grown(np.random.default_rng(1), share[::-1], factors, 10_000, 3)
    assert against.max() < 1e-15


def test_many_outcomes_at_once_are_as_many_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tabled powers and logarithms are the same arithmetic: the same draws, the same stops."""
    chances, test = pair_chances(0.9, 0.96, 0.3).array, mixture_of_pairs(0.95, planned_bets(0.95, 0.9, 1.0, 0.3), LN_20)
    tabled = race(chances, (test,), 3_000, seed=8, runs_count=200).stops
    monkeypatch.setattr("breakeven.pilot.stopping.POWERS_MAX_COUNT", 1)
    assert race(chances, (test,), 3_000, seed=8, runs_count=200).stops.tolist() == tabled.tolist()


def test_figures_of_runs_that_do_not_stop() -> None:
    found = size_figures(np.full(10, np.inf), 500)
    assert found.mean_count == 500
    assert found.p5_count is None
    assert found.stopped_fraction == 0.0
