"""Bench: what the tests of claims share: one Situation, one set of draws, and every Option costed at any volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from breakeven.decision.compare import STATUS_QUO, typical
from breakeven.decision.models import ModelRanking, rank_models
from breakeven.errors import CatalogError, UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.formula import formula
from breakeven.facts.source import Grade, Source
from breakeven.facts.trace import Binder, Layer, Node
from breakeven.options.assembly.demand import Demand, ModelDemand
from breakeven.options.assembly.offers import fixed_fact, gpu_offer, model_prices
from breakeven.options.option import Evaluation, Option, OptionCost, Situation


@formula
def equal_success_usd_per_month(
    total_usd_per_month: Draws, success_fraction: Draws, status_quo_success_fraction: Draws
) -> Draws:
    """Monthly cost of as many successful outcomes as today's API gives.

    >>> float(equal_success_usd_per_month(800.0, 0.8, 0.9))
    900.0
    """
    return total_usd_per_month / success_fraction * status_quo_success_fraction


@dataclass(slots=True)
class Bench:
    """One Situation and its draws; costs are kept, because claims ask for the same ones."""

    situation: Situation
    draws: DrawSet
    options: Mapping[str, Option]
    workload: str
    """The traffic in a few words."""
    is_reference: bool
    """True for the invented reference workload, False for a log."""
    _rankings: list[ModelRanking] = field(default_factory=list)

    @property
    def traffic(self) -> str:
        """The traffic by its name."""
        return "the reference workload" if self.is_reference else "your log"

    @property
    def volume_mtok(self) -> float:
        """Typical monthly volume of the workload, millions of tokens."""
        facts = {**self.situation.catalog.assumptions, **self.situation.scenario}
        return float(self.situation.demand.volume_mtok_per_month(facts["hours_per_month"].typical))

    @property
    def open_model(self) -> str:
        """The open model that options run."""
        return self.situation.choices.open_model

    def cost(self, option: str, mtok: float | None = None, situation: Situation | None = None) -> OptionCost:
        """`option` at a monthly volume (the workload's own when absent), on the draws.

        Raises UnknownPrice or CatalogError when it cannot be had.
        """
        volume = np.asarray([self.volume_mtok if mtok is None else mtok])
        return self.options[option].cost(situation or self.situation, Evaluation(self.draws.of, volume))

    def typical_cost(self, option: str, mtok: Draws, situation: Situation | None = None) -> OptionCost:
        """`option` at typical values, along a grid of volumes."""
        return self.options[option].cost(situation or self.situation, Evaluation(typical, np.asarray(mtok)))

    def can_have(self, option: str, situation: Situation | None = None) -> bool:
        """Whether `option` is there and has a price."""
        try:
            self.typical_cost(option, np.asarray([self.volume_mtok]), situation)
        except (UnknownPrice, CatalogError):
            return False
        return True

    def equal_success(self, option: str, mtok: float | None = None, situation: Situation | None = None) -> Node:
        """Monthly cost of `option` for as many successful outcomes as the status quo gives."""
        cost, base = self.cost(option, mtok, situation), self.cost(STATUS_QUO, mtok, situation)
        inputs = (cost.total, cost.success, base.success)
        value = equal_success_usd_per_month(*(each.value for each in inputs))
        return Node(
            equal_success_usd_per_month.name,
            equal_success_usd_per_month.unit,
            np.asarray(value),
            Layer.DERIVED,
            inputs,
            formula=equal_success_usd_per_month.qualified_name,
            summary=f"{equal_success_usd_per_month.summary} ({cost.title})",
        )

    def fact(self, name: str) -> Node:
        """A fact of the catalogue, or what the scenario says instead."""
        return Binder(self.draws.of, self.situation.catalog.assumptions, scenario=self.situation.scenario).node(name)

    def quoted_rent(self, gpu: str, term: str) -> Node:
        """Rent of an hour of `gpu` on `term`; a rent that the scenario sets wins."""
        offer = gpu_offer(self.situation.catalog, gpu, term, self.situation.scenario)
        return Binder(self.draws.of, {}, offer, self.situation.scenario).node("gpu_rent_usd_per_gpu_hour")

    def pinned(self, facts: Mapping[str, float], how: str, **choices: object) -> Situation:
        """The situation with some facts pinned and some choices changed."""
        source = Source(how, "this test", self.situation.catalog.as_of, Grade.GUESS)
        fixed = {name: fixed_fact(name, value, source) for name, value in facts.items()}
        changed = replace(self.situation.choices, **choices)  # type: ignore[arg-type]
        return replace(self.situation, scenario={**self.situation.scenario, **fixed}, choices=changed)

    def with_facts(self, facts: Mapping[str, Assumption], **choices: object) -> Situation:
        """The situation with some facts replaced by others and some choices changed."""
        changed = replace(self.situation.choices, **choices)  # type: ignore[arg-type]
        return replace(self.situation, scenario={**self.situation.scenario, **facts}, choices=changed)

    def with_frontier(self, label: str) -> Situation:
        """The same calls, all of them at the frontier model `label` and its list price."""
        return replace(self.situation, demand=demand_at(self.situation, label))

    def ranking(self) -> ModelRanking:
        """All open models on this workload, ranked once."""
        if not self._rankings:
            self._rankings.append(rank_models(self.situation, self.options, self.draws))
        return self._rankings[0]


def demand_at(situation: Situation, label: str) -> Demand:
    """The demand of `situation` as calls of the one model `label`; raises UnknownPrice when it has no list price."""
    demand = situation.demand
    prices = model_prices(situation.catalog, label, situation.choices.contract)
    only = ModelDemand(label, demand.mix, demand.requests_count, 0.0, prices, demand.source, lengths=demand.lengths)
    return replace(demand, models=(only,))
