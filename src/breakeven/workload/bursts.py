"""Bursts: how much busier the busiest minutes are than the hour around them, where a log times each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from breakeven.workload.observation import Observation

if TYPE_CHECKING:
    from ibis import Table

BUSY_HOURS_FRACTION: Final = 0.05
"""Share of the hours, busiest first, whose bursts are looked at."""
PART_MINUTES: Final = 5
REQUESTS_MIN_COUNT: Final = 120
"""With fewer requests in a busy hour, its five minutes say more about chance than about bursts."""
_PARTS_PER_HOUR: Final = 60 / PART_MINUTES


def burst_headroom_ratio(calls: Table, observation: Observation) -> float | None:
    """Tokens of the busiest five minutes over those of a mean five minutes of their hour, mean over the busiest hours.

    Of the hours that the log covers whole, the busiest twentieth by tokens, at least one; single calls only. None where
    there is no such hour, or too few calls in it.
    """
    rows = sorted(_whole_hours(calls, observation), key=lambda row: (-row["tokens"], row["hour"]))
    busy = rows[: max(round(BUSY_HOURS_FRACTION * len(rows)), 1)]
    if not busy or min(row["calls"] for row in busy) < REQUESTS_MIN_COUNT or busy[-1]["tokens"] <= 0:
        return None
    return float(np.mean([row["busiest"] * _PARTS_PER_HOUR / row["tokens"] for row in busy]))


def _whole_hours(calls: Table, observation: Observation) -> list[dict[str, Any]]:
    """Calls and tokens of each hour that lies inside the log, and the tokens of its busiest five minutes."""
    import ibis

    tokens: Any = ibis.coalesce(calls.input_tokens, 0) + ibis.coalesce(calls.output_tokens, 0)
    single = calls.filter(calls.grain == "request").select(
        hour=calls.start_time.truncate("h"),
        part=calls.start_time.minute() // PART_MINUTES,
        tokens=tokens * ibis.coalesce(calls.weight, 1.0),
    )
    whole = single.filter(
        single.hour >= observation.first_time, single.hour + ibis.interval(hours=1) <= observation.last_time
    )
    by_part = whole.group_by("hour", "part").aggregate(tokens=whole.tokens.sum(), calls=whole.count())
    by_hour = by_part.group_by("hour").aggregate(
        tokens=by_part.tokens.sum(), busiest=by_part.tokens.max(), calls=by_part.calls.sum()
    )
    found: list[dict[str, Any]] = by_hour.to_pyarrow().to_pylist()
    return found
