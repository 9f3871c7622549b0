"""Counted: the range of a success rate, and of the cost of a success, from how many tries succeeded.

Jeffreys' interval: with the prior Beta(1/2, 1/2), the rate given `successes` of `tries` is Beta(successes + 1/2,
failures + 1/2). Brown, Cai and DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16(2),
2001, find that it covers about as often as it says, for few tries too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.facts.assumption import HIGH_QUANTILE, LOW_QUANTILE
from breakeven.facts.distribution import Draws

JEFFREYS_COUNT: Final = 0.5
"""Successes, and failures, that the prior is worth."""


@dataclass(frozen=True, slots=True)
class CountedCost:
    """Cost of one success, from counts."""

    usd_per_success: float
    """Price of a try over the share that succeeded; infinite when none did."""
    low_usd_per_success: float
    high_usd_per_success: float


def rate_draws(successes_count: float, failures_count: float, probability_fraction: Draws) -> Draws:
    """Quantiles of the success rate at `probability_fraction` (any shape, inside (0, 1)).

    Counts may be fractions of a try.

    >>> rate_draws(45.0, 5.0, np.array([0.05, 0.95])).round(4).tolist()
    [0.8136, 0.9532]
    """
    from scipy.special import betaincinv

    found = betaincinv(successes_count + JEFFREYS_COUNT, failures_count + JEFFREYS_COUNT, probability_fraction)
    return np.asarray(found, dtype=np.float64)


def cost_draws(try_usd: Draws, successes_count: float, failures_count: float, probability_fraction: Draws) -> Draws:
    """Cost of one success, USD, at the quantiles `probability_fraction` of the success rate: it falls as they rise."""
    return try_usd / rate_draws(successes_count, failures_count, probability_fraction)


def counted_cost(
    try_usd: float,
    successes_count: float,
    tries_count: float,
    low_quantile_fraction: float = LOW_QUANTILE,
    high_quantile_fraction: float = HIGH_QUANTILE,
) -> CountedCost:
    """Cost of one success where `successes_count` of `tries_count` succeeded, with its 90 % interval by default.

    >>> found = counted_cost(0.01, 45, 50)
    >>> [round(each, 6) for each in (found.usd_per_success, found.low_usd_per_success, found.high_usd_per_success)]
    [0.011111, 0.010491, 0.012291]
    """
    ends = np.array([high_quantile_fraction, low_quantile_fraction])
    low, high = cost_draws(np.asarray(try_usd), successes_count, tries_count - successes_count, ends)
    middle = try_usd * tries_count / successes_count if successes_count else float("inf")
    return CountedCost(middle, float(low), float(high))
