"""Offers as Facts: the prices and figures of the catalogue that an Option buys, ready for the offer layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.price_quote import DIMENSION
from breakeven.catalog.price_spread import PriceSpread, row_spread
from breakeven.errors import CatalogError, UnknownName, UnknownPrice, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source
from breakeven.options.assembly.log_models import seller_and_model
from breakeven.units import unit_of

if TYPE_CHECKING:
    from breakeven.catalog.token_prices import TokenPriceRow

Thing = TypeVar("Thing")
GPU_RENT = "gpu_rent_usd_per_gpu_hour"
GPU_RENT_RATIO: Final = "gpu_rent_over_offer_ratio"
"""A scenario's multiple of every offer's rent."""
DAY: Final = timedelta(days=1)
RESOLUTION: Final = timedelta(microseconds=1)
NO_BATCH_PRICE: Final = "no batch price listed"
"""The remark of a price row that asked for a batch price and got the standard one."""


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


@lru_cache(maxsize=256)
def token_offer_prices(catalog: Catalog, name: str, contract: tuple[ContractPrice, ...] = ()) -> OfferPrices:
    """The four token prices of the offer `name` on the catalogue's date; raises UnknownPrice when it has none.

    A contract wins over the list. Prices that change with the hour of the day are taken at their mean over the day.
    """
    from breakeven.catalog.token_prices import offer_prices

    offer = pick(catalog.token_offers, name, "token offer")
    rows = offer_prices(offer, catalog, contract)
    facts = day_facts(rows, catalog, f"'{name}'")
    if offer.currency != "USD" and not rows[0].matched_model.startswith("contract/"):
        facts = tuple(_with_exchange_rate(fact, catalog.fx[offer.currency.lower()]) for fact in facts)
    return OfferPrices(f"{offer.model} at {offer.provider}", {fact.name: fact for fact in facts})


@lru_cache(maxsize=256)
def model_prices(
    catalog: Catalog, label: str, contract: tuple[ContractPrice, ...] = (), *, is_batch: bool = False
) -> tuple[Assumption, ...]:
    """The four token prices of ``provider/model`` on the catalogue's date; raises UnknownPrice when it has none."""
    return day_facts(_rows_of_day(catalog, label, contract, is_batch=is_batch), catalog, f"'{label}'")


def lists_batch_price(catalog: Catalog, label: str, contract: tuple[ContractPrice, ...] = ()) -> bool:
    """Whether a price list or the contract names a batch price of ``provider/model``, all day."""
    rows = _rows_of_day(catalog, label, contract, is_batch=True)
    return all(row.status == "priced" and NO_BATCH_PRICE not in row.reason for row in rows)


def sold_by(catalog: Catalog, open_model: str, provider: str | None = None) -> tuple[str, ...]:
    """Names of the brokers' offers of `open_model` (of `provider` alone, when given); raises UnknownPrice for none."""
    brokered = [each for each in catalog.token_offers.values() if each.kind == "brokered"]
    if provider is not None:
        brokered = [each for each in brokered if each.provider == provider]
    names = tuple(each.name for each in brokered if each.model == open_model)
    if names:
        return names
    if provider is None:
        raise UnknownPrice(f"the catalogue knows no broker that sells {open_model} per token")
    others = ", ".join(sorted({each.model for each in brokered})) or "nothing"
    raise UnknownPrice(
        f"this seller has no price per token for {open_model} in the catalogue; set open_model to compare another; "
        f"{provider} sells {others}"
    )


def chosen_broker_offer(catalog: Catalog, name: str, open_model: str) -> str:
    """`name`, when it is a broker's offer of the very model that the other options would run."""
    chosen = pick(catalog.token_offers, name, "token offer")
    if chosen.kind != "brokered" or chosen.model != open_model:
        raise UnknownName(
            f"broker_offer '{name}' sells {chosen.model} ({chosen.kind}), but open_model is {open_model}; "
            f"choose both alike, or leave broker_offer out"
        )
    return name


def day_facts(rows: Sequence[TokenPriceRow], catalog: Catalog, wanted: str) -> tuple[Assumption, ...]:
    """The prices of a day's rows as Facts, smallest tier; raises UnknownPrice, naming `wanted`, when there are none."""
    first_tier = [row for row in rows if row.input_tokens_from == 0]
    unpriced = [row for row in first_tier if row.status != "priced"]
    if unpriced or not first_tier:
        reason = unpriced[0].reason if unpriced else "no dated entry"
        raise UnknownPrice(f"no price for {wanted} on {catalog.as_of}: {reason}")
    hours = [_hours_on(row, catalog.as_of) for row in first_tier]
    each = [price_facts(row, catalog) for row in first_tier]
    return each[0] if len(each) == 1 else tuple(_mean_of_day(facts, hours) for facts in zip(*each, strict=True))


