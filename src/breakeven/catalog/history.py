"""History: every dated row of one entry, oldest first, with its source, its quotes and the line it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from breakeven.catalog.files import CatalogFile, CatalogFiles, Place
from breakeven.catalog.overlay import REFRESHED
from breakeven.catalog.schema import (
    AssumptionEntry,
    DatedRange,
    DatedTokenPricesEntry,
    GpuOfferFile,
    QuoteEntry,
)
from breakeven.catalog.schema_base import SourceEntry


@dataclass(frozen=True, slots=True)
class DatedRow:
    """What an entry says from a day on."""

    what: str
    """The fact of an offer; empty for an entry that is one fact."""
    since: date | None
    """None: the entry is not dated (data sheets, architectures, providers)."""
    value: tuple[tuple[str, float | None], ...]
    """Label -> number; empty when the value ended on this day."""
    unit: str
    is_expected: bool
    """Announced, not confirmed."""
    source: SourceEntry
    note: str
    quotes: tuple[QuoteEntry, ...]
    """The prices behind a market range."""
    where: str
    """File and line."""


def history(files: CatalogFiles, name: str) -> tuple[DatedRow, ...]:
    """Every row about `name`, as the files have them; empty for a name without rows of its own."""
    return tuple(_rows(files, name))


def place_of(files: CatalogFiles, name: str) -> str:
    """File and line of an entry (an offer's fact as ``offer.fact``); empty when it has none of its own."""
    owner, _, fact = name.partition(".")
    for file in files.gpu_offers:
        if owner in file.content.root and fact in file.content.root[owner].facts:
            return _line(file.where(owner, "facts", fact))
    for file_ in _all(files):
        if name in file_.content.root:
            return _line(file_.where(name))
    for lists in files.price_sources:
        for key, source in lists.content.sources.items():
            if source.title == name:
                return _line(lists.where("sources", key))
    return ""


def _line(place: Place) -> str:
    """File and line alone."""
    return str(place).partition(": ")[0]


def _all(files: CatalogFiles) -> Iterator[CatalogFile]:  # type: ignore[type-arg]
    for group in (
        files.assumptions,
        files.fx,
        files.gpu_offers,
        files.token_offers,
        files.hardware,
        files.models,
        files.providers,
    ):
        yield from group


def _rows(files: CatalogFiles, name: str) -> Iterator[DatedRow]:
    for file in (*files.assumptions, *files.fx):
        if name in file.content.root:
            yield from _ranges("", file.content.root[name], _line(file.where(name)))
    for offers in files.gpu_offers:
        if name in offers.content.root:
            yield from _gpu_rows(offers, name)
    for sold in files.token_offers:
        if name in sold.content.root:
            offer = sold.content.root[name]
            for dated in offer.values or ():
                yield _token_row(dated, offer.unit, _line(sold.where(name)))
    for group in (files.hardware, files.models, files.providers):
        for listed in group:
            if name in listed.content.root:
                entry = listed.content.root[name]
                yield DatedRow("", None, (), "", False, entry.source, entry.note, (), _line(listed.where(name)))


def _gpu_rows(file: CatalogFile[GpuOfferFile], name: str) -> Iterator[DatedRow]:
    for fact, entry in file.content.root[name].facts.items():
        yield from _ranges(fact, entry, _line(file.where(name, "facts", fact)))


def _ranges(what: str, entry: AssumptionEntry, where: str) -> Iterator[DatedRow]:
    for dated in entry.values:
        yield DatedRow(
            what,
            dated.since,
            _range_of(dated),
            entry.unit,
            dated.expected is not None,
            dated.source,
            dated.note,
            tuple(dated.quotes or ()),
            "refreshed on this machine" if dated.note.startswith(REFRESHED) else where,
        )


def _range_of(dated: DatedRange) -> tuple[tuple[str, float | None], ...]:
    value = dated.value
    return () if value is None else (("low", value.low), ("typical", value.typical), ("high", value.high))


def _token_row(dated: DatedTokenPricesEntry, unit: str, where: str) -> DatedRow:
    value = dated.value
    prices: tuple[tuple[str, float | None], ...] = ()
    if value is not None:
        prices = (
            ("input", value.input_per_mtok),
            ("cached input", value.cache_read_per_mtok),
            ("output", value.output_per_mtok),
        )
    note = f"unpriced: {dated.unpriced}. {dated.note}".strip() if dated.unpriced else dated.note
    return DatedRow("", dated.since, prices, unit, dated.expected is not None, dated.source, note, (), where)
