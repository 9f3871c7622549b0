"""Daily series: whole days in a row, gaps, the week, logarithms with empty days."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.workload.daily_series import (
    DailySeries,
    daily_series,
    gaps,
    log_amounts,
    outage_days,
    week_of,
    without_outages,
)
from workload.planted_days import FIRST, WEEK, log_of, series_of, weekly


def test_partial_days_are_left_out_and_missing_days_are_zero() -> None:
    log = log_of(np.array([1.0, 5, 6, 7, 8, 2]), partial=(0, 5))
    torn = (*log.days[:2], *log.days[3:])
    series = daily_series(torn, lambda each: float(each.input_tokens))
    assert series is not None
    assert series.first_day == date(2026, 6, 2)
    assert series.amounts.tolist() == [5, 0, 7, 8]


def test_a_log_without_a_whole_day() -> None:
    assert daily_series(log_of(np.array([1.0]), partial=(0,)).days, lambda each: 1.0) is None


def test_sundays_off_are_no_gap_but_a_missing_monday_is() -> None:
    amounts = np.tile([3.0, 3, 3, 3, 3, 3, 0], 5)
    amounts[14:16] = 0
    found = gaps(DailySeries(FIRST, amounts))
    assert [(each.first_day, each.days_count) for each in found] == [(date(2026, 6, 15), 2)]


def test_the_week_is_found_beside_growth_and_a_shift() -> None:
    days = np.arange(98)
    level = days * 0.01 + np.where(days >= 50, 1.0, 0.0)
    series = series_of(weekly(98, np.random.default_rng(1), level, spread=0.05))
    week = week_of(np.log(series.amounts), series.weekdays)
    planted = np.log(WEEK) - np.log(WEEK).mean()
    assert week.effects == pytest.approx(planted, abs=0.06)
    assert week.strength_fraction > 0.9


def test_equal_days_have_no_week() -> None:
    strengths = [week_of(np.random.default_rng(seed).standard_normal(90), np.arange(90) % 7) for seed in range(30)]
    assert np.median([each.strength_fraction for each in strengths]) < 0.05


@given(st.lists(st.floats(0, 1e15), min_size=1, max_size=60))
def test_logarithms_are_finite_whatever_the_amounts(amounts: list[float]) -> None:
    assert np.isfinite(log_amounts(np.array(amounts))).all()


@given(st.lists(st.booleans(), min_size=1, max_size=120))
def test_what_is_left_beside_outages_keeps_its_weekdays_and_its_last_day(used: list[bool]) -> None:
    series = series_of(np.where(used, np.arange(1.0, len(used) + 1), 0.0))
    left, offsets = without_outages(series, outage_days(series))
    assert (left.last_day, len(left.amounts)) == (series.last_day, len(offsets))
    assert left.weekdays.tolist() == series.weekdays[offsets].tolist()
    assert left.amounts.tolist() == series.amounts[offsets].tolist()


def test_a_job_of_every_second_week_has_no_gaps_and_no_outage() -> None:
    series = series_of(np.where(np.arange(155) % 14 == 2, 5.0, 0.0))
    assert gaps(series) == ()
    assert not outage_days(series).any()
