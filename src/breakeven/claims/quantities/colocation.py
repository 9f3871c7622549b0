"""Colocation: space and cooling for servers of one's own, billed by the power that is reserved."""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula


@formula
def colocation_usd_per_month(power_kw: Draws, colocation_usd_per_kw_month: Draws) -> Draws:
    """Space and cooling, billed by the power reserved.

    >>> colocation_usd_per_month(8.0, 195.0)
    1560.0
    """
    return power_kw * colocation_usd_per_kw_month
