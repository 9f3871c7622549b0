"""Day models: four plain ways to carry the days of a log forward, from last week's repetition to a growth trend.

Each takes histories of one shape ``(paths, days)``, whole weeks that end today, and gives the days after, so that the
same code forecasts the log itself and thousands of simulated logs. All work on amounts, not on logarithms: the days of
a forecast add up to a mean total, where the exponential of a mean logarithm would fall short.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WEEK_DAYS: Final = 7
SEASONAL_NAIVE: Final = "last week repeated"
FOUR_WEEKS: Final = "mean of the last four weeks"
ALL_WEEKS: Final = "mean of all weeks"
TREND: Final = "growth trend"
TREND_MIN_WEEKS: Final = 4
MOST_WEEKS: Final = 26
"""Longer ago, nothing is read from a log."""
_FEW_WEEKS: Final = 4


def last_week(histories: Floats, weeks_ahead: int) -> Floats:
    """Seasonal naive: the last seven days again and again.

    >>> last_week(np.array([[9.0, 1, 2, 3, 4, 5, 6, 7]]), 2)[0].tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    return np.tile(histories[:, -WEEK_DAYS:], (1, weeks_ahead))


def mean_week(histories: Floats, weeks_ahead: int) -> Floats:
    """The mean of all weeks of the histories."""
    return np.tile(_weeks(histories).mean(axis=1), (1, weeks_ahead))


def mean_of_four_weeks(histories: Floats, weeks_ahead: int) -> Floats:
    """The mean of the last four weeks, or of as many as there are."""
    return mean_week(histories[:, -_FEW_WEEKS * WEEK_DAYS :], weeks_ahead)


def growing_week(histories: Floats, weeks_ahead: int) -> Floats:
    """The mean week, growing at the log-linear rate of the weekly totals.

    The rate is drawn to zero by how little it stands out of its own error: b * b^2 / (b^2 + error^2).
    """
    weeks = _weeks(histories)
    totals = weeks.sum(axis=2)
    growth = _growth_per_week(totals)
    count = totals.shape[1]
    numbers = np.arange(count, dtype=np.float64)
    level = (totals * np.exp(-growth[:, None] * (numbers - count))).mean(axis=1)
    shares = weeks.sum(axis=1) / np.maximum(totals.sum(axis=1), _SMALLEST)[:, None]
    ahead = level[:, None] * np.exp(growth[:, None] * np.arange(weeks_ahead))
    return np.asarray((ahead[:, :, None] * shares[:, None, :]).reshape(len(histories), -1))


MODELS: Final[Mapping[str, Callable[[Floats, int], Floats]]] = {
    SEASONAL_NAIVE: last_week,
    FOUR_WEEKS: mean_of_four_weeks,
    ALL_WEEKS: mean_week,
    TREND: growing_week,
}
_SMALLEST: Final = 1e-300


def _growth_per_week(totals: Floats) -> Floats:
    """Shrunken slope of the logarithm of weekly totals; shape ``(paths,)``."""
    positive = np.maximum(totals, np.maximum(totals.mean(axis=1, keepdims=True) * _EMPTY_WEEK, _SMALLEST))
    logs = np.log(positive)
    numbers = np.arange(logs.shape[1]) - (logs.shape[1] - 1) / 2
    spread = float(np.dot(numbers, numbers))
    slope = logs @ numbers / spread
    rest = logs - logs.mean(axis=1, keepdims=True) - slope[:, None] * numbers
    error2 = (rest**2).sum(axis=1) / max(logs.shape[1] - 2, 1) / spread
    return np.asarray(slope * slope**2 / np.maximum(slope**2 + error2, _SMALLEST))


_EMPTY_WEEK: Final = 1e-3


def _weeks(histories: Floats) -> Floats:
    """Whole weeks, the last one last; shape ``(paths, weeks, 7)``."""
    count = histories.shape[1] // WEEK_DAYS
    return histories[:, histories.shape[1] - count * WEEK_DAYS :].reshape(len(histories), count, WEEK_DAYS)
