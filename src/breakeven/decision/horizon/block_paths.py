"""Block paths: volume, prices and discount of a block of draws, each month from the one before."""

from __future__ import annotations

import numpy as np
from numba import njit

from breakeven.decision.horizon.compiled_loops import FAST, Floats

_HALVINGS = 8.0


@njit(cache=True, error_model="numpy", inline="always")
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
    end = begin + size
    work = np.ones(size)
    grows = path[0, begin:end].copy()
    left = np.ones(size)
    volume[0, :size] = path[13, begin:end]
    api[0, :size] = 1.0
    open_token[0, :size] = 1.0
    rents[0, :size] = 1.0
    discount[0, :size] = path[12, begin:end]
    for month in range(1, months):
        _grown(volume[month - 1], path[1, begin:end], grows, volume[month])
        _times(api[month - 1], path[2, begin:end], api[month])
        _times(open_token[month - 1], path[3, begin:end], open_token[month])
        _times(discount[month - 1], path[12, begin:end], discount[month])
        d = loadings[month] - loadings[month - 1]
        _shocked(path[8, begin:end], path[9, begin:end], path[10, begin:end], path[7, begin:end], d, rents[month])
        _rented(rents[month - 1], path[5, begin:end], path[6, begin:end], left, rents[month])
    for month in range(months):
        _moved(path[11, begin:end], float(month - start_month), volume[month], work, moved[month], load[month])
        _times(work, path[4, begin:end], work)


@FAST
def _times(before: Floats, factor: Floats, after: Floats) -> None:
    for i in range(factor.size):
        after[i] = before[i] * factor[i]


@FAST
def _grown(before: Floats, keeps: Floats, grows: Floats, after: Floats) -> None:
    for i in range(keeps.size):
        after[i] = before[i] * small_exp(grows[i])
        grows[i] *= keeps[i]


@FAST
def _shocked(z1: Floats, z2: Floats, z3: Floats, wild: Floats, d: Floats, chance: Floats) -> None:
    d1, d2, d3 = d[0], d[1], d[2]
    for i in range(z1.size):
        chance[i] = wild[i] * (d1 * z1[i] + d2 * z2[i] + d3 * z3[i])


@FAST
def _rented(before: Floats, long_run: Floats, reverts: Floats, left: Floats, chance: Floats) -> None:
    """`chance` becomes the rent of the month."""
    for i in range(long_run.size):
        chance[i] = before[i] * small_exp(long_run[i] * left[i] * (1.0 - reverts[i]) + chance[i])
        left[i] *= reverts[i]


@FAST
def _moved(ramp: Floats, elapsed: float, v: Floats, work: Floats, moved: Floats, load: Floats) -> None:
    for i in range(ramp.size):
        moved[i] = max(min((elapsed + 1.0) / (ramp[i] + 1.0), 1.0), 0.0)
        load[i] = v[i] * moved[i] * work[i]
