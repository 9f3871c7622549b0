"""Bursts: how much busier the busiest minutes are than the hour around them, where a log times each request."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from breakeven.workload.hourly import PART_MINUTES, parts
from breakeven.workload.observation import Observation

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis import Table

BUSY_HOURS_FRACTION: Final = 0.05
"""Share of the hours, busiest first, whose bursts are looked at."""
REQUESTS_MIN_COUNT: Final = 120
"""With fewer requests in a busy hour, its five minutes say more about chance than about bursts."""
_PARTS_PER_HOUR: Final = 60 / PART_MINUTES


def burst_headroom_ratio(calls: Table, observation: Observation) -> float | None:
    """Tokens of the busiest five minutes over those of a mean five minutes of their hour, mean over the busiest hours.

    Of the hours that the log covers whole, the busiest twentieth by tokens, at least one; single calls only. None where
    there is no such hour, or too few calls in it.
    """
    return headroom_of(parts(calls).to_pyarrow(), observation)


def headroom_of(five_minutes: pa.Table, observation: Observation) -> float | None:
    """The same from `hourly.parts`."""
    rows = sorted(_whole_hours(five_minutes, observation), key=lambda row: (-row.tokens, row.hour))
    busy = rows[: max(round(BUSY_HOURS_FRACTION * len(rows)), 1)]
    if not busy or min(row.calls_count for row in busy) < REQUESTS_MIN_COUNT or busy[-1].tokens <= 0:
        return None
    return float(np.mean([row.busiest_tokens * _PARTS_PER_HOUR / row.tokens for row in busy]))


@dataclass(frozen=True, slots=True)
class _Hour:
    hour: datetime
    tokens: float
    busiest_tokens: float
    """Of its busiest five minutes."""
    calls_count: int


def _whole_hours(five_minutes: pa.Table, observation: Observation) -> list[_Hour]:
    """Each hour that lies inside the log."""
    by_part: dict[datetime, dict[int, float]] = {}
    calls_counts: dict[datetime, int] = {}
    for row in five_minutes.sort_by(
        [("hour", "ascending"), ("part", "ascending"), ("weight", "ascending")]
    ).to_pylist():
        hour = row["hour"]
        of_hour = by_part.setdefault(hour, {})
        of_hour[row["part"]] = of_hour.get(row["part"], 0.0) + row["tokens"] * row["weight"]
        calls_counts[hour] = calls_counts.get(hour, 0) + row["rows"]
    return [
        _Hour(hour, math.fsum(tokens.values()), max(tokens.values()), calls_counts[hour])
        for hour, tokens in by_part.items()
        if observation.first_time <= hour and hour + timedelta(hours=1) <= observation.last_time
    ]
