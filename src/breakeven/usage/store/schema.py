"""Schema: the Arrow and Parquet types of the Call record. Times are UTC microseconds (Spark refuses nanoseconds)."""

from __future__ import annotations

from functools import cache
from typing import Final

import pyarrow as pa

from breakeven.usage.call import CALL_COLUMNS, ColumnType

_TYPES: Final[dict[ColumnType, pa.DataType]] = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "time": pa.timestamp("us", "UTC"),
    "ints": pa.list_(pa.int64()),
}
USUAL: Final[dict[str, str | int | float | bool]] = {
    "grain": "request",
    "weight": 1.0,
    "tz_assumed": False,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "cache_write_1h_tokens": 0,
    "reasoning_tokens": 0,
    "audio_input_tokens": 0,
    "audio_output_tokens": 0,
    "image_input_tokens": 0,
    "tokens_source": "reported",
    "usage_estimated": False,
    "status": "ok",
    "is_batch": False,
}
"""Values that say nothing."""
FEW_VALUES: Final = (
    "source",
    "source_file",
    "grain",
    "operation",
    "provider",
    "request_model",
    "response_model",
    "tokens_source",
    "cost_source",
    "status",
    "error_type",
    "finish_reason",
    "service_tier",
    "application",
    "endpoint",
    "system_hash",
    "schema_hash",
    "task",
    "task_source",
    "template_id",
    "arm",
    "unit_hash",
    "redaction",
)
"""Columns worth a dictionary."""
FEW_NUMBERS: Final = tuple(f"prompt_{name}.list.element" for name in ("terms", "counts"))
"""The same of lists: terms of prompts and small counts come again and again."""


@cache
def call_schema() -> pa.Schema:
    """The schema of every Parquet file of the store."""
    return pa.schema([(column.name, _TYPES[column.type]) for column in CALL_COLUMNS])


@cache
def writing_schema() -> pa.Schema:
    """The same with dictionaries in memory, which are written as they are; a reader sees `call_schema`."""
    word = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([(field.name, word if field.name in FEW_VALUES else field.type) for field in call_schema()])
