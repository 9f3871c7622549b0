"""Drift: growth and wandering that a log plainly shows are kept, those that chance hides are allowed for."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.workload import drift
from breakeven.workload.drift import DRIFT_SIZES_PER_WEEK, MEMORIES, STEP_SHARES, Drift, drift_of
from breakeven.workload.level_shifts import Floats


def logs(weeks: int, per_week: float, seed: int, spread: float = 0.2) -> Floats:
    days = np.arange(7 * weeks)
    return days * per_week / 7 + spread * np.random.default_rng(seed).standard_normal(len(days))


def walk(weeks: int, seed: int, step: float = 0.06) -> Floats:
    """A level that takes a random step each day, and scatter."""
    rng = np.random.default_rng(seed)
    return np.cumsum(step * rng.standard_normal(7 * weeks)) + 0.1 * rng.standard_normal(7 * weeks)


def mean_and_spread_per_week(found: Drift) -> tuple[float, float]:
    mean = float(found.odds @ found.drifts_per_day)
    square = found.odds @ (found.drift_errors_per_day**2 + found.drifts_per_day**2)
    return mean * 7, float(np.sqrt(square - mean**2)) * 7


def step_per_day(found: Drift) -> float:
    return float(np.sqrt(found.odds @ found.step_variances))


@pytest.mark.parametrize("per_week", [0.05, 0.15, -0.1])
def test_growth_that_stands_out_of_chance_is_not_drawn_to_zero(per_week: float) -> None:
    mean, _ = mean_and_spread_per_week(drift_of(logs(13, per_week, 1)))
    assert mean == pytest.approx(per_week, rel=0.25)


@pytest.mark.parametrize("per_week", [0.0, 0.01, 0.02, 0.03])
def test_growth_that_chance_hides_is_held_as_often_as_asked(per_week: float) -> None:
    """An 80 % interval of the drift holds that of 70 % of 100 logs or more."""
    held = []
    for seed in range(100):
        found = drift_of(logs(13, per_week, seed))
        low, high = np.quantile(found.draw(np.random.default_rng(seed), 1000).drifts_per_day * 7, (0.1, 0.9))
        held.append(low <= per_week <= high)
        assert abs(mean_and_spread_per_week(found)[0]) < 0.05
    assert np.mean(held) >= 0.7


def test_a_level_that_wanders_is_known_by_its_steps_and_a_steady_one_by_having_none() -> None:
    walks = [step_per_day(drift_of(walk(26, seed))) for seed in range(10)]
    steady = [step_per_day(drift_of(logs(26, 0.0, seed))) for seed in range(10)]
    assert 0.04 < np.median(walks) < 0.09
    assert np.median(steady) < 0.01
    assert min(walks) > max(steady)


def level(found: Drift) -> float:
    return float(found.draw(np.random.default_rng(0), 2000).levels.mean())


def test_a_wandering_level_counts_from_its_last_days() -> None:
    seen = walk(26, 4)
    seen[-14:] += 1.0
    assert level(drift_of(seen)) == pytest.approx(seen[-7:].mean(), abs=0.15)


def test_a_steady_level_counts_from_all_days() -> None:
    """Nearer to the truth, 0, than the last week is."""
    steady = [logs(26, 0.0, seed) for seed in range(20)]
    off, last_week = np.mean([[abs(level(drift_of(each))), abs(each[-7:].mean())] for each in steady], axis=0)
    assert off < 0.6 * last_week


def test_a_shift_that_explains_quiet_days_is_believed_and_one_in_a_walk_is_not() -> None:
    """The second half of the cells has the shift."""
    stepped = logs(13, 0.0, 2) + np.where(np.arange(91) >= 40, 0.5, 0.0)
    found, blind = drift_of(stepped, [40]), drift_of(stepped)
    half = len(found.odds) // 2
    assert found.odds[half:].sum() > 0.9
    assert step_per_day(found) < step_per_day(blind) / 2
    walked = np.mean([drift_of(walk(13, seed), [40]).odds[half:].sum() for seed in range(20)])
    assert walked < 0.3


def test_without_memory_and_steps_it_is_ordinary_least_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: NumPy's polynomial fit, its errors scaled by the residuals."""
    monkeypatch.setattr(drift, "MEMORIES", (0.0,))
    monkeypatch.setattr(drift, "STEP_SHARES", (0.0, 0.0))
    monkeypatch.setattr(drift, "DRIFT_SIZES_PER_WEEK", (1e6,))
    monkeypatch.setattr(drift, "STILL_DRIFT_WEIGHTS", (1.0,))
    monkeypatch.setattr(drift, "WANDERING_DRIFT_WEIGHTS", (1.0,))
    drift._grid.cache_clear()
    days, seen = np.arange(-29.0, 1.0), logs(5, 0.03, 5)[:30]
    found = drift_of(seen)
    drift._grid.cache_clear()
    (slope, level), covariance = np.polyfit(days, seen, 1, cov=True)
    assert found.drifts_per_day[0] == pytest.approx(slope)
    assert found.levels[0] == pytest.approx(level)
    assert found.drift_errors_per_day[0] ** 2 == pytest.approx(covariance[0, 0])
    level_variance = found.level_errors[0] ** 2 + (found.level_slopes_days[0] * found.drift_errors_per_day[0]) ** 2
    assert level_variance == pytest.approx(covariance[1, 1])


def test_likelihood_of_a_walk_is_that_of_its_changes() -> None:
    """Oracle: with many days, the ratio of two likelihoods is that of the normal densities at the best variances."""
    seen = walk(20, 6)
    grid, found = drift._grid(len(seen)), drift._cells(seen, [])
    design = np.stack([np.ones(len(seen)), np.arange(len(seen))], axis=1)
    for cell in (0, 3, 9):
        covariance = np.linalg.inv(grid.precisions[cell])
        # restricted likelihood by projection: what is left when level and drift are taken out has no part of them
        basis = np.linalg.qr(design, mode="complete")[0][:, 2:]
        inner = basis.T @ covariance @ basis
        left = basis.T @ seen
        squares = left @ np.linalg.solve(inner, left)
        wanted = -0.5 * np.linalg.slogdet(inner)[1] - (len(seen) - 2) / 2 * np.log(squares)
        if cell == 0:
            offset = found[0][cell] - wanted
        assert found[0][cell] - wanted == pytest.approx(offset, abs=1e-6)


def test_odds_add_up_and_paths_follow_them() -> None:
    found = drift_of(logs(13, 0.01, 3))
    assert found.odds.sum() == pytest.approx(1.0)
    cells = len(MEMORIES) * len(STEP_SHARES) * len(DRIFT_SIZES_PER_WEEK)
    assert len(found.odds) == len(found.drifts_per_day) == len(found.step_variances) == cells
    course = found.draw(np.random.default_rng(0), 20_000)
    mean, spread = mean_and_spread_per_week(found)
    assert float(course.drifts_per_day.mean()) * 7 == pytest.approx(mean, abs=0.001)
    assert float(course.drifts_per_day.std()) * 7 == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize("days", [7, 14, 400])
def test_equal_days_have_a_level_and_nothing_else(days: int) -> None:
    course = drift_of(np.full(days, 3.0)).draw(np.random.default_rng(0), 100)
    np.testing.assert_allclose(course.levels, 3.0, atol=1e-4)
    np.testing.assert_allclose(course.drifts_per_day, 0.0, atol=1e-5)
    assert float(course.step_variances.max()) < 1e-6
