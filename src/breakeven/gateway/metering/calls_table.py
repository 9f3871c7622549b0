"""Calls table: lines of the write-ahead log as an Arrow table with the columns of `usage/call.py`.

Only the compactor imports this, since it loads pyarrow. A line that is no Call is handed back, never an exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pyarrow as pa

from breakeven.gateway.metering.kept_prompts import PROMPT_FIELDS
from breakeven.usage.call import CALL_COLUMNS, ColumnType

_TYPES: Final[Mapping[ColumnType, Any]] = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "time": pa.timestamp("us", "UTC"),
    "ints": pa.list_(pa.int64()),
}
_COLUMNS: Final = tuple(each for each in CALL_COLUMNS if each.is_content)
_USUAL: Final[Mapping[str, Any]] = {
    "grain": "request",
    "request_count": 1,
    "weight": 1.0,
    "tz_assumed": False,
    "is_batch": False,
    "usage_estimated": False,
    "tokens_source": "reported",
    "status": "ok",
    **{each.name: 0 for each in CALL_COLUMNS if each.name.endswith("_tokens") and each.name != "max_tokens"},
}
"""What a line leaves out."""
SCHEMA: Final = pa.schema([(each.name, _TYPES[each.type]) for each in _COLUMNS])
PROMPT_SCHEMA: Final = pa.schema([*SCHEMA, *((name, pa.string()) for name in PROMPT_FIELDS)])


@dataclass(slots=True)
class DayRows:
    """Calls of one day."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    prompts: list[dict[str, Any]] = field(default_factory=list)
    """Those whose prompts are kept, with them."""


@dataclass(slots=True)
class ReadLines:
    """Lines, read."""

    days: dict[str, DayRows] = field(default_factory=dict)
    """By day, `2026-11-26`."""
    rejects: list[bytes] = field(default_factory=list)


def read_lines(lines: Iterable[bytes], seen: set[str]) -> ReadLines:
    """Calls by day. A line whose `record_id` is in `seen` was read before and is left out; the others are added."""
    found = ReadLines()
    for line in lines:
        row = _row(line)
        if row is None:
            found.rejects.append(line)
        elif row["record_id"] not in seen:
            seen.add(row["record_id"])
            day = found.days.setdefault(row["start_time"].date().isoformat(), DayRows())
            prompt = {name: row.pop(name) for name in PROMPT_FIELDS if name in row}
            day.calls.append(row)
            if prompt:
                texts: dict[str, Any] = {name: orjson.dumps(told).decode() for name, told in prompt.items()}
                day.prompts.append({**row, **texts})
    return found


def calls_table(rows: list[dict[str, Any]], schema: Any = SCHEMA) -> Any:
    """The rows as a table of that schema."""
    columns = [
        pa.array([row.get(name, usual) for row in rows], type=kind)
        for name, kind, usual in ((each.name, each.type, _USUAL.get(each.name)) for each in schema)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _row(line: bytes) -> dict[str, Any] | None:
    """One Call, checked; None if it is none."""
    try:
        row: dict[str, Any] = orjson.loads(line)
        start = datetime.fromisoformat(row["start_time"])
        row["start_time"] = start if start.tzinfo else start.replace(tzinfo=UTC)
        if not isinstance(row["record_id"], str):
            return None
        if row.get("duration_s") is not None:
            row["end_time"] = row["start_time"] + timedelta(seconds=row["duration_s"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    row = {name: value for name, value in row.items() if value is not None}
    return row if all(_fits(row, name) for name in row) else None


def _fits(row: dict[str, Any], name: str) -> bool:
    """Whether Arrow will take that value; what is no column is not asked."""
    kind = _KINDS.get(name)
    value = row[name]
    if kind is None:
        return True
    if kind is int:
        return type(value) is int and -(2**63) <= value < 2**63
    return type(value) is kind or (kind is float and type(value) is int)


_KINDS: Final[Mapping[str, type]] = {
    each.name: {"text": str, "int": int, "float": float, "bool": bool, "time": datetime, "ints": list}[each.type]
    for each in _COLUMNS
}
