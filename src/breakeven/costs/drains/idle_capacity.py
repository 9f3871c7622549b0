"""Idle capacity: what is paid for hours in which the fleet waits: rent, commitment, capital or colocation."""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder


@formula
def idle_capacity_usd_per_month(capacity_usd_per_month: Draws, busy_fraction: Draws, billed_fraction: Draws) -> Draws:
    """The share of the paid hours that did no useful work; both shares are of the hours of the whole fleet.

    >>> float(idle_capacity_usd_per_month(2000.0, 0.25, 1.0))
    1500.0
    >>> float(idle_capacity_usd_per_month(1000.0, 0.25, 0.5))
    500.0
    """
    return capacity_usd_per_month * (1 - busy_fraction / billed_fraction)


def line(binder: Binder) -> CostLine:
    """Idle hours; needs `capacity_usd_per_month`, `busy_fraction` and `billed_fraction` (0, 1, 1 where none is had)."""
    return CostLine("idle_capacity", "Idle capacity", binder.evaluate(idle_capacity_usd_per_month), raw_rent=True)
