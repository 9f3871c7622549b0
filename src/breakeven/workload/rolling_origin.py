"""Rolling origin: each way to carry a log forward, tried on its own past and measured against last week repeated.

From each week of the past, only the days before are known (level shifts among them are looked for
anew); what came after is compared. A model is used only where its errors are smaller than those of the seasonal naive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.workload.daily_series import WEEK_DAYS, DailySeries, Floats, log_amounts, week_of
from breakeven.workload.day_models import ALL_WEEKS, MODELS, MOST_WEEKS, SEASONAL_NAIVE, TREND, TREND_MIN_WEEKS
from breakeven.workload.level_shifts import Levels, find_levels

HORIZON_WEEKS: Final = 4
SHORT_HORIZON_WEEKS: Final = 2
"""For a log of less than eight weeks."""
LONG_LOG_DAYS: Final = 56
FIRST_ORIGIN_DAYS: Final = 28
SHORT_FIRST_ORIGIN_DAYS: Final = 14
ORIGINS_MAX_COUNT: Final = 26


@dataclass(frozen=True, slots=True)
class ModelError:
    """How far one model was off."""

    model: str
    days_wape_fraction: float
    """Sum of the absolute errors of the days over the sum of the days."""
    total_wape_fraction: float
    """The same of the totals of each horizon: what a decision lives on."""


@dataclass(frozen=True, slots=True)
class Trial:
    """All models on the past of one log."""

    errors: tuple[ModelError, ...]
    """Seasonal naive first; empty when the log is too short to try anything."""
    origins_count: int
    horizon_days: int
    late_errors_fractions: tuple[float, ...]
    """Of the totals by the chosen model, latest first, a week apart, of horizons that end in the last 90 days."""
    chosen: str
    """The model with the smallest error of the totals; the mean of all weeks, untried, for a log too short."""

    def error(self, model: str) -> ModelError | None:
        """Error of one model."""
        return next((each for each in self.errors if each.model == model), None)


def levels_of(series: DailySeries) -> Levels:
    """Steps or slope of a series with the days of its week taken out."""
    logs = log_amounts(series.amounts)
    return find_levels(logs - week_of(logs, series.weekdays).effects[series.weekdays])


def window_weeks(levels: Levels) -> int:
    """Whole weeks since the last shift, at least one, at most half a year."""
    since = len(levels.means) - (levels.shifts[-1].offset_days if levels.shifts else 0)
    return int(np.clip(since // WEEK_DAYS, 1, MOST_WEEKS))


def model_for(model: str, weeks_count: int) -> str:
    """`model`, or the mean of all weeks where a trend has too few weeks on one level.

    >>> model_for(TREND, 3), model_for(TREND, 4)
    ('mean of all weeks', 'growth trend')
    """
    return ALL_WEEKS if model == TREND and weeks_count < TREND_MIN_WEEKS else model


def carried_forward(amounts: Floats, model: str, weeks_count: int, weeks_ahead: int) -> Floats:
    """The days ahead by one model, from the last `weeks_count` weeks."""
    return np.asarray(MODELS[model](amounts[None, -weeks_count * WEEK_DAYS :], weeks_ahead)[0])


def try_models(series: DailySeries) -> Trial:
    """Forecast the past of `series` from each of its weeks with each model."""
    long = series.days_count >= LONG_LOG_DAYS
    weeks = HORIZON_WEEKS if long else SHORT_HORIZON_WEEKS
    first = FIRST_ORIGIN_DAYS if long else SHORT_FIRST_ORIGIN_DAYS
    last = series.days_count - weeks * WEEK_DAYS
    origins = list(range(last, first - 1, -WEEK_DAYS))[:ORIGINS_MAX_COUNT]
    if not origins:
        return Trial((), 0, weeks * WEEK_DAYS, (), ALL_WEEKS)
    seen = np.stack([series.amounts[each : each + weeks * WEEK_DAYS] for each in origins])
    said: dict[str, list[Floats]] = {name: [] for name in MODELS}
    for origin in origins:
        for name, days in _each_model(series.until(origin), weeks).items():
            said[name].append(days)
    errors = tuple(_error(name, np.stack(days), seen) for name, days in said.items())
    best = min(errors, key=lambda each: each.total_wape_fraction)
    chosen = best.model if best.total_wape_fraction < errors[0].total_wape_fraction else SEASONAL_NAIVE
    late = [each + weeks * WEEK_DAYS > series.days_count - LATE_DAYS for each in origins]
    off = np.abs(np.stack(said[chosen]).sum(axis=1) / np.maximum(seen.sum(axis=1), _SMALLEST) - 1)[late]
    off = np.minimum(off, ERROR_MOST_RATIO)
    return Trial(errors, len(origins), weeks * WEEK_DAYS, tuple(float(each) for each in off), chosen)


LATE_DAYS: Final = 90
ERROR_MOST_RATIO: Final = 10.0
"""A total off by more counts as this: how many times as much as next to nothing says nothing."""


def _each_model(past: DailySeries, weeks_ahead: int) -> dict[str, Floats]:
    """What each model would have said."""
    weeks = window_weeks(levels_of(past))
    return {name: carried_forward(past.amounts, model_for(name, weeks), weeks, weeks_ahead) for name in MODELS}


def _error(model: str, said: Floats, seen: Floats) -> ModelError:
    total = max(float(seen.sum()), _SMALLEST)
    days = float(np.abs(said - seen).sum()) / total
    totals = float(np.abs(said.sum(axis=1) - seen.sum(axis=1)).sum()) / total
    return ModelError(model, days, totals)


_SMALLEST: Final = 1e-300
