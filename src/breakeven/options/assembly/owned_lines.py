"""Owned lines: what a fleet of one's own pays, and the same money in the cash and the accounting view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from breakeven.catalog.hardware import Gpu
from breakeven.catalog.load import Catalog
from breakeven.costs import energy, ownership
from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.fine_tuning import CAMPAIGNS
from breakeven.costs.line import CostLine
from breakeven.costs.ownership import depreciation_usd_per_month
from breakeven.costs.ownership_views import OwnershipViews, views
from breakeven.errors import UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.options.assembly.fleet_lines import shared_lines
from breakeven.options.assembly.hardware import Capital
from breakeven.options.assembly.offers import gpu_offer

GPU_PRICE = "gpu_price_usd"
SERVER_GPUS_COUNT = 8.0
BOUGHT_BY_THE_SERVER = ("SXM", "B200", "B300", "MI3")
"""Boards that are sold in servers of eight only; cards for a slot are sold one by one."""


def purchase_offer(catalog: Catalog, gpu: str, scenario: Mapping[str, Assumption]) -> Mapping[str, Assumption]:
    """Facts of the catalogue's offer to buy `gpu`; a price of the scenario's own needs none.

    With them, where the scenario plans to train, the rent on demand: training runs are on rented GPUs for everybody.
    Raises UnknownPrice when there is neither.
    """
    training = gpu_offer(catalog, gpu, "on_demand", scenario) if CAMPAIGNS in scenario else {}
    for offer in catalog.gpu_offers.values():
        if offer.term == "purchase" and offer.gpu == gpu:
            return {**training, **offer.facts}
    if GPU_PRICE in scenario:
        return training
    raise UnknownPrice(
        f"the catalogue has no price to buy '{gpu}' on {catalog.as_of}; "
        f"give your own as {GPU_PRICE} (per GPU, with its share of the server) in the scenario's overrides"
    )


@formula
def bought_gpus_count(gpus_count: Draws, server_gpus_count: Draws) -> Draws:
    """GPUs of the whole servers that hold the GPUs needed.

    >>> float(bought_gpus_count(9.0, 8.0)), float(bought_gpus_count(9.0, 1.0))
    (16.0, 9.0)
    """
    return np.ceil(gpus_count / server_gpus_count) * server_gpus_count


@formula
def busy_of_bought_fraction(busy_fraction: Draws, gpus_count: Draws, bought_gpus_count: Draws) -> Draws:
    """Busy share of all GPUs bought.

    >>> float(busy_of_bought_fraction(0.5, 6.0, 8.0))
    0.375
    """
    return busy_fraction * gpus_count / bought_gpus_count


def bind_owned_servers(binder: Binder, gpu: Gpu) -> None:
    """Buy whole servers: the GPUs that the work does not need wait, and are paid for."""
    needed = binder.node("gpus_count")
    by_server = any(mark in gpu.name for mark in BOUGHT_BY_THE_SERVER)
    how = "whole servers of eight" if by_server else "cards are bought one by one"
    server = binder.derive("server_gpus_count", SERVER_GPUS_COUNT if by_server else 1.0, how)
    bought = binder.apply(bought_gpus_count, needed, server, name="gpus_count", how=how)
    binder.derive("owned_gpus_count", bought.value, "bought", bought)
    busy = binder.node("busy_fraction")
    binder.apply(busy_of_bought_fraction, busy, needed, bought, name="busy_fraction")


def bought_together_count(binder: Binder, gpu: Gpu) -> float:
    """Replicas whose GPUs come in one purchase: those of a server of eight, or of one card."""
    each = SERVER_GPUS_COUNT if any(mark in gpu.name for mark in BOUGHT_BY_THE_SERVER) else 1.0
    return max(each / float(binder.value("gpus_per_replica_count").flat[0]), 1.0)


def capital(binder: Binder, together_count: float = 1.0) -> Capital:
    """The hardware behind the lines; `together_count` replicas are bought at once."""
    age = binder.node("owned_gpu_age_months") if binder.is_bound("owned_gpu_age_months") else None
    capex, annuity = binder.node("capex_usd"), binder.node("annuity_usd_per_month")
    return Capital(capex, annuity, binder.node("gpu_lifetime_months"), age, together_count)


def owned_lines(binder: Binder, capital: str | None = None) -> tuple[CostLine, ...]:
    """Busy capital, busy colocation, electricity, then what every fleet pays; `capital` renames the first."""
    beside = shared_lines(binder)
    having = ownership.lines(binder)
    if capital:
        having = (replace(having[0], name="resale_forgone", title=capital), *having[1:])
    return (*having, energy.electricity_line(binder), *beside)


def ownership_views(binder: Binder, breakdown: CostBreakdown) -> OwnershipViews:
    """Cash and accounting over the life of the hardware."""
    binder.evaluate(depreciation_usd_per_month)
    return views(binder, breakdown)
