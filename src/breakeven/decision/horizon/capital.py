"""Capital arithmetic: present value, internal rate of return, payback, and the value of waiting in a two-way tree.

Rates are effective: a yearly rate r is (1 + r)^(1/12) - 1 a month. A cash flow is an array of amounts at months 0, 1,
2... (positive: money comes in); the amount at month 0 is not discounted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breakeven.units import MONTHS_PER_YEAR

NEVER: Final = float("inf")
"""A payback that does not come within the horizon: later than every month, and never averaged."""


def discount_ratio(cost_of_capital_fraction_per_year: ArrayLike) -> NDArray[np.float64]:
    """Worth today of one dollar a month from now.

    >>> round(float(discount_ratio(0.10)) ** 12, 12) == round(1 / 1.1, 12)
    True
    """
    yearly = np.asarray(cost_of_capital_fraction_per_year, dtype=np.float64)
    return np.asarray((1 + yearly) ** (-1 / MONTHS_PER_YEAR))


def present_value_usd(cash_flow_usd: ArrayLike, cost_of_capital_fraction_per_year: float) -> float:
    """Present value (NPV) of a cash flow whose first amount is due now.

    >>> round(present_value_usd([-60_000.0] + [4_000.0] * 36, 0.10), 8)
    64745.83376887
    """
    flow = np.asarray(cash_flow_usd, dtype=np.float64)
    ratio = float(discount_ratio(cost_of_capital_fraction_per_year))
    return float(np.sum(flow * ratio ** np.arange(flow.size)))


def irr_fraction_per_month(cash_flow_usd: ArrayLike) -> float | None:
    """Monthly rate at which the cash flow is worth nothing; None unless its sign changes exactly once.

    >>> round(irr_fraction_per_month([-60_000.0] + [4_000.0] * 36), 12)
    0.057869197367
    >>> irr_fraction_per_month([100.0, 100.0]) is None
    True
    """
    from scipy.optimize import brentq

    flow = np.asarray(cash_flow_usd, dtype=np.float64)
    signs = np.sign(flow[flow != 0])
    if int(np.sum(signs[1:] != signs[:-1])) != 1:
        return None
    months = np.arange(flow.size)

    def worth_usd(log_growth_ratio: float) -> float:
        return float(np.sum(flow * np.exp(-log_growth_ratio * months)))

    low, high = -_LARGEST_LOG_RATE, _LARGEST_LOG_RATE
    if worth_usd(low) * worth_usd(high) > 0:
        return None
    return float(np.expm1(brentq(worth_usd, low, high, xtol=1e-15, rtol=8.9e-16)))


_LARGEST_LOG_RATE: Final = 5.0
"""A rate beyond e^5 a month means nothing to anybody."""


def payback_months(cash_flow_usd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Month in which the cumulative cash flow turns positive for good (its last crossing); `NEVER` where it does not.

    Shape ``(months + 1, draws)`` or ``(months + 1,)``, undiscounted; within a month the money comes in evenly. 0 where
    the cumulative flow is never negative.

    >>> float(payback_months(np.array([-60_000.0] + [4_000.0] * 36)))
    15.0
    >>> float(payback_months(np.array([-10.0, 1.0])))
    inf
    """
    total = np.cumsum(np.asarray(cash_flow_usd, dtype=np.float64), axis=0)
    months = total.shape[0]
    below = total < -_NOTHING_USD
    last_below = months - 1 - np.argmax(below[::-1], axis=0)
    never, always = below[-1], ~below.any(axis=0)
    before = np.where(always, 0, last_below)
    after = np.minimum(before + 1, months - 1)
    at_before = np.take_along_axis(total, np.asarray(before)[None, ...], axis=0)[0]
    at_after = np.take_along_axis(total, np.asarray(after)[None, ...], axis=0)[0]
    rise = np.where(at_after > at_before, at_after - at_before, 1.0)
    inside = before - at_before / rise
    return np.asarray(np.where(never, NEVER, np.where(always, 0.0, inside)))


_NOTHING_USD: Final = 1e-9
"""Cents that rounding leaves over."""


def value_of_waiting_usd(now_usd: Sequence[float], later_usd: Sequence[float], weights: Sequence[float]) -> float:
    """What it is worth to decide later, knowing which future it is, over deciding now.

    `now_usd`, `later_usd`: net worth in each future of acting now and of acting later; later one acts only where it
    pays (not acting is worth 0).

    >>> now = [-60_000 + 36 * 5_000.0, -60_000 + 36 * 500.0]
    >>> later = [-60_000 + 30 * 5_000.0, -60_000 + 30 * 500.0]
    >>> value_of_waiting_usd(now, later, [0.5, 0.5])
    6000.0
    """
    chance = np.asarray(weights, dtype=np.float64)
    act_now = max(float(np.dot(chance, np.asarray(now_usd))), 0.0)
    wait = float(np.dot(chance, np.maximum(np.asarray(later_usd), 0.0)))
    return wait - act_now
