"""Frontier API: the models the log shows, at today's list or contract price; nothing changes but the bill."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.line import CostLine
from breakeven.facts.trace import Binder
from breakeven.options.assembly.constraints import status_quo_outside
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.mix import bind_mix_price, describe
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines, token_line
from breakeven.options.assembly.success import bind_todays_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)

__all__ = ["OPTIONS", "FrontierApi", "bind_frontier", "describe", "frontier_lines"]


@dataclass(frozen=True, slots=True)
class FrontierApi:
    """The status quo: every call stays where it is."""

    name: str = "frontier_api"
    title: str = "Frontier API (as today)"
    family: Family = "api"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost today's mix of models at the prices of the comparison's date."""
        binder = binder_for(situation, evaluation, {})
        bind_frontier(binder, situation.demand)
        bind_todays_success(binder, situation, "no outcome measured yet: assumed")
        breakdown = CostBreakdown(frontier_lines(binder))
        only_if = status_quo_outside(situation)
        return option_cost(self, binder, breakdown, describe(situation.demand), only_if=only_if)


def bind_frontier(binder: Binder, demand: Demand) -> None:
    """Bind today's price per token and what the drains ask for."""
    bind_mix_price(binder, demand)
    bind_per_token(binder, exposure="api_breach_exposure_ratio")


def frontier_lines(binder: Binder) -> tuple[CostLine, ...]:
    """The lines of the API for the volume bound in `binder`; nothing moves, so nothing new is watched."""
    return (token_line(binder), *per_token_lines(binder, moves=False))


OPTIONS = (FrontierApi(),)
