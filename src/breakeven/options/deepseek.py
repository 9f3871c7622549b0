"""DeepSeek's own API: the maker of an open model sells it per token itself, under Chinese law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.catalog.offer import TokenOffer
from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.tokens import token_usd_per_mtok
from breakeven.errors import UnknownName, UnknownPrice, nearest
from breakeven.facts.trace import Binder
from breakeven.options.assembly.constraints import check_provider, known_terms
from breakeven.options.assembly.offers import token_offer_prices
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines, token_line
from breakeven.options.assembly.success import ANY_OPEN_MODEL, bind_assumed_success, bind_open_model_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)

PROVIDER: Final = "deepseek"
DEFAULT_MODEL: Final = "deepseek-chat"


@dataclass(frozen=True, slots=True)
class DeepSeekApi:
    """All calls move to DeepSeek; cached input is assumed to stay as cached as today."""

    name: str = "deepseek_api"
    title: str = "DeepSeek's own API"
    family: Family = "api"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost the whole demand at DeepSeek's price per token."""
        choices, catalog = situation.choices, situation.catalog
        offer = deepseek_offer(catalog, choices.deepseek_offer)
        check_provider(situation, offer.provider)
        prices = token_offer_prices(catalog, offer.name, choices.contract)
        binder = binder_for(situation, evaluation, prices.facts)
        binder.evaluate(token_usd_per_mtok)
        bind_per_token(binder, exposure="brokered_breach_exposure_ratio")
        _bind_success(binder, situation, offer)
        breakdown = CostBreakdown((token_line(binder), *per_token_lines(binder)))
        law = known_terms(choices, catalog, offer.provider).jurisdiction or "unknown"
        said = f", said to have ended on {offer.retires}" if _has_ended(offer, catalog) else ""
        return option_cost(self, binder, breakdown, f"{offer.model_ids[0]} at {offer.provider} (law: {law}){said}")


def deepseek_offer(catalog: Catalog, name: str | None) -> TokenOffer:
    """The offer of DeepSeek's own API called `name`.

    By default deepseek-chat; once that is said to have ended, the first offer that has not.
    """
    own = {each.name: each for each in catalog.token_offers.values() if _is_own(each)}
    if name is not None:
        if name not in own:
            known = nearest(name, list(own))
            raise UnknownName(f"deepseek_offer: no offer of DeepSeek's own API is named '{name}'; {known}")
        return own[name]
    if not own:
        raise UnknownPrice(f"the catalogue lists no offer of DeepSeek's own API on {catalog.as_of}")
    return min(own.values(), key=lambda each: (_has_ended(each, catalog), DEFAULT_MODEL not in each.model_ids))


def _has_ended(offer: TokenOffer, catalog: Catalog) -> bool:
    return offer.retires is not None and offer.retires <= catalog.as_of


def _is_own(offer: TokenOffer) -> bool:
    return offer.kind == "own_api" and offer.provider == PROVIDER


def _bind_success(binder: Binder, situation: Situation, offer: TokenOffer) -> None:
    """As for any open model; one that the catalogue does not describe is taken for a large mixture of experts."""
    model = situation.catalog.models.get(offer.model)
    if model is not None:
        bind_open_model_success(binder, model, situation)
        return
    name = ANY_OPEN_MODEL if ANY_OPEN_MODEL in binder.scenario else "moe_model_success_fraction"
    how = "no outcome measured yet: assumed for a large mixture of experts"
    bind_assumed_success(binder, situation, name, how)


OPTIONS = (DeepSeekApi(),)
