"""Level shifts: few where there are none, +49 % found with its date and size, growth is not a staircase."""

from __future__ import annotations

import numpy as np
import pytest
import ruptures

from breakeven.workload.level_shifts import Levels, find_levels
from workload.planted_days import Floats, scatter

STEP = float(np.log(1.49))


def found(days: int, memory: float, seed: int, level: Floats | float = 0.0) -> Levels:
    return find_levels(scatter(days, memory, np.random.default_rng(seed)) + level)


@pytest.mark.parametrize(("memory", "most"), [(0.0, 0.10), (0.5, 0.20)])
def test_false_alarms_are_rare_also_where_days_resemble_the_day_before(memory: float, most: float) -> None:
    alarms = [bool(found(90, memory, seed).shifts) for seed in range(60)]
    assert np.mean(alarms) <= most


def test_a_shift_of_half_the_level_is_always_seen_and_mostly_as_a_shift() -> None:
    level = np.where(np.arange(90) >= 45, STEP, 0.0)
    results = [found(90, 0.0, 1000 + seed, level) for seed in range(60)]
    assert all(each.shifts or each.sloped for each in results)
    right = [shift for each in results for shift in each.shifts if abs(shift.offset_days - 45) <= 7]
    assert len(right) >= 45
    covered = np.mean([each.low_ratio <= 1.49 <= each.high_ratio for each in right])
    assert covered >= 0.85


def test_steady_growth_is_a_slope_and_no_staircase() -> None:
    results = [found(120, 0.0, 2000 + seed, np.arange(120) * 0.05 / 7) for seed in range(20)]
    assert np.mean([each.sloped and not each.shifts for each in results]) >= 0.9


def test_one_odd_day_is_no_level() -> None:
    logs = scatter(90, 0.0, np.random.default_rng(5))
    logs[40] += 5.0
    assert not find_levels(logs).shifts


def test_a_short_series_has_no_shift() -> None:
    assert not found(20, 0.0, 7, np.where(np.arange(20) >= 10, 3.0, 0.0)).shifts


def test_days_that_never_scatter() -> None:
    assert not find_levels(np.zeros(60)).shifts


def test_the_fast_search_is_the_exact_one() -> None:
    values = scatter(150, 0.0, np.random.default_rng(8), 1.0) + np.where(np.arange(150) >= 70, 1.0, 0.0)
    fast = ruptures.KernelCPD(kernel="linear", min_size=7).fit(values[:, None]).predict(pen=8.0)
    exact = ruptures.Pelt("l2", min_size=7, jump=1).fit(values[:, None]).predict(pen=8.0)
    assert [int(each) for each in fast] == [int(each) for each in exact]
