"""Tokens: what a provider bills per token, with cached input and cache writes at their own prices."""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder


@formula
def token_usd_per_mtok(
    uncached_input_fraction: Draws,
    cache_read_fraction: Draws,
    cache_write_fraction: Draws,
    output_fraction: Draws,
    input_usd_per_mtok: Draws,
    cache_read_usd_per_mtok: Draws,
    cache_write_usd_per_mtok: Draws,
    output_usd_per_mtok: Draws,
) -> Draws:
    """Price of a million tokens of this workload's own mix (the four shares add up to 1).

    >>> float(token_usd_per_mtok(0.5, 0.25, 0.0, 0.25, 2.0, 0.2, 2.5, 8.0))
    3.05
    """
    return (
        uncached_input_fraction * input_usd_per_mtok
        + cache_read_fraction * cache_read_usd_per_mtok
        + cache_write_fraction * cache_write_usd_per_mtok
        + output_fraction * output_usd_per_mtok
    )


@formula
def tokens_usd_per_month(volume_mtok_per_month: Draws, token_usd_per_mtok: Draws) -> Draws:
    """The provider's token bill.

    >>> float(tokens_usd_per_month(100.0, 3.05))
    305.0
    """
    return volume_mtok_per_month * token_usd_per_mtok


def line(binder: Binder) -> CostLine:
    """The token bill; needs `token_usd_per_mtok`, bound by the Option or computed from its Offer."""
    binder.node("token_usd_per_mtok")
    return CostLine("tokens", "Tokens", binder.evaluate(tokens_usd_per_month))
