"""Bootstrap: the total of the weeks to come with its interval, as sums of simulated paths.

A log is taken apart into its level, its week, a memory of the day before, and what is left over. Paths start from the
levels on which the log may stand at its end, drift and wander as the log allows, and whole weeks of what is left over
are put together again on top. What such a sum scatters by is chance in the days to come, and how little the days that
were seen say of the level, of its wandering and of its growth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.workload.daily_series import WEEK_DAYS, DailySeries, Floats, Ints, log_amounts, week_of
from breakeven.workload.drift import Drift, drift_of
from breakeven.workload.level_shifts import Levels, find_levels, tamed
from breakeven.workload.regression import MOST_MEMORY_FRACTION
from breakeven.workload.rolling_origin import carried_forward, model_for, window_weeks

QUARTER_WEEKS: Final = 13
PATHS_COUNT: Final = 1000
LOW_QUANTILE: Final = 0.1
HIGH_QUANTILE: Final = 0.9
ALIGNED_FROM_WEEKS: Final = 8
"""With fewer weeks, blocks of seven days start on any day."""
_RUN_IN_DAYS: Final = 56
_ODD_RATIO: Final = 3.0
_MAD_RATIO: Final = 1.4826


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over days to come, in the unit of the series."""

    low: float
    """10 % quantile."""
    typical: float
    """What the model says, the one that was tried on the log's past; the median of the simulated quarters instead where
    that lies beyond their interval."""
    high: float
    """90 % quantile."""

    @property
    def half_width_ratio(self) -> float:
        """Half of the interval over its middle."""
        return (self.high - self.low) / 2 / self.typical if self.typical > 0 else 0.0

    @property
    def factor_ratio(self) -> float:
        """How many times the middle the high end is, or the middle the low end, whichever is more."""
        if self.typical <= 0:
            return 1.0
        return max(self.high / self.typical, self.typical / self.low if self.low > 0 else float("inf"))


@dataclass(frozen=True, slots=True)
class Scatter:
    """What paths are put together from."""

    effects: Floats
    """Of the seven days of the week, in logarithms."""
    drift: Drift
    memory_fraction: float
    memory_error_fraction: float
    innovations: Floats
    """What the day before does not explain, in logarithms; mean zero."""
    odd: Floats
    """What stands beyond three robust deviations on the same days; has no memory."""
    freedom_count: int
    first_weekday: int
    """Of the innovations."""


def scatter_of(series: DailySeries) -> tuple[Scatter, Levels]:
    """Take `series` apart."""
    logs, weekdays = log_amounts(series.amounts), series.weekdays
    week = week_of(logs, weekdays)
    plain = logs - week.effects[weekdays]
    levels = find_levels(plain)
    starts = [each.offset_days for each in levels.shifts] if settled(levels) else []  # else they count as wandering
    rest, memory = levels.residuals, levels.memory_fraction
    robust = _MAD_RATIO * float(np.median(np.abs(rest - np.median(rest))))
    tame = np.clip(rest, -_ODD_RATIO * robust, _ODD_RATIO * robust) if robust > 0 else rest
    parameters = 2 + len(levels.shifts) + int(levels.sloped) + (WEEK_DAYS - 1) * int(week.effects.any())
    freedom = max(len(rest) - parameters, 1)
    white = tame[1:] - memory * tame[:-1]
    white = (white - white.mean()) * np.sqrt(len(rest) / freedom)
    return (
        Scatter(
            week.effects,
            drift_of(tamed(plain), starts),
            memory,
            float(np.sqrt((1 - memory**2) / len(rest))),
            white,
            (rest - tame)[1:],
            freedom,
            (series.first_day.weekday() + 1) % WEEK_DAYS,
        ),
        levels,
    )


def settled(levels: Levels) -> bool:
    """No shift, or a single one that lies two weeks back: of two, or of a young one, more may well come."""
    starts = [each.offset_days for each in levels.shifts]
    return not starts or (len(starts) == 1 and len(levels.means) - starts[0] >= _SETTLED_WEEKS * WEEK_DAYS)


