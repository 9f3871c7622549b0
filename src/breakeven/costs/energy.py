"""Energy: what a fleet draws, what one's own meter costs, and the carbon of it.

Servers draw `idle_power_fraction` of their full power when they wait and all of it when they work; the building adds
its PUE (ISO/IEC 30134-2). Whoever rents pays for energy inside the rent: then only kWh and carbon are shown.
"""

from __future__ import annotations

import numpy as np

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import GRAMS_PER_KG, KG_PER_TONNE, WATTS_PER_KW


@formula
def energy_kwh_per_month(
    gpus_count: Draws,
    server_power_w_per_gpu: Draws,
    pue_ratio: Draws,
    idle_power_fraction: Draws,
    busy_fraction: Draws,
    billed_fraction: Draws,
    hours_per_month: Draws,
) -> Draws:
    """Energy at the building's meter, server and cooling, in the hours in which the fleet is switched on.

    >>> round(float(energy_kwh_per_month(1.0, 700.0, 1.3, 0.0, 1.0, 1.0, 1000.0)), 9)
    910.0
    """
    load = idle_power_fraction * billed_fraction + (1 - idle_power_fraction) * busy_fraction
    building = np.maximum(pue_ratio, 1.0)  # a building draws no less than its servers
    return gpus_count * server_power_w_per_gpu / WATTS_PER_KW * building * load * hours_per_month


@formula
def electricity_usd_per_month(energy_kwh_per_month: Draws, electricity_usd_per_kwh: Draws) -> Draws:
    """The electricity bill.

    >>> round(float(electricity_usd_per_month(910.0, 0.12)), 6)
    109.2
    """
    return energy_kwh_per_month * electricity_usd_per_kwh


@formula
def carbon_kg_per_month(energy_kwh_per_month: Draws, grid_carbon_g_per_kwh: Draws) -> Draws:
    """Carbon dioxide equivalent of the energy, location-based (GHG Protocol, Scope 2); without making the hardware.

    >>> float(carbon_kg_per_month(910.0, 400.0))
    364.0
    """
    return energy_kwh_per_month * grid_carbon_g_per_kwh / GRAMS_PER_KG


@formula
def carbon_usd_per_month(carbon_kg_per_month: Draws, carbon_price_usd_per_tonne: Draws) -> Draws:
    """The carbon at the team's own internal price.

    >>> float(carbon_usd_per_month(500.0, 80.0))
    40.0
    """
    return carbon_kg_per_month / KG_PER_TONNE * carbon_price_usd_per_tonne


def electricity_line(binder: Binder) -> CostLine:
    """The bill for owned hardware, idle draw included; part of what a rent would hold."""
    return CostLine("electricity", "Electricity", binder.evaluate(electricity_usd_per_month), raw_rent=True)


def carbon_lines(binder: Binder) -> tuple[CostLine, ...]:
    """One line when the scenario sets `carbon_price_usd_per_tonne`; carbon has no price otherwise."""
    if "carbon_price_usd_per_tonne" not in binder.scenario:
        return ()
    return (CostLine("carbon", "Carbon, at your own price", binder.evaluate(carbon_usd_per_month)),)


def energy_facts(binder: Binder) -> None:
    """Bind energy and carbon of a fleet, to be shown; where lines alone are read, those that need them may ask."""
    shown = (energy_kwh_per_month, carbon_kg_per_month)
    if binder.lines_only:
        binder.formulas.update({each.name: each for each in shown})
        return
    for each in shown:
        binder.evaluate(each)
