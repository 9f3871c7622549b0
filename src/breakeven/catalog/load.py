"""Load: the catalogue as it stood on a day, as Assumptions, Offers, GPUs and models. Importing reads nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.catalog.asof import in_force, started_by
from breakeven.catalog.carbon import CarbonZones
from breakeven.catalog.hardware import Gpu
from breakeven.catalog.model import ModelSpec
from breakeven.catalog.model_names import ModelAlias
from breakeven.catalog.offer import DatedTokenPrices, GenaiPricesReference, GpuOffer, TokenOffer
from breakeven.catalog.price_quote import PriceQuote
from breakeven.catalog.provider import Provider
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source

if TYPE_CHECKING:
    from breakeven.catalog.files import CatalogFile, CatalogFiles
    from breakeven.catalog.overlay import TokenList
    from breakeven.catalog.schema import (
        AssumptionEntry,
        AssumptionFile,
        DatedTokenPricesEntry,
        GpuEntry,
        ModelEntry,
        TokenOfferEntry,
    )
    from breakeven.catalog.schema_base import SourceEntry
    from breakeven.catalog.schema_context import ProviderEntry


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """Everything the catalogue says, as of one day. Compared by identity: the same day gives the same object."""

    as_of: date
    checked: date
    """The day somebody last looked at the whole catalogue."""
    assumptions: Mapping[str, Assumption]
    """By name; holds the exchange rates too."""
    gpu_offers: Mapping[str, GpuOffer]
    token_offers: Mapping[str, TokenOffer]
    gpus: Mapping[str, Gpu]
    models: Mapping[str, ModelSpec]
    fx: Mapping[str, Assumption]
    """Currency in small letters -> its value in USD, e.g. ``fx["cny"]`` is ``usd_per_cny``."""
    providers: Mapping[str, Provider]
    price_quotes: Mapping[str, tuple[PriceQuote, ...]]
    """provider/model -> what several price lists say; the first is the list this catalogue prices with."""
    carbon: CarbonZones
    """Zone -> carbon of its grid, e.g. ``carbon["FRA"]``; read from its file on first use."""
    digest: str
    """SHA-256 over all files and the version of genai-prices."""
    genai_prices_version: str
    """The version installed, and the day of the newest refreshed list where there is one."""
    genai_prices_read: date | None
    """The day that version was checked; None for a version nobody has checked yet."""
    unconfirmed: frozenset[str]
    """Entries in force that were announced (`expected`) and never confirmed."""
    token_lists: tuple[TokenList, ...] = ()
    """Editions of the token price list that `catalog refresh` had read by this day on this machine, oldest first."""
    model_aliases: tuple[ModelAlias, ...] = ()
    """Names of models that only the owner of a log can explain."""

    def grid_carbon_g_per_kwh(self, zone: str) -> Assumption:
        """Carbon of the zone's grid, to be used instead of the default of the same name."""
        return self.carbon.grid_carbon_g_per_kwh(zone)


def load_catalog(as_of: date) -> Catalog:
    """The bundled catalogue, with this machine's refreshed rows, as of a day. The same day gives the same object."""
    return _load_bundled(as_of, *_overlay())


@cache
def with_model_aliases(catalog: Catalog, aliases: tuple[ModelAlias, ...]) -> Catalog:
    """`catalog`, with names that logs give models; the same catalogue and names give the same object."""
    return replace(catalog, model_aliases=aliases) if aliases else catalog


def catalog_files(root: Path | None = None) -> CatalogFiles:
    """Every dated row behind `load_catalog`, checked; with `root`, those of the catalogue in that folder."""
    return _bundled_files(*_overlay()) if root is None else _checked_files(root)


def read_catalog(root: Path, as_of: date) -> Catalog:
    """The catalogue below `root` as of a day, checked. Not cached."""
    return _assemble(_checked_files(root), as_of)


@cache
def _load_bundled(as_of: date, overlay: Path | None, stamp: object) -> Catalog:
    return _assemble(_bundled_files(overlay, stamp), as_of)


