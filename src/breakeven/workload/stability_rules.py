"""Stability rules: what a log must show before a decision should rest on it, and how many more days each rule needs.

Every rule says what was seen, what was wanted, and after how many more days it would hold if the days to come resemble
the ones seen; None where waiting alone does not help or nobody can say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.workload.bootstrap import Total
from breakeven.workload.daily_series import WEEK_DAYS, DailySeries, Floats, Gap, empty_days
from breakeven.workload.level_shifts import MIN_DAYS_COUNT, Levels, tamed
from breakeven.workload.profile import DayUse
from breakeven.workload.regression import fit
from breakeven.workload.rolling_origin import LATE_DAYS, Trial
from breakeven.workload.stationarity import CRITICAL_RATIOS, kpss_ratio

DAYS_WANTED_COUNT: Final = 90
COVERED_MIN_FRACTION: Final = 0.95
CLEAN_DAYS_COUNT: Final = 60
"""No level shift in so many last days."""
GROWTH_MAX_RATIO_PER_WEEK: Final = 0.02
GROWTH_MIN_DAYS_COUNT: Final = 14
"""From fewer days on one level no growth is read."""
MIN_USED_DAYS_COUNT: Final = 4
TREND_DAYS_MAX_COUNT: Final = 180
"""Growth is read from so many last days, or from those since the last shift."""
TOTAL_ERROR_MAX_FRACTION: Final = 0.25
"""Of the mean error of past totals, and of half of the interval of next quarter's total."""
EQUAL_MAX_RATIO: Final = 0.005
"""Half of an interval that is no wider over its middle comes from days that are all but equal: it is no interval."""
KPSS_LEVEL_FRACTION: Final = 0.01
AGE: Final = "age"
"""Name of the rule on the age of a log: the one that newer days of the same log cure, whatever they hold."""
SILENCE: Final = "silence"
"""Name of the rule that stands for those on next quarter where a log fell silent: nothing can be said of it then."""
INTERVAL: Final = "interval"
"""Name of the rule on next quarter's tokens, the one whose days are a guess with a wide range."""
INTERVAL_DAYS_LOW_RATIO: Final = 0.5
INTERVAL_DAYS_HIGH_RATIO: Final = 3.0
"""Days that the interval took on made-up logs over those that were said: the 10 % and 90 % quantile, rounded."""
AGE_MAX_DAYS_COUNT: Final = 30
"""A log that ended longer ago says nothing of half of the sixty days in which no shift may lie."""
MOST_DAYS_COUNT: Final = 730
"""Further ahead nothing is promised."""
_Z975: Final = 0.975
_ROUNDING: Final = 1e-9
_FACTOR_SAID_MOST_RATIO: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Check:
    """One rule."""

    name: str
    passed: bool
    finding: str
    more_days_count: int | None
    """Days until it would hold; 0 when it does; None: waiting alone does not help, or nobody can say."""

    @property
    def reason(self) -> str:
        """What was seen, without what was wanted."""
        return self.finding.split(" (", maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth of the days since the last level shift, per week, with its 95 % interval."""

    low_fraction_per_week: float
    typical_fraction_per_week: float
    high_fraction_per_week: float
    days_count: int

    @property
    def shown(self) -> bool:
        """True when chance alone does not explain it."""
        return self.low_fraction_per_week > _ROUNDING or self.high_fraction_per_week < -_ROUNDING


def level_days_count(levels: Levels) -> int:
    """Days since the last level shift."""
    return len(levels.means) - (levels.shifts[-1].offset_days if levels.shifts else 0)


def growth_of(logs: Floats, levels: Levels, resting: NDArray[np.bool_] | None = None) -> Growth | None:
    """Slope of `logs` (without the days of the week) since the last shift, at most 180 days; None from too few.

    Days of `resting` have no calls, and usually none: equal for that reason, they say nothing of growth.
    """
    if level_days_count(levels) < GROWTH_MIN_DAYS_COUNT:
        return None
    start = len(logs) - min(level_days_count(levels), TREND_DAYS_MAX_COUNT)
    days = np.arange(start, len(logs), dtype=np.float64)
    if resting is not None:
        days = days[~resting[start:]]
    if len(days) < MIN_USED_DAYS_COUNT:
        return None
    recent = tamed(logs[days.astype(np.int64)])
    found = fit(np.stack([np.ones(len(recent)), days - days.mean()], axis=1), recent)
    half = found.half_width(np.array([0.0, 1.0]), _Z975) * WEEK_DAYS
    middle = float(found.coefficients[1]) * WEEK_DAYS
    low, typical, high = (float(np.expm1(np.clip(each, -5.0, 5.0))) for each in (middle - half, middle, middle + half))
    return Growth(low, typical, high, len(logs) - start)


def length_check(days_count: int) -> Check:
    """Three months: enough for a season of the month and a quarter's end.

    >>> length_check(9).more_days_count
    81
    """
    more = max(DAYS_WANTED_COUNT - days_count, 0)
    seen = f"{'only ' * bool(more)}{days_count} whole day{'s' * (days_count != 1)}" if days_count else "no whole day"
    seen += f" ({DAYS_WANTED_COUNT} wanted)"
    return Check("length", not more, seen, more)


def age_days_count(days: Sequence[DayUse], today: date) -> int | None:
    """Days from the last one of a log to `today`, 0 for a log that reaches it; None without a day."""
    return max((today - max(each.day for each in days)).days, 0) if days else None


def age_check(age_days_count: int | None, today: date) -> Check:
    """The log ended at most thirty days ago. Waiting makes it older; newer days cure it.

    >>> age_check(118, date(2026, 11, 26)).finding
    'the log ended 118 days before 26 Nov 2026 (30 or fewer wanted)'
    """
    age = age_days_count or 0
    seen = f"ended {age} day{'s' * (age != 1)} before" if age else "reaches"
    finding = f"the log {seen} {day_words(today)} ({AGE_MAX_DAYS_COUNT} or fewer wanted)"
    return Check(AGE, age <= AGE_MAX_DAYS_COUNT, finding, 0 if age <= AGE_MAX_DAYS_COUNT else None)


def day_words(day: date) -> str:
    """A day as a reader says it.

    >>> day_words(date(2026, 9, 1))
    '1 Sep 2026'
    """
    return f"{day.day} {day:%b %Y}"


def days_used_check(used_days_count: int, days_count: int, what: str) -> Check:
    """Four weeks of days with calls (or tokens); in a log with few such days, at the pace of the log.

    A log without a whole day has no pace: it is not slower than a day a day for all that is known.

    >>> days_used_check(24, 162, "calls").more_days_count
    27
    """
    if used_days_count:
        more: int | None = ceil((MIN_DAYS_COUNT - used_days_count) * days_count / used_days_count)
    else:
        more = None if days_count else MIN_DAYS_COUNT
    seen = f"{used_days_count} day{'s' * (used_days_count != 1)}" if used_days_count else "no whole day"
    seen += f" with {what} ({MIN_DAYS_COUNT} wanted)"
    return Check(f"days with {what}", False, seen, more if more is not None and more <= MOST_DAYS_COUNT else None)


def coverage_check(series: DailySeries) -> Check:
    """Of the last 90 days, at most one in twenty without a call where calls are usual."""
    empty = empty_days(series)[-DAYS_WANTED_COUNT:]
    share = 1 - float(empty.mean())
    finding = (
        f"calls on {_percent(share)} of the days of the last {len(empty)} ({_percent(COVERED_MIN_FRACTION)} wanted)"
    )
    if share >= COVERED_MIN_FRACTION:
        return Check("coverage", True, finding, 0)
    return Check("coverage", False, finding, _days_until_covered(empty.astype(np.float64)))


def _days_until_covered(empty: Floats) -> int:
    """Full days to come until few enough of the last 90 are empty."""
    for more in range(1, DAYS_WANTED_COUNT + 1):
        kept = empty[max(len(empty) + more - DAYS_WANTED_COUNT, 0) :]
        if kept.sum() / (len(kept) + more) <= 1 - COVERED_MIN_FRACTION + _ROUNDING:
            return more
    return DAYS_WANTED_COUNT


def shift_check(levels: Levels, days_count: int) -> Check:
    """Sixty days on one level."""
    if not levels.shifts:
        return Check("level", True, f"no level shift in {days_count} days", 0)
    last = levels.shifts[-1]
    since = days_count - last.offset_days
    more = max(CLEAN_DAYS_COUNT - since, 0)
    finding = f"last level shift {since} days ago ({CLEAN_DAYS_COUNT} wanted)"
    return Check("level", not more, finding, more)


def growth_check(growth: Growth | None, days_count: int) -> Check:
    """The 95 % interval within 2 % a week either way.

    Where the log does not show growth beyond chance, its error falls with the days to the power of 1.5, and half of the
    limit leaves room for chance. Where it shows growth, that must end first: sixty days from then.
    """
    if growth is None:
        seen = f"no growth can be read from {days_count} days on one level ({GROWTH_MIN_DAYS_COUNT} wanted)"
        return Check("growth", False, seen, max(GROWTH_MIN_DAYS_COUNT - days_count, 1))
    limit = float(np.log1p(GROWTH_MAX_RATIO_PER_WEEK))
    finding = f"growth {_span(growth)} within {_percent(GROWTH_MAX_RATIO_PER_WEEK)} either way wanted)"
    if -GROWTH_MAX_RATIO_PER_WEEK <= growth.low_fraction_per_week <= growth.high_fraction_per_week <= np.expm1(limit):
        return Check("growth", True, finding, 0)
    if growth.shown:
        return Check("growth", False, finding + "; counted from when it ends", CLEAN_DAYS_COUNT)
    half = float(np.log1p(growth.high_fraction_per_week) - np.log1p(growth.low_fraction_per_week)) / 2
    more = max(ceil(growth.days_count * (2 * half / limit) ** (2 / 3)) - growth.days_count, WEEK_DAYS)
    return Check("growth", False, finding, more if more <= MOST_DAYS_COUNT else None)


def _span(growth: Growth) -> str:
    low, typical, high = (
        signed_percent(each)
        for each in (growth.low_fraction_per_week, growth.typical_fraction_per_week, growth.high_fraction_per_week)
    )
    return f"{typical} % week on week (95 %: {low} to {high} %;"


def signed_percent(fraction: float) -> str:
    """Percent with its sign, without the unit; none for zero.

    >>> signed_percent(-0.0001), signed_percent(-0.05)
    ('0.0', '-5.0')
    """
    text = f"{fraction * 100:+.1f}"
    return "0.0" if float(text) == 0 else text


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.0f} %"


def wander_check(logs: Floats, levels: Levels) -> Check:
    """KPSS on the days since the last shift, at 1 %."""
    since = logs[levels.shifts[-1].offset_days :] if levels.shifts else logs
    ratio, limit = kpss_ratio(since), CRITICAL_RATIOS[KPSS_LEVEL_FRACTION]
    passed = ratio < limit
    finding = f"the level {'holds' if passed else 'wanders'} (KPSS {ratio:.2f}, below {limit} wanted)"
    return Check("wandering", passed, finding, 0 if passed else None)


def error_check(trial: Trial, days_count: int, *, outages: bool = False) -> Check:
    """Past totals, forecast from the days before them, off by at most a quarter in the mean of the last 90 days.

    Each total counts alike, however large it is. `days_count`: days that were tried; without the `outages`, if any.
    Days needed: weeks until the mean falls below, if each week to come is off by the median of those seen.
    """
    errors = np.array(trial.late_errors_fractions)
    if not len(errors):
        return Check("back-test", False, "no forecast could be tried on the log's own past", None)
    mean = float(errors.mean())
    weeks = trial.horizon_days // WEEK_DAYS
    of_days = f"the last {LATE_DAYS}" if days_count > LATE_DAYS else f"all {days_count}"
    finding = f"{weeks}-week totals of {of_days} days{' outside of outages' * outages}, each counted alike, "
    finding += f"forecast with a mean error of {_error(mean)} "
    finding += f"({_percent(TOTAL_ERROR_MAX_FRACTION)} or less wanted)"
    if mean <= TOTAL_ERROR_MAX_FRACTION:
        return Check("back-test", True, finding, 0)
    usual = float(np.median(errors))
    for more in range(1, len(errors) + 1):
        kept = np.concatenate([np.full(more, usual), errors[: len(errors) - more]])
        if kept.mean() <= TOTAL_ERROR_MAX_FRACTION:
            return Check("back-test", False, finding, more * WEEK_DAYS)
    return Check("back-test", False, finding, None)


def _error(mean_ratio: float) -> str:
    """Errors of the whole and more are not counted further."""
    return _percent(mean_ratio) if mean_ratio <= 1 else "more than the totals themselves"


def spend_check(spend: Total) -> Check:
    """Half of the interval of next quarter's spend; prices and models may move where tokens do not."""
    passed = spend.half_width_ratio <= TOTAL_ERROR_MAX_FRACTION
    return Check("spend", passed, _known("spend", spend), 0 if passed else None)


def interval_check(tokens: Total, days_count: int, *, settled: bool = True) -> Check:
    """Half of the interval of next quarter's total at most a quarter of it.

    Days needed: a week, and the days there are times the logarithm of how many times too wide it is. That is read from
    made-up logs (`benchmarks/stability.py`), eight in ten of which took `INTERVAL_DAYS_LOW_RATIO` to
    `INTERVAL_DAYS_HIGH_RATIO` times as many. None where it is wider than its middle, or where the level is not
    `settled`: nobody knows then.
    """
    finding, width = _known("tokens", tokens), tokens.half_width_ratio
    if width <= TOTAL_ERROR_MAX_FRACTION:
        return Check(INTERVAL, True, finding, 0)
    if width > 1 or not settled:
        return Check(INTERVAL, False, finding, None)
    more = WEEK_DAYS + ceil(days_count * log(width / TOTAL_ERROR_MAX_FRACTION))
    return Check(INTERVAL, False, finding, more if more <= MOST_DAYS_COUNT else None)


def interval_wait_days_counts(more_days_count: int) -> tuple[int, int]:
    """The fewest and the most days that eight in ten logs took of which the interval's rule said so many.

    >>> interval_wait_days_counts(40)
    (20, 120)
    """
    return round(more_days_count * INTERVAL_DAYS_LOW_RATIO), round(more_days_count * INTERVAL_DAYS_HIGH_RATIO)


def _known(what: str, total: Total) -> str:
    """How well a total of next quarter is known: in percent, or as a factor where percents say nothing."""
    wanted = _percent(TOTAL_ERROR_MAX_FRACTION)
    if total.half_width_ratio <= EQUAL_MAX_RATIO:
        return f"next quarter's {what} known if its days equal the log's, which hardly differ ({wanted} or less wanted)"
    if total.half_width_ratio <= 1:
        seen = f"within {_percent(total.half_width_ratio)} either way ({wanted} or less wanted)"
        return f"next quarter's {what} known {seen}"
    factor = total.factor_ratio
    said = float(f"{min(factor, _FACTOR_SAID_MOST_RATIO):.2g}")
    seen = f"within a factor of {said:,g}"
    seen = f"not even {seen}" if factor > _FACTOR_SAID_MOST_RATIO else f"only {seen}"
    return f"next quarter's {what} known {seen} ({wanted} or less either way wanted)"


def silence_check(silence: Gap, days_count: int) -> Check:
    """A log that fell silent at its end says nothing of next quarter. `days_count`: of the log since then.

    >>> silence_check(Gap(date(2026, 10, 10), 49), 49).finding
    'nothing can be said of next quarter: the log fell silent on 10 Oct 2026 (a week of calls since then wanted)'
    """
    back = days_count - silence.days_count
    until = f", for {silence.days_count} days" if back else ""
    seen = f"nothing can be said of next quarter: the log fell silent on {day_words(silence.first_day)}{until}"
    return Check(SILENCE, False, f"{seen} (a week of calls since then wanted)", max(WEEK_DAYS - back, 1))
