"""The hourly aggregate: it adds up, three engines make the same cells, and its quantiles are within 1 %."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.usage.call import Call
from breakeven.workload import hourly
from breakeven.workload.hourly import Classes

from . import typed_calls
from .conftest import SPARK_MARKS, spark_tables
from .typed_calls import call, table

CLASSES = Classes((1_000, 200_000), (1800,))
PIECES: dict[str, Callable[[ibis.Table], ibis.Table]] = {
    "spans": hourly.spans,
    "cells": lambda calls: hourly.cells(calls, CLASSES),
    "lengths": hourly.lengths,
    "parts": hourly.parts,
    "histogram": hourly.histogram,
}
DIALECTS = ("duckdb", "clickhouse", "trino", "bigquery", "snowflake", "databricks", "postgres", "athena")


def mixed_calls(count: int, seed: int = 0) -> list[Call]:
    """Calls of every kind: sampled, failed, in buckets, without a task, a model, an answer or a duration."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        lengths = np.exp(rng.normal([7, 5], 1.5)).astype(int)
        is_bucket = rng.random() < 0.1
        found.append(
            call(
                number,
                float(rng.uniform(0, 72)),
                provider=(None, "openai", "anthropic")[rng.integers(3)],
                request_model=(None, "gpt-5", "claude-sonnet-4-5")[rng.integers(3)],
                response_model=(None, "gpt-5-2025")[rng.integers(2)],
                service_tier=(None, "flex")[rng.integers(2)],
                is_batch=bool(rng.integers(2)),
                task=(None, "", "faq", "code")[rng.integers(4)],
                status=("ok", "error", "cache_hit")[rng.integers(3)],
                grain="bucket" if is_bucket else "request",
                request_count=(None, 40)[rng.integers(2)] if is_bucket else 1,
                weight=(1.0, 10.0, 2.5)[rng.integers(3)],
                input_tokens=int(lengths[0]) * int(rng.integers(2)),
                cache_read_tokens=0,
                output_tokens=int(lengths[1]) * int(rng.integers(2)),
                audio_input_tokens=int(lengths[0]) * int(rng.integers(2)),
                audio_output_tokens=int(rng.integers(2)),
                duration_s=(None, 0.0, float(lengths[0]) / 700)[rng.integers(3)],
                ttft_s=(None, float(lengths[1]) / 7000)[rng.integers(2)],
            )
        )
    return found


def rows_of(result: pa.Table) -> list[tuple[Any, ...]]:
    """Rows in an order of their own, with decimals as whole numbers."""
    names = sorted(result.column_names)
    listed = [tuple(row[name] for name in names) for row in result.select(names).to_pylist()]
    return sorted(listed, key=repr)


@pytest.mark.parametrize("piece", PIECES)
def test_two_halves_are_the_whole(piece: str) -> None:
    calls = mixed_calls(400)
    halves = [PIECES[piece](table(calls[start::2])).to_pyarrow() for start in (0, 1)]
    together = hourly.merged(ibis.memtable(pa.concat_tables(halves)))
    whole = PIECES[piece](table(calls)).to_pyarrow()
    assert whole.num_rows > 1
    assert rows_of(together.to_pyarrow()) == rows_of(whole)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.filterwarnings(SPARK_MARKS[0].args[0])
def test_spark_makes_the_same_cells(piece: str, tmp_path: Path) -> None:
    calls = mixed_calls(300, seed=1)
    on_duckdb = PIECES[piece](table(calls)).to_pyarrow()
    as_spark = spark_tables(tmp_path)
    try:
        typed_calls.as_table = as_spark
        on_spark = PIECES[piece](table(calls)).to_pyarrow()
    finally:
        typed_calls.as_table = typed_calls.in_memory
    assert on_spark.schema.names == on_duckdb.schema.names
    assert rows_of(on_spark) == rows_of(on_duckdb)


