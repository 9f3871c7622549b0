"""As allowed: outcomes as they can be served where some models may not take some requests (residency, latency).

What a barred model said of such a request is of no use: it never will answer it. In its place stands what the best of
the models that may take it said (by the rates of its group), for that is who will answer where a policy, or anybody who
uses one model alone, would have asked the barred one. So every figure, every baseline and every promise is about what
can be done: `big alone` is big where it may, and its stand-in elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from breakeven.learning.group_rates import GroupRates, Path, paths_of
from breakeven.outcomes.outcome import Floats, OutcomeTable

Flags = npt.NDArray[np.bool_]


def may_take(
    table: OutcomeTable, by_path: Mapping[Path, tuple[str, ...]], by_task: Mapping[str, tuple[str, ...]]
) -> Flags:
    """Which model may take which request, by its group, and by its task in any group; shape (requests, models)."""
    found = np.ones(table.success.shape, dtype=np.bool_)
    for row, (path, task) in enumerate(zip(paths_of(table), table.tasks, strict=True)):
        for names in (by_path.get(path), by_task.get(task)):
            if names is not None:
                found[row] &= [each in names for each in table.models]
    return found


def stand_ins(may: Flags, rates: Floats) -> npt.NDArray[np.intp]:
    """Who answers where a model may not, shape (requests,): of those that may, the one with the highest rate.

    >>> stand_ins(np.array([[True, True, False]]), np.array([[0.5, 0.8, 0.9]])).tolist()
    [1]
    """
    return np.asarray(np.where(may, rates, -np.inf).argmax(axis=1))


def as_allowed(table: OutcomeTable, may: Flags, rates: Floats) -> OutcomeTable:
    """The table with a stand-in's outcome, cost and latency where a model may not take the request."""
    if may.all():
        return table
    at = stand_ins(may, rates)[:, None]

    def served(values: Floats) -> Floats:
        return np.where(may, values, np.take_along_axis(values, at, axis=1))

    return replace(
        table,
        success=served(table.success),
        cost_usd=served(table.cost_usd),
        latency_s=None if table.latency_s is None else served(table.latency_s),
    )


def with_barred_filled(table: OutcomeTable, by_task: Mapping[str, tuple[str, ...]]) -> OutcomeTable:
    """The table with something in the cells of models that were never tried because their task keeps them out.

    Such a request is no incomplete one. What is put there is the outcome of an allowed model, and is replaced by that
    of the right stand-in once it is known on which requests that may be learnt (`both_as_allowed`).
    """
    may = may_take(table, {}, by_task)
    blank = ~may & np.isnan(table.success)
    if not blank.any():
        return table
    tried = np.isfinite(table.success)
    rates = np.where(tried, table.success, 0.0).sum(axis=0) / np.maximum(tried.sum(axis=0), 1)
    filled = as_allowed(table, may, np.broadcast_to(rates, may.shape))
    return replace(
        table,
        success=np.where(blank, filled.success, table.success),
        cost_usd=np.where(blank, filled.cost_usd, table.cost_usd),
    )


def both_as_allowed(
    train: OutcomeTable,
    calibration: OutcomeTable,
    rates: GroupRates,
    by_path: Mapping[Path, tuple[str, ...]],
    by_task: Mapping[str, tuple[str, ...]],
) -> tuple[OutcomeTable, OutcomeTable, tuple[str, ...]]:
    """Both parts of what is learnt from, and a note; the rates are of the first part, before anything stands in."""
    flags = [may_take(each, by_path, by_task) for each in (train, calibration)]
    found = [
        as_allowed(each, may, rates.rates(paths_of(each)))
        for each, may in zip((train, calibration), flags, strict=True)
    ]
    count = sum(int((~may.all(axis=1)).sum()) for may in flags)
    return found[0], found[1], barred_note(count)


def barred_note(requests_count: int) -> tuple[str, ...]:
    """What a reader has to know where models were barred."""
    if not requests_count:
        return ()
    return (
        f"{requests_count:,} requests may not go to every model: where one may not take a request, the best that may "
        "stands for it, also in the figures of one model alone and in the floor",
    )
