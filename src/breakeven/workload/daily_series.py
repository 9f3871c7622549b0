"""Daily series: whole days of a log in a row, days without a call counted as zero, with its gaps and its week.

The first and last day count only when the log covers them whole. A day without a call is a gap where its weekday
usually has some: a team that rests on Sundays has no gap each week.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.workload.profile import DayUse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WEEK_DAYS: Final = 7
FLOOR_FRACTION: Final = 0.02
"""A day without use is taken as this share of the median day where logarithms are needed."""
_FAR_RATIO: Final = 4.4
"""Times the median distance: three standard deviations of a normal distribution."""
_ROBUST_WEEKS_COUNT: Final = 5
"""From so many weeks on, the median of a weekday stands for it; with fewer, its mean."""


@dataclass(frozen=True, slots=True)
class DailySeries:
    """One amount per day, no day left out."""

    first_day: date
    amounts: Floats
    """Shape ``(days,)``."""

    @property
    def days_count(self) -> int:
        """Length in days."""
        return len(self.amounts)

    @property
    def last_day(self) -> date:
        """The last day."""
        return self.first_day + timedelta(days=self.days_count - 1)

    @property
    def weekdays(self) -> Ints:
        """0 is Monday; shape ``(days,)``."""
        return weekdays_from(self.first_day, self.days_count)

    def until(self, days_count: int) -> DailySeries:
        """The first `days_count` days."""
        return DailySeries(self.first_day, self.amounts[:days_count])

    def since(self, offset_days: int) -> DailySeries:
        """The days from one on."""
        return DailySeries(self.first_day + timedelta(days=offset_days), self.amounts[offset_days:])


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row without a call, where calls are usual."""

    first_day: date
    days_count: int


@dataclass(frozen=True, slots=True)
class Week:
    """How the days of the week differ, in logarithms."""

    effects: Floats
    """Shape ``(7,)``, Monday first, mean zero; zero where the days do not differ beyond chance."""
    strength_fraction: float
    """Share of the variance of the days around their week that the day of the week explains, 0 to 1 (adjusted R2)."""


def daily_series(days: Iterable[DayUse], amount: Callable[[DayUse], float]) -> DailySeries | None:
    """The whole days of `days`; a day that is missing between two others is zero. None when no day is whole."""
    seen = {each.day: amount(each) for each in days if each.complete}
    if not seen:
        return None
    first, last = min(seen), max(seen)
    length = (last - first).days + 1
    return DailySeries(first, np.array([seen.get(first + timedelta(days=i), 0.0) for i in range(length)], np.float64))


def tokens_of(day: DayUse) -> float:
    """Input and output of a day."""
    return float(day.input_tokens + day.output_tokens)


def calls_of(day: DayUse) -> float:
    """Calls of a day; at least one where there are tokens, for sources that count tokens alone."""
    return float(day.requests_count or tokens_of(day) > 0)


def weekdays_from(first_day: date, days_count: int) -> Ints:
    """Weekdays of `days_count` days in a row.

    >>> weekdays_from(date(2026, 11, 28), 4).tolist()
    [5, 6, 0, 1]
    """
    return (first_day.weekday() + np.arange(days_count, dtype=np.int64)) % WEEK_DAYS


def empty_days(series: DailySeries) -> NDArray[np.bool_]:
    """Days of an outage, and those without use on a usual weekday; shape ``(days,)``."""
    return np.asarray(outage_days(series) | (~(series.amounts > 0) & usual_days(series)), np.bool_)


def usual_days(series: DailySeries) -> NDArray[np.bool_]:
    """Days whose weekday has use in at least half of the weeks outside of outages; shape ``(days,)``.

    No weekday is usual where use comes more than a week apart: a job of every second Wednesday skips none.
    """
    used, weekdays, running = series.amounts > 0, series.weekdays, ~outage_days(series)
    if usual_distance_days(series) > WEEK_DAYS:
        return np.zeros(len(used), np.bool_)
    of_weekday = [used[running & (weekdays == each)] for each in range(WEEK_DAYS)]
    usual = np.array([each.size > 0 and each.mean() >= 0.5 for each in of_weekday])
    return np.asarray(usual[weekdays], np.bool_)


def usual_distance_days(series: DailySeries) -> float:
    """Median number of days from one day with use to the next; 1 where that cannot be said."""
    between = np.diff(np.flatnonzero(series.amounts > 0))
    return float(np.median(between)) if between.size else 1.0


