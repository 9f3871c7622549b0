"""Gateway calls: what lies in a gateway's state folder: Calls by day as Parquet, and lines not yet compacted.

Lines are looked at first: what is compacted meanwhile is then found in the Parquet, and what is found twice counts
once. Of a file only what may matter to the pilot is kept, until the file changes; of a log that grows only what is new
is read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from breakeven.pilot.reading.call_table import ids_of_parquet, joined, of_lines, of_parquet, rows_count
from breakeven.pilot.reading.window import Window, relevant
from breakeven.usage.ingest_report import Reject

CALLS_FOLDER: Final = "calls"
WRITE_AHEAD_FOLDER: Final = "write-ahead"
_LISTINGS_COUNT: Final = 3
"""A file may be joined to others between listing and reading: then the folder is listed again."""
IDS_MAX_COUNT: Final = 5_000_000
"""Of more Calls than this nobody looks whether an outcome names one of them."""

Stamp = tuple[int, int, int]
"""Inode, size, time of change: a file whose stamp is the same was not changed."""


@dataclass(slots=True)
class _Grown:
    """A log of lines as far as it was read."""

    inode: int
    bytes_count: int
    lines_count: int
    table: pa.Table
    ids: tuple[str, ...]
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True)
class GatewayCalls:
    """The Calls of a state folder."""

    table: pa.Table
    rejects: tuple[Reject, ...]
    damaged: tuple[str, ...] = ()
    """Files that cannot be read, with why."""


@dataclass(slots=True)
class GatewayReader:
    """Reads a state folder again and again."""

    folder: Path
    _parquet: dict[Path, tuple[Stamp, pa.Table]] = field(default_factory=dict)
    _logs: dict[Path, _Grown] = field(default_factory=dict)
    _ids: dict[Path, tuple[str, ...]] = field(default_factory=dict)

    def calls(self, window: Window) -> GatewayCalls:
        """The Calls that may matter, of the days from a day before the window on (clocks may differ)."""
        lines = [self._log(each, window) for each in _logs(self.folder)]
        tables, damaged = self._days(window)
        found = [each for each in lines if each is not None]
        self._forget(damaged)
        return GatewayCalls(
            joined([*tables, *(each.table for each in found)]),
            tuple(reject for each in found for reject in each.rejects),
            tuple(f"{path}: {why}" for path, why in sorted(damaged.items())),
        )

    def ids(self) -> frozenset[str] | None:
        """The ids of all Calls there are; None where these are too many to look at."""
        files = sorted((self.folder / CALLS_FOLDER).glob("day=*/*.parquet"))
        if sum(rows_count(each) for each in files) > IDS_MAX_COUNT:
            return None
        for each in files:
            if each not in self._ids:
                self._ids[each] = tuple(ids_of_parquet(each))
        found = {name for each in files for name in self._ids[each]}
        for log in self._logs.values():
            found.update(log.ids)
        return frozenset(found)

    def _days(self, window: Window) -> tuple[list[pa.Table], dict[Path, str]]:
        first_day = _first_day(window.started_unix_s)
        tables: list[pa.Table] = []
        damaged: dict[Path, str] = {}
        for _ in range(_LISTINGS_COUNT):
            files = sorted((self.folder / CALLS_FOLDER).glob("day=*/*.parquet"))
            files = [each for each in files if each.parent.name.removeprefix("day=") >= first_day]
            try:
                damaged = {}
                tables = [table for each in files if (table := self._file(each, damaged, window)) is not None]
            except FileNotFoundError:
                continue
            for gone in set(self._parquet) - set(files):
                del self._parquet[gone]
            return tables, damaged
        return tables, damaged

    def _file(self, path: Path, damaged: dict[Path, str], window: Window) -> pa.Table | None:
        stamp = stamp_of(path)
        kept = self._parquet.get(path)
        if kept is None or kept[0] != stamp:
            try:
                kept = (stamp, relevant(of_parquet(path), window))
            except FileNotFoundError:
                raise
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
                damaged[path] = str(error).splitlines()[0]
                return None
            self._parquet[path] = kept
        return kept[1]

    def _log(self, path: Path, window: Window) -> _Grown | None:
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                before = self._logs.get(path)
                if before is None or before.inode != status.st_ino or before.bytes_count > status.st_size:
                    before = None
                elif before.bytes_count == status.st_size:
                    return before
                file.seek(0 if before is None else before.bytes_count)
                data = file.read()
        except FileNotFoundError:  # closed or compacted meanwhile
            return None
        found = self._logs[path] = _grown(path.name, status.st_ino, before, data[: data.rfind(b"\n") + 1], window)
        return found

    def _forget(self, damaged: Mapping[Path, str]) -> None:
        for path in [each for each in self._logs if not each.exists()]:
            del self._logs[path]
        for path in damaged:
            self._parquet.pop(path, None)


def _first_day(since_unix_s: float) -> str:
    return (datetime.fromtimestamp(since_unix_s, UTC) - timedelta(days=1)).date().isoformat()


def stamp_of(path: Path) -> Stamp:
    """What tells that a file was changed."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def is_state_folder(folder: Path) -> bool:
    """Whether a gateway keeps its state there."""
    return (folder / WRITE_AHEAD_FOLDER).is_dir() or (folder / CALLS_FOLDER).is_dir()


def watched_files(folder: Path) -> list[Path]:
    """Every file of a state folder whose change may change what a pilot says."""
    return [
        *_logs(folder),
        *sorted((folder / CALLS_FOLDER).glob("day=*/*.parquet")),
        *sorted((folder / "outcomes").glob("*.jsonl")),
        *sorted((folder / "audit").glob("*/*.jsonl")),
    ]


def _logs(folder: Path) -> list[Path]:
    return sorted((folder / WRITE_AHEAD_FOLDER).glob("*.jsonl"))


def _grown(name: str, inode: int, before: _Grown | None, data: bytes, window: Window) -> _Grown:
    lines = data.split(b"\n")[:-1]
    table, bad = of_lines(lines)
    ids: tuple[str, ...] = tuple(table.column("record_id").to_pylist())
    table = relevant(table, window)
    at = 0 if before is None else before.lines_count
    rejects: tuple[Any, ...] = tuple(
        Reject(name, at + i + 1, "no Call", "", lines[i][:200].decode("utf-8", "replace")) for i in bad
    )
    if before is not None:
        table, rejects = pa.concat_tables([before.table, table]), (*before.rejects, *rejects)
        ids = (*before.ids, *ids)
    count = len(data) + (0 if before is None else before.bytes_count)
    return _Grown(inode, count, at + len(lines), table, ids, rejects)
