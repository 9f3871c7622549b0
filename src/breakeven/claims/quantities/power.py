"""Power: electricity of hardware of one's own."""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import WATTS_PER_KW

ONE_PERIOD = True


@formula
def power_kw(gpus_count: Draws, server_power_w_per_gpu: Draws) -> Draws:
    """Draw of the servers at full load.

    >>> power_kw(8.0, 1_000.0)
    8.0
    """
    return gpus_count * server_power_w_per_gpu / WATTS_PER_KW


@formula
def energy_kwh(power_kw: Draws, hours: Draws, busy_fraction: Draws, pue_ratio: Draws) -> Draws:
    """Energy at the building's meter, where idle servers draw nothing.

    >>> energy_kwh(2.0, 100.0, 0.5, 1.5)
    150.0
    """
    return power_kw * hours * busy_fraction * pue_ratio


@formula
def full_load_energy_kwh(power_kw: Draws, hours: Draws, pue_ratio: Draws) -> Draws:
    """Energy at the building's meter at full load.

    >>> full_load_energy_kwh(0.7, 100.0, 1.5)
    105.0
    """
    return power_kw * hours * pue_ratio


@formula
def busy_server_energy_kwh(power_kw: Draws, hours: Draws, busy_fraction: Draws) -> Draws:
    """Energy of the busy hours without cooling.

    >>> busy_server_energy_kwh(0.5, 100.0, 0.5)
    25.0
    """
    return power_kw * hours * busy_fraction


@formula
def server_energy_kwh(power_kw: Draws, hours: Draws) -> Draws:
    """Energy at full load without cooling.

    >>> server_energy_kwh(0.5, 176.0)
    88.0
    """
    return power_kw * hours


@formula
def electricity_usd(energy_kwh: Draws, electricity_usd_per_kwh: Draws) -> Draws:
    """The electricity bill.

    >>> electricity_usd(88.0, 0.15)
    13.2
    """
    return energy_kwh * electricity_usd_per_kwh


WAYS = {"energy_kwh": (full_load_energy_kwh, busy_server_energy_kwh, server_energy_kwh)}
