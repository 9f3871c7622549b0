"""Bent kernel: the straight pieces of a fleet's cost between its knots, in one pass over the draws.

The operations are those of the formulas, each rounded on its own and in their order, so that the bits are those of an
array at a time; nothing is contracted or reordered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breakeven.compiled import njit

Floats = NDArray[np.float64]
_BLOCK = 1024
"""Draws whose last value and slope stay in the first cache."""


@njit(error_model="numpy", nogil=True)
def bent_rows(
    priced: Floats, per_unit: Floats, units: Floats, factor: Floats, nodes: Floats, found: Floats
) -> None:  # pragma: no cover
    """Fill `found` (nodes, draws) with the value at 0, the slope, and the change of slope at each inner node.

    The values at the nodes: `priced` (nodes, draws), less what goes with the units (`per_unit` of each draw), times
    `factor` (draws,).
    """
    count, draws = found.shape
    last = np.empty(_BLOCK)
    slope_before = np.empty(_BLOCK)
    for begin in range(0, draws, _BLOCK):
        size = min(_BLOCK, draws - begin)
        for i in range(size):
            at = begin + i
            value = (priced[0, at] - per_unit[at] * units[0]) * factor[at]
            second = (priced[1, at] - per_unit[at] * units[1]) * factor[at]
            slope = (second - value) / (nodes[1] - nodes[0])
            found[0, at] = value - slope * nodes[0]
            found[1, at] = slope
            slope_before[i] = slope
            last[i] = second
        for row in range(2, count):
            apart = nodes[row] - nodes[row - 1]
            for i in range(size):
                at = begin + i
                value = (priced[row, at] - per_unit[at] * units[row]) * factor[at]
                slope = (value - last[i]) / apart
                found[row, at] = slope - slope_before[i]
                slope_before[i] = slope
                last[i] = value
