"""Forecast: how fast the volume of a log grows, with an interval, and a test of it on the log's own last weeks.

Log-linear trend over whole days with the days of the week taken out, by generalised least squares for errors that
resemble those of the day before (Prais and Winsten, Cowles Commission Discussion Paper 383, 1954). A level shift is no
growth: the trend is that of the days since the last one, and how far they stand from the mean of the log is said apart.
A short or noisy log says little, so what it says is joined with the catalogue's range, each weighed by its precision:
four quiet weeks move it a little, six steady months decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.facts.assumption import HIGH_QUANTILE, Assumption
from breakeven.facts.source import Grade, Source
from breakeven.units import DAYS_PER_MONTH
from breakeven.workload.daily_series import calls_of, daily_series, outage_days, tokens_of, without_outages
from breakeven.workload.profile import DayUse, Workload
from breakeven.workload.regression import fit
from breakeven.workload.rolling_origin import levels_of

GROWTH: Final = "volume_growth_fraction_per_month"
DAYS_MIN_COUNT: Final = 28
"""With fewer whole days nothing is claimed about growth."""
LEVEL_DAYS_MIN_COUNT: Final = 14
"""From fewer days since a level shift no growth is read, nor from them and the days before together."""
HALF_A_MONTH_MONTHS: Final = 0.5
TEST_FRACTION: Final = 0.25
"""Share of the days, the last ones, that the back-test predicts from the others."""
_Z95: Final = NormalDist().inv_cdf(HIGH_QUANTILE)
_ENDS: Final = (-_Z95, _Z95)
_WEEK_DAYS: Final = 7
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trend:
    """Growth of the logarithm of the daily volume."""

    log_growth_fraction_per_month: float
    standard_error_fraction_per_month: float
    days_count: int


@dataclass(frozen=True, slots=True)
class BackTest:
    """The last days, predicted from the ones before."""

    tested_days_count: int
    predicted_mtok: float
    low_mtok: float
    """10 % quantile of the prediction."""
    high_mtok: float
    seen_mtok: float

    @property
    def inside(self) -> bool:
        """Whether the days came out within the 80 % interval."""
        return self.low_mtok <= self.seen_mtok <= self.high_mtok


@dataclass(frozen=True, slots=True)
class PresentLevel:
    """The days on which the log runs as it does at its end."""

    days: tuple[DayUse, ...]
    """Whole days since the last level shift; all of them without one."""
    shift_day: date | None
    """First day after the last level shift."""
    over_mean_ratio: float
    """Mean of these days over that of all; 1 without a shift."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a log says about growth."""

    growth: Assumption | None
    """The catalogue's range, moved and narrowed by the log; None: the log says nothing."""
    lead_months: float
    """From the middle of the present level to the middle of the month after it; 0 without growth."""
    length_months: float
    """Length of the present level: of the log, without a shift."""
    trend: Trend | None
    back_test: BackTest | None
    sentence: str
    present_over_mean_ratio: float = 1.0
    """Mean of the days since the last level shift over that of the log."""
    source: Source | None = None
    """Of what is read from the log; None: nothing is."""


def forecast(workload: Workload, prior: Assumption, label: str) -> Forecast:
    """Growth of `workload` joined with the range of the catalogue, `prior`."""
    whole = [each for each in workload.days if each.complete]
    if len(whole) < DAYS_MIN_COUNT or sum(tokens_of(each) > 0 for each in whole) < DAYS_MIN_COUNT:
        return _assumed(
            f"The log holds {len(whole)} whole days, too few to show growth ({DAYS_MIN_COUNT} wanted)", prior
        )
    level = present_level(whole)
    since = "" if level.shift_day is None else f" since its level shift of {_day(level.shift_day)}"
    used_days_count = sum(tokens_of(each) > 0 for each in level.days)
    if used_days_count < LEVEL_DAYS_MIN_COUNT:
        said = f"The log holds {used_days_count} days{since}, too few to show growth ({LEVEL_DAYS_MIN_COUNT} wanted)"
        source = _source(f"usage log {label}, {len(whole)} days", label, whole[-1].day)
        return replace(_assumed(said, prior), present_over_mean_ratio=level.over_mean_ratio, source=source)
    offsets, volumes, weekdays = _columns(level.days)
    found, test = trend(offsets, volumes, weekdays), back_test(offsets, volumes, weekdays)
    joined = _joined(prior, found, label, level.days[-1].day)
    length_months = float(offsets[-1] + 1) / DAYS_PER_MONTH
    return Forecast(
        joined,
        length_months / 2 + HALF_A_MONTH_MONTHS,
        length_months,
        found,
        test,
        _seen(found, prior, joined, since) + _tested(test),
        level.over_mean_ratio,
        joined.source,
    )


def present_level(whole: Sequence[DayUse]) -> PresentLevel:
    """The whole days since the last level shift, found as the verdict on the log finds it: without outages."""
    tokens, calls = daily_series(whole, tokens_of), daily_series(whole, calls_of)
    if tokens is None or calls is None:
        return PresentLevel(tuple(whole), None, 1.0)
    running, offsets = without_outages(tokens, outage_days(calls))
    shifts = levels_of(running).shifts
    if not shifts:
        return PresentLevel(tuple(whole), None, 1.0)
    start = int(offsets[shifts[-1].offset_days])
    first = tokens.first_day + timedelta(days=start)
    ratio = float(tokens.amounts[start:].mean() / tokens.amounts.mean())
    return PresentLevel(tuple(each for each in whole if each.day >= first), first, ratio)


