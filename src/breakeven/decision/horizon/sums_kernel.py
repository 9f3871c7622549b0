"""Sums kernel: present costs alone, from sums over the months that the options share; no bill is ever written down.

A bill per token is a line in the month's volume, so that its present cost is a line in a few discounted sums. A fleet
adds the discounted sums of its units, and of what they exceed at each knot. Draws are taken in blocks; within one, the
paths are turned so that the months of a draw lie side by side, and a fleet's sums are reductions over them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.horizon.block_paths import block_paths
from breakeven.decision.horizon.compiled_loops import FAST, FAST_WITHOUT_LOCK, Floats
from breakeven.decision.horizon.hardware_loop import hardware_row
from breakeven.decision.horizon.kernel import MOST_UNITS
from breakeven.decision.horizon.price_of_line import BOTH_PRICES, LIST_PRICE
from breakeven.decision.horizon.terms import FRACTIONS, NO_FLEET, WHOLE_UNITS

BLOCK = 128
LOAD, VOLUME, WORTH, RENT = 0, 1, 2, 3
"""Rows of what `_turn` fills."""
MOST, COUNTED, RENTED, BENDS = 0, 1, 2, 3
"""Rows of what the options with the same units share: the most units, and discounted sums."""
WIDTH = BLOCK + 8
"""Columns of the block's arrays: rows whose length is a power of two would fall on the same lines of the cache."""


@FAST_WITHOUT_LOCK
def present_costs(
    path: Floats,
    loadings: Floats,
    once: Floats,
    per_mtok: Floats,
    today: Floats,
    rent: Floats,
    knots: Floats,
    units_per_mtok: Floats,
    fewest: Floats,
    kind: NDArray[np.int64],
    open_tokens: NDArray[np.int64],
    has_tokens: NDArray[np.int64],
    same_steps: NDArray[np.int64],
    commitment: NDArray[np.int64],
    capital: Floats,
    start_month: int,
    first: int,
    last: int,
    present: Floats,
) -> None:
    """Fill `present` (options, draws) from draw `first` to before `last`, a multiple of the block or the end.

    The other arguments are those of `kernel.run_months`. No lock is held: other threads may fill other draws.
    """
    options = once.shape[0]
    months = loadings.shape[0]
    volume = np.empty((months, WIDTH))
    api = np.empty((months, WIDTH))
    open_token = np.empty((months, WIDTH))
    load = np.empty((months, WIDTH))
    rents = np.empty((months, WIDTH))
    moved = np.empty((months, WIDTH))
    discount = np.empty((months, WIDTH))
    sums = np.empty((6, BLOCK))
    by_draw = np.empty((4, BLOCK, months))
    units = np.empty((BLOCK, months))
    kept = np.empty((BENDS + knots.shape[1], BLOCK))
    begun = np.empty(months, np.int64)
    for begin in range(first, last, BLOCK):
        size = min(BLOCK, last - begin)
        block_paths(path, loadings, begin, size, start_month, volume, api, open_token, load, rents, moved, discount)
        _shared_sums(per_mtok[0], today[0], begin, size, start_month, volume, api, open_token, moved, discount, sums)
        _turn(size, start_month, load, volume, moved, discount, rents, by_draw)
        for i in range(size):
            present[0, begin + i] = sums[5, i] + once[0, begin + i]
        for option in range(1, options):
            tokens = 1 if open_tokens[option] == LIST_PRICE else 2
            both = open_tokens[option] == BOTH_PRICES
            fleet = kind[option] != NO_FLEET
            for i in range(size):
                draw = begin + i
                found = per_mtok[option, 0, draw] * sums[0, i] + today[option, 0, draw] * sums[3, i] + sums[4, i]
                if not fleet or has_tokens[option] == 1:
                    found += per_mtok[option, 1, draw] * sums[tokens, i]
                if both:
                    found += per_mtok[option, 2, draw] * sums[1, i]
                paid_at = discount[start_month - 1, i] if start_month > 0 else 1.0
                present[option, draw] = found + once[option, draw] * paid_at
            if not fleet:
                continue
            rounded = kind[option] != FRACTIONS
            row = LOAD if kind[option] == WHOLE_UNITS else VOLUME
            held = commitment[option]
            for month in range(months):
                begun[month] = max(month - start_month, 0) // held * held + start_month if held > 0 else month
            owned = capital[0, option, begin] > 0.0
            bends = 0
            while bends < knots.shape[1] and knots[option, bends] < MOST_UNITS:
                bends += 1
            if same_steps[option] == 0:
                for i in range(size):
                    per_unit, few = units_per_mtok[option, begin + i], fewest[option, begin + i]
                    most = _units(by_draw, row, i, per_unit, few, rounded, units)
                    kept[MOST, i] = most
                    kept[COUNTED, i] = _product(by_draw, i, units)
                    kept[RENTED, i] = _rented(by_draw, i, units)
                    for bend in range(bends):
                        knot = knots[option, bend]
                        kept[BENDS + bend, i] = _over(by_draw, i, units, knot) if knot < most else 0.0
            for i in range(size):
                draw = begin + i
                rented_sum = _held(by_draw, i, units, begun) if held > 0 else kept[RENTED, i]
                found = today[option, 1, draw] * kept[COUNTED, i] + rent[option, 1, draw] * rented_sum
                for bend in range(bends):
                    found += today[option, 2 + bend, draw] * kept[BENDS + bend, i]
                if not rounded:
                    found += rent[option, 0, draw] * _rents(by_draw, i)
                    for bend in range(bends):
                        over = _rented_over(by_draw, i, units, knots[option, bend])
                        found += rent[option, 2 + bend, draw] * over
                if owned:
                    worth, row_units, most = by_draw[WORTH, i], units[i], kept[MOST, i]
                    found += hardware_row(capital, option, draw, row_units, most, worth, discount[0, i], start_month)
                    found -= capital[1, option, draw] * kept[COUNTED, i]
                present[option, draw] += found


