"""Break-even volume: the monthly volume at which a fixed cost and a price per token or request meet.

The naive ratio that most claims use: capacity is bought by the gram here. `breakeven compare` has the staircase.
"""

from __future__ import annotations

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK


@formula
def breakeven_mtok_per_month(host_usd_per_month: Draws, api_usd_per_mtok: Draws, marginal_usd_per_mtok: Draws) -> Draws:
    """Fixed cost over what each million tokens saves; infinity (never) where it saves nothing.

    >>> float(breakeven_mtok_per_month(5_000.0, 0.30, 0.05)), float(breakeven_mtok_per_month(5_000.0, 0.1, 0.2))
    (20000.0, inf)
    """
    saved = api_usd_per_mtok - marginal_usd_per_mtok
    with np.errstate(divide="ignore"):
        return host_usd_per_month / _gain(saved)


@formula
def fixed_cost_mtok_per_month(host_usd_per_month: Draws, api_usd_per_mtok: Draws) -> Draws:
    """Fixed cost over the blended price, where the next token costs nothing.

    >>> round(fixed_cost_mtok_per_month(320.0, 3.0), 1)
    106.7
    """
    return host_usd_per_month / api_usd_per_mtok


@formula
def breakeven_requests_per_month(
    host_usd_per_month: Draws, api_usd_per_request: Draws, marginal_usd_per_request: Draws
) -> Draws:
    """Fixed cost over what each request saves; infinity (never) where it saves nothing.

    >>> float(breakeven_requests_per_month(1_000.0, 0.01, 0.002)), float(breakeven_requests_per_month(9.0, 0.1, 0.1))
    (125000.0, inf)
    """
    saved = api_usd_per_request - marginal_usd_per_request
    with np.errstate(divide="ignore"):
        return host_usd_per_month / _gain(saved)


@formula
def fixed_cost_requests_per_month(host_usd_per_month: Draws, api_usd_per_request: Draws) -> Draws:
    """Fixed cost over the price of a request, where the next request costs nothing.

    >>> round(fixed_cost_requests_per_month(726.48, 0.00275))
    264175
    """
    return host_usd_per_month / api_usd_per_request


@formula
def breakeven_busy_fraction(host_usd_per_hour: Draws, fleet_tok_per_s: Draws, api_usd_per_mtok: Draws) -> Draws:
    """Share of the hours that a fleet must be busy to cost per token what the API costs (above 1: never).

    >>> round(breakeven_busy_fraction(2.5, 700.0, 3.0), 3)
    0.331
    """
    return host_usd_per_hour / (fleet_tok_per_s * SECONDS_PER_HOUR * api_usd_per_mtok) * TOKENS_PER_MTOK


def _gain(saved: Draws) -> Draws:
    """What is saved, or exactly (positive) zero where it is nothing or a loss."""
    return (saved + np.abs(saved)) / 2


WAYS = {
    "breakeven_mtok_per_month": (fixed_cost_mtok_per_month,),
    "breakeven_requests_per_month": (fixed_cost_requests_per_month,),
}
