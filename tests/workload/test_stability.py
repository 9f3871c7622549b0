"""Stability: verdicts on planted logs and public traces, and when to come back."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from breakeven.workload.bootstrap import Total, total_ahead
from breakeven.workload.day_models import ALL_WEEKS
from breakeven.workload.rolling_origin import Trial
from breakeven.workload.stability import Stability
from breakeven.workload.stability import stability as stability_on
from breakeven.workload.stability_rules import (
    INTERVAL,
    INTERVAL_DAYS_HIGH_RATIO,
    INTERVAL_DAYS_LOW_RATIO,
    Check,
    Growth,
    days_used_check,
    error_check,
    growth_check,
    interval_check,
)
from breakeven.workload.stability_sentence import Standing, unsteady_sentence
from workload.planted_days import FIRST, Floats, Log, log_of, series_of, weekly

TRACES = Path("../shared/data/traces")


def stability(log: Log) -> Stability:
    """The verdict on the day after the log's last day."""
    return stability_on(log, log.days[-1].day + timedelta(days=1))


def judged(days: int, seed: int, level: Floats | float = 0.0, spread: float = 0.2) -> Stability:
    return stability(log_of(weekly(days, np.random.default_rng(seed), level, spread)))


def test_nine_days_say_that_they_are_nine() -> None:
    found = judged(9, 1)
    assert found.answer == "cannot tell"
    assert "9 whole days" in found.sentence
    assert found.more_days_count == 81
    assert found.come_back == FIRST + timedelta(days=90)
    assert (found.growth, found.trial, found.quarter, found.shifts) == (None, None, None, ())


def test_steady_logs_of_half_a_year_are_stable() -> None:
    found = [judged(180, seed) for seed in range(5)]
    assert sum(each.answer == "yes" for each in found) >= 4
    for each in found:
        assert (each.answer == "yes") == all(check.passed for check in each.checks)
        assert (each.come_back is None) == (each.more_days_count is None)


@pytest.mark.parametrize("seed", range(5))
def test_growth_of_a_fifth_a_week_is_not_stable(seed: int) -> None:
    found = judged(98, seed, np.arange(98) * np.log(1.22) / 7)
    assert found.answer == "not yet"
    assert found.growth is not None and found.growth.low_fraction_per_week > 0.02
    assert "week on week" in found.sentence and "Decide after about" in found.sentence


@pytest.mark.parametrize("seed", range(5))
def test_a_shift_three_weeks_ago_is_not_stable_and_needs_the_rest_of_sixty_days(seed: int) -> None:
    found = judged(150, seed, np.where(np.arange(150) >= 129, np.log(2.0), 0.0))
    assert found.answer == "not yet"
    last = found.shifts[-1]
    assert abs((last.day - FIRST).days - 129) <= 2
    assert last.shift.low_ratio < 2.0 < last.shift.high_ratio
    level = next(each for each in found.checks if each.name == "level")
    assert level.more_days_count == 60 - (150 - last.shift.offset_days)


def test_when_to_come_back_keeps_its_word() -> None:
    """A steady log judged too early is stable for most seeds once the days that it asked for have passed."""
    kept = []
    for seed in range(6):
        early = judged(60, seed, spread=0.15)
        assert early.answer == "not yet" and early.more_days_count is not None
        kept.append(judged(60 + early.more_days_count, seed, spread=0.15).answer == "yes")
    assert np.mean(kept) >= 0.6


def test_empty_days_are_zero_and_said() -> None:
    amounts = weekly(120, np.random.default_rng(2))
    amounts[100:112] = 0
    found = stability(log_of(amounts))
    assert found.days_count == 120
    assert [(each.first_day, each.days_count) for each in found.gaps] == [(FIRST + timedelta(days=100), 12)]
    coverage = next(each for each in found.checks if each.name == "coverage")
    assert not coverage.passed
    # the gap's first days leave the last 90 from day 190 on; four and a half may stay
    assert coverage.more_days_count == 190 - 120 + 8


def test_partial_days_do_not_count() -> None:
    log = log_of(weekly(41, np.random.default_rng(3)), partial=(0, 40))
    assert stability(log).days_count == 39


def test_no_day_at_all() -> None:
    found = stability(log_of(np.array([1.0]), partial=(0,)))
    assert (found.answer, found.come_back) == ("cannot tell", None)


