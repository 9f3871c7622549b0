"""Bursts: how much busier the busiest minutes are than the hour around them, where a log times each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from breakeven.workload.hourly import PART_MINUTES, parts
from breakeven.workload.observation import Observation

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis import Table

Floats = NDArray[np.float64]
BUSY_HOURS_FRACTION: Final = 0.05
"""Share of the hours, busiest first, whose bursts are looked at."""
REQUESTS_MIN_COUNT: Final = 120
"""With fewer requests in a busy hour, its five minutes say more about chance than about bursts."""
_PARTS_PER_HOUR: Final = 60 // PART_MINUTES
_US_PER_PART: Final = PART_MINUTES * 60 * 1_000_000


def burst_headroom_ratio(calls: Table, observation: Observation) -> float | None:
    """Tokens of the busiest five minutes over those of a mean five minutes of their hour, mean over the busiest hours.

    Of the hours that the log covers whole, the busiest twentieth by tokens, at least one; single calls only. None where
    there is no such hour, or too few calls in it.
    """
    return headroom_of(parts(calls).to_pyarrow(), observation)


def headroom_of(five_minutes: pa.Table, observation: Observation) -> float | None:
    """The same from `hourly.parts`."""
    tokens, busiest, calls_counts = _whole_hours(five_minutes, observation)
    order = np.argsort(-tokens, kind="stable")[: max(round(BUSY_HOURS_FRACTION * tokens.size), 1)]
    if not order.size or calls_counts[order].min() < REQUESTS_MIN_COUNT or tokens[order[-1]] <= 0:
        return None
    return float(np.mean(busiest[order] * _PARTS_PER_HOUR / tokens[order]))


def _whole_hours(five_minutes: pa.Table, observation: Observation) -> tuple[Floats, Floats, Floats]:
    """Of each hour that lies inside the log, in order: tokens, those of its busiest five minutes, calls."""
    if not five_minutes.num_rows:
        return np.empty(0), np.empty(0), np.empty(0)
    hours = five_minutes.column("hour").to_numpy().astype("datetime64[us]").astype(np.int64)
    slots = hours // _US_PER_PART + five_minutes.column("part").to_numpy()
    weights = five_minutes.column("weight").to_numpy()
    order = np.lexsort((weights, slots))
    slots = slots[order]
    tokens = (five_minutes.column("tokens").to_numpy() * weights)[order]
    calls = five_minutes.column("rows").to_numpy()[order].astype(np.float64)
    parts_found, starts = np.unique(slots, return_index=True)
    by_part, calls_by_part = np.add.reduceat(tokens, starts), np.add.reduceat(calls, starts)
    hours_found, starts = np.unique(parts_found // _PARTS_PER_HOUR, return_index=True)
    starts_us = hours_found * _US_PER_PART * _PARTS_PER_HOUR
    first_us, last_us = (each.timestamp() * 1e6 for each in (observation.first_time, observation.last_time))
    whole = (starts_us >= first_us) & (starts_us + _US_PER_PART * _PARTS_PER_HOUR <= last_us)
    busiest, calls_counts = np.maximum.reduceat(by_part, starts), np.add.reduceat(calls_by_part, starts)
    return np.add.reduceat(by_part, starts)[whole], busiest[whole], calls_counts[whole]