def _columns(days: Sequence[DayUse]) -> tuple[Floats, Floats, list[int]]:
    """Days since the first, tokens, weekdays."""
    offsets = np.array([(each.day - days[0].day).days for each in days], dtype=np.float64)
    return offsets, np.array([tokens_of(each) for each in days], np.float64), [each.day.weekday() for each in days]


def _assumed(why: str, prior: Assumption) -> Forecast:
    span = f"{_percent(prior.low)} to {_percent(prior.high)} a month"
    return Forecast(None, 0.0, 0.0, None, None, f"{why}: {_percent(prior.typical)} ({span}) is assumed.")


def _seen(found: Trend, prior: Assumption, joined: Assumption, since: str) -> str:
    """What the log shows, and what it becomes with the usual range."""
    low, middle, high = (
        _growth(found.log_growth_fraction_per_month + z * found.standard_error_fraction_per_month)
        for z in (_ENDS[0], 0.0, _ENDS[1])
    )
    return (
        f"The log grew by {_percent(middle)} a month{since} ({_percent(low)} to {_percent(high)}, {found.days_count} "
        f"days); with the {_percent(prior.low)} to {_percent(prior.high)} a month usual elsewhere, "
        f"{_percent(joined.typical)} ({_percent(joined.low)} to {_percent(joined.high)}) is used."
    )


def _tested(test: BackTest | None) -> str:
    if test is None:
        return ""
    side = "within" if test.inside else "outside"
    return (
        f" Back-test: the last {test.tested_days_count} days came out {side} the 80 % interval predicted from the days "
        "before."
    )


def trend(offsets_days: Floats, volumes_mtok: Floats, weekdays: Sequence[int]) -> Trend:
    """Least squares of log volume on the day and the day of the week; days without any volume are left out.

    >>> days = np.arange(56.0)
    >>> found = trend(days, 100 * 1.05 ** (days / DAYS_PER_MONTH), [int(each) % 7 for each in days])
    >>> round(float(np.expm1(found.log_growth_fraction_per_month)), 6)
    0.05
    """
    kept = volumes_mtok > 0
    offsets, logs = offsets_days[kept], np.log(volumes_mtok[kept])
    days = np.asarray(weekdays)[kept]
    columns = [offsets - offsets.mean()] + [(days == each).astype(np.float64) for each in sorted(set(days.tolist()))]
    design = np.stack(columns, axis=1)
    found = fit(design, logs)
    slope = np.zeros(design.shape[1])
    slope[0] = DAYS_PER_MONTH
    error = found.half_width(slope, HIGH_QUANTILE) / _Z95  # widened for the days there are: Student's t
    return Trend(float(found.coefficients[0]) * DAYS_PER_MONTH, error, int(kept.sum()))


def back_test(offsets_days: Floats, volumes_mtok: Floats, weekdays: Sequence[int]) -> BackTest | None:
    """Predict the sum of the last quarter of the days from the others; None when too few are left."""
    tested = int(len(volumes_mtok) * TEST_FRACTION)
    first = len(volumes_mtok) - tested
    if first < 2 * _WEEK_DAYS or tested < _WEEK_DAYS:
        return None
    past = trend(offsets_days[:first], volumes_mtok[:first], weekdays[:first])
    ahead_months = (offsets_days[first:].mean() - offsets_days[:first].mean()) / DAYS_PER_MONTH
    middle = float(np.log(volumes_mtok[:first].mean())) + past.log_growth_fraction_per_month * ahead_months
    logs = np.log(np.maximum(volumes_mtok[:first], volumes_mtok[volumes_mtok > 0].min()))
    weekly = np.array([logs[i : i + _WEEK_DAYS].mean() for i in range(0, first - _WEEK_DAYS + 1, _WEEK_DAYS)])
    scatter = float(np.std(np.diff(weekly), ddof=1)) if len(weekly) > _MIN_WEEKS else float(np.std(logs))
    z = NormalDist().inv_cdf(0.9)
    width = z * float(np.hypot(past.standard_error_fraction_per_month * ahead_months, scatter))
    total = float(np.exp(middle)) * tested
    return BackTest(
        tested, total, total * float(np.exp(-width)), total * float(np.exp(width)), float(volumes_mtok[first:].sum())
    )


_MIN_WEEKS: Final = 2


def _joined(prior: Assumption, found: Trend, label: str, last: date) -> Assumption:
    """Precision-weighted mean of two normal distributions of the logarithmic growth."""
    low, middle, high = (float(np.log1p(each)) for each in (prior.low, prior.typical, prior.high))
    prior_error = (high - low) / (2 * _Z95)
    weights = np.array([1 / prior_error**2, 1 / max(found.standard_error_fraction_per_month, _SMALLEST_ERROR) ** 2])
    mean = float(np.dot(weights, [middle, found.log_growth_fraction_per_month]) / weights.sum())
    error = float(weights.sum() ** -0.5)
    title = f"usage log {label}, {found.days_count} days, joined with {prior.source.title}"
    source = _source(title, label, last)
    low, middle, high = (_growth(mean + z * error) for z in (_ENDS[0], 0.0, _ENDS[1]))
    return replace(prior, low=low, typical=middle, high=high, source=source, note="Trend of the log's whole days.")


_SMALLEST_ERROR: Final = 1e-6


def _source(title: str, label: str, last: date) -> Source:
    return Source(title, label, last, Grade.MEASURED)


def _growth(log_growth: float) -> float:
    return float(np.expm1(log_growth))


def _percent(growth: float) -> str:
    return f"{growth * 100:+.1f} %"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
