"""Drift: growth that a log plainly shows is kept, growth that chance hides is allowed for, a step is no growth."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.workload.drift import DRIFT_SIZES_PER_WEEK, Drift, drift_of
from breakeven.workload.level_shifts import Floats


def logs(weeks: int, per_week: float, seed: int, spread: float = 0.2) -> Floats:
    days = np.arange(7 * weeks)
    return days * per_week / 7 + spread * np.random.default_rng(seed).standard_normal(len(days))


def mean_and_spread(found: Drift) -> tuple[float, float]:
    mean = float(found.odds @ found.drifts_per_week)
    square = found.odds @ (found.drift_errors_per_week**2 + found.drifts_per_week**2)
    return mean, float(np.sqrt(square - mean**2))


@pytest.mark.parametrize("per_week", [0.05, 0.15, -0.1])
def test_growth_that_stands_out_of_chance_is_not_drawn_to_zero(per_week: float) -> None:
    mean, _ = mean_and_spread(drift_of(logs(13, per_week, 1), stepped=False))
    assert mean == pytest.approx(per_week, rel=0.25)


@pytest.mark.parametrize("per_week", [0.0, 0.01, 0.02])
def test_growth_that_chance_hides_lies_within_two_and_a_half_errors(per_week: float) -> None:
    for seed in range(20):
        mean, spread = mean_and_spread(drift_of(logs(13, per_week, seed), stepped=False))
        assert abs(mean - per_week) < 2.5 * spread
        assert abs(mean) < 0.05


def test_beside_a_sure_step_only_the_usual_size_is_thought_of() -> None:
    free, bound = (mean_and_spread(drift_of(logs(6, 0.1, 2), stepped=each))[0] for each in (False, True))
    assert 0 < bound < free


def test_odds_add_up_and_paths_follow_them() -> None:
    found = drift_of(logs(13, 0.01, 3), stepped=False)
    assert found.odds.sum() == pytest.approx(1.0)
    assert len(found.odds) == len(found.drifts_per_week) == len(found.step_variances) == 8 * len(DRIFT_SIZES_PER_WEEK)
    _, drifts = found.draw(np.random.default_rng(0), 20_000)
    mean, spread = mean_and_spread(found)
    assert float(drifts.mean()) == pytest.approx(mean, abs=0.001)
    assert float(drifts.std()) == pytest.approx(spread, rel=0.05)
