"""Load: the catalogue as it stood on a day, as Assumptions, Offers, GPUs and models. Importing reads nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.catalog.asof import in_force, started_by
from breakeven.catalog.hardware import Gpu
from breakeven.catalog.model import ModelSpec
from breakeven.catalog.offer import DatedTokenPrices, GenaiPricesReference, GpuOffer, TokenOffer
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source

if TYPE_CHECKING:
    from breakeven.catalog.files import CatalogFile, CatalogFiles
    from breakeven.catalog.schema import (
        AssumptionEntry,
        AssumptionFile,
        DatedTokenPricesEntry,
        GpuEntry,
        ModelEntry,
        SourceEntry,
        TokenOfferEntry,
    )


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
    digest: str
    """SHA-256 over all files and the version of genai-prices."""
    genai_prices_version: str
    """The version installed."""
    genai_prices_read: date | None
    """The day that version was checked; None for a version nobody has checked yet."""
    unconfirmed: frozenset[str]
    """Entries in force that were announced (`expected`) and never confirmed."""


def load_catalog(as_of: date) -> Catalog:
    """The bundled catalogue as of a day. Cached: the same day gives the same object."""
    return _load_bundled(as_of)


def read_catalog(root: Path, as_of: date) -> Catalog:
    """The catalogue below `root` as of a day, checked. Not cached."""
    return _assemble(_checked_files(root), as_of)


@cache
def _load_bundled(as_of: date) -> Catalog:
    return _assemble(_bundled_files(), as_of)


@cache
def _bundled_files() -> CatalogFiles:
    return _checked_files(None)


def _checked_files(root: Path | None) -> CatalogFiles:
    from breakeven.catalog.checks import check
    from breakeven.catalog.files import DATA, read_files

    files = read_files(root or DATA)
    check(files)
    return files


def _assemble(files: CatalogFiles, as_of: date) -> Catalog:
    installed = version("genai-prices")
    release = files.catalogue.content.genai_prices
    own = dict(_in_force((*files.assumptions, *files.fx), as_of))
    fx = dict(_in_force(files.fx, as_of))
    return Catalog(
        as_of=as_of,
        checked=files.catalogue.content.checked,
        assumptions=own,
        gpu_offers=_gpu_offers(files, as_of),
        token_offers={
            name: _token_offer(name, entry, as_of)
            for file in files.token_offers
            for name, entry in file.content.root.items()
        },
        gpus={name: _gpu(name, entry) for file in files.hardware for name, entry in file.content.root.items()},
        models={name: _model(name, entry) for file in files.models for name, entry in file.content.root.items()},
        fx={name.removeprefix("usd_per_"): rate for name, rate in fx.items()},
        digest=hashlib.sha256(f"{files.digest} genai-prices {installed}".encode()).hexdigest(),
        genai_prices_version=installed,
        genai_prices_read=release.read if release.version == installed else None,
        unconfirmed=frozenset(_unconfirmed(files, as_of)),
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
                found[name] = GpuOffer(name, entry.gpu, entry.term, entry.provider, known, max(starts))
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
    )


def _model(name: str, entry: ModelEntry) -> ModelSpec:
    fields: dict[str, Any] = entry.model_dump(exclude={"weights_gb", "expert_weights_gb", "source"})
    return ModelSpec(
        name=name,
        weights_gb_by_precision={str(key): size for key, size in entry.weights_gb.items()},
        expert_weights_gb_by_precision={str(key): size for key, size in entry.expert_weights_gb.items()},
        source=_source(entry.source),
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
