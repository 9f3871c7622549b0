"""GPU rent: the part of it that does useful work. The idle part belongs to the drain `idle_capacity`."""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder


@formula
def gpu_rent_usd_per_month(
    gpus_count: Draws, gpu_rent_usd_per_gpu_hour: Draws, hours_per_month: Draws, billed_fraction: Draws
) -> Draws:
    """Rent of a fleet: every billed hour is paid, busy or not; an always-on fleet is billed for all of them.

    >>> float(gpu_rent_usd_per_month(2.0, 1.65, 730.0, 1.0))
    2409.0
    """
    return gpus_count * gpu_rent_usd_per_gpu_hour * hours_per_month * billed_fraction


@formula
def gpu_rent_busy_usd_per_month(gpu_rent_usd_per_month: Draws, busy_fraction: Draws, billed_fraction: Draws) -> Draws:
    """The share of the rent that did useful work.

    >>> float(gpu_rent_busy_usd_per_month(2000.0, 0.25, 1.0))
    500.0
    """
    return gpu_rent_usd_per_month * (busy_fraction / billed_fraction)


def line(binder: Binder) -> CostLine:
    """Rent for busy hours; part of the raw rent."""
    return CostLine(
        "gpu_rent_busy", "GPU rent, busy hours", binder.evaluate(gpu_rent_busy_usd_per_month), raw_rent=True
    )