@pytest.mark.parametrize("piece", ["cells", "lengths", "parts", "histogram"])
def test_clickhouse_makes_the_same_cells(piece: str, tmp_path: Path) -> None:
    chdb = pytest.importorskip("chdb", reason="chdb is not installed")
    rows = table(mixed_calls(300, seed=2)).to_pyarrow()
    pq.write_table(rows, tmp_path / "calls.parquet")
    unbound = ibis.table(ibis.memtable(rows).schema(), name="the_calls")
    sql = ibis.to_sql(PIECES[piece](unbound), dialect="clickhouse")
    sql = sql.replace('"the_calls"', f"file('{tmp_path / 'calls.parquet'}', Parquet)")
    found = chdb.query(f"{sql} SETTINGS session_timezone = 'UTC'", "ArrowTable")
    wanted = PIECES[piece](ibis.memtable(rows)).to_pyarrow()
    assert rows_of(plain(found, wanted.schema)) == rows_of(wanted)


def plain(found: pa.Table, schema: pa.Schema) -> pa.Table:
    """Columns of ClickHouse in the types of the others."""
    return pa.table([found.column(name).cast(schema.field(name).type) for name in schema.names], schema=schema)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("piece", PIECES)
def test_warehouses_can_compile_it(piece: str, dialect: str) -> None:
    calls = ibis.table(table([call(0, 0)]).schema(), name="calls")
    assert "GROUP BY" in ibis.to_sql(PIECES[piece](calls), dialect=dialect).upper()


def test_cells_are_the_sums_of_their_calls() -> None:
    calls = mixed_calls(200, seed=3)
    cells = hourly.cells(table(calls), CLASSES).to_pyarrow()
    assert sum(cells.column("rows").to_pylist()) == len(calls)
    for name in hourly.TOKEN_SUMS:
        assert sum(cells.column(name).to_pylist()) == sum(getattr(each, name) for each in calls)
    single = [each for each in calls if each.grain == "request"]
    squares = sum(int(each) for each in cells.column("input_tokens_squared").to_pylist())
    assert squares == sum(each.input_tokens**2 for each in single)
    assert sum(cells.column("single").to_pylist()) == sum(each.input_tokens + each.output_tokens > 0 for each in single)
    counted = len(single) + sum(each.request_count or 0 for each in calls if each.grain == "bucket")
    assert sum(cells.column("requests").to_pylist()) == counted


def test_cells_are_told_apart_by_what_prices_depend_on() -> None:
    calls = [call(n, at, input_tokens=size) for n, (at, size) in enumerate([(0.2, 999), (0.2, 1000), (0.6, 1000)])]
    cells = hourly.cells(table(calls), CLASSES).order_by("offset", "size_class").to_pyarrow()
    assert list(zip(cells["offset"].to_pylist(), cells["size_class"].to_pylist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 1),
    ]


@given(st.floats(1e-6, 1e9))
@settings(max_examples=200)
def test_the_middle_of_a_bucket_is_within_one_percent(value: float) -> None:
    bucket = math.floor(math.log(value) / math.log(hourly.BUCKET_RATIO))
    assert abs(hourly.bucket_middle(bucket) / value - 1) <= 0.01 + 1e-9


def test_a_quantile_of_the_histogram_is_within_one_percent() -> None:
    rng = np.random.default_rng(4)
    durations = np.exp(rng.normal(0.5, 1.2, 5000))
    calls = [call(n, n / 500, duration_s=float(each)) for n, each in enumerate(durations)]
    counted = hourly.histogram(table(calls), ("duration_s",)).to_pyarrow().to_pandas()
    by_bucket = counted.groupby("bucket")["calls"].sum().sort_index()
    for share in (0.5, 0.95, 0.99):
        bucket = by_bucket.index[int(np.searchsorted(by_bucket.cumsum(), share * len(calls)))]
        exact = np.quantile(durations, share, method="inverted_cdf")
        assert hourly.bucket_middle(int(bucket)) == pytest.approx(exact, rel=0.0101)


def test_nothing_and_zero_have_buckets_of_their_own() -> None:
    calls = [call(n, n / 10, duration_s=each) for n, each in enumerate((None, 0.0, 1.0, 1.0))]
    counted = hourly.histogram(table(calls), ("duration_s",)).to_pyarrow().to_pylist()
    assert {row["bucket"]: row["calls"] for row in counted} == {hourly.NULL_BUCKET: 1, hourly.ZERO_BUCKET: 1, 0: 2}
    assert hourly.bucket_middle(hourly.ZERO_BUCKET) == 0.0
    assert math.isnan(hourly.bucket_middle(hourly.NULL_BUCKET))