def price_facts(row: TokenPriceRow, catalog: Catalog) -> tuple[Assumption, ...]:
    """The prices of one row as Facts; a price that the list does not name is the input price.

    Where other price lists of the catalogue disagree, a Fact is the range over all of them.
    """
    spread = row_spread(row, catalog)
    plain = _listed("input_usd_per_mtok", row.input_usd_per_mtok, row.source, spread)
    return (
        plain,
        _cached("cache_read_usd_per_mtok", row.cache_read_usd_per_mtok, plain, spread),
        _cached("cache_write_usd_per_mtok", row.cache_write_usd_per_mtok, plain, spread),
        _listed("output_usd_per_mtok", row.output_usd_per_mtok, row.source, spread),
    )


def _listed(name: str, usd_per_mtok: float | None, source: Source, spread: PriceSpread | None) -> Assumption:
    fact = fixed_fact(name, usd_per_mtok, source)
    if spread is None or name not in spread.ratios:
        return fact
    titles = [quote.source.title for quote in spread.counted if quote.price(name) is not None]
    others = [title for title in titles if title not in source.title]
    together = replace(source, title="; ".join([source.title, *others]))
    return replace(spread.widened(fact), source=together)


def _cached(name: str, usd_per_mtok: float | None, plain: Assumption, spread: PriceSpread | None) -> Assumption:
    """A price for cached input; where the list names none, it is the input price, with its range."""
    disagree = spread is not None and name in spread.ratios
    if usd_per_mtok is None or (usd_per_mtok == plain.typical and not disagree):
        return replace(plain, name=name)
    return _listed(name, usd_per_mtok, plain.source, spread)


def gpu_offer(catalog: Catalog, gpu: str, term: str, scenario: Mapping[str, Assumption]) -> Mapping[str, Assumption]:
    """Facts of the catalogue's offer for `gpu` on `term`; a rent of the scenario's own needs none.

    Raises UnknownPrice when there is neither.
    """
    for offer in catalog.gpu_offers.values():
        if offer.gpu == gpu and offer.term == term:
            return at_rent_ratio(offer.facts, scenario)
    if GPU_RENT in scenario:
        return {}
    raise UnknownPrice(
        f"the catalogue has no offer to rent '{gpu}' on terms '{term}' on {catalog.as_of}; "
        f"give your own as {GPU_RENT} in the scenario's overrides"
    )


def at_rent_ratio(facts: Mapping[str, Assumption], scenario: Mapping[str, Assumption]) -> Mapping[str, Assumption]:
    """An offer's facts with its rent at the scenario's multiple, over which a rent that the scenario states wins."""
    if GPU_RENT_RATIO not in scenario or GPU_RENT not in facts:
        return facts
    rent, ratio = facts[GPU_RENT], scenario[GPU_RENT_RATIO].typical
    note = f"{ratio:g} times the offer's rent, as the scenario says. {rent.note}".rstrip()
    moved = replace(rent, low=rent.low * ratio, typical=rent.typical * ratio, high=rent.high * ratio, note=note)
    return {**facts, GPU_RENT: moved}


def pick(things: Mapping[str, Thing], name: str, kind: str) -> Thing:
    """The entry `name` of a part of the catalogue, or an error that names the nearest one."""
    if name not in things:
        raise UnknownName(f"no {kind} named '{name}' in the catalogue; {nearest(name, list(things))}")
    return things[name]


def _with_exchange_rate(fact: Assumption, rate: Assumption) -> Assumption:
    """A price in another currency is as uncertain as the rate it was converted at, and drawn on the rate's draws."""
    low, high = fact.low * rate.low / rate.typical, fact.high * rate.high / rate.typical
    return replace(fact, low=low, high=high, dimension=rate.dimension)


@lru_cache(maxsize=256)
def _rows_of_day(
    catalog: Catalog, label: str, contract: tuple[ContractPrice, ...], *, is_batch: bool
) -> tuple[TokenPriceRow, ...]:
    from breakeven.catalog.token_prices import PriceKey, price_table

    provider, model = seller_and_model(label)
    start = datetime.combine(catalog.as_of, time.min, tzinfo=UTC)
    asked = [PriceKey(provider, model, is_batch=is_batch)]
    return tuple(price_table(asked, start, start + DAY - RESOLUTION, contract, catalog))


def _hours_on(row: TokenPriceRow, day: date) -> float:
    """Hours of `day` (UTC) in which the row holds."""
    start = datetime.combine(day, time.min, tzinfo=UTC)
    since, until = max(row.since or start, start), min(row.until or start + DAY, start + DAY)
    return (until - since) / timedelta(hours=1)


def _mean_of_day(facts: Sequence[Assumption], hours: Sequence[float]) -> Assumption:
    """One price for a day in which it changes: the mean over the hours, between the cheapest and the dearest."""
    mean = sum(fact.typical * each for fact, each in zip(facts, hours, strict=True)) / sum(hours)
    low, high = min(fact.low for fact in facts), max(fact.high for fact in facts)
    note = "the price changes with the hour of the day: mean over 24 hours"
    return replace(facts[0], low=low, typical=mean, high=high, note=note, dimension=DIMENSION)
