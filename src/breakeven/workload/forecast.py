"""Forecast: how fast the volume of a log grows, with an interval, and a test of it on the log's own last weeks.

Log-linear trend over whole days with the days of the week taken out, by generalised least squares for errors that
resemble those of the day before (Prais and Winsten, Cowles Commission Discussion Paper 383, 1954). A short or noisy log
says little, so what it says is joined with the catalogue's range, each weighed by its precision: four quiet weeks move
it a little, six steady months decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.facts.assumption import HIGH_QUANTILE, Assumption
from breakeven.facts.source import Grade, Source
from breakeven.units import DAYS_PER_MONTH
from breakeven.workload.profile import DayUse, Workload
from breakeven.workload.regression import fit

GROWTH: Final = "volume_growth_fraction_per_month"
DAYS_MIN_COUNT: Final = 28
"""With fewer whole days nothing is claimed about growth."""
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
class Forecast:
    """What a log says about growth."""

    growth: Assumption | None
    """The catalogue's range, moved and narrowed by the log; None: the log says nothing."""
    lead_months: float
    """From the middle of the log to the middle of the month after it; 0 without growth."""
    length_months: float
    """Length of the log."""
    trend: Trend | None
    back_test: BackTest | None
    sentence: str


def forecast(workload: Workload, prior: Assumption, label: str) -> Forecast:
    """Growth of `workload` joined with the range of the catalogue, `prior`."""
    days = [each for each in workload.days if each.complete]
    volumes = np.array([_tokens(each) for each in days], dtype=np.float64)
    span = f"{_percent(prior.low)} to {_percent(prior.high)} a month"
    if len(days) < DAYS_MIN_COUNT or np.count_nonzero(volumes) < DAYS_MIN_COUNT:
        said = (
            f"The log holds {len(days)} whole days, too few to show growth ({DAYS_MIN_COUNT} wanted): "
            f"{_percent(prior.typical)} ({span}) is assumed."
        )
        return Forecast(None, 0.0, 0.0, None, None, said)
    offsets = np.array([(each.day - days[0].day).days for each in days], dtype=np.float64)
    found = trend(offsets, volumes, [each.day.weekday() for each in days])
    joined = _joined(prior, found, label, days[-1].day)
    test = back_test(offsets, volumes, [each.day.weekday() for each in days])
    low, high = (
        _growth(found.log_growth_fraction_per_month + z * found.standard_error_fraction_per_month) for z in _ENDS
    )
    seen = (
        f"The log grew by {_percent(_growth(found.log_growth_fraction_per_month))} a month ({_percent(low)} to "
        f"{_percent(high)}, {found.days_count} days); with the {span} usual elsewhere, {_percent(joined.typical)} "
        f"({_percent(joined.low)} to {_percent(joined.high)}) is used."
    )
    if test is not None:
        seen += (
            f" Back-test: the last {test.tested_days_count} days came out "
            f"{'within' if test.inside else 'outside'} the 80 % interval predicted from the days before."
        )
    length_months = float(offsets[-1] + 1) / DAYS_PER_MONTH
    return Forecast(joined, length_months / 2 + HALF_A_MONTH_MONTHS, length_months, found, test, seen)


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
    source = Source(title, label, last, Grade.MEASURED)
    low, middle, high = (_growth(mean + z * error) for z in (_ENDS[0], 0.0, _ENDS[1]))
    return replace(prior, low=low, typical=middle, high=high, source=source, note="Trend of the log's whole days.")


_SMALLEST_ERROR: Final = 1e-6


def _tokens(day: DayUse) -> float:
    return float(day.input_tokens + day.output_tokens)


def _growth(log_growth: float) -> float:
    return float(np.expm1(log_growth))


def _percent(growth: float) -> str:
    return f"{growth * 100:+.1f} %"
