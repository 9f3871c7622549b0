"""Opportunity cost: what the engineers would have created beyond their pay, had they not kept the serving path."""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder


@formula
def opportunity_cost_usd_per_month(
    engineering_labour_usd_per_month: Draws,
    incident_labour_usd_per_month: Draws,
    opportunity_premium_fraction: Draws,
) -> Draws:
    """Forgone value above pay. The pay itself belongs to the labour lines and is not counted again.

    >>> float(opportunity_cost_usd_per_month(7000.0, 1000.0, 0.25))
    2000.0
    """
    return (engineering_labour_usd_per_month + incident_labour_usd_per_month) * opportunity_premium_fraction


def line(binder: Binder) -> CostLine:
    """Forgone value on planned and unplanned hours."""
    return CostLine("opportunity_cost", "Opportunity cost", binder.evaluate(opportunity_cost_usd_per_month))
