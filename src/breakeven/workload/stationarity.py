"""Stationarity: whether a log keeps its level, by the test of Kwiatkowski, Phillips, Schmidt and Shin (KPSS).

Journal of Econometrics 54 (1992): the sums of deviations from the mean, against what they would be if days of equal
level merely scattered. The long-run variance takes as many lags as Hobijn, Franses and Ooms (1998) found for it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.workload.daily_series import Floats

CRITICAL_RATIOS: Final = {0.10: 0.347, 0.05: 0.463, 0.025: 0.574, 0.01: 0.739}
"""Level of the test -> the statistic above which a steady level is rejected (their table 1)."""

ROUNDING_LOG: Final = 1e-9
"""Logarithms that differ by no more are equal."""


def kpss_ratio(values: Floats) -> float:
    """The statistic for a steady level; 0 for values that do not scatter.

    >>> round(kpss_ratio(np.arange(40.0)), 3)
    0.909
    """
    off = values - values.mean()
    if float(np.abs(off).max()) <= ROUNDING_LOG:  # nothing but the rounding of equal days
        return 0.0
    lags = hobijn_lags_count(off)
    variance = float(np.dot(off, off))
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(np.dot(off[lag:], off[:-lag]))
    if variance <= 0:
        return 0.0
    return float(np.sum(np.cumsum(off) ** 2)) / (len(off) * variance)


def hobijn_lags_count(off: Floats) -> int:
    """Lags of the Bartlett window by the data (statsmodels calls it auto)."""
    days = len(off)
    most = int(days ** (2 / 9))
    products = [float(np.dot(off[lag:], off[: days - lag])) / (days / 2) for lag in range(1, most + 1)]
    level = float(np.dot(off, off)) / days + sum(products)
    slope = sum(lag * each for lag, each in enumerate(products, start=1))
    if level == 0:
        return 0
    gamma = 1.1447 * ((slope / level) ** 2) ** (1 / 3)
    return min(int(gamma * days ** (1 / 3)), days - 1)