_SETTLED_WEEKS: Final = 2


def paths(scatter: Scatter, weekdays: Ints, rng: np.random.Generator, paths_count: int = PATHS_COUNT) -> Floats:
    """Simulated days in a row from the end of the log on; shape ``(paths, days)``."""
    days = len(weekdays)
    picked = _picked(scatter, weekdays, rng, paths_count)
    spread = np.sqrt(scatter.freedom_count / rng.chisquare(scatter.freedom_count, paths_count))
    chance = scatter.memory_error_fraction * rng.standard_normal(paths_count)
    memory = np.clip(scatter.memory_fraction + chance, 0.0, MOST_MEMORY_FRACTION)
    state, logs = np.zeros(paths_count), np.empty((paths_count, days))
    for day in range(picked.shape[1]):
        state = memory * state + spread * scatter.innovations[picked[:, day]]
        if day >= _RUN_IN_DAYS:
            logs[:, day - _RUN_IN_DAYS] = state + scatter.odd[picked[:, day]]
    course = scatter.drift.draw(rng, paths_count)
    steps = np.sqrt(course.step_variances)[:, None] * rng.standard_normal(logs.shape)
    level = course.levels[:, None] + np.cumsum(steps + course.drifts_per_day[:, None], axis=1)
    return np.exp(np.clip(logs + level + scatter.effects[weekdays], -_LARGEST_LOG, _LARGEST_LOG))


_LARGEST_LOG: Final = 200.0


def total_ahead(
    series: DailySeries, model: str, weeks_ahead: int = QUARTER_WEEKS, seed: int = 1, paths_count: int = PATHS_COUNT
) -> Total:
    """Sum of the days of the next `weeks_ahead` weeks by `model`, with its 80 % interval; a week of days at least.

    Where what the model says lies outside of what is simulated, because it leaves out growth or lags behind a level
    that wanders, the interval reaches to it (growth may end), and the middle is that of the simulated quarters.
    """
    scatter, levels = scatter_of(series)
    weeks = window_weeks(levels)
    said = float(carried_forward(series.amounts, model_for(model, weeks), weeks, weeks_ahead).sum())
    first = (series.first_day.weekday() + series.days_count) % WEEK_DAYS
    weekdays = (first + np.arange(weeks_ahead * WEEK_DAYS, dtype=np.int64)) % WEEK_DAYS
    totals = paths(scatter, weekdays, np.random.default_rng(seed), paths_count).sum(axis=1)
    totals *= float(series.amounts.sum() / np.exp(log_amounts(series.amounts)).sum())  # no use on a day adds nothing
    low, middle, high = (float(each) for each in np.quantile(totals, (LOW_QUANTILE, 0.5, HIGH_QUANTILE)))
    return Total(min(low, said), said if low < said < high else middle, max(high, said))


def _picked(scatter: Scatter, weekdays: Ints, rng: np.random.Generator, paths_count: int) -> Ints:
    """Which left-over day each simulated day takes: seven in a row, of the same weekdays where the log is long."""
    days, length = len(weekdays) + _RUN_IN_DAYS, len(scatter.innovations)
    span = min(WEEK_DAYS, length)
    starts = np.arange(length - span + 1)
    if length >= ALIGNED_FROM_WEEKS * WEEK_DAYS:
        first = (int(weekdays[0]) - _RUN_IN_DAYS) % WEEK_DAYS
        starts = starts[(scatter.first_weekday + starts) % WEEK_DAYS == first]
    drawn = starts[rng.integers(0, len(starts), (paths_count, -(-days // WEEK_DAYS)))]
    picked = drawn[:, :, None] + np.minimum(np.arange(WEEK_DAYS), span - 1)
    return picked.reshape(paths_count, -1)[:, :days]
