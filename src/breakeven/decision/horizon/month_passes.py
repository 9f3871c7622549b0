"""Month passes: one month of one option for a block of draws, each step a loop that vector instructions take.

A month and a row are indices into arrays of shape ``(months, block)`` and ``(rows, block)``; `kernel` has the names.
"""

from __future__ import annotations

import numpy as np

from breakeven.decision.horizon.compiled_loops import FAST, Floats


@FAST
def copy_rows(rows: Floats, first: int, last: int, begin: int, size: int, block: Floats) -> None:
    """Coefficients of one block of draws, rows `first` to before `last`, side by side in the cache."""
    for row in range(first, last):
        for i in range(size):
            block[row, i] = rows[row, begin + i]


@FAST
def status_quo(per_mtok: Floats, fixed: Floats, size: int, volume: Floats, api: Floats, bill: Floats) -> None:
    for month in range(bill.shape[0]):
        for i in range(size):
            price = per_mtok[0, i] + per_mtok[1, i] * api[month, i]
            bill[month, i] = price * volume[month, i] + fixed[0, i]


@FAST
def not_moved(size: int, moved: Floats, today: Floats, volume: Floats, rest: Floats) -> None:
    """What has not moved is paid as today; from here on `volume` is what has moved."""
    for month in range(rest.shape[0]):
        for i in range(size):
            rest[month, i] = (1.0 - moved[month, i]) * today[month, i]
            volume[month, i] *= moved[month, i]


@FAST
def as_today(today: Floats, month: int, size: int, bill: Floats) -> None:
    for i in range(size):
        bill[i] = today[month, i]


@FAST
def per_token(
    per_mtok: Floats,
    fixed: Floats,
    size: int,
    month: int,
    volume: Floats,
    price: Floats,
    rest: Floats,
    bill: Floats,
) -> None:
    for i in range(size):
        token_price = per_mtok[0, i] + per_mtok[1, i] * price[month, i]
        bill[i] = token_price * volume[month, i] + fixed[0, i] + rest[month, i]


@FAST
def add_tokens(per_mtok: Floats, size: int, month: int, volume: Floats, price: Floats, bill: Floats) -> None:
    for i in range(size):
        bill[i] += per_mtok[1, i] * volume[month, i] * price[month, i]


@FAST
def add_list_tokens(per_mtok: Floats, size: int, month: int, volume: Floats, api: Floats, bill: Floats) -> None:
    """The tokens of today's models, of an option that buys open ones beside them."""
    for i in range(size):
        bill[i] += per_mtok[2, i] * volume[month, i] * api[month, i]


@FAST
def add_rent(rented: Floats, size: int, month: int, rents: Floats, bill: Floats) -> None:
    for i in range(size):
        bill[i] += rented[0, i] * rents[month, i]


@FAST
def whole_units(per_mtok: Floats, fewest: Floats, size: int, month: int, load: Floats, units: Floats) -> float:
    """Whole units of each draw; returns the most of them."""
    most = 0.0
    for i in range(size):
        n = max(np.ceil(load[month, i] * per_mtok[i]), fewest[i])
        units[month, i] = n
        most = max(most, n)
    return most


@FAST
def fractional_units(per_mtok: Floats, size: int, month: int, volume: Floats, units: Floats) -> None:
    for i in range(size):
        units[month, i] = volume[month, i] * per_mtok[i]


@FAST
def fixed_part(
    per_mtok: Floats,
    fixed: Floats,
    size: int,
    month: int,
    volume: Floats,
    rest: Floats,
    bill: Floats,
) -> None:
    for i in range(size):
        bill[i] = per_mtok[0, i] * volume[month, i] + fixed[0, i] + rest[month, i]


@FAST
def add_fleet(
    fixed: Floats,
    rented: Floats,
    size: int,
    month: int,
    rent_month: int,
    units: Floats,
    rents: Floats,
    bill: Floats,
) -> None:
    for i in range(size):
        bill[i] += (fixed[1, i] + rented[1, i] * rents[rent_month, i]) * units[month, i]


@FAST
def add_bend(fixed: Floats, row: int, knot_count: float, size: int, month: int, units: Floats, bill: Floats) -> None:
    for i in range(size):
        bill[i] += fixed[row, i] * max(units[month, i] - knot_count, 0.0)


@FAST
def add_bend_rent(
    rented: Floats,
    row: int,
    knot_count: float,
    size: int,
    month: int,
    rent_month: int,
    units: Floats,
    rents: Floats,
    bill: Floats,
) -> None:
    for i in range(size):
        bill[i] += rented[row, i] * rents[rent_month, i] * max(units[month, i] - knot_count, 0.0)


@FAST
def count(size: int, month: int, discount: Floats, bill: Floats, total: Floats) -> float:
    summed = 0.0
    for i in range(size):
        total[i] += bill[i] * discount[month, i]
        summed += bill[i]
    return summed


@FAST
def take_first(option_count: float, size: int, month: int, bill: Floats, best: Floats, who: Floats) -> None:
    for i in range(size):
        best[month, i] = bill[i]
        who[month, i] = option_count


@FAST
def lowest(option_count: float, size: int, month: int, bill: Floats, best: Floats, who: Floats) -> None:
    """Keep the lowest bill so far, and whose it is."""
    for i in range(size):
        who[month, i] = option_count if bill[i] < best[month, i] else who[month, i]
        best[month, i] = min(bill[i], best[month, i])
