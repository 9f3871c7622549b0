"""Brokered: an open model billed per token by a broker such as Fireworks, Together, DeepInfra or SiliconFlow."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.catalog.offer import TokenOffer
from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.tokens import token_usd_per_mtok
from breakeven.errors import ConstraintNotMet, UnknownPrice
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.offers import chosen_broker_offer, pick, sold_by, token_offer_prices
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
        offer, chosen = self._offer(situation)
        prices = token_offer_prices(catalog, offer.name, choices.contract)
        binder = binder_for(situation, evaluation, prices.facts)
        binder.evaluate(token_usd_per_mtok)
        bind_per_token(binder, exposure="brokered_breach_exposure_ratio")
        bind_open_model_success(binder, model, situation)
        breakdown = CostBreakdown((token_line(binder), *per_token_lines(binder)))
        return option_cost(self, binder, breakdown, f"{prices.label}{chosen}{_ended_words(situation, offer)}")

    def _offer(self, situation: Situation) -> tuple[TokenOffer, str]:
        """The offer to take, and how it was chosen; raises UnknownPrice or ConstraintNotMet when there is none."""
        choices, catalog = situation.choices, situation.catalog
        if self.provider is None and choices.broker_offer is not None:
            offer = catalog.token_offers[chosen_broker_offer(catalog, choices.broker_offer, choices.open_model)]
            check_provider(situation, offer.provider)
            return offer, ""
        return _cheapest(situation, sold_by(catalog, choices.open_model, self.provider))


def _cheapest(situation: Situation, names: tuple[str, ...]) -> tuple[TokenOffer, str]:
    """The cheapest offer for this workload's own mix that may be taken; one said to have ended comes last."""
    usable: list[tuple[bool, float, str]] = []
    refused: list[UnknownPrice | ConstraintNotMet] = []
    for name in names:
        offer = situation.catalog.token_offers[name]
        try:
            check_provider(situation, offer.provider)
            usable.append((_has_ended(situation, offer), _mix_usd_per_mtok(situation, name), name))
        except (UnknownPrice, ConstraintNotMet) as error:
            refused.append(error)
    if not usable:
        kind = ConstraintNotMet if any(isinstance(each, ConstraintNotMet) for each in refused) else UnknownPrice
        raise kind("; ".join(str(each) for each in refused))
    ended, _, name = min(usable)
    rivals_count = sum(each[0] == ended for each in usable)
    chosen = f", the cheapest of {rivals_count} offers for this mix" if rivals_count > 1 else ""
    return situation.catalog.token_offers[name], chosen


def _has_ended(situation: Situation, offer: TokenOffer) -> bool:
    return offer.retires is not None and offer.retires <= situation.catalog.as_of


def _ended_words(situation: Situation, offer: TokenOffer) -> str:
    return f" (said to have ended on {offer.retires})" if _has_ended(situation, offer) else ""


def _mix_usd_per_mtok(situation: Situation, name: str) -> float:
    """Typical price of a million tokens of the workload's mix."""
    facts = token_offer_prices(situation.catalog, name, situation.choices.contract).facts
    typical = {fact.name: fact.typical for fact in facts.values()}
    return float(token_usd_per_mtok(**situation.demand.mix.fractions(), **typical))


OPTIONS = (
    Brokered("brokered", "Brokered open model, cheapest"),
    Brokered("brokered_deepinfra", "Brokered open model, DeepInfra", "deepinfra"),
    Brokered("brokered_fireworks", "Brokered open model, Fireworks", "fireworks"),
    Brokered("brokered_siliconflow", "Brokered open model, SiliconFlow", "siliconflow"),
    Brokered("brokered_together", "Brokered open model, Together", "together"),
)
