"""Calendar: the hours of a month that a claim works with."""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import MONTHS_PER_YEAR


@formula
def hours_per_month(hours_per_day: Draws, days_per_month: Draws) -> Draws:
    """Hours of a month, from hours of a day.

    >>> hours_per_month(8.0, 22.0)
    176.0
    """
    return hours_per_day * days_per_month


@formula
def hours_per_year(hours_per_month: Draws) -> Draws:
    """Twelve months of them.

    >>> hours_per_year(730.0)
    8760.0
    """
    return hours_per_month * MONTHS_PER_YEAR
