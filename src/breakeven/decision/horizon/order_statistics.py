"""Order statistics: quantiles of many positive numbers, without putting all of them in order or writing them down.

The bits of positive floats are in the order of the floats, so that their first bits sort them into a few thousand
drawers; only the drawers that hold a wanted place are looked into. The figures are those of `np.quantile`, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.compiled import njit
from breakeven.decision.comparison import between_neighbours
from breakeven.facts.distribution import Draws

WORTH_DRAWERS_COUNT: Final = 50_000
"""So few numbers are put in order as quickly."""
DRAWERS_COUNT: Final = 1 << 14
"""A power of two; enough for 64 doublings from the smallest number to the largest."""
_SHIFT: Final = 44
"""Bits that a drawer leaves open: 256 drawers for each doubling."""
_INFINITY_BITS: Final = 0x7FF0_0000_0000_0000
_BLOCK: Final = 512
"""Numbers that are computed together, so that they stay in the first cache."""
Integers = NDArray[np.int64]


def quantiles_of_loads(
    volume_ratios: Sequence[Draws], volume_mtok: Draws, step_mtok: Draws, probabilities: Sequence[float]
) -> list[float]:
    """Quantiles over all ``ratio * volume / step``: `volume_ratios` of shape ``(months, draws)``, the others a draw.

    >>> quantiles_of_loads([np.arange(101.0)[:, None]], np.ones(1), np.ones(1), (0.1, 0.5))
    [10.0, 50.0]
    """
    draws_count = max(each.shape[-1] for each in (*volume_ratios, volume_mtok, step_mtok))
    volume, step = (_wide(each, (draws_count,)) for each in (volume_mtok, step_mtok))
    ratios = [_wide(each, (each.shape[0], draws_count)) for each in volume_ratios]
    size = sum(each.size for each in ratios)
    if size >= WORTH_DRAWERS_COUNT:
        filled, least, most = np.zeros(DRAWERS_COUNT, np.int64), _INFINITY_BITS, 0
        for each in ratios:
            lowest, highest = _fill(each, volume, step, filled)
            least, most = min(least, lowest), max(most, highest)
        first, last = least >> _SHIFT, most >> _SHIFT
        if least >= 0 and most < _INFINITY_BITS and last - first < DRAWERS_COUNT:
            places = [probability * (size - 1) for probability in probabilities]
            ranks = sorted({min(int(place) + more, size - 1) for place in places for more in (0, 1)})
            known = _at_ranks(ratios, volume, step, filled, first, last, np.array(ranks))
            return [
                between_neighbours(known[int(place)], known[min(int(place) + 1, size - 1)], place - int(place))
                for place in places
            ]
    return [
        float(each) for each in np.quantile(np.concatenate([each * volume / step for each in ratios]), probabilities)
    ]


def _wide(values: Draws, shape: tuple[int, ...]) -> Draws:
    return np.ascontiguousarray(np.broadcast_to(values, shape))


def _at_ranks(
    ratios: Sequence[Draws], volume: Draws, step: Draws, filled: Integers, first: int, last: int, ranks: Integers
) -> dict[int, float]:
    """Number at each of `ranks`, which ascend; `first`, `last`: the lowest and the highest drawer, before they wrap."""
    wrapped = np.arange(first, last + 1) % DRAWERS_COUNT
    before = np.concatenate(([0], np.cumsum(filled[wrapped])))
    drawers = np.searchsorted(before, ranks, side="right") - 1
    opened = np.unique(drawers)
    sizes = before[opened + 1] - before[opened]
    ends = np.cumsum(sizes)
    place = np.full(DRAWERS_COUNT, -1)
    place[wrapped[opened]] = ends - sizes
    taken = np.empty(int(ends[-1]))
    for each in ratios:
        _take(each, volume, step, place, taken)
    found: dict[int, float] = {}
    for drawer, content in zip(opened.tolist(), np.split(taken, ends[:-1]), strict=True):
        inside = ranks[drawers == drawer]
        ordered = np.partition(content, inside - before[drawer])
        found |= dict(zip(inside.tolist(), ordered[inside - before[drawer]].tolist(), strict=True))
    return found


@njit(error_model="numpy", forceinline=True)
def _write_loads(ratios: Draws, volume: Draws, step: Draws, begin: int, block: Draws) -> int:
    """Write the loads of a month's draws from `begin` on into `block`; how many there are."""
    size = min(_BLOCK, ratios.size - begin)
    for i in range(size):
        block[i] = ratios[begin + i] * volume[begin + i] / step[begin + i]
    return size


@njit(error_model="numpy", nogil=True)
def _fill(ratios: Draws, volume: Draws, step: Draws, filled: Integers) -> tuple[int, int]:
    """Count into `filled` how many numbers lie in each drawer; bits of the smallest and of the largest."""
    block = np.empty(_BLOCK)
    bits = block.view(np.int64)
    least, most = np.int64(0x7FFF_FFFF_FFFF_FFFF), np.int64(-0x8000_0000_0000_0000)
    months, draws = ratios.shape
    for month in range(months):
        for begin in range(0, draws, _BLOCK):
            size = _write_loads(ratios[month], volume, step, begin, block)
            for i in range(size):
                least = min(least, bits[i])
                most = max(most, bits[i])
            for i in range(size):
                filled[(bits[i] >> _SHIFT) & (DRAWERS_COUNT - 1)] += 1
    return int(least), int(most)


@njit(error_model="numpy", nogil=True)
def _take(ratios: Draws, volume: Draws, step: Draws, place: Integers, taken: Draws) -> None:
    """Lay what is in the wanted drawers into `taken`; `place`: where each drawer's next number goes, -1: not wanted."""
    block = np.empty(_BLOCK)
    bits = block.view(np.int64)
    months, draws = ratios.shape
    for month in range(months):
        for begin in range(0, draws, _BLOCK):
            size = _write_loads(ratios[month], volume, step, begin, block)
            for i in range(size):
                drawer = (bits[i] >> _SHIFT) & (DRAWERS_COUNT - 1)
                at = place[drawer]
                if at >= 0:
                    taken[at] = block[i]
                    place[drawer] = at + 1
