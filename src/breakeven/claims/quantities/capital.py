"""Capital: a purchase as a cost per month, and the months after which it has paid for itself."""

from __future__ import annotations

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import MONTHS_PER_YEAR


@formula
def capital_usd_per_month(annuity_usd_per_month: Draws) -> Draws:
    """Capital with its cost: the annuity.

    >>> capital_usd_per_month(745.14)
    745.14
    """
    return annuity_usd_per_month


@formula
def depreciated_usd_per_month(depreciation_usd_per_month: Draws) -> Draws:
    """Capital without its cost: loss of value down to the resale price.

    >>> depreciated_usd_per_month(583.0)
    583.0
    """
    return depreciation_usd_per_month


@formula
def written_off_usd_per_month(capex_usd: Draws, gpu_lifetime_months: Draws) -> Draws:
    """The purchase over the months of its life, worth nothing at the end.

    >>> round(written_off_usd_per_month(15_000.0, 36.0), 2)
    416.67
    """
    return capex_usd / gpu_lifetime_months


@formula
def capex_usd(gpus_count: Draws, gpu_price_usd: Draws) -> Draws:
    """Purchase, from the price of a GPU with its share of the server.

    >>> capex_usd(8.0, 30_000.0)
    240000.0
    """
    return gpus_count * gpu_price_usd


@formula
def cost_of_capital_usd_per_month(capex_usd: Draws, cost_of_capital_fraction_per_year: Draws) -> Draws:
    """Interest on the half of the purchase that is outstanding on average.

    >>> round(cost_of_capital_usd_per_month(24_000.0, 0.10), 6)
    100.0
    """
    return capex_usd / 2 * cost_of_capital_fraction_per_year / MONTHS_PER_YEAR


@formula
def payback_months(capex_usd: Draws, running_saving_usd_per_month: Draws) -> Draws:
    """Months until the saving has paid for the purchase; infinity (never) where nothing is saved.

    >>> float(payback_months(30_000.0, 15_000.0)), float(payback_months(30_000.0, 0.0))
    (2.0, inf)
    """
    with np.errstate(divide="ignore"):
        return capex_usd / _gain(running_saving_usd_per_month)


@formula
def stated_payback_months(capex_usd: Draws, saving_usd_per_month: Draws) -> Draws:
    """Months to pay back, from a saving that the claim states; infinity (never) where nothing is saved.

    >>> round(float(stated_payback_months(4_000.0, 185.0)), 1), float(stated_payback_months(4_000.0, -5.0))
    (21.6, inf)
    """
    with np.errstate(divide="ignore"):
        return capex_usd / _gain(saving_usd_per_month)


@formula
def payback_hours(capex_usd: Draws, running_saving_usd_per_hour: Draws) -> Draws:
    """Hours of use until the saving has paid for the purchase; infinity (never) where nothing is saved.

    >>> round(float(payback_hours(833_806.0, 97.45)), 1)
    8556.2
    """
    with np.errstate(divide="ignore"):
        return capex_usd / _gain(running_saving_usd_per_hour)


@formula
def payback_mtok(capex_usd: Draws, running_saving_usd_per_mtok: Draws) -> Draws:
    """Tokens to serve until the saving on each has paid for the purchase; infinity (never) where nothing is saved.

    >>> float(payback_mtok(10_000.0, 2.0))
    5000.0
    """
    with np.errstate(divide="ignore"):
        return capex_usd / _gain(running_saving_usd_per_mtok)


@formula
def net_benefit_usd(running_saving_usd_per_month: Draws, horizon_months: Draws, capex_usd: Draws) -> Draws:
    """What is left of the savings over the horizon when the purchase is paid; not discounted.

    >>> net_benefit_usd(4_000.0, 36.0, 60_000.0)
    84000.0
    """
    return running_saving_usd_per_month * horizon_months - capex_usd


@formula
def return_on_investment_ratio(net_benefit_usd: Draws, capex_usd: Draws) -> Draws:
    """Net benefit over the purchase.

    >>> return_on_investment_ratio(84_000.0, 60_000.0)
    1.4
    """
    return net_benefit_usd / capex_usd


def _gain(saved: Draws) -> Draws:
    """What is saved, or exactly (positive) zero where it is nothing or a loss."""
    return (saved + np.abs(saved)) / 2


LAST_RESORT = ("written_off_usd_per_month",)
WAYS = {
    "capital_usd_per_month": (depreciated_usd_per_month, written_off_usd_per_month),
    "payback_months": (stated_payback_months,),
}
ONLY_GIVEN = {"stated_payback_months": ("saving_usd_per_month",)}
