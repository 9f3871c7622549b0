"""Ownership: what it costs to have GPUs of one's own: capital, colocation, electricity.

Money is counted as an annuity: equal monthly payments that pay back the purchase less the discounted resale, with the
cost of capital. Depreciation is no cash and stands in the accounting view alone (`ownership_views`), never in a line.
"""

from __future__ import annotations

import numpy as np

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import MONTH_MONTHS, MONTHS_PER_YEAR, WATTS_PER_KW, YEAR_MONTHS


@formula
def capex_usd(owned_gpus_count: Draws, gpu_price_usd: Draws, networking_share_fraction: Draws) -> Draws:
    """Purchase of GPUs with their share of the servers, and the network as a share of the whole.

    >>> float(capex_usd(8.0, 38_000.0, 0.05))
    320000.0
    """
    return owned_gpus_count * gpu_price_usd / (1 - networking_share_fraction)


@formula
def gpu_residual_fraction(
    gpu_lifetime_months: Draws, gpu_residual_year3_fraction: Draws, gpu_residual_year5_fraction: Draws
) -> Draws:
    """Resale value at the end of life over the purchase price: a steady yearly fall through the values of year 3 and 5.

    >>> [round(float(gpu_residual_fraction(m, 0.3, 0.12)), 3) for m in (36.0, 60.0, 48.0)]
    [0.3, 0.12, 0.19]
    """
    share = (gpu_lifetime_months - 3 * YEAR_MONTHS) / (2 * YEAR_MONTHS)
    year3 = np.maximum(gpu_residual_year3_fraction, _WORTHLESS_FRACTION)
    lower = np.clip(gpu_residual_year5_fraction, _WORTHLESS_FRACTION, year3)
    return np.minimum(year3 * (lower / year3) ** share, 1.0)


@formula
def resale_usd(capex_usd: Draws, gpu_residual_fraction: Draws) -> Draws:
    """What the hardware brings at the end of its life.

    >>> float(resale_usd(30_000.0, 0.3))
    9000.0
    """
    return capex_usd * gpu_residual_fraction


@formula
def annuity_usd_per_month(
    capex_usd: Draws, resale_usd: Draws, gpu_lifetime_months: Draws, cost_of_capital_fraction_per_year: Draws
) -> Draws:
    """Equal payments at the end of each month that are worth the purchase less the discounted resale.

    Effective monthly rate, (1 + yearly rate)^(1/12) - 1; with a rate of zero, (capex - resale) / months.

    >>> round(float(annuity_usd_per_month(30_000.0, 0.0, 36.0, 0.10)), 4)
    961.956
    >>> round(float(annuity_usd_per_month(30_000.0, 9_000.0, 36.0, 0.10)), 4)
    745.1364
    >>> round(float(annuity_usd_per_month(36_000.0, 0.0, 36.0, 0.0)), 6)
    1000.0
    """
    yearly = np.maximum(cost_of_capital_fraction_per_year * (YEAR_MONTHS / MONTHS_PER_YEAR), _NEARLY_FREE_FRACTION)
    growth = np.log1p(yearly)
    years = gpu_lifetime_months / YEAR_MONTHS
    monthly_rate = np.expm1(growth * (MONTH_MONTHS / YEAR_MONTHS)) / MONTH_MONTHS
    return (capex_usd - resale_usd * np.exp(-growth * years)) * monthly_rate / -np.expm1(-growth * years)


_WORTHLESS_FRACTION = 1e-9
"""Keeps the fall of value defined where nobody buys the GPU any more."""
_NEARLY_FREE_FRACTION = 1e-12
"""Keeps the annuity defined when capital is free; the limit is exact to twelve digits."""


@formula
def colocation_usd_per_month(
    owned_gpus_count: Draws, server_power_w_per_gpu: Draws, colocation_usd_per_kw_month: Draws
) -> Draws:
    """Space and cooling, billed by the power that is reserved, whether it is drawn or not.

    >>> float(colocation_usd_per_month(8.0, 1_000.0, 195.0))
    1560.0
    """
    return owned_gpus_count * server_power_w_per_gpu / WATTS_PER_KW * colocation_usd_per_kw_month


@formula
def ownership_usd_per_month(annuity_usd_per_month: Draws, colocation_usd_per_month: Draws) -> Draws:
    """What having the hardware costs, busy or not.

    >>> float(ownership_usd_per_month(745.0, 195.0))
    940.0
    """
    return annuity_usd_per_month + colocation_usd_per_month


@formula
def hardware_capital_usd_per_month(annuity_usd_per_month: Draws, busy_fraction: Draws) -> Draws:
    """The busy share of the annuity; the rest belongs to `idle_capacity`.

    >>> float(hardware_capital_usd_per_month(1000.0, 0.25))
    250.0
    """
    return annuity_usd_per_month * busy_fraction


