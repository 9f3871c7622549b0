"""Brokered: an open model billed per token by a broker such as Fireworks, Together, Groq or SiliconFlow."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.tokens import line as token_line
from breakeven.costs.tokens import token_usd_per_mtok
from breakeven.options.assembly.offers import broker_offer, token_offer_prices
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines
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

    name: str = "brokered"
    title: str = "Brokered open model"
    family: Family = "brokered"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost the whole demand at the broker's price per token."""
        choices = situation.choices
        offer = broker_offer(situation.catalog, choices.broker_offer, choices.open_model)
        prices = token_offer_prices(situation.catalog, offer)
        binder = binder_for(situation, evaluation, prices.facts)
        binder.evaluate(token_usd_per_mtok)
        bind_per_token(binder, exposure="brokered_breach_exposure_ratio")
        binder.rename("success_fraction", "open_model_success_fraction", "no outcome measured yet: assumed")
        breakdown = CostBreakdown((token_line(binder), *per_token_lines(binder)))
        return option_cost(self, binder, breakdown, prices.label)


OPTIONS = (Brokered(),)
