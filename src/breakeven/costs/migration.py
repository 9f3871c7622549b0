"""Migration: engineer hours to move, evaluate and roll out, spread over the horizon without interest."""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder


@formula
def migration_hours_per_month(migration_hours: Draws, horizon_months: Draws) -> Draws:
    """The one-off engineer hours, spread evenly over the horizon.

    >>> float(migration_hours_per_month(360.0, 36.0))
    10.0
    """
    return migration_hours / horizon_months


@formula
def migration_usd_per_month(migration_hours_per_month: Draws, engineer_usd_per_hour: Draws) -> Draws:
    """Pay for the move, per month of the horizon.

    >>> float(migration_usd_per_month(10.0, 100.0))
    1000.0
    """
    return migration_hours_per_month * engineer_usd_per_hour


def line(binder: Binder) -> CostLine:
    """The move; needs `migration_hours`, bound by the Option (0 for the status quo)."""
    hours = binder.evaluate(migration_hours_per_month)
    return CostLine("migration", "Migration, spread over the horizon", binder.evaluate(migration_usd_per_month), hours)
