"""Block paths: volume, prices and discount of a block of draws, each month from the one before."""

from __future__ import annotations

import numpy as np

from breakeven.compiled import njit
from breakeven.decision.horizon.compiled_loops import FAST, Floats

_HALVINGS = 8.0


@njit(error_model="numpy", inline="always")
def small_exp(exponent_ratio: float) -> float:
    """e^x to 1e-9 for |x| < 1, from multiplications alone: (Taylor at x / 8)^8."""
    y = exponent_ratio / _HALVINGS
    e = 1.0 + y * (1.0 + y * (0.5 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120 + y * (1 / 720))))))
    e = e * e
    e = e * e
    return e * e


@FAST
def block_paths(
    path: Floats,
    loadings: Floats,
    begin: int,
    size: int,
    start_month: int,
    volume: Floats,
    api: Floats,
    open_token: Floats,
    load: Floats,
    rents: Floats,
    moved: Floats,
    discount: Floats,
) -> None:
    """The paths of one block of draws, by recurrence from month to month. `path[13]`: today's volume."""
    months = loadings.shape[0]
    rows = np.empty((path.shape[0], size))
    for row in range(path.shape[0]):
        for i in range(size):
            rows[row, i] = path[row, begin + i]
    work = np.ones(size)
    grows = rows[0].copy()
    left = np.ones(size)
    _start(rows, volume, api, open_token, rents, discount)
    for month in range(1, months):
        _grown(rows, month, grows, volume)
        _times(rows, 2, month, api)
        _times(rows, 3, month, open_token)
        _times(rows, 12, month, discount)
        first = loadings[month, 0] - loadings[month - 1, 0]
        second = loadings[month, 1] - loadings[month - 1, 1]
        third = loadings[month, 2] - loadings[month - 1, 2]
        _rented(rows, first, second, third, month, left, rents)
    for i in range(size):
        rows[11, i] = 1.0 / (rows[11, i] + 1.0)
    for month in range(months):
        _moved(rows, float(month - start_month), month, volume, work, moved, load)


@FAST
def _start(rows: Floats, volume: Floats, api: Floats, open_token: Floats, rents: Floats, discount: Floats) -> None:
    for i in range(rows.shape[1]):
        volume[0, i] = rows[13, i]
        api[0, i] = 1.0
        open_token[0, i] = 1.0
        rents[0, i] = 1.0
        discount[0, i] = rows[12, i]


@FAST
def _times(rows: Floats, row: int, month: int, ratio: Floats) -> None:
    for i in range(rows.shape[1]):
        ratio[month, i] = ratio[month - 1, i] * rows[row, i]


@FAST
def _grown(rows: Floats, month: int, grows: Floats, volume: Floats) -> None:
    for i in range(rows.shape[1]):
        volume[month, i] = volume[month - 1, i] * small_exp(grows[i])
        grows[i] *= rows[1, i]


@FAST
def _rented(
    rows: Floats, first_ratio: float, second_ratio: float, third_ratio: float, month: int, left: Floats, rents: Floats
) -> None:
    """The rent drifts to its long-run level, and chance moves it."""
    for i in range(rows.shape[1]):
        chance = first_ratio * rows[8, i] + second_ratio * rows[9, i] + third_ratio * rows[10, i]
        drift = rows[5, i] * left[i] * (1.0 - rows[6, i])
        rents[month, i] = rents[month - 1, i] * small_exp(drift + rows[7, i] * chance)
        left[i] *= rows[6, i]


@FAST
def _moved(
    rows: Floats, elapsed_months: float, month: int, volume: Floats, work: Floats, moved: Floats, load: Floats
) -> None:
    for i in range(rows.shape[1]):
        moved[month, i] = max(min((elapsed_months + 1.0) * rows[11, i], 1.0), 0.0)
        load[month, i] = volume[month, i] * moved[month, i] * work[i]
        work[i] *= rows[4, i]