@cache
def _bundled_files(overlay: Path | None, stamp: object) -> CatalogFiles:  # noqa: ARG001  (a part of the cache's key)
    """`stamp` tells an overlay that has changed from the one already read."""
    from breakeven.catalog.overlay import read_overlay, with_overlay

    files = _checked_files(None)
    return files if overlay is None else with_overlay(files, read_overlay(overlay))


def _overlay() -> tuple[Path | None, object]:
    """The folder of refreshed rows and its stamp; (None, None) where nothing was refreshed."""
    from breakeven.catalog.overlay import overlay_folder, stamp

    folder = overlay_folder()
    return (None, None) if folder is None else (folder, stamp(folder))


def _checked_files(root: Path | None) -> CatalogFiles:
    from breakeven.catalog.checks import check
    from breakeven.catalog.files import DATA, read_files

    files = read_files(root or DATA)
    check(files)
    return files


def _assemble(files: CatalogFiles, as_of: date) -> Catalog:
    from breakeven.catalog.overlay import with_refreshed_source

    installed = version("genai-prices")
    release = files.catalogue.content.genai_prices
    lists = tuple(each for each in files.token_lists if each.read <= as_of)
    own = dict(_in_force((*files.assumptions, *files.fx), as_of))
    fx = dict(_in_force(files.fx, as_of))
    return Catalog(
        as_of=as_of,
        checked=files.catalogue.content.checked,
        assumptions=own,
        gpu_offers=_gpu_offers(files, as_of),
        token_offers={
            name: with_refreshed_source(_token_offer(name, entry, as_of), lists)
            for file in files.token_offers
            for name, entry in file.content.root.items()
        },
        gpus={name: _gpu(name, entry) for file in files.hardware for name, entry in file.content.root.items()},
        models={name: _model(name, entry) for file in files.models for name, entry in file.content.root.items()},
        fx={name.removeprefix("usd_per_"): rate for name, rate in fx.items()},
        providers={name: _provider(name, entry) for f in files.providers for name, entry in f.content.root.items()},
        price_quotes=dict(_price_quotes(files, as_of)),
        carbon=CarbonZones(files, as_of),
        digest=hashlib.sha256(f"{files.digest} genai-prices {installed}".encode()).hexdigest(),
        genai_prices_version=f"{installed}, list of {lists[-1].read}" if lists else installed,
        genai_prices_read=release.read if release.version == installed else None,
        unconfirmed=frozenset(_unconfirmed(files, as_of)),
        token_lists=lists,
    )


def _in_force(files: tuple[CatalogFile[AssumptionFile], ...], as_of: date) -> Iterator[tuple[str, Assumption]]:
    for file in files:
        for name, entry in file.content.root.items():
            assumption = _assumption(name, entry, as_of)
            if assumption is not None:
                yield name, assumption


def _assumption(name: str, entry: AssumptionEntry, as_of: date) -> Assumption | None:
    """None: not started yet, or ended."""
    dated = in_force(entry.values, as_of)
    if dated is None or dated.value is None:
        return None
    value = dated.value
    return Assumption(
        name, entry.unit, value.low, value.typical, value.high, _source(dated.source), dated.note, entry.dimension
    )


def _source(entry: SourceEntry) -> Source:
    return Source(entry.title, entry.link, entry.read, entry.grade)


def _gpu_offers(files: CatalogFiles, as_of: date) -> dict[str, GpuOffer]:
    """Offers of which at least one fact is in force."""
    found: dict[str, GpuOffer] = {}
    for file in files.gpu_offers:
        for name, entry in file.content.root.items():
            facts = {fact: _assumption(fact, each, as_of) for fact, each in entry.facts.items()}
            known = {fact: each for fact, each in facts.items() if each is not None}
            starts = [value.since for fact in known if (value := in_force(entry.facts[fact].values, as_of))]
            if known:
                found[name] = GpuOffer(
                    name, entry.gpu, entry.term, entry.provider, known, max(starts), entry.scales_to_zero
                )
    return found


