"""Labour: people as a cost per month."""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import MONTHS_PER_YEAR


@formula
def engineering_labour_usd_per_month(engineering_fte_count: Draws, engineer_usd_per_year: Draws) -> Draws:
    """Full-time equivalents at a yearly cost.

    >>> engineering_labour_usd_per_month(1.0, 180_000.0)
    15000.0
    """
    return engineering_fte_count * engineer_usd_per_year / MONTHS_PER_YEAR


@formula
def hourly_labour_usd_per_month(engineering_hours_per_month: Draws, engineer_usd_per_hour: Draws) -> Draws:
    """Hours of work at an hourly cost.

    >>> hourly_labour_usd_per_month(20.0, 90.0)
    1800.0
    """
    return engineering_hours_per_month * engineer_usd_per_hour


WAYS = {"engineering_labour_usd_per_month": (hourly_labour_usd_per_month,)}
