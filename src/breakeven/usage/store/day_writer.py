"""DayWriter: Calls arriving in any order, written as Parquet files of one UTC day each, in bounded memory.

Columns that are the same in all rows of a file are no work: `still_columns.py` adds them when the file is done.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from breakeven.usage.store.columns import Constant
from breakeven.usage.store.id_hashes import IdHashes
from breakeven.usage.store.schema import FEW_NUMBERS, FEW_VALUES, call_schema, writing_schema
from breakeven.usage.store.still_columns import Value, add_still_columns

ROW_GROUP_ROWS: Final = 122_880
_HELD_ROWS_MAX: Final = 600_000
_OPEN_FILES_MAX: Final = 128
_BUFFER_BYTES: Final = 256 << 10
"""Of each file: a column chunk is often only a few bytes."""
_US_PER_DAY: Final = 86_400_000_000
_DIFFERENCES: Final = "DELTA_BINARY_PACKED"
"""How whole numbers and times are written: in half the time and two thirds of the room of a plain column, and read in
half the time."""
_TOLD_TEXTS: Final = ("source", "grain")
"""Of the texts, those whose smallest and largest values are written: placement asks for them. Of the others they
cost more time than anybody saves by them."""


@dataclass(frozen=True, slots=True)
class DayFile:
    """One Parquet file with Calls of one UTC day."""

    day: date
    path: Path
    rows: int
    source: str | None = None
    """Of all its Calls, where it is known that they have one."""
    grain: str | None = None
    """The same."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Calls of one day: the columns that differ from row to row, and the value of each other one."""

    told: pa.Table
    still: Mapping[str, Value]


@dataclass(slots=True)
class _OpenDay:
    path: Path
    still: Mapping[str, Value]
    writer: pq.ParquetWriter
    file: pa.NativeFile
    rows: int = 0


@dataclass(slots=True)
class DayWriter:
    """Writes below `root`; `close` tells what was written, and then a new writing may begin."""

    root: Path
    is_in_order: bool = False
    """Whether Calls are likely to come in the order of time. Then a day that is over is finished while others still
    come, until one comes again."""
    ids: IdHashes = field(default_factory=IdHashes)
    """Of all Calls since the last `close`."""
    _held: dict[int, list[_Part]] = field(default_factory=dict)
    _held_rows: dict[int, int] = field(default_factory=dict)
    _open: dict[int, _OpenDay] = field(default_factory=dict)
    _done: list[DayFile] = field(default_factory=list)
    _over: set[int] = field(default_factory=set)
    """Open days that seemed to be over when Calls came last."""
    _finished_early: set[int] = field(default_factory=set)
    _varied: set[str] = field(default_factory=lambda: {"record_id", "source_line", "start_time", "end_time"})
    """Columns that are not looked at any more for whether all rows of a chunk say the same: a file whose rows cease to
    is ended, and that must not come again and again."""

    def add(self, calls: pa.Table, constants: Mapping[str, Constant]) -> None:
        """Take Calls whose times are still integers; `constants` are columns equal in all of them."""
        days = calls["start_time"].to_numpy() // _US_PER_DAY
        if len(days) == 0:
            return
        self.ids.add(calls["record_id"])
        found_still = self._still(calls)
        calls = calls.drop_columns([*found_still])
        if np.any(days[1:] < days[:-1]):
            order = np.argsort(days, kind="stable")
            calls, days = calls.take(pa.array(order)), days[order]
        names = set(calls.column_names)
        told = _told(calls)
        values = {**constants, **found_still}
        still = {name: values.get(name) for name in writing_schema().names if name not in names}
        found, starts = np.unique(days, return_index=True)
        ends = [*starts[1:].tolist(), len(days)]
        for day, start, end in zip(found.tolist(), starts.tolist(), ends, strict=True):
            self._hold(day, _Part(told.slice(start, end - start), still))
        for day in [each for each in self._held if each < found[0]]:
            self._flush(day)  # logs are mostly in order: such a day is over
        if self.is_in_order:
            self._finish_early(found.tolist())
        while sum(self._held_rows.values()) > _HELD_ROWS_MAX:
            self._flush(max(self._held_rows, key=self._held_rows.__getitem__))

    def close(self) -> list[DayFile]:
        """Write what is held and finish all files."""
        for day in list(self._held):
            self._flush(day)
        for day in list(self._open):
            self._finish(day)
        done, self._done = self._done, []
        self._over, self._finished_early = set(), set()
        return done

    def _finish_early(self, days: Sequence[int]) -> None:
        """Finish what was over when Calls came last and still is, now that some of `days` came."""
        if not self._finished_early.isdisjoint(days):
            self.is_in_order = False
            return
        for day in [each for each in self._over if each in self._open and each < days[0]]:
            self._finish(day)
            self._finished_early.add(day)
        self._over = {each for each in self._open if each < days[0]}

    def _still(self, calls: pa.Table) -> dict[str, Value]:
        """Columns that say the same in all rows, and what they say."""
        still: dict[str, Value] = {}
        for name in calls.column_names:
            if name not in self._varied and (found := _only_value(calls[name])) is not None:
                still[name] = found
            else:
                self._varied.add(name)
        return still

    def _hold(self, day: int, calls: _Part) -> None:
        self._held.setdefault(day, []).append(calls)
        self._held_rows[day] = self._held_rows.get(day, 0) + calls.told.num_rows
        if self._held_rows[day] >= ROW_GROUP_ROWS:
            self._flush(day)

    def _flush(self, day: int) -> None:
        parts = self._held.pop(day)
        del self._held_rows[day]
        before = [self._open[day].still] if day in self._open else []
        still = _alike([*before, *(each.still for each in parts)])
        if before and len(still) < len(before[0]):
            self._finish(day)  # what was the same in all of its rows is so no longer
        table = pa.concat_tables(_whole(each, still) for each in parts)
        if day not in self._open:
            if len(self._open) >= _OPEN_FILES_MAX:
                self._finish(next(iter(self._open)))
            self._open[day] = self._started(day, table, still)
        self._open[day].writer.write_table(table)
        self._open[day].rows += table.num_rows

    def _started(self, day: int, table: pa.Table, still: Mapping[str, Value]) -> _OpenDay:
        folder = self.root / f"day={_date(day)}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / new_name()
        file = pa.output_stream(path, buffer_size=_BUFFER_BYTES)
        writer = pq.ParquetWriter(
            file,
            table.schema,
            use_dictionary=[*FEW_VALUES, *FEW_NUMBERS],
            column_encoding={each.name: _DIFFERENCES for each in table.schema if _is_whole(each.type)},
            write_statistics=_with_statistics(table),
            store_schema=False,
        )
        return _OpenDay(path, still, writer, file)

    def _finish(self, day: int) -> None:
        opened = self._open.pop(day)
        opened.writer.close()
        opened.file.close()
        add_still_columns(opened.path, opened.still)
        source, grain = (None if (said := opened.still.get(name)) is None else str(said) for name in _TOLD_TEXTS)
        self._done.append(DayFile(_date(day), opened.path, opened.rows, source, grain))


