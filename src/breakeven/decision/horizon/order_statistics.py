"""Order statistics: quantiles of many positive numbers, without putting all of them in order.

The bits of positive floats are in the order of the floats, so that their first bits sort them into a few thousand
drawers; only the drawers that hold a wanted place are looked into. The figures are those of `np.quantile`, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from breakeven.decision.comparison import between_neighbours
from breakeven.facts.distribution import Draws

WORTH_DRAWERS_COUNT: Final = 50_000
"""So few numbers are put in order as quickly."""
_SHIFT: Final = 44
"""Bits that a drawer leaves open: 256 drawers for each doubling."""
_INFINITY_BITS: Final = 0x7FF0_0000_0000_0000
Integers = NDArray[np.int64]


def quantiles_of(draws: Draws, probabilities: Sequence[float]) -> list[float]:
    """Quantiles over all of `draws`, whatever their shape.

    >>> quantiles_of(np.arange(101.0), (0.1, 0.5))
    [10.0, 50.0]
    """
    flat = np.ascontiguousarray(draws).reshape(-1)
    bits = flat.view(np.int64)
    if flat.size < WORTH_DRAWERS_COUNT or bits.min() < 0 or bits.max() >= _INFINITY_BITS:
        return [float(each) for each in np.quantile(flat, probabilities)]
    places = [probability * (flat.size - 1) for probability in probabilities]
    ranks = sorted({min(int(place) + more, flat.size - 1) for place in places for more in (0, 1)})
    known = _at_ranks(flat, bits, np.array(ranks))
    return [
        between_neighbours(known[int(place)], known[min(int(place) + 1, flat.size - 1)], place - int(place))
        for place in places
    ]


def _at_ranks(flat: Draws, bits: Integers, ranks: Integers) -> dict[int, float]:
    """Number at each of `ranks`, which ascend."""
    first_drawer = int(bits.min()) >> _SHIFT
    before = np.concatenate(
        ([0], np.cumsum(_filled(bits, first_drawer, (int(bits.max()) >> _SHIFT) - first_drawer + 1)))
    )
    drawers = np.searchsorted(before, ranks, side="right") - 1
    opened = np.unique(drawers)
    found: dict[int, float] = {}
    for drawer, content in zip(opened.tolist(), _contents(flat, bits, first_drawer, opened, before), strict=True):
        inside = ranks[drawers == drawer]
        ordered = np.partition(content, inside - before[drawer])
        found |= dict(zip(inside.tolist(), ordered[inside - before[drawer]].tolist(), strict=True))
    return found


def _contents(flat: Draws, bits: Integers, first_drawer: int, opened: Integers, before: Integers) -> list[Draws]:
    """What lies in each of the `opened` drawers."""
    sizes = before[opened + 1] - before[opened]
    ends = np.cumsum(sizes)
    place = np.full(before.size - 1, -1)
    place[opened] = ends - sizes
    taken = np.empty(int(ends[-1]))
    _take(flat, bits, first_drawer, place, taken)
    return np.split(taken, ends[:-1])


@njit(cache=True)
def _filled(bits: Integers, first_drawer: int, drawers_count: int) -> Integers:
    """How many numbers lie in each drawer."""
    counts = np.zeros(drawers_count, np.int64)
    for i in range(bits.size):
        counts[(bits[i] >> _SHIFT) - first_drawer] += 1
    return counts


@njit(cache=True)
def _take(flat: Draws, bits: Integers, first_drawer: int, place: Integers, taken: Draws) -> None:
    """Lay what is in the wanted drawers into `taken`; `place`: where each drawer's next number goes, -1: not wanted."""
    for i in range(bits.size):
        drawer = (bits[i] >> _SHIFT) - first_drawer
        at = place[drawer]
        if at >= 0:
            taken[at] = flat[i]
            place[drawer] = at + 1
