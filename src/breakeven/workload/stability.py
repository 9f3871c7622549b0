"""Stability: is this log steady enough to decide on, which days are still missing, and what will the next quarter hold?

Yes: every rule holds. Not yet: one does not, and the sentence says which and when to come back. Cannot tell: fewer than
four weeks, of which no growth, no shift and no error can be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from breakeven.workload.bootstrap import QUARTER_WEEKS, Total, total_ahead
from breakeven.workload.daily_series import (
    WEEK_DAYS,
    DailySeries,
    Floats,
    Gap,
    daily_series,
    gaps,
    log_amounts,
    outage_days,
    usual_days,
    week_of,
    without_outages,
)
from breakeven.workload.day_models import ALL_WEEKS
from breakeven.workload.level_shifts import MIN_DAYS_COUNT, Levels, LevelShift, find_levels
from breakeven.workload.profile import DayUse
from breakeven.workload.rolling_origin import Trial, try_models
from breakeven.workload.stability_rules import (
    CLEAN_DAYS_COUNT,
    DAYS_WANTED_COUNT,
    Check,
    Growth,
    coverage_check,
    days_used_check,
    error_check,
    growth_check,
    growth_of,
    interval_check,
    length_check,
    level_days_count,
    shift_check,
    signed_percent,
    spend_check,
    wander_check,
)

Answer = Literal["yes", "not yet", "cannot tell"]
QUARTER_DAYS: Final = QUARTER_WEEKS * WEEK_DAYS
TOTAL_MIN_DAYS: Final = 14
"""With fewer days nothing is said of the next quarter."""
SEED: Final = 20261126


class Days(Protocol):
    """As much of a Workload as stability reads."""

    @property
    def days(self) -> tuple[DayUse, ...]:
        """Every day of the log."""
        ...


@dataclass(frozen=True, slots=True)
class DatedShift:
    """A level shift with its date."""

    day: date
    """First day on the new level."""
    shift: LevelShift


@dataclass(frozen=True, slots=True)
class Quarter:
    """The 91 days after the last whole day."""

    first_day: date
    last_day: date
    tokens: Total
    spend_usd: Total | None
    """None when no call has a price."""
    unpriced_fraction: float
    """Share of the tokens of the log that has no price, and so no part in the spend."""


@dataclass(frozen=True, slots=True)
class Stability:
    """The verdict on a log."""

    answer: Answer
    sentence: str
    first_day: date | None
    """First and last whole day; None when there is none."""
    last_day: date | None
    days_count: int
    """Whole days; those without a call among them."""
    more_days_count: int | None
    """Until every rule may hold; None when waiting alone does not help, or nobody can say."""
    come_back: date | None
    checks: tuple[Check, ...]
    gaps: tuple[Gap, ...]
    week_strength_fraction: float | None
    """Share of the variance within weeks that the day of the week explains; None in fewer than four weeks."""
    growth: Growth | None
    shifts: tuple[DatedShift, ...]
    trial: Trial | None
    quarter: Quarter | None

    @property
    def failed(self) -> tuple[Check, ...]:
        """Rules that do not hold."""
        return tuple(each for each in self.checks if not each.passed)


def stability(workload: Days, seed: int = SEED) -> Stability:
    """Judge the whole days of `workload`."""
    tokens = daily_series(workload.days, _tokens)
    calls = daily_series(workload.days, lambda each: each.requests_count)
    if tokens is None or calls is None or np.count_nonzero(tokens.amounts) < MIN_DAYS_COUNT:
        return _too_short(workload, tokens, calls, seed)
    outages = outage_days(calls)
    running, offsets = without_outages(tokens, outages)
    logs, weekdays = log_amounts(running.amounts), running.weekdays
    week = week_of(logs, weekdays)
    plain = logs - week.effects[weekdays]
    levels, trial = find_levels(plain), try_models(running)
    growth, quarter = (
        growth_of(plain, levels, ~usual_days(running) & (running.amounts <= 0)),
        _quarter(workload, running, outages, trial.chosen, seed),
    )
    checks = _checks(calls, running, plain, levels, growth, trial, quarter, seed)
    days = [tokens.first_day + timedelta(days=each) for each in offsets.tolist()]
    shifts = tuple(DatedShift(days[each.offset_days], each) for each in levels.shifts)
    answer: Answer = "yes" if all(each.passed for each in checks) else "not yet"
    more = max((each.more_days_count or 0 for each in checks), default=0) or None
    return Stability(
        answer,
        _sentence(answer, tokens, checks, growth, more),
        tokens.first_day,
        tokens.last_day,
        tokens.days_count,
        more,
        _come_back(tokens, more),
        checks,
        gaps(calls),
        week.strength_fraction,
        growth,
        shifts,
        trial,
        quarter,
    )


def _checks(
    calls: DailySeries,
    running: DailySeries,
    plain: Floats,
    levels: Levels,
    growth: Growth | None,
    trial: Trial,
    quarter: Quarter,
    seed: int,
) -> tuple[Check, ...]:
    """All rules; the interval of the latter half shows how fast more days narrow it."""
    latter = total_ahead(running.since(running.days_count // 2), trial.chosen, seed=seed).half_width_ratio
    return (
        length_check(calls.days_count),
        coverage_check(calls),
        shift_check(levels, running.days_count),
        growth_check(growth, level_days_count(levels)),
        wander_check(plain, levels),
        error_check(trial),
        interval_check(quarter.tokens.half_width_ratio, latter, running.days_count),
        *((spend_check(quarter.spend_usd.half_width_ratio),) if quarter.spend_usd is not None else ()),
    )


def _too_short(workload: Days, tokens: DailySeries | None, calls: DailySeries | None, seed: int) -> Stability:
    """Too few days with tokens to say anything of growth or shifts; from two weeks on, the quarter as a wide guess."""
    count = tokens.days_count if tokens is not None else 0
    used = int(np.count_nonzero(tokens.amounts)) if tokens is not None else 0
    called = int(np.count_nonzero(calls.amounts)) if calls is not None else 0
    what = "calls" if called == used else "tokens"
    checks = (length_check(count), days_used_check(used, count, what))
    waits = [each.more_days_count for each in checks]
    more = None if None in waits else max(each or 0 for each in waits)
    seen = f"{count} whole days" if used == count else f"{count} whole days, {used} of them with {what},"
    sentence = (
        f"Cannot tell yet: {seen} {'is' if count == 1 else 'are'} too few ({MIN_DAYS_COUNT} show growth and shifts, "
        f"{DAYS_WANTED_COUNT} are wanted to decide)."
    ).replace(" 1 whole days", " 1 whole day")
    if more is None:
        sentence += f" Days with {what} are too rare to say when there will be enough of them."
    else:
        sentence += f" Decide after {_wait(more)}{_on(_come_back(tokens, more))} at the earliest."
    quarter = None
    if tokens is not None and calls is not None and used >= TOTAL_MIN_DAYS:
        outages = outage_days(calls)
        quarter = _quarter(workload, without_outages(tokens, outages)[0], outages, ALL_WEEKS, seed)
    return Stability(
        "cannot tell",
        sentence,
        tokens.first_day if tokens is not None else None,
        tokens.last_day if tokens is not None else None,
        count,
        more,
        _come_back(tokens, more),
        checks,
        gaps(calls) if calls is not None else (),
        None,
        None,
        (),
        None,
        quarter,
    )


def _quarter(workload: Days, tokens: DailySeries, outages: NDArray[np.bool_], model: str, seed: int) -> Quarter:
    """Tokens and spend of the next 91 days, outages left out; both by the model that forecasts the tokens best."""
    spend = daily_series(workload.days, lambda each: each.spend_usd)
    spend = without_outages(spend, outages)[0] if spend is not None else None
    priced = spend is not None and np.count_nonzero(spend.amounts) >= TOTAL_MIN_DAYS
    all_tokens = sum(_tokens(each) for each in workload.days)
    return Quarter(
        tokens.last_day + timedelta(days=1),
        tokens.last_day + timedelta(days=QUARTER_DAYS),
        total_ahead(tokens, model, seed=seed),
        total_ahead(spend, model, seed=seed) if spend is not None and priced else None,
        sum(each.unpriced_tokens for each in workload.days) / all_tokens if all_tokens else 0.0,
    )


def _sentence(
    answer: Answer, tokens: DailySeries, checks: tuple[Check, ...], growth: Growth | None, more: int | None
) -> str:
    """The verdict in one or two sentences."""
    if answer == "yes" and growth is not None:
        return (
            f"Stable enough to decide: {tokens.days_count} whole days, no level shift in the last {CLEAN_DAYS_COUNT}, "
            f"{growth_words(growth)}."
        )
    failed = {each.name: each for each in checks if not each.passed}
    shown = growth is not None and growth.shown
    of_growth = failed["growth"].reason if growth is None else growth_words(growth)
    of_growth = of_growth.replace(_BY_CHANCE, _NOT_KNOWN)
    said = [name for name in _ORDER if name in failed]
    if shown and "growth" in failed:
        said = [name for name in said if name not in _FOLLOWS_FROM_GROWTH]
    reasons = [of_growth if name == "growth" else failed[name].reason for name in said]
    because = f"Not stable yet: {'; '.join(reasons[:_REASONS_SAID_COUNT])}."
    endless = any(each.more_days_count is None for each in failed.values())
    if more is None:
        return f"{because} More days alone may not cure it: find the cause, or decide with the range of next quarter."
    earliest = endless or ("growth" in failed and shown)
    return f"{because} Decide after {_wait(more)}{_on(_come_back(tokens, more))}{' at the earliest' * earliest}."


_ORDER: Final = ("growth", "level", "coverage", "wandering", "back-test", "interval", "spend", "length")
_FOLLOWS_FROM_GROWTH: Final = frozenset({"wandering", "back-test", "interval", "spend"})
_REASONS_SAID_COUNT: Final = 2


def growth_words(growth: Growth) -> str:
    """Growth per week with its interval; the interval alone where chance may be all there is.

    >>> growth_words(Growth(0.181, 0.22, 0.261, 60))
    '+22.0 % week on week (95 %: +18.1 to +26.1 %)'
    >>> growth_words(Growth(-0.05, -0.01, 0.03, 60))
    'no growth beyond chance (-5.0 to +3.0 % week on week)'
    """
    low, typical, high = (
        signed_percent(each)
        for each in (growth.low_fraction_per_week, growth.typical_fraction_per_week, growth.high_fraction_per_week)
    )
    if growth.shown:
        return f"{typical} % week on week (95 %: {low} to {high} %)"
    return f"{_BY_CHANCE} ({low} to {high} % week on week)"


_BY_CHANCE: Final = "no growth beyond chance"
_NOT_KNOWN: Final = "growth is not known well enough"


def _wait(days_count: int) -> str:
    """Days below two weeks, else weeks."""
    if days_count < 2 * WEEK_DAYS:
        return f"{days_count} more day{'s' * (days_count != 1)}"
    return f"about {round(days_count / WEEK_DAYS)} more weeks"


def _on(day: date | None) -> str:
    return "" if day is None else f", on {day.day} {day:%b %Y}"


def _come_back(tokens: DailySeries | None, more: int | None) -> date | None:
    """The day after the last of the days to come."""
    return None if tokens is None or not more else tokens.last_day + timedelta(days=more + 1)


def _tokens(day: DayUse) -> float:
    return float(day.input_tokens + day.output_tokens)
