"""Call table: the columns of Calls that a pilot reads, as one Arrow table, whatever file they came from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from breakeven.routing.written import no_constant
from breakeven.usage.call import COLUMN_BY_NAME

NAMES: Final = (
    "record_id",
    "start_time",
    "end_time",
    "duration_s",
    "model_key",
    "response_model",
    "request_model",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "status",
    "error_type",
    "task",
    "parent_id",
    "unit_hash",
    "arm",
    "propensity",
    "policy_hash",
    "outcome",
    "outcome_source",
)
_TYPES: Final[Mapping[str, Any]] = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "time": pa.timestamp("us", "UTC"),
}
SCHEMA: Final = pa.schema([(each, _TYPES[COLUMN_BY_NAME[each].type]) for each in NAMES])
_KIND_OF: Final[Mapping[str, type | tuple[type, ...]]] = {"text": str, "int": int, "float": (int, float), "time": str}
_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {each: _KIND_OF[COLUMN_BY_NAME[each].type] for each in NAMES}


def of_parquet(path: Path) -> pa.Table:
    """The Calls of a Parquet file; a column that it lacks is null. Raises ArrowInvalid or OSError as Arrow does."""
    with pq.ParquetFile(path) as file:
        have = set(file.schema_arrow.names)
        return conformed(file.read(columns=[each for each in NAMES if each in have]))


def ids_of_parquet(path: Path) -> list[str]:
    """The ids of the Calls of a Parquet file; none where it cannot be read."""
    try:
        with pq.ParquetFile(path) as file:
            return [each for each in file.read(columns=["record_id"]).column(0).to_pylist() if each is not None]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, KeyError):
        return []


def rows_count(path: Path) -> int:
    """Calls in a Parquet file; 0 where it cannot be read."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
        return 0


def conformed(table: pa.Table) -> pa.Table:
    """A table with exactly the columns of `SCHEMA`."""
    columns = [
        table.column(each.name).cast(each.type)
        if each.name in table.column_names
        else pa.nulls(table.num_rows, each.type)
        for each in SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def of_lines(lines: Iterable[bytes]) -> tuple[pa.Table, list[int]]:
    """The Calls on JSON lines, and the places of lines that are none."""
    rows: list[dict[str, Any]] = []
    bad: list[int] = []
    for at, line in enumerate(lines):
        row = _row(line)
        if row is None:
            bad.append(at)
        else:
            rows.append(row)
    columns = [pa.array([row.get(each.name) for row in rows], type=each.type) for each in SCHEMA]
    return pa.Table.from_arrays(columns, schema=SCHEMA), bad


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """All Calls, each once: one that was read in two files counts once. Different Calls of one id are all there."""
    table = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
    if not _repeats(table.column("record_id")):
        return table
    start = table.column("start_time").cast(pa.int64()).cast(pa.string())
    key = pc.binary_join_element_wise(
        pc.fill_null(table.column("record_id"), ""), start, pc.fill_null(table.column("arm"), ""), "\n"
    )
    return table.take(pa.array(np.sort(_first_of_each(key))))


def without_reused_ids(table: pa.Table) -> tuple[pa.Table, list[str]]:
    """The Calls whose id is theirs alone, and the ids that several different Calls have."""
    ids = table.column("record_id")
    if not _repeats(ids):
        return table, []
    counts = pc.value_counts(ids.combine_chunks())
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    return table.filter(pc.invert(pc.is_in(ids, value_set=twice))), sorted(twice.to_pylist())


def _repeats(texts: Any) -> bool:
    return int(pc.count_distinct(texts, mode="all").as_py()) < len(texts)


def _first_of_each(texts: Any) -> npt.NDArray[np.intp]:
    codes = texts.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return np.asarray(np.unique(codes, return_index=True)[1])


def _row(line: bytes) -> dict[str, Any] | None:
    """One Call; None where a line is none."""
    try:
        said = json.loads(line, parse_constant=no_constant)
        row = {name: value for name, value in said.items() if (kind := _KINDS.get(name)) and _fits(name, value, kind)}
        start = datetime.fromisoformat(row["start_time"])
    except (ValueError, TypeError, KeyError, AttributeError, _Misfit, RecursionError):
        return None
    if not isinstance(row.get("record_id"), str):
        return None
    row["start_time"] = start if start.tzinfo else start.replace(tzinfo=UTC)
    row.pop("end_time", None)
    return row


class _Misfit(Exception):
    """A value is of another kind than its column."""


def _fits(name: str, value: Any, kind: type | tuple[type, ...]) -> bool:
    if value is None:
        return False
    if isinstance(value, bool) or not isinstance(value, kind):
        raise _Misfit(name)
    return True
