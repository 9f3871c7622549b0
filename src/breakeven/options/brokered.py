"""Brokered: an open model billed per token by a broker such as Fireworks, Together, DeepInfra or SiliconFlow."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.tokens import token_usd_per_mtok
from breakeven.options.assembly.broker import broker_offer, ended_words
from breakeven.options.assembly.offers import pick, token_offer_prices
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines, token_line
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
class Brokered:
    """All calls move to one open model at one broker; cached input is assumed to stay as cached as today."""

    name: str
    title: str
    provider: str | None = None
    """Provider of the catalogue's offers; None: the scenario's `broker_offer`, or the cheapest for this workload."""
    family: Family = "brokered"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost the whole demand at the broker's price per token."""
        choices, catalog = situation.choices, situation.catalog
        model = pick(catalog.models, choices.open_model, "model")
        offer, chosen = broker_offer(situation, self.provider)
        prices = token_offer_prices(catalog, offer.name, choices.contract)
        binder = binder_for(situation, evaluation, prices.facts)
        binder.evaluate(token_usd_per_mtok)
        bind_per_token(binder, exposure="brokered_breach_exposure_ratio")
        bind_open_model_success(binder, model, situation)
        breakdown = CostBreakdown((token_line(binder), *per_token_lines(binder)))
        return option_cost(self, binder, breakdown, f"{prices.label}{chosen}{ended_words(situation, offer)}")


OPTIONS = (
    Brokered("brokered", "Brokered open model, cheapest"),
    Brokered("brokered_deepinfra", "Brokered open model, DeepInfra", "deepinfra"),
    Brokered("brokered_fireworks", "Brokered open model, Fireworks", "fireworks"),
    Brokered("brokered_siliconflow", "Brokered open model, SiliconFlow", "siliconflow"),
    Brokered("brokered_together", "Brokered open model, Together", "together"),
)
