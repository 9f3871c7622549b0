"""Glance: what a store's manifest says of it at once: how many calls, their hash where it is known, who told them.

No engine is opened, nothing is written, and a folder that is no store is one without calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven.usage.overlap_report import SourceOverlap, over_all_days
from breakeven.usage.store.digest import digest_of
from breakeven.usage.store.manifest import MANIFEST_NAME, ImportedFile, read_manifest

SYNTHETIC: Final = "synthetic"
"""What stands in the column `source` of made-up calls."""


@dataclass(frozen=True, slots=True)
class Glance:
    """A store at one moment."""

    exists: bool
    """Whether something was ever imported."""
    calls_count: int
    bills_count: int
    left_out_count: int
    """Rows of traffic that another source tells too."""
    digest: str | None
    """Hash of the calls; None: nobody has asked the store for it since they came."""
    sources: frozenset[str]
    """Log formats and producers of the calls that count; `synthetic` among them: some are made up."""
    overlaps: tuple[SourceOverlap, ...]
    imported: tuple[ImportedFile, ...]
    """Oldest first."""
    estimated_count: int
    """Rows whose tokens were estimated from their texts."""
    days: tuple[str, ...]
    """Days with calls, oldest first."""

    @property
    def is_synthetic(self) -> bool:
        """Whether made-up calls are among them."""
        return SYNTHETIC in self.sources


def glance(folder: Path) -> Glance:
    """Look at the store in `folder`; raises UsageError where its manifest is damaged."""
    manifest = read_manifest(folder)
    calls = manifest.of_kind("calls")
    rows = sum(each.rows for each in calls)
    known = all(each.digest is not None for each in calls)
    return Glance(
        exists=(folder / MANIFEST_NAME).exists(),
        calls_count=rows,
        bills_count=sum(each.rows for each in manifest.of_kind("bills")),
        left_out_count=sum(each.rows for each in manifest.of_kind("left out")),
        digest=digest_of([each.digest or "" for each in calls], rows) if known else None,
        sources=frozenset(source for each in calls for source in each.sources or ()),
        overlaps=over_all_days(manifest.overlaps),
        imported=manifest.imported,
        estimated_count=sum(each.estimated for each in manifest.imported),
        days=tuple(sorted({each.day.isoformat() for each in calls})),
    )