def test_spend_follows_the_tokens_and_is_none_without_prices() -> None:
    amounts = weekly(120, np.random.default_rng(4))
    priced, unpriced = stability(log_of(amounts)).quarter, stability(log_of(amounts, usd_per_token=0.0)).quarter
    assert priced is not None and unpriced is not None and priced.spend_usd is not None
    assert priced.spend_usd.typical == pytest.approx(priced.tokens.typical * 2e-6, rel=1e-6)
    assert unpriced.spend_usd is None
    assert (priced.last_day - priced.first_day).days == 90


def test_growth_that_chance_explains_needs_days_by_the_power_of_one_and_a_half() -> None:
    limit = np.log(1.02)
    half = limit  # twice of what leaves room for chance
    check = growth_check(Growth(float(np.expm1(-half)) - 1e-9, 0.0, float(np.expm1(half)) + 1e-6, 100), 100)
    assert check.more_days_count == 59  # 100 * 2 ** (2 / 3) = 158.7


def within(half_width_ratio: float) -> Total:
    return Total(100 * (1 - half_width_ratio), 100.0, 100 * (1 + half_width_ratio))


def test_days_until_an_interval_is_narrow_grow_with_how_much_too_wide_it_is() -> None:
    assert interval_check(within(0.25 * np.e), 100).more_days_count == 107
    waits = [interval_check(within(each), 100).more_days_count or 0 for each in (0.26, 0.3, 0.4, 0.6, 0.9)]
    assert waits == sorted(waits) and waits[0] >= 7
    assert interval_check(within(0.25), 100).passed
    assert interval_check(within(0.5), 100, settled=False).more_days_count is None


def test_days_until_an_interval_is_narrow_are_neither_all_too_many_nor_all_too_few() -> None:
    """Half of 40 made-up logs took longer than was said, within three standard errors; most within the range."""
    ratios = []
    for seed in range(40):
        amounts = weekly(60 + 240, np.random.default_rng(seed), spread=0.35)
        check = interval_check(total_ahead(series_of(amounts[:60]), ALL_WEEKS, paths_count=300), 60)
        if check.more_days_count:
            widths = (
                (more, total_ahead(series_of(amounts[: 60 + more]), ALL_WEEKS, paths_count=300).half_width_ratio)
                for more in range(8, 241, 8)
            )
            took = next((more for more, width in widths if width <= 0.25), None)
            ratios.append(np.inf if took is None else took / check.more_days_count)
    count, found = len(ratios), np.array(ratios)
    assert count >= 25
    assert abs(np.mean(found > 1) - 0.5) < 3 * np.sqrt(0.25 / count)
    assert np.mean((found >= INTERVAL_DAYS_LOW_RATIO) & (found <= INTERVAL_DAYS_HIGH_RATIO)) >= 0.6


def test_a_wait_for_the_interval_is_told_with_its_range_and_no_shorter_than_another_rule_wants() -> None:
    flat = Growth(-0.01, 0.0, 0.01, 60)
    standing = Standing(date(2026, 7, 11), date(2026, 7, 10), 1)
    width = Check(INTERVAL, False, "next quarter's tokens known within 40 % either way (25 % wanted)", 42)
    said = unsteady_sentence((width,), flat, 42, standing)
    assert "Decide after about 6 more weeks (3 to 18, by how fast the interval narrows) from 10 Jul 2026" in said
    assert "on about 22 Aug 2026." in said
    length = Check("length", False, "only 55 whole days (90 wanted)", 35)
    assert "weeks (5 to 18, by" in unsteady_sentence((width, length), flat, 42, standing)
    assert "Decide after about 7 more weeks from" in unsteady_sentence(
        (width, replace(length, more_days_count=49)), flat, 49, standing
    )


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (Total(0.5, 43.3, 4450.0), "next quarter's tokens known only within a factor of 100 (25 % or less either way"),
        (Total(1.0, 2.0, 6.0), "known only within a factor of 3 "),
        (Total(1.0, 250.0, 600.0), "known only within a factor of 250 "),
        (Total(0.0, 1.0, 4.0), "known not even within a factor of 1,000 "),
    ],
)
def test_an_interval_wider_than_its_middle_is_told_as_a_factor_and_promises_no_day(total: Total, said: str) -> None:
    check = interval_check(total, 30)
    assert said in check.finding
    assert (check.passed, check.more_days_count) == (False, None)


