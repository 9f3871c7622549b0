"""Hybrid: the commodity tasks move to an open model on rented GPUs, the rest stays at the API.

Where the log names its tasks, or an audit found them, whole tasks move, each part with its own tokens and lengths as
the log shows them; where neither is so, a stated share of calls like all the others. The idle floor of the fleet stays
whatever the share, so a hybrid can cost more than either pure option.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from breakeven.costs.breakdown import CostBreakdown
from breakeven.facts.trace import Node
from breakeven.options.assembly.capacity import capacity_words
from breakeven.options.assembly.commodity_cut import (
    EXPOSURE,
    audited_success,
    bind_kept_success,
    bind_moved_success,
    bind_success_of_both,
    commodity_cut,
    commodity_split,
    part_breach_exposure_ratio,
    part_lines,
    scale,
    split_downtime,
    without_the_whole,
)
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.deployment import deployment
from breakeven.options.assembly.fleet import bind_fleet, fleet_facts
from breakeven.options.assembly.fleet_lines import bind_fleet_people, bind_rent, bind_team, rented_lines
from breakeven.options.assembly.log_models import log_providers
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
SMALLEST_SHARE_FRACTION = 1e-9


@dataclass(frozen=True, slots=True)
class Hybrid:
    """Commodity calls on rented GPUs on demand, the others where they are."""

    name: str = "hybrid"
    title: str = "Hybrid (API + rented GPUs)"
    family: Family = "hybrid"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost both parts at their share of the volume; every line of a part belongs to that part alone."""
        choices = situation.choices
        for provider in (MARKET, *log_providers(situation.demand)):
            check_provider(situation, provider)
        machine = deployment(situation.catalog, choices.open_model, choices.gpu, choices.precision, choices.measured)
        offer = gpu_offer(situation.catalog, choices.gpu, "on_demand", situation.scenario)
        split = commodity_split(situation)
        audited = audited_success(situation, split)
        whole = binder_for(situation, evaluation, audited)
        cut = commodity_cut(situation, whole, split)

        hosted = binder_for(situation, evaluation, {**machine.facts, **offer, **audited}, cut.share, cut.moved)
        bind_moved_success(hosted, machine.model, situation, cut)
        own_volume = evaluation.volume_mtok is None
        staircase = bind_fleet(hosted, machine, choices.gpus_per_replica_count, evaluated_at_own_volume=own_volume)
        bind_rent(hosted)
        bind_fleet_people(hosted)
        bind_team(hosted, choices.team)
        scale(hosted, EXPOSURE, part_breach_exposure_ratio, cut.share)
        at_api = binder_for(without_the_whole(situation), evaluation, {}, cut.rest, cut.kept)
        bind_frontier(at_api, cut.kept or situation.demand)
        bind_kept_success(at_api, situation, cut)
        scale(at_api, EXPOSURE, part_breach_exposure_ratio, cut.rest)
        split_downtime(whole, situation, cut.requests, hosted, at_api)

        breakdown = CostBreakdown(
            (*part_lines(frontier_lines(at_api), "api", "API"), *part_lines(rented_lines(hosted), "fleet", "fleet"))
        )
        bind_success_of_both(whole, cut, hosted, at_api)
        stays = f"the rest {describe(cut.kept or situation.demand)}" if np.any(cut.rest.value) else "nothing stays"
        buys = f"{machine.label} for {cut.moves}; {stays}{capacity_words(hosted)}"
        wider = _wider(staircase, cut.share)
        facts = (*fleet_facts(hosted), *cut.facts)
        return option_cost(self, whole, breakdown, buys, staircase=wider, facts=facts)


def _wider(stairs: Staircase, share: Node) -> Staircase:
    """The steps of the fleet, on the axis of the whole volume."""
    assert stairs.step_of_draws_mtok is not None
    return replace(
        stairs,
        step_mtok=stairs.step_mtok / float(share.value.flat[0]),
        step_of_draws_mtok=stairs.step_of_draws_mtok / np.maximum(share.value, SMALLEST_SHARE_FRACTION),
    )


OPTIONS = (Hybrid(),)
