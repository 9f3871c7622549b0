"""Rented GPUs: an open model under vLLM on GPUs by the hour, on demand or spot; the fleet is always on."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.drains.incident_response import spot_incident_events_per_month
from breakeven.facts.trace import Binder
from breakeven.options.assembly.fleet_lines import (
    bind_fleet,
    bind_fleet_people,
    deployment,
    fleet_facts,
    fleet_lines,
)
from breakeven.options.assembly.offers import gpu_offer
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)


@dataclass(frozen=True, slots=True)
class RentedGpus:
    """All calls move to one open model on GPUs rented on `term`."""

    name: str
    title: str
    term: str
    """``on_demand`` or ``spot``: which of the catalogue's GPU offers is taken."""
    family: Family = "self_hosted"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Size the fleet for the demand, rent it, and staff it."""
        machine = deployment(situation.catalog, situation.choices)
        offer = gpu_offer(situation.catalog, situation.choices.gpu, self.term, situation.scenario)
        binder = binder_for(situation, evaluation, {**machine.facts, **offer})
        staircase = bind_fleet(binder, situation.choices, evaluated_at_own_volume=evaluation.volume_mtok is None)
        bind_fleet_people(binder)
        self._bind_interruptions(binder)
        binder.rename("success_fraction", "open_model_success_fraction", "no outcome measured yet: assumed")
        breakdown = CostBreakdown(fleet_lines(binder))
        buys = f"{machine.label}, vLLM, {self.term.replace('_', '-')}"
        return option_cost(self, binder, breakdown, buys, staircase=staircase, facts=fleet_facts(binder))

    def _bind_interruptions(self, binder: Binder) -> None:
        """On spot, each machine is taken away now and then, on top of faults and crashes."""
        if self.term != "spot":
            return
        faults = binder.node("incident_events_per_month")
        spot = binder.evaluate(spot_incident_events_per_month)
        total = faults.value + spot.value
        binder.supply("incident_events_per_month", total, "faults, crashes and spot interruptions", faults, spot)


OPTIONS = (
    RentedGpus("rented_on_demand", "Rented GPUs, on demand", "on_demand"),
    RentedGpus("rented_spot", "Rented GPUs, spot", "spot"),
)
