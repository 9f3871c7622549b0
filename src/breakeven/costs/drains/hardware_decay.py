"""Hardware decay: the value that owned GPUs lose, and the spares that keep them running.

Zero for rented GPUs and for APIs: their owner pays for decay out of the rent or the token price.
"""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import MONTHS_PER_YEAR


@formula
def hardware_decay_usd_per_month(
    owned_gpus_count: Draws,
    gpu_price_usd: Draws,
    gpu_residual_fraction: Draws,
    gpu_lifetime_months: Draws,
    spares_fraction_per_year: Draws,
) -> Draws:
    """Straight-line loss of value down to the resale price, plus yearly spares and repairs.

    >>> round(float(hardware_decay_usd_per_month(8.0, 30_000.0, 0.1, 36.0, 0.0)), 6)
    6000.0
    """
    depreciation = (1 - gpu_residual_fraction) / gpu_lifetime_months * owned_gpus_count * gpu_price_usd
    spares = owned_gpus_count * gpu_price_usd * spares_fraction_per_year / MONTHS_PER_YEAR
    return depreciation + spares


def line(binder: Binder) -> CostLine:
    """Decay of owned hardware; needs `owned_gpus_count`, bound by the Option."""
    node = binder.evaluate(hardware_decay_usd_per_month)
    owned = bool((binder.value("owned_gpus_count") > 0).any())
    return CostLine("hardware_decay", "Hardware decay", node, note="" if owned else "paid inside the rent or price")
