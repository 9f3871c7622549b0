"""Pairing: the requests that both arms answered, side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.pilot.observations import BASELINE, CANDIDATE, Flags, Floats, Observations, Pairs


def rows_of_pairs(observations: Observations) -> npt.NDArray[np.intp]:
    """Rows of each request that has one of either arm, with or without an outcome: shape (pairs, 2), by time."""
    if not observations.rows_count:
        return np.zeros((0, 2), dtype=np.intp)
    _, request = np.unique(np.asarray(observations.request_ids), return_inverse=True)
    place = np.full((int(request.max()) + 1, 2), -1, dtype=np.intp)
    for column, arm in enumerate((BASELINE, CANDIDATE)):
        rows = np.flatnonzero(observations.arm == arm)[::-1]
        place[request[rows], column] = rows
    pairs = place[(place >= 0).all(axis=1)]
    start = observations.start_unix_s[pairs].min(axis=1) if len(pairs) else np.zeros(0)
    return np.asarray(pairs[np.lexsort((pairs.min(axis=1), start))])


def pairs_of(observations: Observations, success: Floats | None = None) -> Pairs:
    """Pairs with both outcomes; `success` (rows,) in place of the recorded one."""
    values = observations.success if success is None else success
    rows = rows_of_pairs(observations)
    rows = rows[np.isfinite(values[rows]).all(axis=1)]
    first = rows[:, 0]
    return Pairs(values[first], values[rows[:, 1]], observations.unit[first], observations.task[first], rows)


def with_absent(observations: Observations) -> tuple[Observations, Flags]:
    """One row of either arm for each request, and which of them are not there: those have no outcome, no cost, no time.

    Of several rows of a request and arm the first counts.
    """
    empty = np.zeros(observations.rows_count, dtype=np.bool_)
    if not observations.rows_count:
        return observations, empty
    _, request = np.unique(np.asarray(observations.request_ids), return_inverse=True)
    place = np.full((int(request.max()) + 1, 2), -1, dtype=np.intp)
    for column, arm in enumerate((BASELINE, CANDIDATE)):
        rows = np.flatnonzero(observations.arm == arm)[::-1]
        place[request[rows], column] = rows
    there = np.sort(place[place >= 0])
    lacking = place < 0
    copied = np.concatenate([there, place[lacking[:, ::-1]]])
    is_absent = np.arange(len(copied)) >= len(there)
    arrays = {name: getattr(observations, name)[copied] for name in arrays_of(observations)}
    ids = tuple(observations.request_ids[int(i)] for i in copied)
    found = Observations(request_ids=ids, tasks=observations.tasks, **arrays)
    unknown: dict[str, Any] = {name: np.where(is_absent, np.nan, getattr(found, name)) for name in _UNKNOWN}
    other = np.where(is_absent, BASELINE + CANDIDATE - found.arm, found.arm)
    return replace(found, arm=other, is_error=found.is_error & ~is_absent, **unknown), is_absent


def arrays_of(observations: Observations) -> tuple[str, ...]:
    """Names of the columns that are arrays."""
    return tuple(name for name in observations.__slots__ if name not in ("request_ids", "tasks"))


_UNKNOWN: Final = ("success", "judged", "cost_usd", "latency_s", "tokens_out", "retries_count")
