"""Success: what an answer that is right costs, from the price of a try."""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula


@formula
def cost_usd_per_success(api_usd_per_request: Draws, verifier_usd_per_request: Draws, success_fraction: Draws) -> Draws:
    """Tries are independent; each is checked at a price of its own.

    >>> cost_usd_per_success(0.01, 0.005, 0.5)
    0.03
    """
    return (api_usd_per_request + verifier_usd_per_request) / success_fraction


@formula
def unchecked_usd_per_success(api_usd_per_request: Draws, success_fraction: Draws) -> Draws:
    """Tries are independent and free to check.

    >>> unchecked_usd_per_success(0.01, 0.5)
    0.02
    """
    return api_usd_per_request / success_fraction


WAYS = {"cost_usd_per_success": (unchecked_usd_per_success,)}
