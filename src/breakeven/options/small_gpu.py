"""Small GPU: a small open model under Ollama on one of the cheapest GPUs to rent; what a prototyper starts with."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.breakdown import CostBreakdown
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.deployment import ollama_deployment
from breakeven.options.assembly.fleet import bind_fleet, fleet_facts
from breakeven.options.assembly.fleet_lines import bind_fleet_people, bind_rent, bind_team, rented_lines
from breakeven.options.assembly.offers import gpu_offer
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


@dataclass(frozen=True, slots=True)
class SmallGpu:
    """All calls move to a small model on small GPUs rented on demand."""

    name: str = "small_gpu"
    title: str = "Small GPU with Ollama"
    family: Family = "self_hosted"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Size the fleet of small machines, rent it, and staff it."""
        choices = situation.choices
        check_provider(situation, MARKET)
        machine = ollama_deployment(situation.catalog, choices.small_model, choices.small_gpu)
        offer = gpu_offer(situation.catalog, choices.small_gpu, "on_demand", situation.scenario)
        binder = binder_for(situation, evaluation, {**machine.facts, **offer})
        bind_open_model_success(binder, machine.model, situation)
        if "replicas_min_count" not in binder.scenario:
            binder.derive("replicas_min_count", 1.0, "one machine, no spare")
        staircase = bind_fleet(binder, machine, 1, evaluated_at_own_volume=evaluation.volume_mtok is None)
        bind_rent(binder)
        bind_fleet_people(binder)
        bind_team(binder, choices.team)
        breakdown = CostBreakdown(rented_lines(binder))
        buys = f"{machine.label}, Ollama, on-demand"
        return option_cost(self, binder, breakdown, buys, staircase=staircase, facts=fleet_facts(binder))


OPTIONS = (SmallGpu(),)
