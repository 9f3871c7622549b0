"""Catalogue pages: what `breakeven catalog` says, as plain data that is JSON and that the terminal prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from breakeven.catalog.entries import CatalogEntry, EntryKind, entries
from breakeven.catalog.files import CatalogFiles
from breakeven.catalog.history import DatedRow, history, place_of
from breakeven.catalog.load import Catalog
from breakeven.catalog.overlay import overlay_folder
from breakeven.catalog.refresh.moves import Move, Status
from breakeven.catalog.refresh.run import Refresh
from breakeven.catalog.schema import AssumptionEntry
from breakeven.catalog.staleness import stale
from breakeven.errors import UnknownName, nearest
from breakeven.facts.source import Source

Page = dict[str, Any]
UNTOLD: Final = frozenset({EntryKind.CARBON})
"""Kinds with hundreds of entries, listed only when they are asked for."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries to list; None and empty: all."""

    kind: EntryKind | None = None
    grade: str | None = None
    only_stale: bool = False
    text: str = ""

    def admits(self, entry: CatalogEntry) -> bool:
        """Whether to list `entry`; the text is looked for in names, titles and sources, all of its words."""
        if self.kind not in (None, entry.kind) or self.grade not in (None, entry.source.grade.value):
            return False
        if self.only_stale and not entry.is_stale:
            return False
        said = f"{entry.name} {entry.title} {entry.text} {entry.source.title}".lower()
        return all(word in said for word in self.text.lower().split())


def list_page(catalog: Catalog, as_of: date, wanted: Filter) -> Page:
    """Entries that `wanted` admits, and how many are left untold."""
    everything = list(entries(catalog, as_of))
    admitted = [each for each in everything if wanted.admits(each)]
    asked = wanted.kind is not None or bool(wanted.text) or wanted.only_stale
    shown = [each for each in admitted if asked or each.kind not in UNTOLD]
    untold = Counter(each.kind.value for each in admitted if each not in shown) if len(shown) < len(admitted) else {}
    return {
        **_as_of(catalog),
        "entries_count": len(everything),
        "stale_count": sum(each.is_stale for each in admitted),
        "not_shown": dict(untold),
        "entries": [entry_part(each) for each in shown],
    }


def entry_part(entry: CatalogEntry) -> Page:
    """One entry."""
    return {
        "name": entry.name,
        "kind": entry.kind.value,
        "title": entry.title,
        "figures": [
            {"label": each.label, "unit": each.unit, "low": each.low, "typical": each.typical, "high": each.high}
            for each in entry.figures
        ],
        "text": entry.text,
        "source": _source(entry.source),
        "age_days": entry.age_days,
        "limit_days": entry.limit_days,
        "stale": entry.is_stale,
        "unconfirmed": entry.is_unconfirmed,
        "note": entry.note,
    }


def show_page(catalog: Catalog, files: CatalogFiles, as_of: date, name: str) -> Page:
    """Everything about `name`; raises UnknownName with the nearest name."""
    from breakeven.reports.readers import formulas_reading, modules_naming

    known = list(entries(catalog, as_of))
    found = [each for each in known if each.name == name]
    rows = history(files, name)
    if not found and not rows:
        raise UnknownName(f"the catalogue has no '{name}'; {nearest(name, [each.name for each in known])}")
    facts = dict.fromkeys([*(row.what for row in rows if row.what), *([name] if _is_fact(files, name) else [])])
    return {
        **_as_of(catalog),
        "name": name,
        "entries": [{**entry_part(each), **_more(catalog, each)} for each in found],
        "in_force": bool(found),
        "history": [_row(row) for row in rows],
        "formulas": [
            {"fact": fact, "formula": each.qualified_name, "summary": each.summary}
            for fact in facts
            for each in formulas_reading(fact)
        ],
        "named_in": list(dict.fromkeys(module for each in (name, *facts) for module in modules_naming(each))),
    }


def check_page(catalog: Catalog, files: CatalogFiles, as_of: date, *, is_bundled: bool) -> Page:
    """What somebody must look at; the rows themselves were checked when they were read."""
    from breakeven.catalog.checks import warnings

    old = [
        {
            "name": each.name,
            "kind": each.kind.value,
            "read": each.source.read.isoformat(),
            "age_days": each.age_days,
            "limit_days": each.limit_days,
            "where": place_of(files, each.name),
            "reason": each.reason,
        }
        for each in stale(catalog, as_of)
        if not each.is_unconfirmed
    ]
    folder = overlay_folder() if is_bundled else None
    return {
        **_as_of(catalog),
        "entries_count": sum(1 for _ in entries(catalog, as_of)),
        "stale": old,
        "unconfirmed": [{"name": each, "where": place_of(files, each)} for each in sorted(catalog.unconfirmed)],
        "announced": _announced(files, as_of),
        "warnings": list(warnings(files)),
        "unchecked_prices": _unchecked(catalog),
        "refreshed": {
            "folder": str(folder) if folder else None,
            "token_lists": [each.read.isoformat() for each in catalog.token_lists],
        },
    }


