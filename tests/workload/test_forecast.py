"""Forecast: planted growth found with intervals that cover it, short logs that claim nothing, a real trace."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.units import DAYS_PER_MONTH
from breakeven.workload.forecast import DAYS_MIN_COUNT, GROWTH, back_test, forecast, trend
from breakeven.workload.profile import DayUse

PRIOR = load_catalog(date(2026, 11, 23)).assumptions[GROWTH]
BURSTGPT = Path("../shared/data/traces/burstgpt_daily.csv")
WEEK = np.array([1.0, 1.05, 1.1, 1.05, 1.0, 0.4, 0.3])


@dataclass
class Days:
    """As much of a Workload as a forecast reads."""

    days: tuple[DayUse, ...]


def days_of(tokens: np.ndarray) -> Any:
    first = date(2026, 6, 1)
    return Days(
        tuple(
            DayUse(first + timedelta(days=index), 10, round(value), 0, 0, 0.0, 0, complete=True)
            for index, value in enumerate(tokens)
        )
    )


def planted(growth: float, days_count: int, noise: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    offsets = np.arange(days_count)
    scatter = np.zeros(days_count)
    for index in range(1, days_count):  # a day resembles the one before
        scatter[index] = 0.5 * scatter[index - 1] + noise * rng.standard_normal()
    return 1e9 * (1 + growth) ** (offsets / DAYS_PER_MONTH) * WEEK[offsets % 7] * np.exp(scatter)


@pytest.mark.parametrize("growth", [-0.03, 0.0, 0.05, 0.2])
def test_a_long_quiet_log_shows_its_growth(growth: float) -> None:
    found = forecast(days_of(planted(growth, 180, 0.02, 1)), PRIOR, "log.jsonl")
    assert found.growth is not None
    assert found.growth.typical == pytest.approx(growth, abs=0.006)
    assert found.growth.low < growth < found.growth.high
    assert found.growth.source.grade.value == "measured"
    assert "Back-test" in found.sentence


def test_intervals_cover_planted_growth_as_often_as_they_say() -> None:
    """90 % intervals of the trend alone over 300 made-up logs of 90 days."""
    hits = 0
    for seed in range(300):
        volumes = planted(0.05, 90, 0.15, seed)
        found = trend(np.arange(90.0), volumes, [index % 7 for index in range(90)])
        z = (found.log_growth_fraction_per_month - np.log(1.05)) / found.standard_error_fraction_per_month
        hits += abs(z) <= 1.645
    assert 0.84 <= hits / 300 <= 0.95


def test_back_tests_hold_as_often_as_they_say() -> None:
    """80 % intervals of the last quarter's volume over 200 made-up logs."""
    hits = []
    for seed in range(200):
        volumes = planted(0.04, 84, 0.1, 1_000 + seed)
        found = back_test(np.arange(84.0), volumes, [index % 7 for index in range(84)])
        assert found is not None
        hits.append(found.inside)
    assert 0.72 <= np.mean(hits) <= 0.99


def test_the_lead_reaches_from_the_middle_of_the_log_to_the_middle_of_the_next_month() -> None:
    found = forecast(days_of(planted(0.05, 120, 0.02, 10)), PRIOR, "log.jsonl")
    assert found.present_over_mean_ratio == 1.0
    assert found.length_months == pytest.approx(120 / DAYS_PER_MONTH)
    assert found.lead_months == pytest.approx(60 / DAYS_PER_MONTH + 0.5)


def shifted(growth: float, days_count: int, start: int, seed: int, noise: float = 0.1) -> np.ndarray:
    """Planted growth, and +49 % from the day `start` on."""
    return planted(growth, days_count, noise, seed) * np.where(np.arange(days_count) >= start, 1.49, 1.0)


@pytest.mark.parametrize("start", [45, 90, 130])
def test_a_level_shift_is_no_growth(start: int) -> None:
    found = forecast(days_of(shifted(0.0, 180, start, 2)), PRIOR, "log.jsonl")
    assert found.growth is not None and found.trend is not None and found.source is not None
    error = found.trend.standard_error_fraction_per_month
    assert abs(found.trend.log_growth_fraction_per_month) < 2 * error
    assert found.growth.low < 0 < found.growth.high < 0.1
    mean_over_old = 1 + 0.49 * (180 - start) / 180
    assert found.present_over_mean_ratio == pytest.approx(1.49 / mean_over_old, rel=0.04)
    assert found.length_months == pytest.approx((180 - start) / DAYS_PER_MONTH, abs=2 / DAYS_PER_MONTH)
    assert (
        f"since its level shift of {date(2026, 6, 1) + timedelta(days=start):%d}".replace(" 0", " ") in found.sentence
    )


