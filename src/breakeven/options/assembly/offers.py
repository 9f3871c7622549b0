"""Offers as Facts: the prices and figures of the catalogue that an Option buys, ready for the offer layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from breakeven.catalog.load import Catalog
from breakeven.errors import CatalogError, UnknownName, UnknownPrice, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source
from breakeven.units import unit_of

if TYPE_CHECKING:
    from breakeven.catalog.token_prices import TokenPriceRow

Thing = TypeVar("Thing")
GPU_RENT = "gpu_rent_usd_per_gpu_hour"


@dataclass(frozen=True, slots=True)
class OfferPrices:
    """Prices per token of one offer."""

    label: str
    facts: Mapping[str, Assumption]


def fixed_fact(name: str, value: float | None, source: Source) -> Assumption:
    """A figure without a range (a price list, a data sheet); refuses a missing one."""
    unit = unit_of(name)
    if value is None or unit is None:
        raise CatalogError(f"no value or unit for '{name}' from {source.title}")
    return Assumption(name, unit, value, value, value, source)


@lru_cache(maxsize=64)
def token_offer_prices(catalog: Catalog, name: str) -> OfferPrices:
    """The four token prices of the offer `name` on the catalogue's date; raises UnknownPrice when it has none."""
    from breakeven.catalog.token_prices import offer_prices

    offer = pick(catalog.token_offers, name, "token offer")
    rows = offer_prices(offer, catalog)
    if not rows or rows[0].status != "priced":
        reason = rows[0].reason if rows else "no dated entry"
        raise UnknownPrice(f"no price for '{name}' on {catalog.as_of}: {reason}")
    facts = price_facts(rows[0])
    if offer.currency != "USD":
        facts = tuple(_with_exchange_rate(fact, catalog.fx[offer.currency.lower()]) for fact in facts)
    return OfferPrices(f"{offer.model} at {offer.provider}", {fact.name: fact for fact in facts})


def broker_offer(catalog: Catalog, name: str | None, open_model: str) -> str:
    """Name of the broker's offer to take; it must sell the very model that the other options would run."""
    if name is None:
        for offer in catalog.token_offers.values():
            if offer.kind == "brokered" and offer.model == open_model:
                return offer.name
        raise UnknownPrice(f"the catalogue knows no broker that sells {open_model} per token")
    chosen = pick(catalog.token_offers, name, "token offer")
    if chosen.kind != "brokered" or chosen.model != open_model:
        raise UnknownName(
            f"broker_offer '{name}' sells {chosen.model} ({chosen.kind}), but open_model is {open_model}; "
            f"choose both alike, or leave broker_offer out"
        )
    return name


def price_facts(row: TokenPriceRow) -> tuple[Assumption, ...]:
    """The prices of one row as Facts; a price that the list does not name is the input price."""
    input_price = row.input_usd_per_mtok
    return (
        fixed_fact("input_usd_per_mtok", input_price, row.source),
        fixed_fact("cache_read_usd_per_mtok", _or(row.cache_read_usd_per_mtok, input_price), row.source),
        fixed_fact("cache_write_usd_per_mtok", _or(row.cache_write_usd_per_mtok, input_price), row.source),
        fixed_fact("output_usd_per_mtok", row.output_usd_per_mtok, row.source),
    )


def gpu_offer(catalog: Catalog, gpu: str, term: str, scenario: Mapping[str, Assumption]) -> Mapping[str, Assumption]:
    """Facts of the catalogue's offer for `gpu` on `term`; a rent of the scenario's own needs none.

    Raises UnknownPrice when there is neither.
    """
    for offer in catalog.gpu_offers.values():
        if offer.gpu == gpu and offer.term == term:
            return offer.facts
    if GPU_RENT in scenario:
        return {}
    raise UnknownPrice(
        f"the catalogue has no offer to rent '{gpu}' on terms '{term}' on {catalog.as_of}; "
        f"give your own as {GPU_RENT} in the scenario's overrides"
    )


def pick(things: Mapping[str, Thing], name: str, kind: str) -> Thing:
    """The entry `name` of a part of the catalogue, or an error that names the nearest one."""
    if name not in things:
        raise UnknownName(f"no {kind} named '{name}' in the catalogue; {nearest(name, list(things))}")
    return things[name]


def _with_exchange_rate(fact: Assumption, rate: Assumption) -> Assumption:
    """A price in another currency is as uncertain as the rate it was converted at, and drawn on the rate's draws."""
    low, high = fact.typical * rate.low / rate.typical, fact.typical * rate.high / rate.typical
    return replace(fact, low=low, high=high, dimension=rate.dimension)


def _or(price: float | None, otherwise: float | None) -> float | None:
    return otherwise if price is None else price
