"""Owned GPUs: buy servers, house them in a colocation, and run an open model under vLLM on them."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.ownership import bind_purchase
from breakeven.options.assembly.capacity import capacity_words
from breakeven.options.assembly.deployment import deployment
from breakeven.options.assembly.fleet import bind_fleet, fleet_facts
from breakeven.options.assembly.fleet_lines import bind_fleet_people, bind_team
from breakeven.options.assembly.owned_lines import (
    bind_owned_servers,
    bought_together_count,
    capital,
    owned_lines,
    ownership_views,
    purchase_offer,
)
from breakeven.options.assembly.success import bind_open_model_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)


@dataclass(frozen=True, slots=True)
class OwnedGpus:
    """All calls move to one open model on GPUs bought for it."""

    name: str = "owned_gpus"
    title: str = "Owned GPUs, bought new"
    family: Family = "self_hosted"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Size the fleet, buy whole servers, house, power and staff them."""
        choices = situation.choices
        machine = deployment(situation.catalog, choices.open_model, choices.gpu, choices.precision, choices.measured)
        offer = purchase_offer(situation.catalog, choices.gpu, situation.scenario)
        binder = binder_for(situation, evaluation, {**machine.facts, **offer})
        bind_open_model_success(binder, machine.model, situation)
        own_volume = evaluation.volume_mtok is None
        staircase = bind_fleet(binder, machine, choices.gpus_per_replica_count, evaluated_at_own_volume=own_volume)
        bind_owned_servers(binder, machine.gpu)
        bind_purchase(binder)
        bind_fleet_people(binder)
        bind_team(binder, choices.team)
        breakdown = CostBreakdown(owned_lines(binder))
        buys = f"{machine.label}, vLLM, servers of your own in a colocation{capacity_words(binder)}"
        return option_cost(
            self,
            binder,
            breakdown,
            buys,
            staircase=staircase,
            facts=fleet_facts(binder),
            views=None if binder.lines_only else ownership_views(binder, breakdown),
            capital=capital(binder, bought_together_count(binder, machine.gpu)),
        )


OPTIONS = (OwnedGpus(),)
