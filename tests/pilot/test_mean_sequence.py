"""Mean sequence: its formula, its transformation, two textbook intervals, and coverage under heavy tails."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from breakeven.pilot.estimate import Estimate, mean_of
from breakeven.pilot.mean_sequence import (
    UNITS_MIN_COUNT,
    _untransformed,
    any_time_range,
    critical_ratio,
    one_look,
)
from pilot.planted import heavy_costs

LOOKS = np.unique(np.geomspace(UNITS_MIN_COUNT, 3000, 25).astype(int))


def mean(values: np.ndarray) -> Estimate:
    found = mean_of(values, np.ones(len(values), dtype=bool), np.arange(len(values)), np.ones(len(values)))
    assert found is not None
    return found


@given(st.floats(-6.0, 6.0), st.floats(-0.9, 0.9))
def test_the_transformation_is_undone(limit: float, skewness: float) -> None:
    t = _untransformed(limit, skewness)
    again = t + skewness * t**2 / 3 + skewness**2 * t**3 / 27 + skewness / 6
    assert again == pytest.approx(limit, abs=1e-6)


@given(st.integers(50, 100_000), st.floats(0.001, 0.2))
def test_the_sequence_is_wider_than_one_look_and_than_its_own_best(units: int, alpha: float) -> None:
    here = critical_ratio(units, alpha)
    assert here > stats.norm.ppf(1 - alpha / 2)
    assert here >= critical_ratio(2000, alpha) - 1e-3


def test_theorem_2_2_in_its_own_words() -> None:
    grown = 300 * (-2 * np.log(0.05) + np.log(1 - 2 * np.log(0.05))) / 2000
    rho2 = grown / 300
    radius = sqrt(2 * (300 * rho2 + 1) / (300**2 * rho2) * np.log(sqrt(300 * rho2 + 1) / 0.05))
    assert critical_ratio(300, 0.05) / sqrt(300) == pytest.approx(radius)


def test_symmetric_costs_get_the_plain_sequence() -> None:
    values = np.concatenate([np.arange(500.0), -np.arange(500.0)])
    found = any_time_range(mean(values))
    reach = critical_ratio(1000, 0.05) * values.std(ddof=1) / sqrt(1000)
    assert (found.low, found.high) == pytest.approx((-reach, reach))


def test_heavy_tails_reach_further_up_than_down() -> None:
    found = any_time_range(mean(heavy_costs("lognormal", np.random.default_rng(3), 400).draws))
    assert found.high - found.value > 1.5 * (found.value - found.low)


def test_too_few_units_and_none_at_all() -> None:
    few = any_time_range(mean(np.arange(49.0)))
    assert (few.value, few.low, few.high) == (24.0, None, None) and "49 units" in few.why_not
    assert any_time_range(None).value is None
    assert any_time_range(None, why_not="because").why_not == "because"


def test_costs_that_never_vary_are_certain() -> None:
    found = any_time_range(mean(np.full(60, 0.25)))
    assert (found.low, found.value, found.high) == (0.25, 0.25, 0.25)


def test_figures_of_any_size_are_handled() -> None:
    small = np.random.default_rng(1).lognormal(size=100)
    one, other = any_time_range(mean(small)), any_time_range(mean(small * 1e200))
    assert other.high == pytest.approx(one.high * 1e200)
    assert one_look(mean(small * 1e200), seed=1) is not None


def test_one_look_says_nothing_where_nothing_moves() -> None:
    single = np.zeros(60)
    single[0] = 1.0
    assert one_look(mean(np.ones(60)), seed=1) is None
    assert one_look(Estimate(0.0, single, 60), seed=1) is None


def test_one_look_agrees_with_scipy() -> None:
    values = heavy_costs("lognormal", np.random.default_rng(5), 800).draws
    found = one_look(mean(values), seed=1)
    assert found is not None
    expected = stats.t.interval(0.95, 799, loc=values.mean(), scale=stats.sem(values))
    assert (found.t.low, found.t.high) == pytest.approx(expected)
    same = stats.bootstrap((values,), np.mean, method="BCa", rng=np.random.default_rng(2)).confidence_interval
    assert (found.bca.low, found.bca.high) == pytest.approx((same.low, same.high), rel=0.02)
    sequence = any_time_range(mean(values))
    assert sequence.low < found.t.low and sequence.high > found.bca.high


def test_one_look_in_blocks_keeps_the_spread() -> None:
    values = heavy_costs("even", np.random.default_rng(6), 5000).draws
    found = one_look(mean(values), seed=1)
    assert found is not None
    assert found.bca.high - found.bca.low == pytest.approx(found.t.high - found.t.low, rel=0.1)


@pytest.mark.parametrize("kind", ["lognormal", "pareto", "even"])
def test_the_truth_stays_inside_at_every_look(kind: str) -> None:
    """Nominal 5 %; `benchmarks/pilot_savings.py` has the large version."""
    misses, by_t, pilots = 0, 0, 300
    for rng in np.random.default_rng(11).spawn(pilots):
        costs = heavy_costs(kind, rng, int(LOOKS[-1]))
        left = t_left = False
        for requests in LOOKS:
            estimate = mean(costs.draws[:requests])
            found = any_time_range(estimate)
            left |= not found.low <= costs.mean_usd <= found.high
            error = sqrt(float(np.dot(estimate.scores, estimate.scores)))
            t_left |= abs(estimate.value - costs.mean_usd) > 1.96 * error
        misses, by_t = misses + left, by_t + t_left
    assert misses / pilots <= 0.05 + 2 * sqrt(0.05 * 0.95 / pilots)
    assert by_t / pilots > 0.2, "looking by Student's t would not do"