def quiet_end(since: int, *, used: int | None = None) -> Stability:
    """Seventy days, forty-nine silent ones, then `since` days, of which only the first `used` have calls."""
    amounts = weekly(119 + since, np.random.default_rng(5), spread=0.1)
    amounts[70:119] = 0
    if used is not None:
        amounts[119 + used :] = 0
    return stability(log_of(amounts))


@pytest.mark.parametrize(("since", "used", "more"), [(0, None, 7), (1, None, 6), (6, None, 1), (6, 1, 1), (7, 1, 1)])
def test_a_log_that_fell_silent_says_nothing_of_next_quarter(since: int, used: int | None, more: int) -> None:
    found = quiet_end(since, used=used)
    names = {each.name: each for each in found.checks}
    assert found.quarter is None and found.answer == "not yet"
    assert not {"interval", "spend"} & set(names)
    silence = names["silence"]
    assert (silence.passed, silence.more_days_count) == (False, more)
    assert "nothing can be said of next quarter: the log fell silent on 10 Aug 2026" in silence.finding
    assert (", for 49 days (" in silence.finding) == (since > 0)
    assert found.sentence.startswith("Not stable yet: nothing can be said of next quarter")


@pytest.mark.parametrize("since", [7, 40])
def test_a_week_of_calls_ends_a_silence(since: int) -> None:
    found = quiet_end(since)
    assert found.quarter is not None
    assert not [each for each in found.checks if each.name == "silence"]


def test_of_two_silences_the_later_one_counts() -> None:
    found = quiet_end(14, used=5)  # calls from 28 Sep to 2 Oct 2026 only
    assert found.quarter is None
    assert "fell silent on 3 Oct 2026 (" in next(each.finding for each in found.checks if each.name == "silence")


def test_a_short_log_that_fell_silent_makes_no_guess() -> None:
    found = stability(log_of(np.where(np.arange(59) < 20, 1e6, 0.0)))
    assert (found.answer, found.quarter) == ("cannot tell", None)
    assert "silence" in {each.name for each in found.failed}
    assert "90 are wanted to decide), and the log fell silent on 21 Jun 2026. Decide after" in found.sentence


def test_days_off_are_no_silence() -> None:
    """A log that ends on its quiet Sunday, and one of a call every second Wednesday."""
    weekends = np.where(np.arange(119) % 7 < 5, 1e6, 0.0)
    rare = np.where(np.arange(420) % 14 == 2, 1e6, 0.0)
    for amounts in (weekends, rare):
        found = stability(log_of(amounts))
        assert found.quarter is not None
        assert not [each for each in found.checks if each.name == "silence"]


def test_a_log_without_a_whole_day_says_so() -> None:
    found = stability(log_of(np.array([1.0]), partial=(0,)))
    assert found.sentence.startswith("Cannot tell yet: no day of the log is whole (28 show growth and shifts, ")
    assert "rare" not in found.sentence and "Decide after about 13 more weeks at the earliest." in found.sentence
    assert [each.finding for each in found.checks][:2] == [
        "no whole day (90 wanted)",
        "no whole day with calls (28 wanted)",
    ]
    assert days_used_check(0, 0, "calls").more_days_count == 28
    assert days_used_check(0, 120, "tokens").more_days_count is None


def test_the_back_test_names_its_days_and_how_it_counts() -> None:
    trial = Trial((), 2, 28, (0.1, 0.2), "mean of all weeks")
    said = [
        error_check(trial, 100).finding,
        error_check(trial, 60).finding,
        error_check(trial, 60, outages=True).finding,
    ]
    assert [each.split(",")[0] for each in said] == [
        "4-week totals of the last 90 days",
        "4-week totals of all 60 days",
        "4-week totals of all 60 days outside of outages",
    ]
    assert all(", each counted alike, forecast with a mean error of 15 %" in each for each in said)