def test_intervals_cover_no_growth_after_a_shift_as_often_as_they_say() -> None:
    """90 % intervals of the trend over 100 logs with a shift, beside the same without regard for it."""
    since: list[bool] = []
    blind: list[bool] = []
    for seed in range(100):
        log = days_of(shifted(0.0, 120, 40 + seed % 40, 500 + seed))
        volumes, weekdays = (np.array([float(each.input_tokens) for each in log.days]), [i % 7 for i in range(120)])
        for hits, found in (
            (since, forecast(log, PRIOR, "log.jsonl").trend),
            (blind, trend(np.arange(120.0), volumes, weekdays)),
        ):
            if found is not None:  # None: a shift of the last days, nothing is claimed
                z = found.log_growth_fraction_per_month / found.standard_error_fraction_per_month
                hits.append(abs(z) <= 1.645)
    assert len(since) >= 90
    assert 0.8 <= np.mean(since) <= 0.97
    assert np.mean(blind) <= 0.2


def test_growth_after_a_shift_is_still_found() -> None:
    found = forecast(days_of(shifted(0.2, 180, 60, 3, noise=0.02)), PRIOR, "log.jsonl")
    assert found.trend is not None and found.growth is not None
    assert found.trend.log_growth_fraction_per_month == pytest.approx(np.log(1.2), abs=0.03)
    assert found.growth.low > 0.1


def test_a_shift_of_last_week_says_its_level_and_no_growth() -> None:
    found = forecast(days_of(shifted(0.0, 100, 90, 4, noise=0.05)), PRIOR, "log.jsonl")
    assert found.growth is None and found.trend is None and found.source is not None
    assert found.present_over_mean_ratio == pytest.approx(1.49 / 1.049, rel=0.05)
    assert "10 days since its level shift of 30 Aug 2026, too few to show growth (14 wanted)" in found.sentence


def test_a_short_log_claims_nothing() -> None:
    found = forecast(days_of(planted(0.3, DAYS_MIN_COUNT - 1, 0.01, 3)), PRIOR, "log.jsonl")
    assert found.growth is None
    assert "too few to show growth" in found.sentence


def test_four_noisy_weeks_move_the_usual_range_a_little() -> None:
    found = forecast(days_of(planted(0.3, 28, 0.5, 4)), PRIOR, "log.jsonl")
    assert found.growth is not None and found.trend is not None
    seen = float(np.expm1(found.trend.log_growth_fraction_per_month))
    assert abs(found.growth.typical - PRIOR.typical) < abs(found.growth.typical - seen)
    assert found.growth.high - found.growth.low <= PRIOR.high - PRIOR.low


def test_days_without_calls_are_left_out_of_the_trend() -> None:
    volumes = planted(0.05, 120, 0.02, 5)
    volumes[[3, 40, 90]] = 0
    found = forecast(days_of(volumes), PRIOR, "log.jsonl")
    assert found.growth is not None
    assert found.growth.typical == pytest.approx(0.05, abs=0.01)


def test_partial_days_do_not_count() -> None:
    whole = days_of(planted(0.05, 60, 0.02, 6))
    torn = Days((*whole.days[:-1], DayUse(date(2026, 8, 1), 1, 5, 0, 0, 0.0, 0, complete=False)))
    found = forecast(torn, PRIOR, "log.jsonl")  # type: ignore[arg-type]
    assert found.trend is not None
    assert found.trend.days_count == 59


@pytest.mark.skipif(not BURSTGPT.exists(), reason="the public trace is not here")
def test_a_real_trace_of_sixty_days() -> None:
    with BURSTGPT.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    volumes = np.array([float(row["tok"]) for row in rows])
    found = forecast(days_of(volumes), PRIOR, "burstgpt")
    assert found.growth is not None and found.trend is not None
    assert found.growth.low < found.growth.typical < found.growth.high
    assert found.back_test is not None
