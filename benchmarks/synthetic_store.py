"""Synthetic store: any number of made-up calls, written straight into Parquet by day as an import would leave them.

Models, tasks, a day and a week of traffic, log-normal lengths, latencies, one call in fifty an error. No log was read:
this is for what comes after an import.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from breakeven.usage.store.day_writer import ROW_GROUP_ROWS, new_name
from breakeven.usage.store.manifest import Manifest, StoredFile, write_manifest
from breakeven.usage.store.schema import call_schema

FIRST_DAY = date(2026, 10, 5)
_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.timestamp("us", "UTC"): "TIMESTAMPTZ",
    pa.list_(pa.int64()): "BIGINT[]",
}
_VALUES = {
    "record_id": "'chatcmpl-' || printf('%016x', hash(n))",
    "source": "'synthetic'",
    "source_file": "'calls.jsonl'",
    "source_line": "n",
    "grain": "'request'",
    "request_count": "1",
    "weight": "1.0",
    "start_time": "moment",
    "end_time": "moment + to_microseconds((duration * 1e6)::BIGINT)",
    "duration_s": "duration",
    "ttft_s": "duration / 8",
    "operation": "'chat'",
    "provider": "['openai', 'openai', 'anthropic', 'google'][which + 1]",
    "request_model": "['gpt-5', 'gpt-5-mini', 'claude-sonnet-4-5', 'gemini-2.5-pro'][which + 1]",
    "input_tokens": "greatest(1, exp(6.8 + 1.0 * gauss)::BIGINT)",
    "cache_read_tokens": "(greatest(1, exp(6.8 + 1.0 * gauss)::BIGINT) * cached)::BIGINT",
    "cache_write_tokens": "0",
    "cache_write_1h_tokens": "0",
    "output_tokens": "CASE WHEN status = 'error' THEN 0 ELSE greatest(1, exp(5 + 0.9 * other)::BIGINT) END",
    "reasoning_tokens": "0",
    "tokens_source": "'reported'",
    "status": "status",
    "is_batch": "false",
    "application": "'app-' || (n % 5)",
    "task": "'task-' || (hash(n + 7) % 12)",
}


def write_store(folder: Path, rows: int, days: int = 30) -> None:
    """Make a store of `rows` calls over `days` days in `folder`."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'; SELECT setseed(0.42)")
    stored, done = [], 0
    for number in range(days):
        until = rows * (number + 1) // days
        day = FIRST_DAY + timedelta(days=number)
        path = folder / f"day={day}" / new_name()
        path.parent.mkdir(parents=True)
        connection.execute(
            f"COPY ({_day_sql(day, done, until)}) TO '{path}' "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
        )
        stored.append(StoredFile(path.relative_to(folder).as_posix(), day, until - done))
        done = until
    write_manifest(folder, Manifest((), tuple(stored)))


def _day_sql(day: date, first: int, until: int) -> str:
    columns = ", ".join(
        f"({_VALUES.get(field.name, 'NULL')})::{_SQL_TYPES[field.type]} AS {field.name}" for field in call_schema()
    )
    return f"""
        WITH numbers AS (SELECT range AS n, (range - {first}) / {until - first}::DOUBLE AS share
                         FROM range({first}, {until})),
        drawn AS (
            SELECT n,
                   TIMESTAMPTZ '{day} 00:00:00+00' + to_microseconds((
                       86400e6 * least(0.999999999, share + 0.1 * sin(share * 6.283185) / 6.283185))::BIGINT)
                   AS moment,
                   (hash(n) % 1000003) / 1000003.0 AS u, (hash(n + 1000000007) % 1000003) / 1000003.0 AS v,
                   (hash(n + 2000000011) % 4)::INT AS which, (hash(n + 3000000019) % 100) / 150.0 AS cached,
                   CASE WHEN hash(n + 4000000007) % 50 = 0 THEN 'error' ELSE 'ok' END AS status
            FROM numbers),
        shaped AS (
            SELECT *, sqrt(-2 * ln(greatest(u, 1e-9))) * cos(6.283185307 * v) AS gauss,
                   sqrt(-2 * ln(greatest(u, 1e-9))) * sin(6.283185307 * v) AS other,
                   0.3 + 4 * u AS duration
            FROM drawn)
        SELECT {columns} FROM shaped ORDER BY moment"""