@pytest.mark.skipif(not TRACES.exists(), reason="the public traces are not here")
def test_public_traces_are_not_called_stable() -> None:
    with (TRACES / "burstgpt_daily.csv").open(encoding="utf-8") as file:
        burst = stability(log_of(np.array([float(row["tok"]) for row in csv.DictReader(file)])))
    assert burst.answer == "not yet"
    assert burst.days_count == 61
    assert burst.quarter is not None and burst.quarter.tokens.half_width_ratio > 0.5
    assert isinstance(burst.come_back, date)


def test_equal_days_are_stable() -> None:
    for amount in (120_000.0, 4_800.0, 9_601.0):
        found = stability(log_of(np.full(120, amount)))
        assert found.answer == "yes", found.sentence
        assert "no growth beyond chance (0.0 to 0.0 % week on week)" in found.sentence
        interval = next(each.finding for each in found.checks if each.name == "interval")
        assert interval.startswith("next quarter's tokens known if its days equal the log's, which hardly differ (")


def test_a_step_between_equal_days_is_a_shift() -> None:
    found = stability(log_of(np.where(np.arange(120) < 60, 20_000.0, 10_000.0)))
    assert [(each.day - FIRST).days for each in found.shifts] == [60]


def test_a_long_outage_is_a_gap_and_neither_a_level_nor_an_error_without_bound() -> None:
    amounts = weekly(120, np.random.default_rng(5))
    amounts[42:118] = 0
    found = stability(log_of(amounts))
    assert [(each.first_day, each.days_count) for each in found.gaps] == [(FIRST + timedelta(days=42), 76)]
    checks = {each.name: each for each in found.checks}
    assert not checks["coverage"].passed and checks["coverage"].finding.startswith("calls on 16 %")
    assert found.growth is None or found.growth.days_count > 30
    assert all(len(each.finding) < 200 for each in found.checks)


