"""Stability: is this log steady enough to decide on, which days are still missing, and what will the next quarter hold?

Yes: every rule holds. Stale: every rule holds but the one on the age of the log. Not yet: another does not, and the
sentence says which and when to come back. Cannot tell: fewer than four weeks, of which no growth, no shift and no error
can be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from breakeven.workload.bootstrap import QUARTER_WEEKS, Total, settled, total_ahead
from breakeven.workload.daily_series import (
    WEEK_DAYS,
    DailySeries,
    Floats,
    Gap,
    calls_of,
    daily_series,
    gaps,
    log_amounts,
    outage_days,
    silence_at_end,
    tokens_of,
    usual_days,
    week_of,
    without_outages,
)
from breakeven.workload.day_models import ALL_WEEKS
from breakeven.workload.level_shifts import MIN_DAYS_COUNT, Levels, LevelShift, find_levels
from breakeven.workload.profile import DayUse
from breakeven.workload.rolling_origin import Trial, try_models
from breakeven.workload.stability_rules import (
    AGE,
    DAYS_WANTED_COUNT,
    Check,
    Growth,
    age_check,
    age_days_count,
    coverage_check,
    days_used_check,
    error_check,
    growth_check,
    growth_of,
    interval_check,
    length_check,
    level_days_count,
    shift_check,
    silence_check,
    spend_check,
    wander_check,
)
from breakeven.workload.stability_sentence import Standing, short_sentence, steady_sentence, unsteady_sentence

Answer = Literal["yes", "stale", "not yet", "cannot tell"]
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
    """The 91 days after the last whole day, however long ago that was."""

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
    today: date
    """The day on which the verdict is given."""
    age_days_count: int | None
    """From the last day with a call to `today`; None when the log has no day."""
    more_days_count: int | None
    """After the last whole day, until every rule may hold; None when waiting alone does not help, or nobody can say."""
    come_back: date | None
    """The day after the last of those days; it may have passed, where newer days were not imported."""
    checks: tuple[Check, ...]
    gaps: tuple[Gap, ...]
    week_strength_fraction: float | None
    """Share of the variance within weeks that the day of the week explains; None in fewer than four weeks."""
    growth: Growth | None
    shifts: tuple[DatedShift, ...]
    trial: Trial | None
    quarter: Quarter | None
    silence: Gap | None = None
    """Days without a call at the end of the log, or shortly before it, from which its use has not come back."""

    @property
    def failed(self) -> tuple[Check, ...]:
        """Rules that do not hold."""
        return tuple(each for each in self.checks if not each.passed)


def stability(workload: Days, today: date, seed: int = SEED) -> Stability:
    """Judge the whole days of `workload`, as they are known on the day `today`."""
    tokens = daily_series(workload.days, tokens_of)
    calls = daily_series(workload.days, calls_of)
    if tokens is None or calls is None or np.count_nonzero(tokens.amounts) < MIN_DAYS_COUNT:
        return _too_short(workload, today, tokens, calls, seed)
    outages = outage_days(calls)
    running, offsets = without_outages(tokens, outages)
    logs, weekdays = log_amounts(running.amounts), running.weekdays
    week = week_of(logs, weekdays)
    plain = logs - week.effects[weekdays]
    levels, trial = find_levels(plain), try_models(running)
    growth, silent = growth_of(plain, levels, ~usual_days(running) & (running.amounts <= 0)), _silence(calls)
    quarter = None if silent else _quarter(workload, running, outages, trial.chosen, seed)
    standing = Standing(today, tokens.last_day, age_days_count(workload.days, today))
    checks = (
        *_checks(calls, running, plain, levels, growth, trial),
        *(_quarter_checks(running, levels, quarter) if quarter else silent),
        age_check(standing.age_days_count, today),
    )
    days = [tokens.first_day + timedelta(days=each) for each in offsets.tolist()]
    shifts = tuple(DatedShift(days[each.offset_days], each) for each in levels.shifts)
    answer = _answer(checks)
    more = max((each.more_days_count or 0 for each in checks), default=0) or None
    return Stability(
        answer,
        steady_sentence(tokens.days_count, growth, standing)
        if answer != "not yet" and growth is not None
        else unsteady_sentence(checks, growth, more, standing),
        tokens.first_day,
        tokens.last_day,
        tokens.days_count,
        today,
        standing.age_days_count,
        more,
        standing.come_back(more),
        checks,
        gaps(calls),
        week.strength_fraction,
        growth,
        shifts,
        trial,
        quarter,
        silence_at_end(calls),
    )


def _checks(
    calls: DailySeries,
    running: DailySeries,
    plain: Floats,
    levels: Levels,
    growth: Growth | None,
    trial: Trial,
) -> tuple[Check, ...]:
    """The rules on the days of the log."""
    return (
        length_check(calls.days_count),
        coverage_check(calls),
        shift_check(levels, running.days_count),
        growth_check(growth, level_days_count(levels)),
        wander_check(plain, levels),
        error_check(trial, running.days_count, outages=running.days_count < calls.days_count),
    )


def _quarter_checks(running: DailySeries, levels: Levels, quarter: Quarter) -> tuple[Check, ...]:
    """How well next quarter is known."""
    return (
        interval_check(quarter.tokens, running.days_count, settled=settled(levels)),
        *((spend_check(quarter.spend_usd),) if quarter.spend_usd is not None else ()),
    )


def _silence(calls: DailySeries) -> tuple[Check, ...]:
    """The rule that fails where the log fell silent at its end; else none."""
    silence = silence_at_end(calls)
    return (silence_check(silence, (calls.last_day - silence.first_day).days + 1),) if silence else ()


def _answer(checks: tuple[Check, ...]) -> Answer:
    """No better than stale for a log that is too old."""
    failed = {each.name for each in checks if not each.passed}
    if failed - {AGE}:
        return "not yet"
    return "stale" if failed else "yes"


def _too_short(
    workload: Days, today: date, tokens: DailySeries | None, calls: DailySeries | None, seed: int
) -> Stability:
    """Too few days with tokens to say anything of growth or shifts; from two weeks on, the quarter as a wide guess."""
    count = tokens.days_count if tokens is not None else 0
    used = int(np.count_nonzero(tokens.amounts)) if tokens is not None else 0
    called = int(np.count_nonzero(calls.amounts)) if calls is not None else 0
    what = "calls" if called == used else "tokens"
    last = tokens.last_day if tokens is not None else None
    standing = Standing(today, last, age_days_count(workload.days, today))
    silent = _silence(calls) if calls is not None else ()
    missing = (length_check(count), days_used_check(used, count, what), *silent)
    waits = [each.more_days_count for each in missing]
    more = None if None in waits else max(each or 0 for each in waits)
    seen = f"{count} whole day{'s' * (count != 1)}" + (f", {used} of them with {what}," if used != count else "")
    seen = f"{seen} {'is' if count == 1 else 'are'} too few" if count else "no day of the log is whole"
    rare = f"Days with {what} are too rare to say" if used else f"No whole day has {what}, and nothing says"
    wanted = f"{MIN_DAYS_COUNT} show growth and shifts, {DAYS_WANTED_COUNT} are wanted to decide"
    seen += f" ({wanted})" + "".join(", and " + each.reason.partition(": ")[2] for each in silent)
    quarter = None
    if tokens is not None and calls is not None and used >= TOTAL_MIN_DAYS and not silent:
        outages = outage_days(calls)
        quarter = _quarter(workload, without_outages(tokens, outages)[0], outages, ALL_WEEKS, seed)
    return Stability(
        "cannot tell",
        short_sentence(seen, more, rare, standing),
        tokens.first_day if tokens is not None else None,
        last,
        count,
        today,
        standing.age_days_count,
        more,
        standing.come_back(more),
        (*missing, age_check(standing.age_days_count, today)) if workload.days else missing,
        gaps(calls) if calls is not None else (),
        None,
        None,
        (),
        None,
        quarter,
        silence_at_end(calls) if calls is not None else None,
    )


def _quarter(workload: Days, tokens: DailySeries, outages: NDArray[np.bool_], model: str, seed: int) -> Quarter:
    """Tokens and spend of the next 91 days, outages left out; both by the model that forecasts the tokens best."""
    spend = daily_series(workload.days, lambda each: each.spend_usd)
    spend = without_outages(spend, outages)[0] if spend is not None else None
    priced = spend is not None and np.count_nonzero(spend.amounts) >= TOTAL_MIN_DAYS
    all_tokens = sum(tokens_of(each) for each in workload.days)
    return Quarter(
        tokens.last_day + timedelta(days=1),
        tokens.last_day + timedelta(days=QUARTER_DAYS),
        total_ahead(tokens, model, seed=seed),
        total_ahead(spend, model, seed=seed) if spend is not None and priced else None,
        sum(each.unpriced_tokens for each in workload.days) / all_tokens if all_tokens else 0.0,
    )
