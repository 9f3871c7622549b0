"""Finish queue: which decoding sequence ends next, kept as a binary heap; and the time of one iteration, compiled.

Both belong to the simulation's innermost loop (`simulate_kernel.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.compiled import njit

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
compiled: Final = njit(error_model="numpy")
"""How the loops of the simulation are compiled."""


@compiled
def step_s(tokens: Floats, times: Floats, new_tokens: float) -> float:
    """Time of an iteration with so many new tokens, before attention to the cache."""
    last = tokens.size - 1
    if last == 0 or new_tokens <= tokens[0]:
        return times[0]  # type: ignore[no-any-return]
    low, high = 0, last
    if new_tokens >= tokens[last]:
        low = last - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if tokens[middle] <= new_tokens:
            low = middle
        else:
            high = middle
    return times[low] + (times[high] - times[low]) / (tokens[high] - tokens[low]) * (new_tokens - tokens[low])  # type: ignore[no-any-return]


@compiled
def push(keys: Ints, who: Ints, size: int, key: int, request: int) -> None:
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if keys[parent] <= key:
            break
        keys[at], who[at] = keys[parent], who[parent]
        at = parent
    keys[at], who[at] = key, request


@compiled
def sink(keys: Ints, who: Ints, size: int, at: int, key: int, request: int) -> None:
    """Put an entry where `at` is free, lower if the ones below are earlier."""
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at], who[at] = keys[child], who[child]
        at = child
    keys[at], who[at] = key, request


@compiled
def remove(keys: Ints, who: Ints, size: int, at: int) -> None:
    key, request = keys[size - 1], who[size - 1]
    if at == size - 1:
        return
    while at > 0 and keys[(at - 1) >> 1] > key:
        keys[at], who[at] = keys[(at - 1) >> 1], who[(at - 1) >> 1]
        at = (at - 1) >> 1
    sink(keys, who, size - 1, at, key, request)
