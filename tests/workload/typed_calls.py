"""Calls typed in by hand, as the Ibis table that a store gives."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from breakeven.usage.call import CALL_COLUMNS, Call

ARROW_TYPES = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "time": pa.timestamp("us", tz="UTC"),
    "ints": pa.list_(pa.int64()),
}
AsTable = Callable[[pa.Table], ibis.Table]
MONDAY = datetime(2026, 10, 5, tzinfo=UTC)


def in_memory(rows: pa.Table) -> ibis.Table:
    """As DuckDB reads it."""
    return ibis.memtable(rows)


as_table: AsTable = in_memory
"""How `table` makes a table; the fixture `each_engine` changes it."""


def on_spark(folder: Path) -> AsTable:
    """As Spark reads a store in `folder`."""
    from breakeven.usage.store.spark_engine import SparkEngine

    engine = SparkEngine()
    numbers = itertools.count()

    def from_parquet(rows: pa.Table) -> ibis.Table:
        path = folder / f"store-{next(numbers)}" / "day=2026-10-05" / "calls-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(rows, path)
        return engine.calls([path]).drop("day")

    return from_parquet


def table(calls: Iterable[Call]) -> ibis.Table:
    """An Ibis table with the columns of `CALL_COLUMNS`."""
    schema = pa.schema([(column.name, ARROW_TYPES[column.type]) for column in CALL_COLUMNS])
    rows = [{field.name: getattr(call, field.name) for field in dataclasses.fields(call)} for call in calls]
    return as_table(pa.Table.from_pylist(rows, schema=schema))


def call(number: int, hours: float, **fields: object) -> Call:
    """Call `number`, so many hours after Monday 5 October 2026, 00:00 UTC."""
    values = {"provider": "openai", "request_model": "gpt-5", "input_tokens": 1000, "output_tokens": 100, **fields}
    return Call(record_id=str(number), source="typed", start_time=MONDAY + timedelta(hours=hours), **values)  # type: ignore[arg-type]
