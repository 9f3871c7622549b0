"""Planted days: made-up daily volumes with a known level, week, memory, growth or shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from breakeven.workload.daily_series import DailySeries
from breakeven.workload.profile import DayUse

Floats = NDArray[np.float64]
FIRST = date(2026, 6, 1)  # a Monday
WEEK = np.array([1.0, 1.05, 1.1, 1.05, 1.0, 0.4, 0.3])


@dataclass(frozen=True)
class Log:
    """As much of a Workload as stability reads."""

    days: tuple[DayUse, ...]


def scatter(days: int, memory: float, rng: np.random.Generator, spread: float = 0.3) -> Floats:
    """Autoregressive scatter of the logarithm."""
    chance = rng.standard_normal(days + 100) * spread * np.sqrt(1 - memory**2)
    found = np.zeros(days + 100)
    for day in range(1, days + 100):
        found[day] = memory * found[day - 1] + chance[day]
    return found[100:]


def weekly(days: int, rng: np.random.Generator, level: Floats | float = 0.0, spread: float = 0.2) -> Floats:
    """A week with quiet weekends, days that resemble the day before a little."""
    return 1e6 * WEEK[np.arange(days) % 7] * np.exp(level + scatter(days, 0.3, rng, spread))


def series_of(amounts: Floats) -> DailySeries:
    """The amounts as a series."""
    return DailySeries(FIRST, amounts)


def log_of(amounts: Floats, *, usd_per_token: float = 2e-6, partial: Sequence[int] = ()) -> Log:
    """The amounts as days of a log; `partial` days were seen in part."""
    return Log(
        tuple(
            DayUse(
                FIRST + timedelta(days=index),
                int(value > 0),
                round(value),
                0,
                0,
                float(value) * usd_per_token,
                0,
                complete=index not in partial,
            )
            for index, value in enumerate(amounts)
        )
    )
