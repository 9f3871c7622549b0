"""Daily tables: what was summed up of each day, kept beside the Calls, so that a new day costs a day.

`aggregate/day=YYYY-MM-DD/NAME-KEY.parquet`; the key is a hash of the day's Parquet files (an import that changes a day
gives it new files) and of what was asked. Each day is written aside and moved to its place, so whoever is interrupted
goes on where it stopped, and two at once do no harm.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from breakeven.usage.store.manifest import StoredFile

if TYPE_CHECKING:
    import ibis

FOLDER: Final = "aggregate"
BATCH_ROWS: Final = 4_000_000
"""Calls that are summed up in one go; a day with more goes alone."""
_VERSION: Final = "1"
Expression = Callable[["ibis.Table"], "ibis.Table"]


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    calls: tuple[Path, ...]
    rows: int
    path: Path


@dataclass(frozen=True, slots=True)
class DailyTables:
    """The kept tables of the store in `root`."""

    root: Path
    calls: Callable[[Sequence[Path]], ibis.Table]
    """Calls in Parquet files as an expression."""
    progress: Callable[[str], None] = lambda _: None

    def files(self, stored: Sequence[StoredFile], name: str, key: str, expression: Expression) -> list[Path]:
        """Parquet files with the rows of `expression`, one per day; days that are not kept yet are summed up now.

        `expression` gives rows that tell hours or days apart (a column `hour` or `day`).
        """
        days = list(self._days(stored, name, key))
        missing = [each for each in days if not each.path.exists()]
        done = 0
        for batch in _batches(missing):
            self.progress(f"summing up {name} of {batch[0].day}: day {done + 1} of {len(missing)} that are new")
            self._write(batch, expression(self.calls([path for each in batch for path in each.calls])), name)
            done += len(batch)
        return [each.path for each in days]

    def _days(self, stored: Sequence[StoredFile], name: str, key: str) -> Iterator[_Day]:
        ordered = sorted(stored, key=lambda each: (each.day, each.path))
        for day, group in groupby(ordered, key=lambda each: each.day):
            files = list(group)
            text = "\n".join((_VERSION, name, key, *(each.path for each in files)))
            digest = blake2b(text.encode(), digest_size=10).hexdigest()
            path = self.root / FOLDER / f"day={day}" / f"{name}-{digest}.parquet"
            yield _Day(day, tuple(self.root / each.path for each in files), sum(each.rows for each in files), path)

    def _write(self, days: Sequence[_Day], table: ibis.Table, name: str) -> None:
        """Write each day's rows of `table`; a day without a row gets a file all the same."""
        rows = table.to_pyarrow()
        by_day = {days[0].day: rows} if len(days) == 1 else _by_day(rows)
        for each in days:
            _write_file(each.path, name, by_day.get(each.day, rows.schema.empty_table()))


def _batches(days: Sequence[_Day]) -> Iterator[list[_Day]]:
    batch: list[_Day] = []
    for each in days:
        if batch and sum(day.rows for day in batch) + each.rows > BATCH_ROWS:
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


def _by_day(rows: pa.Table) -> Mapping[date, pa.Table]:
    """`rows` by the day of their `day` or `hour`."""
    import pyarrow.compute as pc

    days = rows.column("day") if "day" in rows.column_names else rows.column("hour").cast(pa.date32(), safe=False)
    return {day: rows.filter(pc.equal(days, pa.scalar(day, pa.date32()))) for day in days.unique().to_pylist()}


def _write_file(path: Path, name: str, rows: pa.Table) -> None:
    """Write aside, move to its place, and remove what was kept of the day as it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.stem}-{os.getpid()}.part")
    pq.write_table(rows, aside, compression="zstd")
    aside.replace(path)
    for old in path.parent.glob(f"{name}-*.parquet"):
        if old != path:
            with suppress(OSError):
                old.unlink()