def refresh_page(result: Refresh, folder: str, *, written: bool) -> Page:
    """What a refresh read and would change; prices that are the same are counted only."""
    told = [each for each in result.moves if each.status is not Status.UNCHANGED]
    return {
        "written": written,
        "folder": folder,
        "files": sorted(result.files),
        "counts": {status.value: result.count(status) for status in Status},
        "read": list(result.notes),
        "moves": [_move(each) for each in told],
    }


def _as_of(catalog: Catalog) -> Page:
    return {
        "as_of": catalog.as_of.isoformat(),
        "checked": catalog.checked.isoformat(),
        "catalog_hash": catalog.digest,
        "genai_prices": catalog.genai_prices_version,
    }


def _source(source: Source) -> Page:
    return {
        "title": source.title,
        "link": source.link,
        "read": source.read.isoformat(),
        "grade": source.grade.value,
    }


def _row(row: DatedRow) -> Page:
    return {
        "what": row.what,
        "since": row.since.isoformat() if row.since else None,
        "value": dict(row.value),
        "unit": row.unit,
        "expected": row.is_expected,
        "source": _source(Source(row.source.title, row.source.link, row.source.read, row.source.grade)),
        "note": row.note,
        "quotes": [each.model_dump() for each in row.quotes],
        "where": row.where,
    }


def _more(catalog: Catalog, entry: CatalogEntry) -> Page:
    """What a kind of entry knows besides: other lists' prices of a token offer, other sources of a zone."""
    from breakeven.catalog.price_spread import spread_of

    if entry.kind is EntryKind.CARBON:
        values = catalog.carbon[entry.name].values
        return {"sources": [{**_source(each.source), "g_per_kwh": each.g_per_kwh} for each in values]}
    offer = catalog.token_offers.get(entry.name) if entry.kind is EntryKind.TOKEN_OFFER else None
    if offer is None:
        return {}
    sold = (offer.genai_prices.provider, offer.genai_prices.model) if offer.genai_prices else None
    spread = spread_of(*(sold or (offer.provider, offer.model_ids[0])), catalog.as_of, catalog)
    quotes = [] if spread is None else [(each, True) for each in spread.counted] + [(q, False) for q in spread.others]
    return {
        "price_lists": [
            {
                **_source(each.source),
                "counted": counted,
                "left_out": each.left_out,
                "input_usd_per_mtok": each.input_usd_per_mtok,
                "cache_read_usd_per_mtok": each.cache_read_usd_per_mtok,
                "output_usd_per_mtok": each.output_usd_per_mtok,
            }
            for each, counted in quotes
        ]
    }


def _is_fact(files: CatalogFiles, name: str) -> bool:
    return any(name in file.content.root for file in (*files.assumptions, *files.fx))


def _announced(files: CatalogFiles, as_of: date) -> list[Page]:
    """Rows that say what is expected on a day to come."""
    dated: Iterable[tuple[str, AssumptionEntry]] = (
        (name, entry) for file in (*files.assumptions, *files.fx) for name, entry in file.content.root.items()
    )
    return [
        {"name": name, "since": row.since.isoformat(), "where": place_of(files, name)}
        for name, entry in dated
        for row in entry.values
        if row.expected is not None and row.since > as_of
    ]


def _unchecked(catalog: Catalog) -> Page | None:
    """The installed price list when nobody has checked it; None when somebody has."""
    if catalog.genai_prices_read is not None:
        return None
    names = sorted(name for name, offer in catalog.token_offers.items() if offer.genai_prices is not None)
    return {"version": catalog.genai_prices_version, "offers": names}


def _move(move: Move) -> Page:
    return {
        "source": move.source,
        "name": move.name,
        "price": move.what,
        "unit": move.unit,
        "old": move.old_usd,
        "new": move.new_usd,
        "change_fraction": move.change_fraction,
        "status": move.status.value,
        "reason": move.reason,
        "in_catalogue": move.in_catalogue,
    }


def exit_code_of_check(page: Mapping[str, Any], *, fail_on_stale: bool) -> int:
    """0, or 1 when something is stale or unconfirmed and that was asked to fail."""
    return int(fail_on_stale and bool(page["stale"] or page["unconfirmed"]))


def names_of(moves: Sequence[Page], status: Status) -> list[str]:
    """Names of the moves with a status, each once."""
    return list(dict.fromkeys(each["name"] for each in moves if each["status"] == status.value))
