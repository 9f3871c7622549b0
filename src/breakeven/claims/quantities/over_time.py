"""Over time: bills that grow, prices that fall, and what a stream of months is worth today.

Months are counted at their ends; rates per year are effective ones, (1 + rate)^(1/12) a month.
"""

from __future__ import annotations

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import MONTH_MONTHS, MONTHS_PER_YEAR, YEAR_MONTHS


@formula
def flat_npv_usd(
    capex_usd: Draws,
    running_saving_usd_per_month: Draws,
    horizon_months: Draws,
    discount_fraction_per_year: Draws,
) -> Draws:
    """Net present value of a purchase and equal savings at the end of each month.

    >>> round(float(flat_npv_usd(60_000.0, 4_000.0, 36.0, 0.10)), 8)
    64745.83376887
    """
    growth = np.log1p(np.maximum(discount_fraction_per_year * (YEAR_MONTHS / MONTHS_PER_YEAR), _NEARLY_ZERO_FRACTION))
    monthly = np.expm1(growth * (MONTH_MONTHS / YEAR_MONTHS)) / MONTH_MONTHS
    months = -np.expm1(-growth * horizon_months / YEAR_MONTHS) / monthly
    return running_saving_usd_per_month * months - capex_usd


@formula
def npv_usd(
    capex_usd: Draws,
    running_saving_usd_per_month: Draws,
    saving_growth_fraction_per_month: Draws,
    horizon_months: Draws,
    discount_fraction_per_year: Draws,
) -> Draws:
    """Net present value where the first month's saving, already grown once, grows or shrinks every month.

    >>> round(float(npv_usd(60_000.0, 4_000.0, -0.08, 36.0, 0.10)), 6)
    -19731.509695
    """
    worth = _worth_of_growing_months(saving_growth_fraction_per_month, horizon_months, discount_fraction_per_year)
    grown = 1 + saving_growth_fraction_per_month * MONTH_MONTHS
    return running_saving_usd_per_month * grown * worth - capex_usd


@formula
def bill_npv_usd(
    api_usd_per_month: Draws,
    volume_growth_fraction_per_month: Draws,
    monthly_price_decline_fraction: Draws,
    horizon_months: Draws,
    discount_fraction_per_year: Draws,
) -> Draws:
    """What a bill that grows with its volume and falls with its price is worth today; the first is paid today.

    >>> round(float(bill_npv_usd(32_000.0, 0.04, 0.04, 36.0, 0.10)), 6)
    979603.912678
    """
    volume = 1 + volume_growth_fraction_per_month * MONTH_MONTHS
    price = 1 - monthly_price_decline_fraction
    change = (volume * price - 1) / MONTH_MONTHS
    worth = _worth_of_growing_months(change, horizon_months, discount_fraction_per_year)
    return api_usd_per_month * worth * _one_month(discount_fraction_per_year)


@formula
def future_api_usd_per_month(
    api_usd_per_month: Draws, volume_growth_fraction_per_month: Draws, elapsed_months: Draws
) -> Draws:
    """A monthly bill after some months of growth.

    >>> round(float(future_api_usd_per_month(1_000.0, 1.0, 3.0)), 6)
    8000.0
    """
    growth = np.log1p(volume_growth_fraction_per_month * MONTH_MONTHS)
    return api_usd_per_month * np.exp(growth * elapsed_months / MONTH_MONTHS)


@formula
def future_price_usd_per_mtok(api_usd_per_mtok: Draws, yearly_price_fall_ratio: Draws, elapsed_months: Draws) -> Draws:
    """A price that falls by the same factor every year.

    >>> round(float(future_price_usd_per_mtok(10.0, 10.0, 24.0)), 6)
    0.1
    """
    return api_usd_per_mtok * np.exp(-np.log(yearly_price_fall_ratio) * elapsed_months / YEAR_MONTHS)


_NEARLY_ZERO_FRACTION = 1e-12
"""Keeps the sums defined when nothing grows; the limit is exact to many digits."""


def _worth_of_growing_months(
    growth_fraction_per_month: Draws, horizon_months: Draws, discount_fraction_per_year: Draws
) -> Draws:
    """Months' worth of the first of a growing row of payments, each discounted from the end of its month."""
    discount = np.log(_one_month(discount_fraction_per_year))
    net = np.log1p(growth_fraction_per_month * MONTH_MONTHS) - discount
    net = np.where(np.abs(net) < _NEARLY_ZERO_FRACTION, _NEARLY_ZERO_FRACTION, net)
    months = horizon_months / MONTH_MONTHS
    worth: Draws = MONTH_MONTHS * np.exp(-discount) * np.expm1(net * months) / np.expm1(net)
    return worth


def _one_month(discount_fraction_per_year: Draws) -> Draws:
    """What money grows by in a month."""
    yearly = np.log1p(discount_fraction_per_year * (YEAR_MONTHS / MONTHS_PER_YEAR))
    return np.asarray(np.exp(yearly * (MONTH_MONTHS / YEAR_MONTHS)))


WAYS = {"npv_usd": (flat_npv_usd,)}
