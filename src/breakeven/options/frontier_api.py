"""Frontier API: the models the log shows, at today's list or contract price; nothing changes but the bill."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.line import CostLine
from breakeven.costs.tokens import line as token_line
from breakeven.costs.tokens import token_usd_per_mtok
from breakeven.facts.distribution import Draws
from breakeven.facts.source import Source
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.demand import Demand, ModelDemand
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)
from breakeven.units import TOKENS_PER_MTOK


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
        breakdown = CostBreakdown(frontier_lines(binder))
        binder.rename("success_fraction", "frontier_success_fraction", "no outcome measured yet: assumed")
        return option_cost(self, binder, breakdown, describe(situation.demand))


def bind_frontier(binder: Binder, demand: Demand) -> None:
    """Bind today's price per token and what the drains ask for."""
    bind_mix_price(binder, demand)
    bind_per_token(binder, exposure="api_breach_exposure_ratio")


def frontier_lines(binder: Binder) -> tuple[CostLine, ...]:
    """The lines of the API for the volume bound in `binder`."""
    return (token_line(binder), *per_token_lines(binder))


def bind_mix_price(binder: Binder, demand: Demand) -> Node:
    """Bind `token_usd_per_mtok`: each model's own price, weighted by its share of the tokens."""
    total = max(demand.mix.tokens, 1)
    nodes = tuple(_model_price(each, demand.source) for each in demand.models)
    value: Draws | float = 0.0
    for each, node in zip(demand.models, nodes, strict=True):
        value = value + node.value * (each.mix.tokens / total)
    if len(nodes) == 1:
        how = nodes[0].summary
    else:
        shares = ", ".join(f"{each.label} {each.mix.tokens / total:.1%}" for each in demand.models)
        how = f"mean over the models of the log, weighted by tokens ({shares})"
    return binder.derive("token_usd_per_mtok", value, how, *nodes)


def describe(demand: Demand) -> str:
    """The models, most spent first."""
    ranked = sorted(demand.models, key=lambda each: -each.spend_usd)
    labels = [each.label + (" (assumed)" if each.assumed else "") for each in ranked]
    return ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")


def _model_price(model: ModelDemand, log: Source) -> Node:
    """Price of a million tokens of this model's own mix, with the list prices as leaves."""
    books = Binder(lambda fact: _certain(fact.typical), {}, {fact.name: fact for fact in model.prices})
    for name, value in model.mix.fractions().items():
        books.derive(name, value, f"{model.label} in the log", source=log)
    how = f"{model.label}: {'assumed, the log names no model' if model.assumed else 'as the log shows'}"
    if model.prices:
        node = books.evaluate(token_usd_per_mtok)
        return books.derive("token_usd_per_mtok", node.value, how, node)
    effective = model.spend_usd / max(model.mix.tokens, 1) * TOKENS_PER_MTOK
    return books.derive(
        "token_usd_per_mtok", effective, how + "; price tiers applied call by call", source=model.source
    )


def _certain(value: float) -> Draws:
    import numpy as np

    return np.asarray([value])


OPTIONS = (FrontierApi(),)
