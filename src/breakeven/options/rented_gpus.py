"""Rented GPUs: an open model under vLLM on GPUs by the hour: on demand, spot, or for a year; the fleet is always on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from breakeven.catalog.offer import GpuTerm
from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.drains.incident_response import (
    incident_events_with_spot_events_per_month,
    spot_incident_events_per_month,
)
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.options.assembly.capacity import capacity_words
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.deployment import deployment
from breakeven.options.assembly.fleet import bind_fleet, fleet_facts
from breakeven.options.assembly.fleet_lines import bind_fleet_people, bind_rent, bind_team, rented_lines
from breakeven.options.assembly.offers import GPU_RENT, gpu_offer
from breakeven.options.assembly.success import bind_open_model_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)

MARKET = "market"
SPOT_RENT, ON_DEMAND_RENT = "spot_rent_usd_per_gpu_hour", "on_demand_rent_usd_per_gpu_hour"


@formula
def gpu_rent_usd_per_gpu_hour(
    spot_rent_usd_per_gpu_hour: Draws, on_demand_rent_usd_per_gpu_hour: Draws, spot_fallback_fraction: Draws
) -> Draws:
    """Mean price of an hour on spot with fallback: on demand while no spot capacity is to be had, or spot is dearer.

    >>> round(float(gpu_rent_usd_per_gpu_hour(2.0, 4.0, 0.1)), 9), float(gpu_rent_usd_per_gpu_hour(5.0, 4.0, 0.1))
    (2.2, 4.0)
    """
    on_spot = np.minimum(spot_rent_usd_per_gpu_hour, on_demand_rent_usd_per_gpu_hour) * (1 - spot_fallback_fraction)
    return on_spot + on_demand_rent_usd_per_gpu_hour * spot_fallback_fraction


@dataclass(frozen=True, slots=True)
class RentedGpus:
    """All calls move to one open model on GPUs rented on `term`."""

    name: str
    title: str
    term: GpuTerm
    """``on_demand``, ``spot`` or ``one_year``: which of the catalogue's GPU offers is taken."""
    family: Family = "self_hosted"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Size the fleet for the demand, rent it, and staff it."""
        choices = situation.choices
        check_provider(situation, MARKET)
        machine = deployment(situation.catalog, choices.open_model, choices.gpu, choices.precision, choices.measured)
        binder = binder_for(situation, evaluation, {**machine.facts, **self._rent(situation)})
        bind_open_model_success(binder, machine.model, situation)
        if self.term == "spot" and GPU_RENT not in situation.scenario:
            binder.evaluate(gpu_rent_usd_per_gpu_hour)
        own_volume = evaluation.volume_mtok is None
        staircase = bind_fleet(binder, machine, choices.gpus_per_replica_count, evaluated_at_own_volume=own_volume)
        bind_rent(binder)
        bind_fleet_people(binder)
        self._bind_interruptions(binder)
        bind_team(binder, choices.team)
        breakdown = CostBreakdown(rented_lines(binder))
        buys = f"{machine.label}, vLLM, {_TERMS[self.term]}{capacity_words(binder)}"
        return option_cost(
            self,
            binder,
            breakdown,
            buys,
            staircase=staircase,
            facts=fleet_facts(binder),
            commitment_months=_MONTHS.get(self.term, 0),
        )

    def _rent(self, situation: Situation) -> Mapping[str, Assumption]:
        """Facts of the offer; on spot, those of the on-demand offer too, which the fallback pays."""
        catalog, gpu, scenario = situation.catalog, situation.choices.gpu, situation.scenario
        offer = gpu_offer(catalog, gpu, self.term, scenario)
        if self.term != "spot" or GPU_RENT in scenario:
            return offer
        fallback = gpu_offer(catalog, gpu, "on_demand", scenario)
        return {
            SPOT_RENT: replace(offer[GPU_RENT], name=SPOT_RENT),
            ON_DEMAND_RENT: replace(fallback[GPU_RENT], name=ON_DEMAND_RENT),
        }

    def _bind_interruptions(self, binder: Binder) -> None:
        """On spot, each machine is taken away now and then, on top of faults and crashes."""
        if self.term != "spot":
            return
        faults = binder.node("incident_events_per_month")
        spot = binder.evaluate(spot_incident_events_per_month)
        if "incident_events_per_month" not in binder.scenario:
            binder.apply(incident_events_with_spot_events_per_month, faults, spot, name="incident_events_per_month")


_MONTHS: Mapping[GpuTerm, int] = {"one_year": 12}
_TERMS: Mapping[GpuTerm, str] = {
    "on_demand": "on-demand",
    "spot": "spot, on demand while spot is out",
    "one_year": "one-year commitment",
}
OPTIONS = (
    RentedGpus("rented_on_demand", "Rented GPUs, on demand", "on_demand"),
    RentedGpus("rented_spot", "Rented GPUs, spot", "spot"),
    RentedGpus("rented_one_year", "Rented GPUs, one-year term", "one_year"),
)
