"""Columnar: the rows of a Parquet file, their typed columns as text, so that they meet the same checks as any log.

Inner structs become dotted names. Missing numbers that pandas wrote as NaN are missing here too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from breakeven.usage.reading.head import Head, NotALog
from breakeven.usage.reading.log_file import LogFile
from breakeven.usage.reading.rows import RawReject, RowBatch

ROWS_PER_BATCH = 32_768
_SEPARATOR = "\x1f"


def column_names(log: LogFile) -> Head | NotALog:
    """The names of the columns of a Parquet file, inner ones dotted."""
    try:
        with pq.ParquetFile(log.path) as file:
            schema, rows_count = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        return NotALog(f"the Parquet file is damaged ({str(error).splitlines()[0]})")
    if rows_count == 0:
        return NotALog("the file has columns and no rows", is_empty=True)
    return Head("parquet", frozenset(_flat_names(schema)))


def read_columns(log: LogFile, wanted: Sequence[str]) -> Iterator[RowBatch]:
    """The rows of `log`; `wanted` columns become `c0`, `c1`, ... as text."""
    row = 1
    try:
        with pq.ParquetFile(log.path) as file:
            for batch in file.iter_batches(ROWS_PER_BATCH):
                yield RowBatch(_as_text_rows(batch, wanted, row))
                row += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        reason, detail = "the Parquet data is damaged from here on", str(error).splitlines()[0]
        empty = pa.record_batch([pa.array([], pa.int64())], names=["row_no"])
        yield RowBatch(empty, (RawReject(row, reason, detail, ""),))


def _as_text_rows(batch: pa.RecordBatch, wanted: Sequence[str], first_row: int) -> pa.RecordBatch:
    columns = {name: _as_text(array) for name, array in _flat_columns(batch)}
    whole = pc.binary_join_element_wise(*columns.values(), _SEPARATOR, null_handling="replace", null_replacement="")
    numbers = pa.array(range(first_row, first_row + batch.num_rows), pa.int64())
    arrays = [numbers, whole, *(columns[name] for name in wanted)]
    return pa.RecordBatch.from_arrays(arrays, names=["row_no", "text", *(f"c{i}" for i in range(len(wanted)))])


def _flat_names(schema: pa.Schema) -> list[str]:
    empty = pa.RecordBatch.from_pylist([], schema=schema)
    return [name for name, _ in _flat_columns(empty)]


def _flat_columns(batch: pa.RecordBatch, prefix: str = "") -> Iterator[tuple[str, pa.Array]]:
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_struct(array.type):
            yield from _flat_columns(
                pa.RecordBatch.from_arrays(array.flatten(), names=_names(array.type)), f"{prefix}{name}."
            )
        else:
            yield prefix + name, array


def _names(struct: pa.StructType) -> list[str]:
    return [struct.field(i).name for i in range(struct.num_fields)]


def _as_text(array: pa.Array) -> pa.StringArray:
    """Each value as text; what has no plain text form goes through JSON."""
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        return pa.array([None if v is None else v.hex() for v in array.to_pylist()], pa.string())
    try:
        return array.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        values = array.to_pylist()
        return pa.array([None if v is None else json.dumps(v, default=str) for v in values], pa.string())
