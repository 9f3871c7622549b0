"""Ledger: the fingerprints of every dated row ever published, so that the past keeps its prices.

    python -m breakeven.catalog.ledger                     append the new rows; refuse when an old one changed
    python -m breakeven.catalog.ledger --correct REASON    accept changed rows, and write down why

A row's fingerprint covers what it says (unit, values, dates, source), not its note.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from breakeven.catalog.checks import check
from breakeven.catalog.files import DATA, CatalogFiles, read_files
from breakeven.catalog.schema import AssumptionEntry
from breakeven.errors import CatalogError

LEDGER: Final = DATA / "ledger.txt"
WITHDRAWN: Final = "withdrawn"
"""Stands for the fingerprint of a row that was taken out by a correction."""
_LENGTH: Final = 16


def fingerprints(files: CatalogFiles) -> dict[str, str]:
    """``entry@since`` -> fingerprint, of every dated row."""
    found: dict[str, str] = {}
    for row, head, value in _rows(files):
        text = json.dumps([*head, value.model_dump(mode="json", exclude={"note"})], sort_keys=True)
        found[row] = hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
    return found


def changed_rows(recorded: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Recorded rows that say something else now, or are gone."""
    return [row for row, fingerprint in recorded.items() if now.get(row, WITHDRAWN) != fingerprint]


def recorded_rows(ledger: Path = LEDGER) -> dict[str, str]:
    """What the ledger says; the last line about a row counts."""
    if not ledger.exists():
        return {}
    lines = [line.split() for line in ledger.read_text(encoding="utf-8").splitlines()]
    return {words[1]: words[0] for words in lines if words and words[0] != "#"}


def append_rows(ledger: Path, now: Mapping[str, str], correction: str = "", today: date | None = None) -> list[str]:
    """Write the rows the ledger does not know (and, with a `correction`, the changed ones); return them."""
    recorded = recorded_rows(ledger)
    changed = changed_rows(recorded, now)
    if changed and not correction:
        raise CatalogError(
            f"{len(changed)} published row(s) changed: {', '.join(changed[:5])}. The past keeps its price: append a row"
            " with a later `since` instead, or run this again with --correct and the reason."
        )
    new = [row for row in now if row not in recorded or row in changed]
    lines = [f"{now[row]} {row}" for row in new]
    if changed:
        lines.insert(0, f"# corrected {today or ''}: {correction} ({', '.join(changed)})")
        gone = [row for row in changed if row not in now]
        lines += [f"{WITHDRAWN:<{_LENGTH}} {row}" for row in gone]
    if lines:
        with ledger.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
    return new


def _rows(files: CatalogFiles) -> Iterator[tuple[str, tuple[str, ...], BaseModel]]:
    for file in (*files.assumptions, *files.fx):
        for name, entry in file.content.root.items():
            yield from _assumption_rows(name, entry)
    for offers in files.gpu_offers:
        for name, offer in offers.content.root.items():
            for fact, entry in offer.facts.items():
                yield from _assumption_rows(f"{name}.{fact}", entry, offer.gpu, offer.term, offer.provider)
    for tokens in files.token_offers:
        for name, sold in tokens.content.root.items():
            for value in sold.values or ():
                yield f"{name}@{value.since}", (sold.provider, sold.model, sold.unit), value
    if (carbon := files.carbon()) is not None:
        for name, zone in carbon.content.zones.items():
            for grams in zone.values:
                source = carbon.content.sources[grams.source]
                head = (zone.scope, source.title, source.link, source.grade.value)
                yield f"carbon.{name}.{grams.source}@{source.read}", head, grams


def _assumption_rows(name: str, entry: AssumptionEntry, *head: str) -> Iterator[tuple[str, tuple[str, ...], BaseModel]]:
    for value in entry.values:
        yield f"{name}@{value.since}", (*head, entry.unit, str(entry.dimension)), value


def main(arguments: Sequence[str] | None = None) -> int:
    """Append new rows to the ledger that ships with the package."""
    from breakeven.clock import today

    parser = argparse.ArgumentParser(
        prog="python -m breakeven.catalog.ledger", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--correct", default="", metavar="REASON", help="accept changed rows, and write down why")
    chosen = parser.parse_args(arguments)
    files = read_files()
    check(files)
    try:
        new = append_rows(LEDGER, fingerprints(files), chosen.correct, today())
    except CatalogError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{len(new)} row(s) appended to {LEDGER.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
