"""Stability sentence: the verdict on a log in words: what it was judged by, how many days are missing, how old it is.

Days that are missing are counted from the log's last whole day, and the sentence names that day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from breakeven.workload.daily_series import WEEK_DAYS
from breakeven.workload.stability_rules import (
    AGE,
    AGE_MAX_DAYS_COUNT,
    CLEAN_DAYS_COUNT,
    INTERVAL,
    SILENCE,
    Check,
    Growth,
    day_words,
    interval_wait_days_counts,
    signed_percent,
)

_ORDER: Final = (SILENCE, "growth", "level", "coverage", "wandering", "back-test", "interval", "spend", "length")
_FOLLOWS_FROM_GROWTH: Final = frozenset({"wandering", "back-test", "interval", "spend"})
_REASONS_SAID_COUNT: Final = 2
_BY_CHANCE: Final = "no growth beyond chance"
_NOT_KNOWN: Final = "growth is not known well enough"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a log stands in time."""

    today: date
    last_day: date | None
    """Last whole day; None when there is none."""
    age_days_count: int | None
    """From its last day to `today`; None when the log has no day."""

    def come_back(self, more_days_count: int | None) -> date | None:
        """The day after the last of the days to come."""
        if self.last_day is None or not more_days_count:
            return None
        return self.last_day + timedelta(days=more_days_count + 1)


@dataclass(frozen=True, slots=True)
class WaitRange:
    """Days that eight in ten logs take whose interval narrows slowest of all that they lack."""

    low_days_count: int
    high_days_count: int


def wait_range(more_days_counts: Mapping[str, int | None], more_days_count: int) -> WaitRange | None:
    """Of a wait that stands on how fast an interval narrows, a guess; None where another rule is as slow.

    `more_days_counts`: of the rules that do not hold, by name. The range is no shorter than the other rules take.

    >>> wait_range({"interval": 40, "length": 30}, 40)
    WaitRange(low_days_count=30, high_days_count=120)
    >>> wait_range({"interval": 20, "length": 30}, 30)
    """
    others = [each or 0 for name, each in more_days_counts.items() if name != INTERVAL]
    if INTERVAL not in more_days_counts or max(others, default=0) >= more_days_count:
        return None
    low, high = interval_wait_days_counts(more_days_count)
    return WaitRange(max(low, *others, 1), high)


def steady_sentence(days_count: int, growth: Growth, standing: Standing) -> str:
    """Every rule holds, but perhaps the one on the age of the log."""
    shown = f"no level shift in the last {CLEAN_DAYS_COUNT}"
    if not _is_old(standing):
        return f"Stable enough to decide: {days_count} whole days, {shown}, {growth_words(growth)}."
    return (
        f"Stale: the log ended {_ago(standing)}; import newer days. Up to its end it was stable enough to decide: "
        f"{days_count} whole days, {shown} of them, {growth_words(growth)}."
    )


def unsteady_sentence(
    checks: tuple[Check, ...], growth: Growth | None, more_days_count: int | None, standing: Standing
) -> str:
    """Which rules do not hold, and after which days they may."""
    failed = {each.name: each for each in checks if not each.passed and each.name != AGE}
    shown = growth is not None and growth.shown
    of_growth = failed["growth"].reason if growth is None else growth_words(growth)
    of_growth = of_growth.replace(_BY_CHANCE, _NOT_KNOWN)
    said = [name for name in _ORDER if name in failed]
    if shown and "growth" in failed:
        said = [name for name in said if name not in _FOLLOWS_FROM_GROWTH]
    reasons = [of_growth if name == "growth" else failed[name].reason for name in said]
    because = f"Not stable yet: {'; '.join(reasons[:_REASONS_SAID_COUNT])}."
    if more_days_count is None:
        cure = " More days alone may not cure it: find the cause, or decide with the range of next quarter."
    else:
        endless = any(each.more_days_count is None for each in failed.values())
        earliest = endless or ("growth" in failed and shown)
        cure = _decide(more_days_count, standing, earliest=earliest, span=_span(failed, more_days_count))
    return because + cure + _of_age(standing)


def short_sentence(seen: str, more_days_count: int | None, rare: str, standing: Standing) -> str:
    """Too few days to say anything; `rare`: of which days there are too few, or none, to say when it will be enough."""
    if more_days_count is None:
        cure = f" {rare} when there will be enough of them."
    else:
        cure = _decide(more_days_count, standing, earliest=True)
    return f"Cannot tell yet: {seen}.{cure}{_of_age(standing)}"


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


def _span(failed: dict[str, Check], more_days_count: int) -> str:
    """The range of a wait in words; empty where it has none."""
    found = wait_range({name: each.more_days_count for name, each in failed.items()}, more_days_count)
    if found is None:
        return ""
    unit = 1 if more_days_count < 2 * WEEK_DAYS else WEEK_DAYS
    low, high = max(round(found.low_days_count / unit), 1), round(found.high_days_count / unit)
    return f" ({low} to {high}, by how fast the interval narrows)"


def _decide(more_days_count: int, standing: Standing, *, earliest: bool, span: str = "") -> str:
    """After how many days of log, counted from which day; days that have passed are to be imported."""
    back, last = standing.come_back(more_days_count), standing.last_day
    at = " at the earliest" if earliest else ""
    if back is None or last is None:
        return f" Decide after {_wait(more_days_count)}{span}{at}."
    wait = f" Decide after {_wait(more_days_count)}{span} from {day_words(last)}, its last whole day"
    if back <= standing.today:
        return f"{wait}{at}; they have passed: import them if they were logged."
    return f"{wait}: on {'about ' * bool(span)}{day_words(back)}{at}."


def _wait(days_count: int) -> str:
    """Days below two weeks, else weeks."""
    if days_count < 2 * WEEK_DAYS:
        return f"{days_count} more day{'s' * (days_count != 1)}"
    return f"about {round(days_count / WEEK_DAYS)} more weeks"


def _of_age(standing: Standing) -> str:
    """That a log is too old to decide on; empty where it is not."""
    if not _is_old(standing):
        return ""
    return f" The log ended {_ago(standing)}: import newer days, a decision stands on what is used now."


def _is_old(standing: Standing) -> bool:
    return (standing.age_days_count or 0) > AGE_MAX_DAYS_COUNT


def _ago(standing: Standing) -> str:
    return f"{standing.age_days_count} days before {day_words(standing.today)}"