def test_an_old_outage_does_not_widen_the_next_quarter() -> None:
    amounts = weekly(150, np.random.default_rng(6), spread=0.1)
    whole, torn = stability(log_of(amounts)), stability(log_of(np.where(np.arange(150) // 20 == 5, 0, amounts)))
    assert whole.quarter is not None and torn.quarter is not None and torn.quarter.spend_usd is not None
    assert torn.quarter.tokens.half_width_ratio < 2 * whole.quarter.tokens.half_width_ratio < 0.3
    assert torn.quarter.spend_usd.half_width_ratio < 0.3
    assert torn.shifts == ()


def test_no_growth_is_read_from_a_week_since_a_shift() -> None:
    found = judged(120, 1, np.where(np.arange(120) >= 112, 2.0, 0.0), spread=0.05)
    assert [(each.day - FIRST).days for each in found.shifts] == [112]
    assert found.growth is None
    growth = next(each for each in found.checks if each.name == "growth")
    assert not growth.passed and growth.more_days_count == 6


def test_a_single_shift_long_ago_does_not_widen_the_next_quarter() -> None:
    amounts = weekly(300, np.random.default_rng(7), np.where(np.arange(300) >= 60, np.log(3.0), 0.0), spread=0.1)
    found = stability(log_of(amounts))
    assert [(each.day - FIRST).days for each in found.shifts] == [60]
    assert found.quarter is not None and found.quarter.tokens.half_width_ratio < 0.15
    assert found.answer == "yes"


def test_the_middle_of_a_growing_quarter_lies_inside_its_interval() -> None:
    found = judged(39, 8, np.arange(39) * np.log(1.05), spread=0.05)
    assert found.quarter is not None
    total = found.quarter.tokens
    assert 2 * total.low < total.typical < total.high


def test_one_day_a_week_needs_as_many_weeks_as_days() -> None:
    found = stability(log_of(np.where(np.arange(168) % 7 == 2, 1e6, 0.0)))
    assert found.answer == "cannot tell"
    assert found.more_days_count == 28  # 24 of 28 days are there
    assert [each.name for each in found.failed] == ["days with calls"]


def test_a_day_of_calls_without_tokens_is_a_day_with_calls() -> None:
    days = log_of(np.where(np.arange(120) < 60, 1.0, 1e6) * (1 + np.arange(120) % 3)).days
    silent = Log(
        tuple(replace(each, input_tokens=each.input_tokens * (index >= 60)) for index, each in enumerate(days))
    )
    half, none = stability(silent), stability(Log(tuple(replace(each, input_tokens=0) for each in days)))
    assert half.gaps == none.gaps == ()
    assert next(each for each in half.checks if each.name == "coverage").passed
    assert "0 of them with tokens" in none.sentence
    assert none.come_back is None


def test_equal_tokens_on_another_model_are_a_step_of_spend_only() -> None:
    """A switch of models half way: the spend's interval is of the days after it; while it is young, the log says no."""
    amounts = weekly(150, np.random.default_rng(9), spread=0.1)
    days = log_of(amounts).days
    for start, answer in ((60, "yes"), (140, "not yet")):
        later = Log(
            tuple(replace(each, spend_usd=each.spend_usd / (17 if i >= start else 1)) for i, each in enumerate(days))
        )
        found = stability(later)
        assert found.answer == answer
        assert found.quarter is not None and found.quarter.spend_usd is not None
        assert (found.quarter.spend_usd.half_width_ratio < 0.25) == (answer == "yes")


def test_growth_of_two_days_a_week_is_as_unsure_as_those_days() -> None:
    days = np.arange(168)
    amounts = np.where((days % 7 == 2) | (days % 7 == 4), weekly(168, np.random.default_rng(10)), 0.0)
    found = stability(log_of(amounts)).growth
    assert found is not None and found.high_fraction_per_week - found.low_fraction_per_week > 0.005


def test_a_steady_log_that_ended_long_ago_is_stale_and_says_when_it_ended() -> None:
    log = log_of(weekly(180, np.random.default_rng(1)))
    end = log.days[-1].day
    last_good, first_old = (stability_on(log, end + timedelta(days=each)) for each in (30, 31))
    assert (last_good.answer, first_old.answer) == ("yes", "stale")
    assert (last_good.age_days_count, first_old.age_days_count) == (30, 31)
    assert [each.name for each in first_old.failed] == ["age"]
    assert first_old.sentence.startswith("Stale: the log ended 31 days before 28 Dec 2026; import newer days.")
    assert "180 whole days" in first_old.sentence
    assert (first_old.come_back, first_old.today) == (None, end + timedelta(days=31))


def test_an_old_log_that_is_not_stable_is_no_better_for_being_old() -> None:
    log = log_of(weekly(150, np.random.default_rng(1), np.where(np.arange(150) >= 129, np.log(2.0), 0.0)))
    end = log.days[-1].day  # 28 Oct 2026
    fresh, old = stability(log), stability_on(log, end + timedelta(days=118))
    assert fresh.answer == old.answer == "not yet"
    assert fresh.come_back == old.come_back == end + timedelta(days=(fresh.more_days_count or 0) + 1)
    assert "from 28 Oct 2026, its last whole day: on " in fresh.sentence and "ended" not in fresh.sentence
    assert "from 28 Oct 2026, its last whole day" in old.sentence
    assert "they have passed: import them if they were logged" in old.sentence
    assert old.sentence.endswith(
        "The log ended 118 days before 23 Feb 2027: import newer days, a decision stands on what is used now."
    )


def test_a_short_old_log_says_both() -> None:
    log = log_of(weekly(9, np.random.default_rng(1)))
    found = stability_on(log, log.days[-1].day + timedelta(days=60))
    assert found.answer == "cannot tell"
    assert "Decide after about 12 more weeks from 9 Jun 2026, its last whole day: on 30 Aug 2026" in found.sentence
    assert "The log ended 60 days before 8 Aug 2026" in found.sentence


def test_a_log_that_reaches_today_or_beyond_is_not_old() -> None:
    log = log_of(weekly(120, np.random.default_rng(1)))
    for days in (0, -40):
        found = stability_on(log, log.days[-1].day + timedelta(days=days))
        assert found.age_days_count == 0
        assert next(each for each in found.checks if each.name == "age").passed


def test_the_age_counts_from_the_last_day_even_one_seen_in_part() -> None:
    log = log_of(weekly(120, np.random.default_rng(1)), partial=(119,))
    found = stability_on(log, log.days[-1].day + timedelta(days=30))
    assert found.age_days_count == 30
    assert found.last_day == log.days[-2].day


def test_a_source_that_counts_tokens_and_no_calls_is_judged_by_its_tokens() -> None:
    counted = log_of(weekly(120, np.random.default_rng(1)))
    silent = Log(tuple(replace(each, requests_count=0) for each in counted.days))
    assert stability(silent) == stability(counted)
