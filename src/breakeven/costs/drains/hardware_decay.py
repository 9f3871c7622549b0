"""Hardware decay: the spares and repairs that keep owned GPUs running, and those that die after the warranty.

The fall of their value is in the annuity (`costs/ownership`), and is counted once. Zero for rented GPUs and for APIs:
their owner pays for decay out of the rent or the token price.
"""

from __future__ import annotations

import numpy as np

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import MONTHS_PER_YEAR


@formula
def spares_usd_per_month(owned_gpus_count: Draws, gpu_price_usd: Draws, spares_fraction_per_year: Draws) -> Draws:
    """Spares, repairs and the support contract, as a share of the purchase price.

    >>> float(spares_usd_per_month(8.0, 30_000.0, 0.08))
    1600.0
    """
    return owned_gpus_count * gpu_price_usd * spares_fraction_per_year / MONTHS_PER_YEAR


@formula
def replacement_usd_per_month(
    owned_gpus_count: Draws,
    gpu_price_usd: Draws,
    gpu_permanent_failure_fraction_per_year: Draws,
    gpu_lifetime_months: Draws,
    warranty_months: Draws,
) -> Draws:
    """GPUs that die in the part of their life that no warranty covers.

    >>> float(replacement_usd_per_month(8.0, 30_000.0, 0.04, 60.0, 36.0))
    320.0
    """
    uncovered = np.maximum(1 - warranty_months / gpu_lifetime_months, 0.0)
    return owned_gpus_count * gpu_price_usd * gpu_permanent_failure_fraction_per_year * uncovered / MONTHS_PER_YEAR


@formula
def hardware_decay_usd_per_month(spares_usd_per_month: Draws, replacement_usd_per_month: Draws) -> Draws:
    """Spares and replacements.

    >>> float(hardware_decay_usd_per_month(1600.0, 320.0))
    1920.0
    """
    return spares_usd_per_month + replacement_usd_per_month


def line(binder: Binder) -> CostLine:
    """Decay of owned hardware; needs `owned_gpus_count`, bound by the Option."""
    binder.evaluate(spares_usd_per_month)
    binder.evaluate(replacement_usd_per_month)
    node = binder.evaluate(hardware_decay_usd_per_month)
    owned = bool((binder.value("owned_gpus_count") > 0).any())
    return CostLine("hardware_decay", "Hardware decay", node, note="" if owned else "paid inside the rent or price")
