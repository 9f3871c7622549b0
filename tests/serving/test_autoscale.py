"""Scale to zero against a simulation of arrivals, and the bends of its cost curve."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from breakeven.serving.autoscale import KNOTS_RATIO, awake_fraction, billed_fraction, kinks_mtok


def simulated_awake_fraction(rate_per_s: float, timeout_s: float, arrivals_count: int = 200_000) -> float:
    """One replica, instant answers: awake for `timeout_s` after each arrival."""
    gaps = np.random.default_rng(3).exponential(1 / rate_per_s, arrivals_count)
    return float(np.minimum(gaps, timeout_s).sum() / gaps.sum())


@pytest.mark.parametrize("within_timeout", [0.05, 0.3, 1.0, 2.0, 5.0])
def test_awake_share_is_that_of_random_arrivals(within_timeout: float) -> None:
    timeout_s = 900.0
    simulated = simulated_awake_fraction(within_timeout / timeout_s, timeout_s)
    assert float(awake_fraction(within_timeout)) == pytest.approx(simulated, abs=0.01)


def test_the_straight_pieces_stay_within_seven_thousandths() -> None:
    x = np.linspace(0, 30, 300_001)
    missed = awake_fraction(x) + np.expm1(-x)
    assert missed.min() > -0.007
    assert missed.max() < 0.0002


def test_billed_hours_never_exceed_an_always_on_fleet_and_never_fall_below_the_work() -> None:
    requests = np.geomspace(1, 1e8, 60)
    replicas = np.ceil(np.maximum(requests / (730 * 3600) * 2 * 1.3 / 0.8, 1.0))
    billed = billed_fraction(awake_fraction(requests / (730 * 3600) * 1200), requests, 730.0, replicas, 0.8, 1.3)
    busy = requests / (730 * 3600) / (replicas * 0.8)
    assert np.all(billed <= 1)
    assert np.all(billed >= busy)


def test_kinks_are_where_the_billed_hours_bend() -> None:
    """Between two kinks the billed replicas are one straight line; second differences vanish."""
    timeout_per_mtok, wanted_per_mtok = 0.4, 0.09
    kinks = kinks_mtok(timeout_per_mtok, wanted_per_mtok)
    edges = [0.0, *kinks, kinks[-1] * 3]

    def billed_replicas(volume: np.ndarray) -> np.ndarray:
        return np.maximum(awake_fraction(volume * timeout_per_mtok), volume * wanted_per_mtok)

    for left, right in pairwise(edges):
        inside = np.linspace(left, right, 9)[1:-1]
        assert np.allclose(np.diff(billed_replicas(inside), 2), 0, atol=1e-12), (left, right)
    assert len(kinks) == len(KNOTS_RATIO[1:]) + 1, "the pieces' ends and one crossing with the load"
