"""Calls typed in by hand, as the Ibis table that a store gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa

from breakeven.usage.call import CALL_COLUMNS, Call

ARROW_TYPES = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "time": pa.timestamp("us", tz="UTC"),
    "ints": pa.list_(pa.int64()),
}
MONDAY = datetime(2026, 10, 5, tzinfo=UTC)


def table(calls: Iterable[Call]) -> ibis.Table:
    """An Ibis table with the columns of `CALL_COLUMNS`."""
    schema = pa.schema([(column.name, ARROW_TYPES[column.type]) for column in CALL_COLUMNS])
    rows = [{field.name: getattr(call, field.name) for field in dataclasses.fields(call)} for call in calls]
    return ibis.memtable(pa.Table.from_pylist(rows, schema=schema))


def call(number: int, hours: float, **fields: object) -> Call:
    """Call `number`, so many hours after Monday 5 October 2026, 00:00 UTC."""
    values = {"provider": "openai", "request_model": "gpt-5", "input_tokens": 1000, "output_tokens": 100, **fields}
    return Call(record_id=str(number), source="typed", start_time=MONDAY + timedelta(hours=hours), **values)  # type: ignore[arg-type]
