"""Pooling: coverage of the intervals and what pooling gains, in simulated groups."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.outcomes.pooling import pooled_rates


@pytest.mark.parametrize("beta", [(8.0, 2.0), (80.0, 20.0), (20.0, 0.5), (495.0, 5.0), (1.0, 1.0)])
@pytest.mark.parametrize("groups_count", [4, 15])
def test_intervals_cover_and_rates_are_nearer(beta: tuple[float, float], groups_count: int) -> None:
    """90 % intervals of groups of 2 to 40 tries; one Beta has a mean of 0.99. Of few groups near 1 little is learnt."""
    rng = np.random.default_rng(7)
    hits, pooled_errors, own_errors = [], [], []
    for _ in range(240 // groups_count):
        rates = rng.beta(*beta, groups_count)
        tries = rng.choice([2, 5, 10, 40], groups_count)
        successes = rng.binomial(tries, rates)
        found = pooled_rates(tries, successes, 0.05, 0.95)
        hits += list((found.low_fractions <= rates) & (rates <= found.high_fractions))
        pooled_errors += list((found.success_fractions - rates) ** 2)
        own_errors += list((successes / tries - rates) ** 2)
    assert np.mean(hits) >= 0.9 - 3 * np.sqrt(0.09 / len(hits))
    if groups_count > 4 or beta[1] > 5.0:
        assert np.mean(pooled_errors) < np.mean(own_errors)


def test_a_group_with_many_tries_keeps_its_own_rate() -> None:
    found = pooled_rates([5000, 5000, 5000, 5000], [4500, 4000, 2500, 4900], 0.05, 0.95)
    assert found.success_fractions == pytest.approx([0.9, 0.8, 0.5, 0.98], abs=0.005)


def test_a_group_nobody_tried_gets_what_its_kind_does() -> None:
    found = pooled_rates([200, 200, 200, 0], [160, 162, 158, 0], 0.05, 0.95)
    assert found.success_fractions[3] == pytest.approx(0.79, abs=0.06)
    assert found.low_fractions[3] < 0.7 < 0.8 < found.high_fractions[3]


def test_two_groups_tell_nothing_of_their_kind() -> None:
    found = pooled_rates([10, 10], [9, 5], 0.05, 0.95)
    assert found.success_fractions == pytest.approx([9.5 / 11, 5.5 / 11])


@pytest.mark.parametrize("success", [0, 1])
def test_all_alike_stays_inside(success: int) -> None:
    found = pooled_rates([3, 4, 5, 6], np.array([3, 4, 5, 6]) * success, 0.05, 0.95)
    for each in (found.success_fractions, found.low_fractions, found.high_fractions):
        assert np.isfinite(each).all() and (each >= 0).all() and (each <= 1).all()


def test_order_of_groups_does_not_matter() -> None:
    there = pooled_rates([3, 40, 5, 6], [2, 30, 5, 1], 0.05, 0.95)
    back = pooled_rates([6, 5, 40, 3], [1, 5, 30, 2], 0.05, 0.95)
    assert there.success_fractions == pytest.approx(back.success_fractions[::-1])