@formula
def colocation_busy_usd_per_month(colocation_usd_per_month: Draws, busy_fraction: Draws) -> Draws:
    """The busy share of the colocation; the rest belongs to `idle_capacity`.

    >>> float(colocation_busy_usd_per_month(1560.0, 0.5))
    780.0
    """
    return colocation_usd_per_month * busy_fraction


@formula
def depreciation_usd_per_month(capex_usd: Draws, resale_usd: Draws, gpu_lifetime_months: Draws) -> Draws:
    """Straight-line loss of value, for the accounting view only.

    >>> round(float(depreciation_usd_per_month(240_000.0, 24_000.0, 36.0)), 6)
    6000.0
    """
    return (capex_usd - resale_usd) / gpu_lifetime_months


def bind_purchase(binder: Binder) -> None:
    """Buy the fleet new: capital and colocation; needs `owned_gpus_count` and a purchase Offer."""
    binder.evaluate(capex_usd)
    if "gpu_residual_fraction" not in binder.scenario:
        binder.evaluate(gpu_residual_fraction)
    binder.evaluate(resale_usd)
    binder.evaluate(annuity_usd_per_month)
    binder.evaluate(colocation_usd_per_month)
    binder.rename("capacity_usd_per_month", _price_of_having(binder), "capital and colocation, busy or not")


@formula
def gpu_residual_now_fraction(
    owned_gpu_age_months: Draws, gpu_residual_year3_fraction: Draws, gpu_residual_year5_fraction: Draws
) -> Draws:
    """Resale value today of a GPU of that age, over the purchase price.

    >>> round(float(gpu_residual_now_fraction(36.0, 0.3, 0.12)), 3)
    0.3
    """
    return gpu_residual_fraction(owned_gpu_age_months, gpu_residual_year3_fraction, gpu_residual_year5_fraction)


@formula
def gpu_residual_later_fraction(
    owned_gpu_age_months: Draws,
    horizon_months: Draws,
    gpu_residual_year3_fraction: Draws,
    gpu_residual_year5_fraction: Draws,
) -> Draws:
    """Resale value of the same GPU at the end of the horizon.

    >>> round(float(gpu_residual_later_fraction(24.0, 36.0, 0.3, 0.12)), 3)
    0.12
    """
    age_months = owned_gpu_age_months + horizon_months
    return gpu_residual_fraction(age_months, gpu_residual_year3_fraction, gpu_residual_year5_fraction)


@formula
def resale_now_usd(new_usd: Draws, gpu_residual_now_fraction: Draws) -> Draws:
    """Resale value today: the purchase itself is sunk.

    >>> float(resale_now_usd(30_000.0, 0.5))
    15000.0
    """
    return new_usd * gpu_residual_now_fraction


@formula
def resale_later_usd(new_usd: Draws, gpu_residual_later_fraction: Draws) -> Draws:
    """Resale value at the end of the horizon.

    >>> float(resale_later_usd(30_000.0, 0.25))
    7500.0
    """
    return new_usd * gpu_residual_later_fraction


@formula
def warranty_left_months(warranty_months: Draws, owned_gpu_age_months: Draws) -> Draws:
    """Months of warranty left.

    >>> float(warranty_left_months(36.0, 24.0)), float(warranty_left_months(36.0, 48.0))
    (12.0, 0.0)
    """
    return np.maximum(warranty_months - owned_gpu_age_months, 0.0)


def bind_resale_forgone(binder: Binder) -> None:
    """Keep GPUs that are paid for: what they bring today, less what they still bring later, is the capital tied up."""
    new = binder.evaluate(capex_usd)
    now, later = binder.evaluate(gpu_residual_now_fraction), binder.evaluate(gpu_residual_later_fraction)
    binder.apply(resale_now_usd, new, now, name="capex_usd")
    binder.apply(resale_later_usd, new, later, name="resale_usd")
    age = binder.node("owned_gpu_age_months")
    binder.apply(warranty_left_months, binder.node("warranty_months"), age, name="warranty_months")
    horizon = binder.node("horizon_months")
    binder.derive("gpu_lifetime_months", horizon.value, "the GPUs are kept for the horizon", horizon)
    binder.evaluate(annuity_usd_per_month)
    binder.evaluate(colocation_usd_per_month)
    binder.rename("capacity_usd_per_month", _price_of_having(binder), "resale forgone and colocation, busy or not")


def lines(binder: Binder) -> tuple[CostLine, ...]:
    """Busy capital and busy colocation; the idle part of both is `idle_capacity`'s. Part of the raw rent."""
    return (
        CostLine(
            "hardware_capital",
            "Hardware capital, busy hours",
            binder.evaluate(hardware_capital_usd_per_month),
            raw_rent=True,
        ),
        CostLine("colocation", "Colocation, busy hours", binder.evaluate(colocation_busy_usd_per_month), raw_rent=True),
    )


def _price_of_having(binder: Binder) -> str:
    return binder.evaluate(ownership_usd_per_month).name
