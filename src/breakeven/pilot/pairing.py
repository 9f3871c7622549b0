"""Pairing: the requests that both arms answered, side by side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from breakeven.pilot.observations import BASELINE, CANDIDATE, Floats, Observations, Pairs


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
