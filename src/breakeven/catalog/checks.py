"""Checks of the catalogue's rows against their names, their dates and each other; each failure says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from breakeven.catalog.files import CatalogFiles, Place
from breakeven.catalog.price_quote import DIMENSION as LIST_PRICE_SPREAD_DIMENSION
from breakeven.catalog.schema import AssumptionEntry, DatedRange, DatedTokenPricesEntry, TokenOfferEntry
from breakeven.catalog.schema_base import SourceEntry
from breakeven.errors import CatalogError, nearest
from breakeven.units import UNIT_BY_SUFFIX, unit_of

PRICE_UNITS: Final = frozenset({"usd/hour", "usd/mtok", "usd/kwh", "eur/kwh", "usd/cny", "usd/eur", "usd/gbp"})
"""Units of prices; 0 is refused there, because a missing price must never look like a free one."""
PRICE_NAME_SUFFIX: Final = "_price_usd"
TWO_SIDED: Final = re.compile(r"_growth_|_shock_")
"""Names of changes, which go up and down; every other fact is an amount."""


def check(files: CatalogFiles) -> None:
    """Raise a CatalogError for the first row that contradicts its name, its dates, or another row."""
    _check_names_once(files)
    _check_dimensions(files)
    for where, name, entry in all_assumptions(files):
        _check_unit(where, name, entry)
        _check_values(where, name, entry)
    _check_dates(files)
    _check_references(files)
    _check_goods_once(files)


def warnings(files: CatalogFiles) -> tuple[str, ...]:
    """What is odd but may be true: each with its file and line. The catalogue loads all the same."""
    return tuple(sorted([*_odd_cache_prices(files), *_currencies_without_rate(files), *_odd_spot_prices(files)]))


def all_assumptions(files: CatalogFiles) -> Iterator[tuple[Place, str, AssumptionEntry]]:
    """Where it stands, its name, and the entry: of the assumptions, the rates, and the facts of GPU offers."""
    for file in (*files.assumptions, *files.fx):
        for name, entry in file.content.root.items():
            yield file.where(name), name, entry
    for offers in files.gpu_offers:
        for offer_name, offer in offers.content.root.items():
            for name, entry in offer.facts.items():
                yield offers.where(offer_name, "facts", name), name, entry


def is_price(name: str) -> bool:
    """Whether a fact of this name is a market price (positive, and to be looked at again every quarter).

    >>> is_price("gpu_rent_usd_per_gpu_hour"), is_price("engineer_usd_per_year")
    (True, False)
    """
    return unit_of(name) in PRICE_UNITS or name.endswith(PRICE_NAME_SUFFIX)


def _check_names_once(files: CatalogFiles) -> None:
    facts = [(name, file.where(name)) for file in (*files.assumptions, *files.fx) for name in file.content.root]
    rents = [(name, offers.where(name)) for offers in files.gpu_offers for name in offers.content.root]
    tokens = [(name, offers.where(name)) for offers in files.token_offers for name in offers.content.root]
    gpus = [(name, hardware.where(name)) for hardware in files.hardware for name in hardware.content.root]
    models = [(name, each.where(name)) for each in files.models for name in each.content.root]
    for group in (facts, rents + tokens, gpus, models):
        seen: dict[str, Place] = {}
        for name, where in group:
            if name in seen:
                raise CatalogError(f"{where}: already at {seen[name]}; keep one entry and append to it.")
            seen[name] = where


def _check_dimensions(files: CatalogFiles) -> None:
    name_of: dict[int, str] = {LIST_PRICE_SPREAD_DIMENSION: "list_price_spread"}
    dimension_of: dict[str, int] = {}
    everything = list(all_assumptions(files))
    next_free = 1 + max((entry.dimension for _, _, entry in everything), default=-1)
    for where, name, entry in everything:
        owner = name_of.setdefault(entry.dimension, name)
        if owner != name:
            raise CatalogError(
                f"{where}: dimension {entry.dimension} belongs to {owner}; the next free one is {next_free}."
            )
        known = dimension_of.setdefault(name, entry.dimension)
        if known != entry.dimension:
            raise CatalogError(
                f"{where}: dimension {entry.dimension}, elsewhere {known}; one name keeps one dimension."
            )


def _check_unit(where: Place, name: str, entry: AssumptionEntry) -> None:
    unit = unit_of(name)
    if unit is None:
        raise CatalogError(f"{where}: the name ends in no unit; {nearest(name, list(UNIT_BY_SUFFIX))}")
    if entry.unit != unit:
        raise CatalogError(
            f"{where}: unit '{entry.unit}' contradicts the name, which says '{unit}'. Change one of them."
        )


def may_be_negative(name: str) -> bool:
    """Whether a fact of that name is a change, which goes up and down.

    >>> may_be_negative("volume_growth_fraction_per_month"), may_be_negative("gpu_price_usd")
    (True, False)
    """
    return bool(TWO_SIDED.search(name))


def _check_values(where: Place, name: str, entry: AssumptionEntry) -> None:
    for dated in entry.values:
        value = dated.value
        if value is None:
            continue
        if value.low < 0 and not may_be_negative(name):
            raise CatalogError(f"{where}: low is {value.low:g} since {dated.since}; wanted 0 or more.")
        if entry.unit == "fraction" and value.high > 1:
            raise CatalogError(f"{where}: high is {value.high:g} since {dated.since}; a fraction ends at 1.")
        if is_price(name) and value.low == 0:
            raise CatalogError(
                f"{where}: low is 0 since {dated.since}; a price is positive. An offer that ends says `range: null`."
            )


def _check_dates(files: CatalogFiles) -> None:
    checked = files.catalogue.content.checked
    for where, value in _dated_values(files):
        if value.since > checked and value.expected is None:
            raise CatalogError(
                f"{where}: starts {value.since}, after the catalogue was last checked ({checked}). Write `expected:`"
                " for something announced, or move `checked:` in catalogue.yaml."
            )
    for where, source in _sources(files):
        if source.read > checked:
            raise CatalogError(
                f"{where}: read {source.read}, after the catalogue was last checked ({checked}). Correct the date, or"
                " move `checked:` in catalogue.yaml."
            )


def _dated_values(files: CatalogFiles) -> Iterator[tuple[Place, DatedRange | DatedTokenPricesEntry]]:
    for where, _, entry in all_assumptions(files):
        for value in entry.values:
            yield where, value
    for file in files.token_offers:
        for name, offer in file.content.root.items():
            for prices in offer.values or ():
                yield file.where(name), prices


def _sources(files: CatalogFiles) -> Iterator[tuple[Place, SourceEntry]]:
    for where, value in _dated_values(files):
        yield where, value.source
    for tokens in files.token_offers:
        for name, offer in tokens.content.root.items():
            yield tokens.where(name), offer.source
    for hardware in files.hardware:
        for name, gpu in hardware.content.root.items():
            yield hardware.where(name), gpu.source
    for models in files.models:
        for name, model in models.content.root.items():
            yield models.where(name), model.source
    for providers in files.providers:
        for name, provider in providers.content.root.items():
            yield providers.where(name), provider.source
    for lists in files.price_sources:
        for name, source in lists.content.sources.items():
            yield lists.where("sources", name), source


def _check_references(files: CatalogFiles) -> None:
    gpus = [name for file in files.hardware for name in file.content.root]
    models = [name for file in files.models for name in file.content.root]
    providers = [name for file in files.providers for name in file.content.root]
    for offers in files.gpu_offers:
        for name, offer in offers.content.root.items():
            _known(offers.where(name, "gpu"), "GPU", offer.gpu, gpus, "hardware/")
            _known(offers.where(name, "provider"), "provider", offer.provider, providers, "providers.yaml")
    sold = {name: offer for file in files.token_offers for name, offer in file.content.root.items()}
    for tokens in files.token_offers:
        for name, each in tokens.content.root.items():
            _known(tokens.where(name, "provider"), "provider", each.provider, providers, "providers.yaml")
            if each.kind == "brokered" or (each.kind == "own_api" and each.model not in each.model_ids):
                _known(tokens.where(name, "model"), "model", each.model, models, "models/")
            if each.cheaper_tier is not None:
                _check_cheaper_tier(tokens.where(name, "cheaper_tier"), name, each, sold)
    for file in files.fx:
        for name in file.content.root:
            if not name.startswith("usd_per_"):
                raise CatalogError(f"{file.where(name)}: an exchange rate is named after its unit, e.g. usd_per_cny.")


def _known(where: Place, kind: str, name: str, known: list[str], place: str) -> None:
    if name not in known:
        raise CatalogError(f"{where}: no {kind} '{name}' under {place}; {nearest(name, known)}")


def _check_cheaper_tier(where: Place, name: str, offer: TokenOfferEntry, sold: dict[str, TokenOfferEntry]) -> None:
    tier = offer.cheaper_tier or ""
    if tier == name or tier not in sold:
        others = [each for each in sold if each != name]
        raise CatalogError(f"{where}: no other offer '{tier}'; {nearest(tier, others)}")
    if sold[tier].provider != offer.provider:
        raise CatalogError(f"{where}: '{tier}' is sold by {sold[tier].provider}; a tier is of the same provider.")


def _check_goods_once(files: CatalogFiles) -> None:
    """Two offers of one good would be two prices for it on one day."""
    seen: dict[tuple[str, ...], Place] = {}
    good: tuple[str, ...]
    for offers in files.gpu_offers:
        for name, offer in offers.content.root.items():
            good = (offer.gpu, offer.term, offer.provider)
            _first(seen, good, offers.where(name), f"{offer.gpu} on terms '{offer.term}' at {offer.provider}")
    for tokens in files.token_offers:
        for name, sold in tokens.content.root.items():
            for model_id in sold.model_ids:
                good = (sold.provider, model_id.lower())
                _first(seen, good, tokens.where(name), f"{model_id} at {sold.provider}")


def _first(seen: dict[tuple[str, ...], Place], good: tuple[str, ...], where: Place, said: str) -> None:
    if good in seen:
        raise CatalogError(f"{where}: contradicts {seen[good]}, which prices {said} too; keep one and append to it.")
    seen[good] = where


def _odd_cache_prices(files: CatalogFiles) -> Iterator[str]:
    for tokens in files.token_offers:
        for name, offer in tokens.content.root.items():
            for dated in offer.values or ():
                price = dated.value
                if price is not None and (price.cache_read_per_mtok or 0.0) > price.input_per_mtok:
                    yield (
                        f"{tokens.where(name)}: since {dated.since} a cached token costs {price.cache_read_per_mtok:g},"
                        f" a fresh one {price.input_per_mtok:g}."
                    )


def _currencies_without_rate(files: CatalogFiles) -> Iterator[str]:
    rates = {name for file in files.fx for name in file.content.root}
    for tokens in files.token_offers:
        for name, offer in tokens.content.root.items():
            if offer.currency != "USD" and f"usd_per_{offer.currency.lower()}" not in rates:
                where = tokens.where(name, "currency")
                yield f"{where}: fx.yaml has no usd_per_{offer.currency.lower()}, so the offer stays unpriced."


def _odd_spot_prices(files: CatalogFiles) -> Iterator[str]:
    """Days on which interruptible GPUs would cost more than safe ones."""
    typical: dict[tuple[str, str, str, object], tuple[Place, float]] = {}
    for offers in files.gpu_offers:
        for name, offer in offers.content.root.items():
            for fact, entry in offer.facts.items():
                for dated in entry.values:
                    if dated.value is not None:
                        key = (offer.gpu, offer.term, fact, dated.since)
                        typical[key] = (offers.where(name), dated.value.typical)
    for (gpu, term, fact, since), (where, price) in typical.items():
        safe = typical.get((gpu, "on_demand", fact, since))
        if term == "spot" and safe is not None and price >= safe[1]:
            yield f"{where}: since {since} spot costs {price:g}, on demand {safe[1]:g}."
