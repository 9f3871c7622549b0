"""Idle capacity: the rent of hours in which the fleet waits for work."""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder


@formula
def idle_capacity_usd_per_month(gpu_rent_usd_per_month: Draws, busy_fraction: Draws) -> Draws:
    """The share of the rent that did no useful work.

    >>> float(idle_capacity_usd_per_month(2000.0, 0.25))
    1500.0
    """
    return gpu_rent_usd_per_month * (1 - busy_fraction)


def line(binder: Binder) -> CostLine:
    """Idle rent; needs `gpu_rent_usd_per_month` and `busy_fraction` (0 and 1 where nothing is rented)."""
    return CostLine("idle_capacity", "Idle capacity", binder.evaluate(idle_capacity_usd_per_month), raw_rent=True)
