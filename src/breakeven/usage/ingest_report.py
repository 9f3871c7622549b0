"""IngestReport: what an import found. Rows in = calls + duplicates + rejects, for every file and in total."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from breakeven.usage.overlap_report import SourceOverlap

EXAMPLES_MAX: Final = 3
"""Rejected rows shown per reason; all of them are in the reject file."""

FileStatus = Literal["imported", "already imported", "empty", "not a log", "companion"]
"""A companion holds no calls; it is joined to the files of its format in the same import."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that is no Call, and why."""

    file: str
    row: int
    """Line number, or row number in a Parquet file, from 1."""
    reason: str
    value: str
    """What was seen, where one value is to blame."""
    raw: str
    """The beginning of the row."""

    def __str__(self) -> str:
        seen = f" ({self.value!r})" if self.value else ""
        return f"{self.file}, row {self.row:,}: {self.reason}{seen}"


def wanted_instead(reason: str) -> str:
    """What a row rejected for `reason` should hold, in words behind it; empty where the reason says it.

    >>> wanted_instead("start_time is not a time")[:18]
    '; wanted ISO 8601,'
    >>> wanted_instead("not valid JSON")
    ''
    """
    if not reason.endswith(" is not a time"):
        return ""
    return "; wanted ISO 8601, such as 2026-11-02T10:00:00Z, or seconds, ms, us or ns since 1970"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one file gave."""

    name: str
    status: FileStatus
    format: str = ""
    rows_in: int = 0
    calls: int = 0
    """Calls that are new in the store."""
    duplicates: int = 0
    """Calls the store had, and repeats of one request id."""
    rejects: dict[str, int] = field(default_factory=dict)
    """Reason -> rows."""
    note: str = ""
    """Why a file was left out."""

    @property
    def is_joined(self) -> bool:
        """A companion whose format's files came with it: nothing of it was left out."""
        return self.status == "companion" and not self.note

    @property
    def rejects_count(self) -> int:
        """Rows that are no Calls."""
        return sum(self.rejects.values())


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one import gave."""

    files: tuple[FileReport, ...]
    examples: tuple[Reject, ...] = ()
    """The first rejects of each reason."""
    reject_path: Path | None = None
    """Where all rejected rows are written; None when there are none."""
    dropped_values: dict[str, int] = field(default_factory=dict)
    """Field -> rows in which a dispensable value was unreadable and left out."""
    warnings: tuple[str, ...] = ()
    bills: int = 0
    """Of the calls, how many are amounts billed and no calls."""
    overlaps: tuple[SourceOverlap, ...] = ()
    """Sources in the store that saw the same traffic, and which of them counts."""

    def __post_init__(self) -> None:
        for each in self.files:
            assert each.rows_in == each.calls + each.duplicates + each.rejects_count, f"rows lost: {each}"

    @property
    def rows_in(self) -> int:
        """Rows read from all files."""
        return sum(each.rows_in for each in self.files)

    @property
    def calls(self) -> int:
        """Calls that are new in the store."""
        return sum(each.calls for each in self.files)

    @property
    def duplicates(self) -> int:
        """Rows that repeat a Call."""
        return sum(each.duplicates for each in self.files)

    @property
    def rejects_count(self) -> int:
        """Rows that are no Calls."""
        return sum(each.rejects_count for each in self.files)

    @property
    def rejects(self) -> dict[str, int]:
        """Reason -> rows, most frequent first."""
        total: Counter[str] = Counter()
        for each in self.files:
            total.update(each.rejects)
        return dict(total.most_common())

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats found, each once."""
        return tuple(dict.fromkeys(each.format for each in self.files if each.format))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is."""

    file: str
    files_done: int
    files_count: int
    rows_in: int
    bytes_done: int
    """Of the files on disk that are finished."""