def outage_days(series: DailySeries) -> NDArray[np.bool_]:
    """Days of stretches without use that last a week or more, and three times as long as usual; shape ``(days,)``."""
    found = np.zeros(series.days_count, np.bool_)
    least = max(WEEK_DAYS, _OUTAGE_RATIO * usual_distance_days(series))
    for start, end in _stretches(~(series.amounts > 0)):
        found[start:end] = end - start >= least
    return found


_OUTAGE_RATIO: Final = 3.0


def silence_at_end(series: DailySeries) -> Gap | None:
    """The last outage, where the series has not come back from it: no whole week since, or next to no use in it.

    >>> silence_at_end(DailySeries(date(2026, 11, 2), np.array([5.0] * 20 + [0.0] * 9 + [5.0])))
    Gap(first_day=datetime.date(2026, 11, 22), days_count=9)
    """
    stretches = _stretches(outage_days(series))
    if not stretches:
        return None
    start, end = stretches[-1]
    since = series.days_count - end
    used = int(np.count_nonzero(series.amounts[end:]))
    sparse = since < _BACK_WEEKS * WEEK_DAYS and used < since / usual_distance_days(series) / 2
    if since >= WEEK_DAYS and not sparse:
        return None
    return Gap(series.first_day + timedelta(days=start), end - start)


_BACK_WEEKS: Final = 2
"""A week after an outage shows whether use is back, two weeks after it the days speak for themselves."""


def without_outages(series: DailySeries, outages: NDArray[np.bool_]) -> tuple[DailySeries, Ints]:
    """`series` without its outages, and the offset of each day left; it ends on the same day.

    Whole weeks go, up to six days before an outage with it, so that weekdays stay what they are; the first day moves
    up to make the days one row.
    """
    left: list[int] = []
    done = 0
    for start, end in _stretches(outages):
        left += range(done, start)
        over = (start - end) % WEEK_DAYS
        left = left[: len(left) - over] if len(left) >= over else [*left, *range(end - (end - start) % WEEK_DAYS, end)]
        done = end
    offsets = np.array([*left, *range(done, series.days_count)], np.int64)
    gone = series.days_count - len(offsets)
    return DailySeries(series.first_day + timedelta(days=gone), series.amounts[offsets]), offsets


def _stretches(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and one past the last of each run of marked days."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int64), [0]]))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def gaps(series: DailySeries) -> tuple[Gap, ...]:
    """Every stretch of empty days.

    >>> gaps(DailySeries(date(2026, 11, 2), np.array([5.0, 0.0, 0.0, 6.0] + [5.0] * 10)))
    (Gap(first_day=datetime.date(2026, 11, 3), days_count=2),)
    """
    found = _stretches(empty_days(series))
    return tuple(Gap(series.first_day + timedelta(days=start), end - start) for start, end in found)


def log_amounts(amounts: Floats) -> Floats:
    """Logarithms; a day without use stands at a fiftieth of the median day that has some."""
    used = amounts[amounts > 0]
    floor = FLOOR_FRACTION * float(np.median(used)) if used.size else 1.0
    return np.log(np.maximum(amounts, floor))


def week_of(logs: Floats, weekdays: Ints) -> Week:
    """Effect of the day of the week: deviations from the seven days around each day, so that no trend enters.

    Effects are drawn in by what chance alone would show (James and Stein): nothing remains of a week of equal days.
    """
    if len(logs) < 2 * WEEK_DAYS:
        return Week(np.zeros(WEEK_DAYS), 0.0)
    half = WEEK_DAYS // 2
    around = np.convolve(logs, np.full(WEEK_DAYS, 1 / WEEK_DAYS), mode="valid")
    deviations, days = logs[half:-half] - around, weekdays[half:-half]
    centre = np.median if len(logs) >= _ROBUST_WEEKS_COUNT * WEEK_DAYS else np.mean
    raw = np.array([float(centre(deviations[days == each])) for each in range(WEEK_DAYS)])
    raw -= raw.mean()
    rest = deviations - raw[days]
    far = _FAR_RATIO * float(np.median(np.abs(rest)))
    rest = np.clip(rest, -far, far) if far > 0 else rest  # one empty day says little of the week
    tame = raw[days] + rest
    total, within = float(np.sum((tame - tame.mean()) ** 2)), float(np.sum(rest**2))
    freedom = len(deviations) - WEEK_DAYS
    if total <= 0 or freedom <= 0 or within >= total:
        return Week(np.zeros(WEEK_DAYS), 0.0)
    spread = within / freedom
    between = (total - within) / (WEEK_DAYS - 1)
    kept = max(0.0, 1 - spread / between) if between > 0 else 0.0
    strength = max(0.0, 1 - spread * (len(deviations) - 1) / total)
    return Week(raw * kept, min(strength, 1.0) if kept else 0.0)
