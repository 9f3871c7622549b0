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
from breakeven.options.assembly.fleet_lines import (
    bind_fleet,
    bind_fleet_people,
    deployment,
    fleet_facts,
    fleet_lines,
)
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

SHARE = "hybrid_commodity_share_fraction"
SET_FOR_THE_WHOLE = ("engineering_fte_count", "monitoring_usd_per_month", "incident_events_per_month")


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
        machine = deployment(situation.catalog, situation.choices)
        offer = gpu_offer(situation.catalog, situation.choices.gpu, "on_demand", situation.scenario)
        whole = binder_for(situation, evaluation, {})
        share = whole.value(SHARE)

        hosted = binder_for(situation, evaluation, {**machine.facts, **offer}, share)
        staircase = bind_fleet(hosted, situation.choices, evaluated_at_own_volume=evaluation.volume_mtok is None)
        bind_fleet_people(hosted)
        _scale_exposure(hosted, share)
        at_api = binder_for(_without_what_the_fleet_pays(situation), evaluation, {}, 1 - share)
        bind_frontier(at_api, situation.demand)
        _scale_exposure(at_api, 1 - share)

        breakdown = CostBreakdown(
            (*_part(frontier_lines(at_api), "api", "API"), *_part(fleet_lines(hosted), "fleet", "fleet"))
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