@FAST
def _shared_sums(
    per_mtok: Floats,
    fixed: Floats,
    begin: int,
    size: int,
    start_month: int,
    volume: Floats,
    api: Floats,
    open_token: Floats,
    moved: Floats,
    discount: Floats,
    sums: Floats,
) -> None:
    """Discounted sums over the months; rows: moved volume, the same at API prices, at open-token prices, months,
    what is still paid as today, all of it paid as today."""
    for row in range(sums.shape[0]):
        for i in range(size):
            sums[row, i] = 0.0
    for month in range(volume.shape[0]):
        after = 1.0 if month >= start_month else 0.0
        for i in range(size):
            worth = discount[month, i]
            now = (per_mtok[0, begin + i] + per_mtok[1, begin + i] * api[month, i]) * volume[month, i]
            now += fixed[0, begin + i]
            part = moved[month, i] * volume[month, i] * worth
            sums[0, i] += part
            sums[1, i] += part * api[month, i]
            sums[2, i] += part * open_token[month, i]
            sums[3, i] += worth * after
            sums[4, i] += worth * now * (1.0 - moved[month, i] * after)
            sums[5, i] += worth * now


@FAST
def _turn(
    size: int,
    start_month: int,
    load: Floats,
    volume: Floats,
    moved: Floats,
    discount: Floats,
    rents: Floats,
    by_draw: Floats,
) -> None:
    """Months side by side: fleet's load, moved volume, discount (0 before the move begins), rent."""
    months = load.shape[0]
    for i in range(size):
        for month in range(months):
            by_draw[LOAD, i, month] = load[month, i]
        for month in range(months):
            by_draw[VOLUME, i, month] = volume[month, i] * moved[month, i]
        for month in range(start_month, months):
            by_draw[WORTH, i, month] = discount[month, i]
        for month in range(start_month):
            by_draw[WORTH, i, month] = 0.0
        for month in range(months):
            by_draw[RENT, i, month] = rents[month, i]


@FAST
def _units(
    by_draw: Floats, row: int, i: int, per_mtok_count: float, fewest_count: float, rounded: bool, units: Floats
) -> float:
    """Units of each month of one draw; returns the most of them."""
    most = 0.0
    if rounded:
        for month in range(units.shape[1]):
            units[i, month] = max(np.ceil(by_draw[row, i, month] * per_mtok_count), fewest_count)
        for month in range(units.shape[1]):
            most = max(most, units[i, month])
    else:
        for month in range(units.shape[1]):
            units[i, month] = by_draw[row, i, month] * per_mtok_count
        most = MOST_UNITS
    return most


@FAST
def _product(by_draw: Floats, i: int, units: Floats) -> float:
    total = 0.0
    for month in range(units.shape[1]):
        total += by_draw[WORTH, i, month] * units[i, month]
    return total


@FAST
def _rents(by_draw: Floats, i: int) -> float:
    total = 0.0
    for month in range(by_draw.shape[2]):
        total += by_draw[WORTH, i, month] * by_draw[RENT, i, month]
    return total


@FAST
def _rented(by_draw: Floats, i: int, units: Floats) -> float:
    total = 0.0
    for month in range(units.shape[1]):
        total += by_draw[WORTH, i, month] * by_draw[RENT, i, month] * units[i, month]
    return total


@FAST
def _held(by_draw: Floats, i: int, units: Floats, begun: NDArray[np.int64]) -> float:
    """With the rent of the month in which each month's term began."""
    total = 0.0
    for month in range(units.shape[1]):
        total += by_draw[WORTH, i, month] * by_draw[RENT, i, begun[month]] * units[i, month]
    return total


@FAST
def _over(by_draw: Floats, i: int, units: Floats, knot_count: float) -> float:
    total = 0.0
    for month in range(units.shape[1]):
        total += by_draw[WORTH, i, month] * max(units[i, month] - knot_count, 0.0)
    return total


@FAST
def _rented_over(by_draw: Floats, i: int, units: Floats, knot_count: float) -> float:
    total = 0.0
    for month in range(units.shape[1]):
        total += by_draw[WORTH, i, month] * by_draw[RENT, i, month] * max(units[i, month] - knot_count, 0.0)
    return total
