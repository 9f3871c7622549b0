"""Kernel: all options x months x draws in one compiled pass that keeps sums, counts and present costs, never the cube.

Draws are taken in blocks that fit the first cache; within a block every loop runs over draws, so that the compiler can
use vector instructions. Memory: the coefficients and one present cost per option and draw, whatever the months.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BLOCK = 256
_HALVINGS = 8.0
NO_FLEET, WHOLE_UNITS, FRACTIONS = 0, 1, 2
MOST_UNITS = 9e4
FAST = njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp", "reassoc", "nnan"})


@njit(cache=True, error_model="numpy", inline="always")
def small_exp(x: float) -> float:
    """e^x to 1e-11 for |x| < 1, from multiplications alone: (Taylor at x / 8)^8."""
    y = x / _HALVINGS
    e = 1.0 + y * (1.0 + y * (0.5 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120 + y * (1 / 720))))))
    e = e * e
    e = e * e
    return e * e


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
    log long-run rent, its monthly factor, volatility, three shocks, ramp months, discount per month, volume. `once`
    (options, draws). `kind`: 0 no fleet, 1 whole units, 2 fractions; 0 of them that is first is the status quo.
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
    bill = np.empty(block)
    total = np.empty(block)
    first_rival = 0
    while rivals[first_rival] == 0:
        first_rival += 1
    for begin in range(0, draws, block):
        size = min(block, draws - begin)
        end = begin + size
        _block_paths(path, loadings, begin, size, start_month, volume, api, open_token, load, rents, moved, discount)
        for month in range(months):
            _status_quo(
                per_mtok[0, 0, begin:end], per_mtok[0, 1, begin:end], today[0, 0, begin:end], volume[month], api[month],
                bill_today[month],
            )  # fmt: skip
            _rest(volume[month], moved[month], bill_today[month], rest[month])
        for option in range(options):
            total[:size] = 0.0
            for month in range(months):
                held = commitment[option]
                rent_month = rents[month // held * held] if held > 0 else rents[month]
                if option == 0 or month < start_month:
                    bill[:size] = bill_today[month, :size]
                elif kind[option] == NO_FLEET:
                    tokens = open_token[month] if open_tokens[option] == 1 else api[month]
                    _tokens(
                        per_mtok[option, 0, begin:end], per_mtok[option, 1, begin:end], today[option, 0, begin:end],
                        volume[month], tokens, rest[month], bill,
                    )  # fmt: skip
                else:
                    n = units[month]
                    if kind[option] != WHOLE_UNITS:
                        _loaded(volume[month], units_per_mtok[option, begin:end], n)
                        most[month] = MOST_UNITS
                    elif same_steps[option] == 0:
                        most[month] = _whole(
                            load[month], units_per_mtok[option, begin:end], fewest[option, begin:end], n
                        )
                    _fixed(
                        per_mtok[option, 0, begin:end], today[option, 0, begin:end], volume[month], rest[month], bill
                    )
                    _fleet(today[option, 1, begin:end], rent[option, 1, begin:end], n, rent_month, bill)
                    if has_tokens[option] == 1:
                        _add_product(per_mtok[option, 1, begin:end], volume[month], api[month], bill)
                    for bend in range(knots.shape[1]):
                        if knots[option, bend] < most[month]:
                            _bend(today[option, 2 + bend, begin:end], knots[option, bend], n, bill)
                            if kind[option] != WHOLE_UNITS:
                                _bend_rent(rent[option, 2 + bend, begin:end], knots[option, bend], n, rent_month, bill)
                    if kind[option] != WHOLE_UNITS:
                        _add_rent(rent[option, 0, begin:end], rent_month, bill)
                if rivals[option] == 1 and option != first_rival:
                    mean[option, month] += _count_lowest(
                        bill, discount[month], total, best[month], who[month], float(option), size
                    )
                else:
                    mean[option, month] += _count(bill, discount[month], total, size)
                    if option == first_rival:
                        best[month, :size] = bill[:size]
                        who[month, :size] = option
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
                _hardware(capital, option, begin, size, units, discount, start_month, present, kept_cash, kept_upfront)
        for month in range(months):
            for i in range(size):
                cheapest[int(who[month, i]), month] += 1
    for option in range(options):
        for month in range(months):
            mean[option, month] /= draws


@FAST
def _status_quo(u: Floats, a: Floats, f: Floats, v: Floats, api: Floats, bill: Floats) -> None:
    for i in range(u.size):
        bill[i] = (u[i] + a[i] * api[i]) * v[i] + f[i]


@FAST
def _rest(v: Floats, moved: Floats, today: Floats, rest: Floats) -> None:
    """What has not moved is paid as today; from here on `v` is the volume that has moved."""
    for i in range(v.size):
        rest[i] = (1.0 - moved[i]) * today[i]
        v[i] *= moved[i]


@FAST
def _tokens(u: Floats, p: Floats, f: Floats, v: Floats, price: Floats, rest: Floats, bill: Floats) -> None:
    for i in range(u.size):
        bill[i] = (u[i] + p[i] * price[i]) * v[i] + f[i] + rest[i]


@FAST
def _add_product(p: Floats, v: Floats, price: Floats, bill: Floats) -> None:
    for i in range(p.size):
        bill[i] += p[i] * v[i] * price[i]


@FAST
def _add_rent(g: Floats, rent: Floats, bill: Floats) -> None:
    for i in range(g.size):
        bill[i] += g[i] * rent[i]


@FAST
def _whole(load: Floats, units_per_mtok: Floats, fewest: Floats, n: Floats) -> float:
    """Whole units of each draw; returns the most of them."""
    most = 0.0
    for i in range(fewest.size):
        n[i] = max(np.ceil(load[i] * units_per_mtok[i]), fewest[i])
        most = max(most, n[i])
    return most


@FAST
def _loaded(v: Floats, units_per_mtok: Floats, n: Floats) -> None:
    for i in range(units_per_mtok.size):
        n[i] = v[i] * units_per_mtok[i]


@FAST
def _fixed(u: Floats, f0: Floats, v: Floats, rest: Floats, bill: Floats) -> None:
    for i in range(u.size):
        bill[i] = u[i] * v[i] + f0[i] + rest[i]


@FAST
def _fleet(f1: Floats, g1: Floats, n: Floats, rent: Floats, bill: Floats) -> None:
    for i in range(f1.size):
        bill[i] += (f1[i] + g1[i] * rent[i]) * n[i]


@FAST
def _bend(f: Floats, knot: float, n: Floats, bill: Floats) -> None:
    for i in range(f.size):
        bill[i] += f[i] * max(n[i] - knot, 0.0)


@FAST
def _bend_rent(g: Floats, knot: float, n: Floats, rent: Floats, bill: Floats) -> None:
    for i in range(g.size):
        bill[i] += g[i] * rent[i] * max(n[i] - knot, 0.0)


@FAST
def _count(bill: Floats, discount: Floats, total: Floats, size: int) -> float:
    summed = 0.0
    for i in range(size):
        total[i] += bill[i] * discount[i]
        summed += bill[i]
    return summed


@FAST
def _count_lowest(
    bill: Floats, discount: Floats, total: Floats, best: Floats, who: Floats, option: float, size: int
) -> float:
    summed = 0.0
    for i in range(size):
        total[i] += bill[i] * discount[i]
        summed += bill[i]
        who[i] = option if bill[i] < best[i] else who[i]
        best[i] = min(bill[i], best[i])
    return summed


@FAST
def _block_paths(
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


@njit(cache=True, error_model="numpy")
def _hardware(
    capital: Floats,
    option: int,
    begin: int,
    size: int,
    units: Floats,
    discount: Floats,
    start_month: int,
    present: Floats,
    kept_cash: Floats,
    kept_upfront: Floats,
) -> None:
    """Swap the annuity for purchases when the fleet grows, again at the end of life, and what all brings at the end."""
    months = units.shape[0]
    kept = kept_upfront.shape[1]
    bought = np.zeros(months)
    for i in range(size):
        draw = begin + i
        price, annuity = capital[0, option, draw], capital[1, option, draw]
        life, age = int(capital[2, option, draw]), capital[3, option, draw]
        year3, year5 = capital[4, 0, draw], capital[4, 1, draw]
        alive = 0.0
        found = 0.0
        for month in range(start_month, months):
            flow = -annuity * units[month, i]
            purchase = 0.0
            if month - life >= start_month and bought[month - life] > 0.0:
                alive -= bought[month - life]
                purchase -= bought[month - life] * price * _worth(age, float(life), year3, year5)
            bought[month] = max(units[month, i] - alive, 0.0)
            alive += bought[month]
            purchase += bought[month] * price
            found += flow * discount[month, i] + purchase * (discount[month - 1, i] if month > 0 else 1.0)
            if draw < kept:
                kept_cash[option, month, draw] += flow
                if month > 0:
                    kept_cash[option, month - 1, draw] += purchase
                else:
                    kept_upfront[option, draw] += purchase
        sold = 0.0
        for month in range(start_month, months):
            if life > months - 1 - month and bought[month] > 0.0:
                sold += bought[month] * price * _worth(age, float(months - month), year3, year5)
        found -= sold * discount[months - 1, i]
        if draw < kept:
            kept_cash[option, months - 1, draw] -= sold
        present[option, draw] += found


@njit(cache=True, error_model="numpy")
def _worth(age: float, months: float, year3: float, year5: float) -> float:
    """Resale value after so many months over the value at `age` (see costs.ownership.gpu_residual_fraction)."""
    high = max(year3, 1e-9)
    low = min(max(year5, 1e-9), high)
    slope = np.log(low / high)
    later = min(high * np.exp(slope * (age + months - 36.0) / 24.0), 1.0)
    now = min(high * np.exp(slope * (age - 36.0) / 24.0), 1.0)
    return later / now  # type: ignore[no-any-return]