def _with_statistics(table: pa.Table) -> list[str]:
    """Numbers and times that are there, and few texts."""
    plain = [
        each.name for each in call_schema() if not pa.types.is_string(each.type) and not pa.types.is_list(each.type)
    ]
    names = set(table.column_names)
    return [name for name in (*plain, *_TOLD_TEXTS) if name in names and table[name].null_count < table.num_rows]


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_int64(kind) or pa.types.is_timestamp(kind))


def _only_value(column: pa.ChunkedArray) -> Value:
    """What all rows say, where it is a text, a truth or a whole number; None where they differ."""
    if column.num_chunks != 1 or column.null_count:
        return None
    values = column.chunk(0)
    coded = values.indices if pa.types.is_dictionary(values.type) else values
    if not any(is_kind(coded.type) for is_kind in (pa.types.is_string, pa.types.is_boolean, pa.types.is_integer)):
        return None
    if coded[0] != coded[-1] or not pc.all(pc.equal(coded, coded[0])).as_py():
        return None
    value: Value = values[0].as_py()
    return value


def new_name() -> str:
    """A name for a Parquet file that no other has."""
    return f"calls-{uuid.uuid4().hex}.parquet"


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * 86_400, UTC).date()


def _told(calls: pa.Table) -> pa.Table:
    """The columns of a Call that `calls` has, in order and as they are written."""
    names = set(calls.column_names)
    fields = [field for field in writing_schema() if field.name in names]
    return pa.table([calls[each.name].cast(each.type) for each in fields], schema=pa.schema(fields))


def _alike(values: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """What is the same in all."""
    first, *others = values
    return {
        name: value for name, value in first.items() if all(name in each and each[name] == value for each in others)
    }


def _whole(part: _Part, still: Mapping[str, Value]) -> pa.Table:
    """All columns of `part` but the `still` ones."""
    rows, told = part.told.num_rows, set(part.told.column_names)
    fields = [field for field in writing_schema() if field.name not in still]
    arrays = [
        part.told[each.name]
        if each.name in told
        else _repeated(part.still[each.name], each.type, 1 << rows.bit_length()).slice(0, rows)
        for each in fields
    ]
    return pa.table(arrays, schema=pa.schema(fields))


@lru_cache(maxsize=32)
def _repeated(value: Value, dtype: pa.DataType, rows: int) -> pa.Array:
    """One value again and again. The same few arrays serve every chunk of an import, so they stay in reach."""
    if pa.types.is_dictionary(dtype) and value is not None:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value], dtype.value_type))
    return pa.repeat(pa.scalar(value, dtype), rows)