def _token_offer(name: str, entry: TokenOfferEntry, as_of: date) -> TokenOffer:
    reference = entry.genai_prices
    return TokenOffer(
        name=name,
        kind=entry.kind,
        provider=entry.provider,
        model=entry.model,
        model_ids=tuple(entry.model_ids),
        currency=entry.currency,
        source=_source(entry.source),
        genai_prices=GenaiPricesReference(reference.provider, reference.model) if reference else None,
        prices=tuple(_token_prices(value) for value in started_by(entry.values or (), as_of)),
        first_since=entry.values[0].since if entry.values else None,
        note=entry.note,
        cheaper_tier=entry.cheaper_tier,
        batch_discount_fraction=entry.batch_discount_fraction,
        retires=entry.retires,
    )


def _token_prices(entry: DatedTokenPricesEntry) -> DatedTokenPrices:
    value = entry.value
    source = _source(entry.source)
    if value is None:
        reason = entry.unpriced or f"the offer ended on {entry.since}"
        return DatedTokenPrices(entry.since, None, None, None, None, source, reason, entry.note)
    return DatedTokenPrices(
        entry.since,
        value.input_per_mtok,
        value.cache_read_per_mtok,
        value.cache_write_per_mtok,
        value.output_per_mtok,
        source,
        note=entry.note,
    )


def _provider(name: str, entry: ProviderEntry) -> Provider:
    return Provider(
        name=name,
        title=entry.title,
        jurisdiction=entry.jurisdiction,
        processing_regions=None if entry.processing_regions is None else tuple(entry.processing_regions),
        retention_days=entry.retention_days,
        trains_on_data=entry.trains_on_data,
        certifications=None if entry.certifications is None else tuple(entry.certifications),
        source=_source(entry.source),
        note=entry.note,
        from_memory=tuple(entry.from_memory),
    )


def _price_quotes(files: CatalogFiles, as_of: date) -> Iterator[tuple[str, tuple[PriceQuote, ...]]]:
    """Quotes that had been read by `as_of`."""
    for file in files.price_sources:
        sources = {name: _source(entry) for name, entry in file.content.sources.items()}
        for name, entries in file.content.quotes.items():
            quotes = [PriceQuote(sources[each.source], **each.model_dump(exclude={"source"})) for each in entries]
            known = tuple(quote for quote in quotes if quote.source.read <= as_of)
            if known:
                yield name, known


def _gpu(name: str, entry: GpuEntry) -> Gpu:
    return Gpu(
        name,
        entry.memory_gb,
        entry.bandwidth_gb_per_s,
        entry.bf16_tflops,
        entry.fp8_tflops,
        entry.fp4_tflops,
        entry.power_w,
        entry.link_gb_per_s,
        _source(entry.source),
        entry.note,
        entry.vendor,
        tuple(entry.aliases),
    )


def _model(name: str, entry: ModelEntry) -> ModelSpec:
    fields: dict[str, Any] = entry.model_dump(exclude={"weights_gb", "expert_weights_gb", "source", "aliases"})
    return ModelSpec(
        name=name,
        weights_gb_by_precision={str(key): size for key, size in entry.weights_gb.items()},
        expert_weights_gb_by_precision={str(key): size for key, size in entry.expert_weights_gb.items()},
        source=_source(entry.source),
        aliases=tuple(entry.aliases),
        **fields,
    )


def _unconfirmed(files: CatalogFiles, as_of: date) -> Iterator[str]:
    from breakeven.catalog.checks import all_assumptions

    for _, name, entry in all_assumptions(files):
        value = in_force(entry.values, as_of)
        if value is not None and value.expected is not None:
            yield name
    for file in files.token_offers:
        for name, offer in file.content.root.items():
            price = in_force(offer.values or (), as_of)
            if price is not None and price.expected is not None:
                yield name
