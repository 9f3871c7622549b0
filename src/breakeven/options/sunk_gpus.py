"""GPUs you already own: the purchase is sunk; resale forgone, power, housing and people still count.

"Is it always cheaper if I have the GPUs?" No: whoever keeps them gives up what they would bring today.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.ownership import bind_resale_forgone
from breakeven.errors import CatalogError
from breakeven.facts.trace import Binder
from breakeven.options.assembly.capacity import capacity_words
from breakeven.options.assembly.deployment import deployment
from breakeven.options.assembly.fleet import bind_fleet, fleet_facts
from breakeven.options.assembly.fleet_lines import bind_fleet_people, bind_team
from breakeven.options.assembly.owned_lines import capital, owned_lines, purchase_offer
from breakeven.options.assembly.success import bind_open_model_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)

ALREADY_OWNED = "gpus_already_owned_count"


@dataclass(frozen=True, slots=True)
class SunkGpus:
    """All calls move to one open model on GPUs that are already paid for."""

    name: str = "sunk_gpus"
    title: str = "GPUs you already own"
    family: Family = "self_hosted"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Size the fleet and count what keeping and running it costs from today on."""
        choices = situation.choices
        machine = deployment(situation.catalog, choices.open_model, choices.gpu, choices.precision, choices.measured)
        offer = purchase_offer(situation.catalog, choices.gpu, situation.scenario)
        binder = binder_for(situation, evaluation, {**machine.facts, **offer})
        bind_open_model_success(binder, machine.model, situation)
        own_volume = evaluation.volume_mtok is None
        staircase = bind_fleet(binder, machine, choices.gpus_per_replica_count, evaluated_at_own_volume=own_volume)
        if own_volume:
            _refuse_too_few(binder)
        binder.rename("owned_gpus_count", "gpus_count", "as many of your GPUs as the work needs; sell the others")
        bind_resale_forgone(binder)
        bind_fleet_people(binder)
        bind_team(binder, choices.team)
        breakdown = CostBreakdown(owned_lines(binder, capital="Resale value forgone, busy hours"))
        buys = f"{machine.label}, vLLM, on GPUs that are already paid for{capacity_words(binder)}"
        only_if = "" if ALREADY_OWNED in situation.scenario else "you already own the GPUs"
        return option_cost(
            self,
            binder,
            breakdown,
            buys,
            staircase=staircase,
            facts=fleet_facts(binder),
            capital=capital(binder),
            only_if=only_if,
        )


def _refuse_too_few(binder: Binder) -> None:
    if ALREADY_OWNED not in binder.scenario:
        return
    have, need = float(np.median(binder.value(ALREADY_OWNED))), float(np.median(binder.value("gpus_count")))
    if need > have:
        raise CatalogError(
            f"the work needs {need:,.0f} GPUs and you own {have:,.0f} ({ALREADY_OWNED}); look at owned_gpus for buying "
            f"the whole fleet, or at hybrid for moving a share of the work"
        )


OPTIONS = (SunkGpus(),)
