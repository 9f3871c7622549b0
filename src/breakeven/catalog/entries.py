"""Entries: everything the catalogue knows on a day, of every kind, in one shape for lists and searches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from breakeven.catalog.load import Catalog
from breakeven.catalog.staleness import LIMIT_DAYS, Kind, kind_of
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source

if TYPE_CHECKING:
    from breakeven.catalog.offer import TokenOffer
    from breakeven.catalog.provider import Provider


class EntryKind(StrEnum):
    """What an entry is, as the command line calls it."""

    TOKEN_OFFER = "token_offer"  # noqa: S105  (no password)
    GPU_OFFER = "gpu_offer"
    """GPUs by the hour, or to buy."""
    ENDPOINT = "endpoint"
    """GPUs by the hour with the serving managed."""
    FACT = "fact"
    EXCHANGE_RATE = "exchange_rate"
    GPU = "gpu"
    MODEL = "model"
    PROVIDER = "provider"
    CARBON = "carbon"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an entry, with its range."""

    label: str
    """Which of its numbers; empty where it has one."""
    unit: str
    low: float
    typical: float
    high: float


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One thing that the catalogue knows."""

    name: str
    kind: EntryKind
    title: str
    """What it is, in words."""
    figures: tuple[Figure, ...]
    text: str
    """What it says in words, where it says no number."""
    source: Source
    age_days: int
    limit_days: int
    """Age from which somebody must look again."""
    is_unconfirmed: bool
    """Announced for a day that has come, and never confirmed."""
    note: str = ""

    @property
    def is_stale(self) -> bool:
        """Too old, or announced and never confirmed."""
        return self.is_unconfirmed or self.age_days > self.limit_days


def entries(catalog: Catalog, as_of: date) -> Iterator[CatalogEntry]:
    """Every entry in force, kind by kind, by name."""
    by_kind = (_token_offers, _gpu_offers, _facts, _gpus, _models, _providers, _carbon)
    for each in by_kind:
        yield from sorted(each(catalog, as_of), key=lambda entry: (entry.kind, entry.name))


def _facts(catalog: Catalog, as_of: date) -> Iterator[CatalogEntry]:
    rates = {f"usd_per_{currency}" for currency in catalog.fx}
    for name, fact in catalog.assumptions.items():
        kind = EntryKind.EXCHANGE_RATE if name in rates else EntryKind.FACT
        yield _entry(name, kind, "", (_figure(fact),), fact.source, as_of, kind_of(name), catalog, note=fact.note)


def _gpu_offers(catalog: Catalog, as_of: date) -> Iterator[CatalogEntry]:
    for name, offer in catalog.gpu_offers.items():
        kind = EntryKind.ENDPOINT if offer.term == "endpoint" else EntryKind.GPU_OFFER
        oldest = min((fact.source for fact in offer.facts.values()), key=lambda source: source.read)
        title = f"{offer.gpu}, {offer.term.replace('_', ' ')}, {offer.provider}"
        several = len(offer.facts) > 1
        figures = tuple(_figure(fact, fact.name if several else "") for fact in offer.facts.values())
        note = " ".join(fact.note for fact in offer.facts.values() if fact.note)
        yield _entry(name, kind, title, figures, oldest, as_of, Kind.PRICE, catalog, note=note)


def _token_offers(catalog: Catalog, as_of: date) -> Iterator[CatalogEntry]:
    for name, offer in catalog.token_offers.items():
        figures, text = _token_figures(offer, catalog)
        source = offer.prices[-1].source if offer.prices else offer.source
        title = f"{offer.model} at {offer.provider}, {offer.kind.replace('_', ' ')}"
        kind = EntryKind.TOKEN_OFFER
        yield _entry(name, kind, title, figures, source, as_of, Kind.PRICE, catalog, text=text, note=offer.note)


def _token_figures(offer: TokenOffer, catalog: Catalog) -> tuple[tuple[Figure, ...], str]:
    """Input, cached input and output of the smallest tier; or why there are none."""
    from breakeven.catalog.price_spread import price_spread
    from breakeven.catalog.token_prices import offer_prices

    row = offer_prices(offer, catalog)[0]
    if row.status == "unpriced":
        return (), f"unpriced: {row.reason}"
    spread = price_spread(offer, catalog)
    figures = []
    labels = {
        "input_usd_per_mtok": "input",
        "cache_read_usd_per_mtok": "cached input",
        "output_usd_per_mtok": "output",
    }
    for field, label in labels.items():
        price = getattr(row, field)
        if price is not None:
            low, high = spread.get(field, (1.0, 1.0))
            figures.append(Figure(label, "usd/mtok", price * low, price, price * high))
    return tuple(figures), row.reason


def _gpus(catalog: Catalog, as_of: date) -> Iterator[CatalogEntry]:
    for name, gpu in catalog.gpus.items():
        numbers = {
            ("memory", "gigabyte"): gpu.memory_gb,
            ("bandwidth", "gigabyte/s"): gpu.bandwidth_gb_per_s,
            ("bf16", "teraflop/s"): gpu.bf16_tflops,
            ("fp8", "teraflop/s"): gpu.fp8_tflops,
            ("fp4", "teraflop/s"): gpu.fp4_tflops,
            ("board power", "watt"): gpu.power_w,
            ("link", "gigabyte/s"): gpu.link_gb_per_s,
        }
        figures = tuple(_certain(*key, value) for key, value in numbers.items() if value is not None)
        yield _entry(name, EntryKind.GPU, "", figures, gpu.source, as_of, Kind.FACT, catalog, note=gpu.note)


def _models(catalog: Catalog, as_of: date) -> Iterator[CatalogEntry]:
    for name, model in catalog.models.items():
        precision = model.native_precision
        figures = (
            _certain("parameters", "count", model.params_count),
            _certain("active parameters", "count", model.active_params_count),
            _certain(f"weights at {precision}", "gigabyte", model.weights_gb_by_precision[precision]),
            _certain("KV cache", "byte/token", model.kv_bytes_per_token),
            _certain("context", "token", float(model.context_tokens)),
        )
        kind = EntryKind.MODEL
        yield _entry(name, kind, model.hf_id, figures, model.source, as_of, Kind.FACT, catalog, note=model.note)


def _providers(catalog: Catalog, as_of: date) -> Iterator[CatalogEntry]:
    for name, seller in catalog.providers.items():
        kind, text = EntryKind.PROVIDER, _conditions(seller)
        yield _entry(
            name, kind, seller.title, (), seller.source, as_of, Kind.FACT, catalog, text=text, note=seller.note
        )


def _conditions(seller: Provider) -> str:
    """Jurisdiction, regions, retention, training and certifications; what nobody knows is said to be unknown."""
    days = seller.retention_days
    told = {
        "jurisdiction": seller.jurisdiction,
        "regions": None if seller.processing_regions is None else ", ".join(seller.processing_regions) or "none",
        "retention": None if days is None else f"{days:g} days",
        "trains on data": None if seller.trains_on_data is None else "yes" if seller.trains_on_data else "no",
        "certifications": None if seller.certifications is None else ", ".join(seller.certifications) or "none",
    }
    return "; ".join(f"{name}: {'unknown' if value is None else value}" for name, value in told.items())


def _carbon(catalog: Catalog, as_of: date) -> Iterator[CatalogEntry]:
    for name, zone in catalog.carbon.items():
        fact = zone.as_assumption()
        title = f"{zone.title}, {zone.scope.replace('_', ' ')}"
        figures = (_figure(fact),)
        yield _entry(name, EntryKind.CARBON, title, figures, fact.source, as_of, Kind.FACT, catalog, note=fact.note)


def _figure(fact: Assumption, label: str = "") -> Figure:
    return Figure(label, fact.unit, fact.low, fact.typical, fact.high)


def _certain(label: str, unit: str, value: float) -> Figure:
    return Figure(label, unit, value, value, value)


def _entry(
    name: str,
    kind: EntryKind,
    title: str,
    figures: tuple[Figure, ...],
    source: Source,
    as_of: date,
    ages_like: Kind,
    catalog: Catalog,
    *,
    text: str = "",
    note: str = "",
) -> CatalogEntry:
    age_days, limit = source.age_days(as_of), LIMIT_DAYS[ages_like]
    return CatalogEntry(name, kind, title, figures, text, source, age_days, limit, name in catalog.unconfirmed, note)
