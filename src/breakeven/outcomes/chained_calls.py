"""Chained calls: stored Calls that repeat one another (`retry_of`), as the tries of one request.

A model is asked again because its answer was not good, so a later try tells of a request that is known to be hard.
Counted as a request of its own it would pull the success rate down: the first try of each model stands for the request,
and all of them say how alike tries are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from breakeven.outcomes.every_try import Codes, EveryTry, Floats, Mask, tried_again


def first_tries(ids: Sequence[str], repeats: Sequence[str | None], columns: Codes, times: Sequence[Any]) -> Codes:
    """For each call the place of the first call of its chain to the same model: itself, where it is that.

    A call that repeats one which is not among `ids` begins a chain; so does one that, in the end, repeats itself.

    >>> first_tries(["a", "b", "c"], [None, "a", "b"], np.array([0, 0, 1]), [1, 2, 3]).tolist()
    [0, 0, 2]
    """
    place = {each: at for at, each in enumerate(ids)}
    first: dict[tuple[int, int], int] = {}
    found = np.arange(len(ids), dtype=np.intp)
    for at in sorted(range(len(ids)), key=lambda each: (times[each], ids[each])):
        found[at] = first.setdefault((_root(at, repeats, place), int(columns[at])), at)
    return found


def _root(at: int, repeats: Sequence[str | None], place: dict[str, int]) -> int:
    """The call at the beginning of a chain; of calls that repeat each other in a circle, the first by place."""
    seen = {at}
    while (before := place.get(repeats[at] or "")) is not None:
        if before in seen:
            return min(seen)
        seen.add(before)
        at = before
    return at


def tries_of(
    first: Codes, own: Mask, columns: Codes, times: Sequence[Any], success: Floats, models_count: int
) -> EveryTry:
    """The tries of requests tried more than once; `own`: calls that have a row of the table, in the table's order.

    Calls whose success is not known are no tries.
    """
    row_of = np.cumsum(own) - 1
    told = np.flatnonzero(~np.isnan(success))
    order = sorted(told.tolist(), key=lambda at: (first[at], at != first[at], times[at]))
    numbers: dict[int, int] = {}
    attempts = np.zeros(len(order), dtype=np.int64)
    for index, at in enumerate(order):
        attempts[index] = numbers[first[at]] = numbers.get(int(first[at]), 0) + 1
    places = np.array(order, dtype=np.intp)
    keys = row_of[first[places]] * models_count + columns[first[places]]
    return tried_again(keys.astype(np.intp), attempts, success[places], models_count)
