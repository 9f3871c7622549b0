"""Owning hardware: the annuity against a loan paid month by month, and two views that add up to the same dollars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.costs.energy import electricity_usd_per_month, energy_kwh_per_month
from breakeven.costs.ownership import annuity_usd_per_month, gpu_residual_fraction
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation
from breakeven.units import HOURS_PER_MONTH
from costing import demand, situation


def still_owed_usd(capex: float, resale: float, months: int, yearly: float, payment: float) -> float:
    """A loan of the purchase price, paid month by month, and the resale at the end."""
    owed, monthly = capex, (1 + yearly) ** (1 / 12) - 1
    for _ in range(months):
        owed = owed * (1 + monthly) - payment
    return owed - resale


@settings(derandomize=True, deadline=None)
@given(capex=st.floats(1e3, 1e7), share=st.floats(0, 0.9), months=st.integers(1, 120), yearly=st.floats(0.0, 0.4))
def test_the_annuity_pays_back_a_loan_to_the_cent(capex: float, share: float, months: int, yearly: float) -> None:
    payment = float(annuity_usd_per_month(capex, capex * share, months, yearly))
    assert still_owed_usd(capex, capex * share, months, yearly, payment) == pytest.approx(0, abs=1e-6 * capex)


def test_worked_example_4() -> None:
    """30,000 USD, 36 months, 10 %: 961.9560 a month, 1.3177 an hour; 30 % resale: 745.1364, 1.0207; power 0.1092."""
    bare = float(annuity_usd_per_month(30_000.0, 0.0, 36.0, 0.10))
    resold = float(annuity_usd_per_month(30_000.0, 9_000.0, 36.0, 0.10))
    assert (round(bare, 4), round(bare / HOURS_PER_MONTH, 4)) == (961.9560, 1.3177)
    assert (round(resold, 4), round(resold / HOURS_PER_MONTH, 4)) == (745.1364, 1.0207)
    kwh = energy_kwh_per_month(1.0, 700.0, 1.3, 0.35, 1.0, 1.0, 730.0)
    assert float(electricity_usd_per_month(kwh, 0.12)) / 730 == pytest.approx(0.1092, rel=1e-12)


def test_the_residual_never_rises_with_age_and_never_passes_the_price() -> None:
    ages = np.linspace(1, 96, 96)
    value = gpu_residual_fraction(ages, 0.3, 0.12)
    assert np.all(np.diff(value) <= 0)
    assert value.max() <= 1
    assert np.all(gpu_residual_fraction(ages, 0.3, 0.4) == pytest.approx(0.3)), (
        "a rise from year 3 to 5 is not believed"
    )


def test_cash_and_accounting_agree_over_the_life_and_differ_from_the_annuity_by_interest() -> None:
    cost = discover_options()["owned_gpus"].cost(situation(demand(2100)), Evaluation(DrawSet(draws_log2=8).of))
    views = cost.views
    assert views is not None
    assert np.allclose(views.cash_over_life_usd.value, views.accounting_over_life_usd.value, rtol=1e-12)
    months = views.lifetime_months.value
    interest = views.cost_of_capital_usd_per_month.value * months
    assert np.all(interest > 0)
    assert np.allclose(cost.total.value * months, views.accounting_over_life_usd.value + interest, rtol=1e-12)
    assert np.allclose(
        views.cash_over_life_usd.value,
        views.capex_usd.value + views.running_usd_per_month.value * months - views.resale_usd.value,
        rtol=1e-12,
    )


@pytest.mark.parametrize("name", ["owned_gpus", "sunk_gpus"])
def test_raw_rent_of_own_hardware_is_capital_housing_and_power(name: str) -> None:
    cost = discover_options()[name].cost(situation(demand(2100)), Evaluation(DrawSet(draws_log2=8).of))
    lines = {line.name: line for line in cost.breakdown.lines}
    capital = "hardware_capital" if name == "owned_gpus" else "resale_forgone"
    rent = {"colocation", "electricity", "idle_capacity", capital}
    assert {name for name, line in lines.items() if line.raw_rent} == rent
    parts = sum(lines[each].usd_per_month.value for each in rent)
    assert np.allclose(cost.breakdown.raw_rent_usd_per_month(), parts, rtol=1e-12)
    assert not any("depreciation" in each for each in lines), "depreciation is no cash and no line"


def test_capex_is_counted_once() -> None:
    """The capital in the lines is the annuity, whole: busy and idle parts, less the colocation that idles with it."""
    cost = discover_options()["owned_gpus"].cost(situation(demand(2100)), Evaluation(DrawSet(draws_log2=8).of))
    values = {line.name: line.usd_per_month.value for line in cost.breakdown.lines}
    busy = next(fact for fact in cost.facts if fact.name == "busy_fraction").value
    colocation_idle = values["colocation"] / busy * (1 - busy)
    capital = values["hardware_capital"] + values["idle_capacity"] - colocation_idle
    assert np.allclose(capital, values["hardware_capital"] / busy, rtol=1e-9)


def test_the_cash_an_owner_needs_is_a_whole_server() -> None:
    pinned = Evaluation(lambda fact: np.asarray([fact.typical]))
    cost = discover_options()["owned_gpus"].cost(situation(demand(100)), pinned)
    gpus = next(fact for fact in cost.facts if fact.name == "gpus_count").value
    assert float(gpus.flat[0]) == 8.0
