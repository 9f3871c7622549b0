"""Hybrid: a stated share of the calls moves to an open model on rented GPUs, the rest stays at the API.

The idle floor of the fleet stays whatever the share, so a hybrid can cost more than either pure option.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.deployment import deployment
from breakeven.options.assembly.fleet import bind_fleet, fleet_facts
from breakeven.options.assembly.fleet_lines import bind_fleet_people, bind_rent, bind_team, rented_lines
from breakeven.options.assembly.offers import gpu_offer
from breakeven.options.assembly.staircase import Staircase
from breakeven.options.frontier_api import bind_frontier, describe, frontier_lines
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)

MARKET = "market"
SHARE = "hybrid_commodity_share_fraction"
SET_FOR_THE_WHOLE = (
    "engineering_fte_count",
    "monitoring_usd_per_month",
    "incident_events_per_month",
    "downtime_hours_per_month",
)


@formula
def success_fraction(
    hybrid_commodity_share_fraction: Draws,
    open_model_commodity_success_fraction: Draws,
    frontier_success_fraction: Draws,
) -> Draws:
    """Success of the mix: the open model on the commodity share, the frontier model on the rest.

    >>> round(float(success_fraction(0.6, 0.95, 0.9)), 3)
    0.93
    """
    commodity = hybrid_commodity_share_fraction * open_model_commodity_success_fraction
    return commodity + (1 - hybrid_commodity_share_fraction) * frontier_success_fraction


@dataclass(frozen=True, slots=True)
class Hybrid:
    """Commodity calls on rented GPUs on demand, the others where they are; the share is stated, not learned."""

    name: str = "hybrid"
    title: str = "Hybrid (API + rented GPUs)"
    family: Family = "hybrid"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost both parts at their share of the volume; every line of a part belongs to that part alone."""
        choices = situation.choices
        check_provider(situation, MARKET)
        machine = deployment(situation.catalog, choices.open_model, choices.gpu, choices.precision)
        offer = gpu_offer(situation.catalog, choices.gpu, "on_demand", situation.scenario)
        whole = binder_for(situation, evaluation, {})
        share = whole.value(SHARE)

        hosted = binder_for(situation, evaluation, {**machine.facts, **offer}, share)
        own_volume = evaluation.volume_mtok is None
        staircase = bind_fleet(hosted, choices.gpus_per_replica_count, evaluated_at_own_volume=own_volume)
        bind_rent(hosted)
        bind_fleet_people(hosted)
        bind_team(hosted, choices.team)
        hosted.rename("success_fraction", "open_model_commodity_success_fraction", "the easier share of the work")
        _scale_exposure(hosted, share)
        at_api = binder_for(_without_what_the_fleet_pays(situation), evaluation, {}, 1 - share)
        bind_frontier(at_api, situation.demand)
        at_api.rename("success_fraction", "frontier_success_fraction", "no outcome measured yet: assumed")
        _scale_exposure(at_api, 1 - share)

        breakdown = CostBreakdown(
            (*_part(frontier_lines(at_api), "api", "API"), *_part(rented_lines(hosted), "fleet", "fleet"))
        )
        if "success_fraction" not in situation.scenario:
            whole.evaluate(success_fraction)
        buys = f"{machine.label} for {float(np.median(share)):.0%} of the tokens; the rest {describe(situation.demand)}"
        wider = Staircase(staircase.step_mtok / float(share.flat[0]), staircase.from_count)
        return option_cost(self, whole, breakdown, buys, staircase=wider, facts=fleet_facts(hosted))


def _part(lines: tuple[CostLine, ...], name: str, title: str) -> tuple[CostLine, ...]:
    return tuple(replace(line, name=f"{name}_{line.name}", title=f"{line.title} ({title})") for line in lines)


def _without_what_the_fleet_pays(situation: Situation) -> Situation:
    """People, tools and incidents that the scenario sets are the whole option's: the fleet's lines hold them once."""
    set_by_user = {name: situation.scenario[name] for name in SET_FOR_THE_WHOLE if name in situation.scenario}
    nothing = {name: replace(fact, low=0.0, typical=0.0, high=0.0) for name, fact in set_by_user.items()}
    return replace(situation, scenario={**situation.scenario, **nothing})


def _scale_exposure(binder: Binder, share: Draws) -> None:
    exposure = binder.node("breach_exposure_ratio")
    binder.derive("breach_exposure_ratio", exposure.value * share, "this part's share of the data", exposure)


OPTIONS = (Hybrid(),)
