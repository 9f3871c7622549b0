"""Observation: how long a log covers, and what that allows to conclude."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from breakeven.errors import UsageError
from breakeven.units import HOURS_PER_WEEK, SECONDS_PER_HOUR

HOURS_PER_DAY: Final = 24.0
SPAN_MIN_S: Final = 60.0
"""A shorter log is an instant: stretched to a month it would say nothing."""
MONTH_FROM_DAYS: Final = 27.5
"""From four weeks on (give or take half a day) a log stands for a month and nothing is called extrapolated."""
TREND_DAYS: Final = 89.5
"""From three months on (give or take half a day) a log may show growth."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The stretch of time that a log covers."""

    first_time: datetime
    last_time: datetime
    observed_hours: float
    """First to last call plus one mean gap: the n calls of a span fill n gaps, not n - 1."""
    bucket_hours: float = 0.0
    """Length of the longest bucket, where buckets hold a good part of the tokens; 0: single calls."""

    @property
    def days(self) -> float:
        """Length in days."""
        return self.observed_hours / HOURS_PER_DAY

    @property
    def sees_week(self) -> bool:
        """True when every hour of the week occurs, and the log tells them apart."""
        return self.observed_hours >= HOURS_PER_WEEK and self.sees_hours

    @property
    def sees_hours(self) -> bool:
        """False when buckets of more than an hour hide in which hour their calls were."""
        return self.bucket_hours <= 1

    @property
    def extrapolated_from_hours(self) -> float | None:
        """The observed hours when they are less than a month, else None."""
        return None if self.days >= MONTH_FROM_DAYS else self.observed_hours

    @property
    def volume_ratio_name(self) -> str:
        """The Assumption that says how far the observed rate may stand from a usual month's."""
        if self.days < 1:
            return "short_window_volume_ratio"
        return "month_window_volume_ratio" if self.days >= MONTH_FROM_DAYS else "week_window_volume_ratio"

    def may_conclude(self, *, lengths_known: bool = True) -> tuple[str, ...]:
        """What this much data supports; `lengths_known`: the log gives calls one by one."""
        found = ["token counts, models and request lengths of this window"]
        if not lengths_known:
            found = ["token counts and models of this window"]
        if self.days >= 1:
            found.append("the rate of a day")
        if self.sees_week:
            found.append("the hours of the week and the peak over the mean")
        if self.days >= MONTH_FROM_DAYS:
            found.append("the volume of a month")
        return tuple(found)

    def may_not_conclude(self) -> tuple[str, ...]:
        """What this much data does not support."""
        found = []
        if self.days < 1:
            found.append("the daily cycle: night and day are not both seen")
        if not self.sees_hours:
            long = f"{self.bucket_hours:,.3g} hours"
            found.append(f"hours and the peak: buckets of {long} hide them; an assumption stands in for the peak")
        elif not self.sees_week:
            found.append("the weekly cycle and the peak: an assumption stands in for them")
        if self.days < MONTH_FROM_DAYS:
            found.append("the volume of a month: figures per month are extrapolated")
        if self.days < TREND_DAYS:
            found.append("growth: a trend needs about three months of data")
        return tuple(found)


def observe(first_time: datetime, last_time: datetime, starts_count: int, *, ends_known: bool) -> Observation:
    """The observation of `starts_count` distinct starts between two times; buckets bring their own end.

    Raises UsageError when all calls happened at (nearly) one instant: no rate can be had from that.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    >>> observe(noon, noon + timedelta(minutes=50), 6, ends_known=False).observed_hours
    1.0
    """
    span_s = (last_time - first_time).total_seconds()
    if span_s < SPAN_MIN_S:
        raise UsageError(
            f"all calls happened at nearly one instant, within {span_s:.3g} s of "
            f"{first_time.isoformat(timespec='seconds')}: that has no rate; wanted {SPAN_MIN_S:.0f} s of calls or more"
        )
    gaps = 1.0 if ends_known or starts_count < 2 else starts_count / (starts_count - 1)
    return Observation(first_time, last_time, span_s * gaps / SECONDS_PER_HOUR)


def hour_of_week_counts(observation: Observation) -> list[int]:
    """How often each of the 168 hours of the week (0: Monday 00:00 UTC) was observed at least in part."""
    counts = [0] * int(HOURS_PER_WEEK)
    hour = observation.first_time.replace(minute=0, second=0, microsecond=0)
    while hour <= observation.last_time:
        counts[hour.weekday() * 24 + hour.hour] += 1
        hour += timedelta(hours=1)
    return counts
