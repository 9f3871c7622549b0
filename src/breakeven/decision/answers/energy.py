"""Energy: kilowatt-hours and carbon of the options with a fleet, a month; what the machines draw while idle apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breakeven.costs.energy import carbon_kg_per_month
from breakeven.decision.comparison import Comparison, Range, range_of
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Node
from breakeven.units import WATTS_PER_KW

ENERGY, CARBON = "energy_kwh_per_month", "carbon_kg_per_month"


@formula
def idle_energy_kwh_per_month(
    gpus_count: Draws,
    server_power_w_per_gpu: Draws,
    pue_ratio: Draws,
    idle_power_fraction: Draws,
    busy_fraction: Draws,
    billed_fraction: Draws,
    hours_per_month: Draws,
) -> Draws:
    """Energy at the building's meter in the hours in which the fleet is switched on and does no useful work.

    >>> round(float(idle_energy_kwh_per_month(1.0, 700.0, 1.3, 0.5, 0.2, 1.0, 1000.0)), 9)
    364.0
    """
    waiting = np.maximum(billed_fraction - busy_fraction, 0.0)
    building = np.maximum(pue_ratio, 1.0)
    return (
        gpus_count * server_power_w_per_gpu / WATTS_PER_KW * building * idle_power_fraction * waiting * hours_per_month
    )


@dataclass(frozen=True, slots=True)
class FleetEnergy:
    """Energy and carbon of one option with a fleet, a month."""

    option: str
    energy_kwh_per_month: Range
    idle_energy_kwh_per_month: Range
    """The part of it drawn while waiting."""
    carbon_kg_per_month: Range
    idle_carbon_kg_per_month: Range


def fleet_energy(comparison: Comparison) -> tuple[FleetEnergy, ...]:
    """Every option that has a fleet, in the order of the comparison."""
    found = []
    for each in comparison.options:
        nodes = {node.name: node for node in each.cost.facts}
        if ENERGY in nodes and CARBON in nodes:
            found.append(_of(each.name, nodes[ENERGY], nodes[CARBON]))
    return tuple(found)


def _of(option: str, energy: Node, carbon: Node) -> FleetEnergy:
    asked = {node.name: node.value for node in energy.inputs}
    grid = {node.name: node.value for node in carbon.inputs}["grid_carbon_g_per_kwh"]
    idle = idle_energy_kwh_per_month(**{name: asked[name] for name in idle_energy_kwh_per_month.parameters})
    idle_carbon = carbon_kg_per_month(idle, grid)
    return FleetEnergy(option, *(range_of(np.ravel(each)) for each in (energy.value, idle, carbon.value, idle_carbon)))
