"""Ownership views: the same purchase as cash and as an accountant books it, over the life of the hardware.

Cash: the purchase at the start, running costs each month, the resale at the end. Accounting: straight-line
depreciation down to the resale value, and the same running costs. Both add up to the same dollars; they differ in when.
The annuity of the comparison is higher by the cost of capital, which neither view holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.breakdown import CostBreakdown
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder, Node


@formula
def cash_over_life_usd(
    capex_usd: Draws, running_usd_per_month: Draws, gpu_lifetime_months: Draws, resale_usd: Draws
) -> Draws:
    """Purchase, running costs, less the resale.

    >>> float(cash_over_life_usd(300_000.0, 10_000.0, 36.0, 90_000.0))
    570000.0
    """
    return capex_usd + running_usd_per_month * gpu_lifetime_months - resale_usd


@formula
def accounting_usd_per_month(depreciation_usd_per_month: Draws, running_usd_per_month: Draws) -> Draws:
    """What stands in the books each month.

    >>> float(accounting_usd_per_month(6_000.0, 10_000.0))
    16000.0
    """
    return depreciation_usd_per_month + running_usd_per_month


@formula
def accounting_over_life_usd(accounting_usd_per_month: Draws, gpu_lifetime_months: Draws) -> Draws:
    """All months of the life.

    >>> float(accounting_over_life_usd(16_000.0, 36.0))
    576000.0
    """
    return accounting_usd_per_month * gpu_lifetime_months


@formula
def cost_of_capital_usd_per_month(annuity_usd_per_month: Draws, depreciation_usd_per_month: Draws) -> Draws:
    """What the annuity holds beyond the loss of value: interest on the money tied up.

    >>> float(cost_of_capital_usd_per_month(7_000.0, 6_000.0))
    1000.0
    """
    return annuity_usd_per_month - depreciation_usd_per_month


@dataclass(frozen=True, slots=True)
class OwnershipViews:
    """Nodes of the two views; each of shape ``(draws,)``."""

    lifetime_months: Node
    capex_usd: Node
    resale_usd: Node
    running_usd_per_month: Node
    """All counted lines but the capital: the same in both views."""
    cash_over_life_usd: Node
    depreciation_usd_per_month: Node
    accounting_usd_per_month: Node
    accounting_over_life_usd: Node
    cost_of_capital_usd_per_month: Node


def views(binder: Binder, breakdown: CostBreakdown) -> OwnershipViews:
    """Both views of an Option that buys; needs capex, resale, annuity and depreciation bound in `binder`."""
    lines = breakdown.counted
    annuity = binder.node("annuity_usd_per_month")
    total = breakdown.total_usd_per_month()
    nodes = tuple(line.usd_per_month for line in lines)
    running = binder.derive(
        "running_usd_per_month", total - annuity.value, "all lines less the capital", *nodes, annuity
    )
    over_life = binder.evaluate(cash_over_life_usd)
    monthly = binder.evaluate(accounting_usd_per_month)
    return OwnershipViews(
        binder.node("gpu_lifetime_months"),
        binder.node("capex_usd"),
        binder.node("resale_usd"),
        running,
        over_life,
        binder.node("depreciation_usd_per_month"),
        monthly,
        binder.evaluate(accounting_over_life_usd),
        binder.evaluate(cost_of_capital_usd_per_month),
    )
