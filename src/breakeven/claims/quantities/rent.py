"""Rent: GPUs by the hour. An always-on fleet is billed for every hour, busy or not.

`billed_fraction` is the share of the hours that is billed at all: 1 unless the fleet scales to zero. `busy_fraction`,
the share in which it works, changes no rent.
"""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula

ONE_PERIOD = True


@formula
def gpu_rent_usd(gpus_count: Draws, gpu_rent_usd_per_gpu_hour: Draws, hours: Draws, billed_fraction: Draws) -> Draws:
    """Rent of a fleet that is billed for some of the hours only: it scales to zero.

    >>> round(gpu_rent_usd(1.0, 1.5, 730.0, 0.3), 6)
    328.5
    """
    return gpus_count * gpu_rent_usd_per_gpu_hour * hours * billed_fraction


@formula
def scaled_fleet_rent_usd(gpu_rent_usd_per_hour: Draws, hours: Draws, billed_fraction: Draws) -> Draws:
    """Rent from the whole fleet's price per hour, where it scales to zero.

    >>> scaled_fleet_rent_usd(10.0, 100.0, 0.5)
    500.0
    """
    return gpu_rent_usd_per_hour * hours * billed_fraction


@formula
def always_on_rent_usd(gpus_count: Draws, gpu_rent_usd_per_gpu_hour: Draws, hours: Draws) -> Draws:
    """Rent of a fleet that is always on.

    >>> always_on_rent_usd(1.0, 1.5, 730.0)
    1095.0
    """
    return gpus_count * gpu_rent_usd_per_gpu_hour * hours


@formula
def nodes_rent_usd(nodes_count: Draws, node_rent_usd_per_hour: Draws, hours: Draws) -> Draws:
    """Rent from the price of a node.

    >>> nodes_rent_usd(2.0, 98.32, 1.0)
    196.64
    """
    return nodes_count * node_rent_usd_per_hour * hours


@formula
def committed_usd(
    reserved_gpus_count: Draws,
    reserved_usd_per_gpu_hour: Draws,
    hours: Draws,
    overflow_gpu_hours: Draws,
    on_demand_usd_per_gpu_hour: Draws,
) -> Draws:
    """A reservation, billed used or not, and on-demand hours above it.

    >>> round(committed_usd(2.0, 0.6, 8.0, 7.0, 1.0), 6)
    16.6
    """
    reserved = reserved_gpus_count * reserved_usd_per_gpu_hour * hours
    return reserved + overflow_gpu_hours * on_demand_usd_per_gpu_hour


@formula
def commitment_breakeven_fraction(reserved_usd_per_gpu_hour: Draws, on_demand_usd_per_gpu_hour: Draws) -> Draws:
    """Share of the hours from which on a reservation is cheaper than on demand.

    >>> commitment_breakeven_fraction(0.6, 1.0)
    0.6
    """
    return reserved_usd_per_gpu_hour / on_demand_usd_per_gpu_hour


WAYS = {"gpu_rent_usd": (always_on_rent_usd, scaled_fleet_rent_usd, nodes_rent_usd)}
