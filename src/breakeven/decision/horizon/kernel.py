"""Kernel: all options x months x draws in one compiled pass that keeps sums, counts and present costs, never the cube.

Draws are taken in blocks that fit the first cache; within a block every loop runs over draws, so that the compiler can
use vector instructions. Memory: the coefficients and one present cost per option and draw, whatever the months.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.horizon.block_paths import block_paths
from breakeven.decision.horizon.compiled_loops import FAST, Floats
from breakeven.decision.horizon.hardware_loop import hardware
from breakeven.decision.horizon.month_passes import (
    add_bend,
    add_bend_rent,
    add_fleet,
    add_list_tokens,
    add_rent,
    add_tokens,
    as_today,
    copy_rows,
    count,
    fixed_part,
    fractional_units,
    lowest,
    not_moved,
    per_token,
    status_quo,
    take_first,
    whole_units,
)
from breakeven.decision.horizon.price_of_line import BOTH_PRICES, LIST_PRICE
from breakeven.decision.horizon.terms import FRACTIONS, NO_FLEET, UNITS_OF_TOKENS

BLOCK = 512
MOST_UNITS = 9e4


@FAST
def run_months(
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
    rivals: NDArray[np.int64],
    start_month: int,
    present: Floats,
    mean: Floats,
    cheapest: NDArray[np.int64],
    kept_bills: Floats,
    kept_cash: Floats,
    kept_upfront: Floats,
) -> None:
    """Fill `present` (options, draws), `mean` and `cheapest` (options, months), and the months of the first draws.

    `path` (14, draws): log growth per month, its monthly factor, log monthly change of API, open-token and work ratios,
    log long-run rent, its monthly factor, volatility, three shocks, ramp months, discount per month, volume. `per_mtok`
    (options, 3, draws): at no price of the paths, at the one of `open_tokens`, and of both prices at the list's. `once`
    (options, draws). `kind`: 0 no fleet, 1 whole units, 2 fractions, 3 whole units of tokens; 0 of them that is first
    is the status quo.
    `capital` (5, options, draws): capex and annuity per unit, life, age; `capital[4, 0]`: year 3, `[4, 1]`: year 5.
    `kept_*` (options, months, kept draws).
    """
    options, draws = once.shape
    months = loadings.shape[0]
    block = BLOCK
    kept = kept_bills.shape[2]
    volume = np.empty((months, block))
    api = np.empty((months, block))
    open_token = np.empty((months, block))
    load = np.empty((months, block))
    rents = np.empty((months, block))
    moved = np.empty((months, block))
    discount = np.empty((months, block))
    bill_today = np.empty((months, block))
    rest = np.empty((months, block))
    best = np.empty((months, block))
    who = np.empty((months, block))
    units = np.empty((months, block))
    most = np.empty(months)
    coefficients = np.empty((per_mtok.shape[1], block))
    fixed = np.empty((today.shape[1], block))
    rented = np.empty((rent.shape[1], block))
    per_unit = np.empty(block)
    few = np.empty(block)
    bill = np.empty(block)
    total = np.empty(block)
    first_rival = 0
    while rivals[first_rival] == 0:
        first_rival += 1
    for begin in range(0, draws, block):
        size = min(block, draws - begin)
        block_paths(path, loadings, begin, size, start_month, volume, api, open_token, load, rents, moved, discount)
        copy_rows(per_mtok[0], 0, 2, begin, size, coefficients)
        copy_rows(today[0], 0, 1, begin, size, fixed)
        status_quo(coefficients, fixed, size, volume, api, bill_today)
        not_moved(size, moved, bill_today, volume, rest)
        for option in range(options):
            prices = open_tokens[option]
            copy_rows(per_mtok[option], 0, 3 if prices == BOTH_PRICES else 2, begin, size, coefficients)
            copy_rows(today[option], 0, 1, begin, size, fixed)
            if kind[option] != NO_FLEET:
                bent = 0
                while bent < knots.shape[1] and knots[option, bent] < MOST_UNITS:
                    bent += 1
                copy_rows(today[option], 1, 2 + bent, begin, size, fixed)
                copy_rows(rent[option], 0, 2 + bent if kind[option] == FRACTIONS else 2, begin, size, rented)
                for i in range(size):
                    per_unit[i] = units_per_mtok[option, begin + i]
                    few[i] = fewest[option, begin + i]
            tokens = api if prices == LIST_PRICE else open_token
            bends = knots[option]
            held, shape = commitment[option], kind[option]
            carried = volume if shape == UNITS_OF_TOKENS else load
            counted = rivals[option] == 1
            total[:size] = 0.0
            for month in range(months):
                if option == 0 or month < start_month:
                    as_today(bill_today, month, size, bill)
                elif shape == NO_FLEET:
                    per_token(coefficients, fixed, size, month, volume, tokens, rest, bill)
                else:
                    rent_month = (month - start_month) // held * held + start_month if held > 0 else month
                    if shape == FRACTIONS:
                        fractional_units(per_unit, size, month, volume, units)
                        most[month] = MOST_UNITS
                    elif same_steps[option] == 0:
                        most[month] = whole_units(per_unit, few, size, month, carried, units)
                    fixed_part(coefficients, fixed, size, month, volume, rest, bill)
                    add_fleet(fixed, rented, size, month, rent_month, units, rents, bill)
                    if has_tokens[option] == 1:
                        add_tokens(coefficients, size, month, volume, tokens, bill)
                    for bend in range(bends.size):
                        if bends[bend] < most[month]:
                            add_bend(fixed, 2 + bend, bends[bend], size, month, units, bill)
                            if shape == FRACTIONS:
                                add_bend_rent(
                                    rented, 2 + bend, bends[bend], size, month, rent_month, units, rents, bill
                                )
                    if shape == FRACTIONS:
                        add_rent(rented, size, rent_month, rents, bill)
                if prices == BOTH_PRICES and month >= start_month:
                    add_list_tokens(coefficients, size, month, volume, api, bill)
                mean[option, month] += count(size, month, discount, bill, total)
                if option == first_rival:
                    take_first(float(option), size, month, bill, best, who)
                elif counted:
                    lowest(float(option), size, month, bill, best, who)
                for i in range(min(size, kept - begin)):
                    kept_bills[option, month, begin + i] = bill[i]
                    kept_cash[option, month, begin + i] = bill[i]
            for i in range(size):
                first = once[option, begin + i]
                if start_month > 0:
                    first *= discount[start_month - 1, i]
                present[option, begin + i] = total[i] + first
            for i in range(min(size, kept - begin)):
                if start_month > 0:
                    kept_cash[option, start_month - 1, begin + i] += once[option, begin + i]
                else:
                    kept_upfront[option, begin + i] = once[option, begin + i]
            if option > 0 and capital[0, option, begin] > 0.0:
                hardware(capital, option, begin, size, units, discount, start_month, present, kept_cash, kept_upfront)
        for month in range(months):
            for i in range(size):
                cheapest[int(who[month, i]), month] += 1
    for option in range(options):
        for month in range(months):
            mean[option, month] /= draws
