"""Manifest: which Parquet files are the store, and which logs were imported into it.

Replacing this one small file is the commit: a crash before it leaves the store as it was, and stray Parquet files
that nothing refers to (the next import removes them).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from breakeven.errors import UsageError
from breakeven.usage.overlap_report import DayOverlap

MANIFEST_NAME: Final = "manifest.json"
_VERSION: Final = 2
"""1: before files had a kind."""

Kind = Literal["calls", "left out", "bills"]
"""Calls that count; calls that another source tells too and counts for; amounts billed."""


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """One log that was imported."""

    name: str
    sha256: str
    bytes_count: int
    settings: str
    """Format, mapping and token rule; another setting would have read other Calls."""
    rows: int
    calls: int
    duplicates: int
    rejects: dict[str, int]
    """Reason -> rows."""
    imported_at: str
    estimated: int = 0
    """Rows whose tokens were estimated from their texts."""
    is_separate: bool = False
    """A person said that no other source tells these calls."""

    @property
    def rejects_count(self) -> int:
        """Rows that were no Calls."""
        return sum(self.rejects.values())


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One Parquet file of the store, by its path below the store's folder."""

    path: str
    day: date
    rows: int
    digest: str | None = None
    """Sum of the row hashes, once somebody asked."""
    kind: Kind = "calls"
    sources: tuple[str, ...] | None = None
    """What stands in the column `source`; None where nobody has looked."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of the store."""

    imported: tuple[ImportedFile, ...] = ()
    stored: tuple[StoredFile, ...] = ()
    overlaps: tuple[DayOverlap, ...] = ()
    """Days on which sources saw the same traffic."""
    texts: tuple[str, ...] = ()
    """Files of kept prompts and answers, by their path below the store's folder."""
    version: int = field(default=_VERSION)

    def of_kind(self, kind: Kind) -> tuple[StoredFile, ...]:
        """The Parquet files of one kind."""
        return tuple(each for each in self.stored if each.kind == kind)

    def has_size(self, bytes_count: int) -> bool:
        """True when a file of this many bytes was imported: only then can it be the same."""
        return any(each.bytes_count == bytes_count for each in self.imported)

    def find(self, sha256: str) -> ImportedFile | None:
        """The import of a file with these bytes."""
        return next((each for each in self.imported if each.sha256 == sha256), None)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of `folder`; an empty one where there is none."""
    path = folder / MANIFEST_NAME
    if not path.exists():
        return Manifest()
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        if content["version"] > _VERSION:
            raise UsageError(f"{path}: written by a newer breakeven (version {content['version']}); upgrade to read it")
        imported = tuple(ImportedFile(**each) for each in content["imported"])
        stored = tuple(_stored_file(each) for each in content["stored"])
        overlaps = tuple(DayOverlap.from_json(each) for each in content.get("overlaps", ()))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: the manifest is damaged ({error}); restore it or import into a new folder") from None
    return Manifest(imported, stored, overlaps, tuple(content.get("texts", ())))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest of `folder` in one step."""
    content = {
        "version": manifest.version,
        "imported": [asdict(each) for each in manifest.imported],
        "stored": [{**asdict(each), "day": each.day.isoformat()} for each in manifest.stored],
        "overlaps": [each.to_json() for each in manifest.overlaps],
        "texts": list(manifest.texts),
    }
    fresh = folder / f"{MANIFEST_NAME}.new"
    with fresh.open("w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / MANIFEST_NAME)


def _stored_file(content: dict[str, Any]) -> StoredFile:
    sources = content.get("sources")
    day = date.fromisoformat(content["day"])
    return StoredFile(**{**content, "day": day, "sources": None if sources is None else tuple(sources)})
