"""Broker: whose offer of the open model is taken: the scenario's, else the cheapest for this workload's own mix."""

from __future__ import annotations

from breakeven.catalog.offer import TokenOffer
from breakeven.costs.tokens import token_usd_per_mtok
from breakeven.errors import ConstraintNotMet, UnknownPrice
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.offers import chosen_broker_offer, sold_by, token_offer_prices
from breakeven.options.assembly.situation import Situation


def broker_offer(situation: Situation, provider: str | None = None) -> tuple[TokenOffer, str]:
    """The offer to take, of `provider` alone when given, and how it was chosen.

    Raises UnknownPrice or ConstraintNotMet when there is none.
    """
    choices, catalog = situation.choices, situation.catalog
    if provider is None and choices.broker_offer is not None:
        offer = catalog.token_offers[chosen_broker_offer(catalog, choices.broker_offer, choices.open_model)]
        check_provider(situation, offer.provider)
        return offer, ""
    return _cheapest(situation, sold_by(catalog, choices.open_model, provider))


def ended_words(situation: Situation, offer: TokenOffer) -> str:
    """That the offer is said to have ended, where it is."""
    return f" (said to have ended on {offer.retires})" if _has_ended(situation, offer) else ""


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


def _mix_usd_per_mtok(situation: Situation, name: str) -> float:
    """Typical price of a million tokens of the workload's mix."""
    facts = token_offer_prices(situation.catalog, name, situation.choices.contract).facts
    typical = {fact.name: fact.typical for fact in facts.values()}
    return float(token_usd_per_mtok(**situation.demand.mix.fractions(), **typical))
