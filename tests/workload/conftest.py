"""The engines that the numbers of a workload are tested on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spark_session import PANDAS_WARNING, start_spark

from . import typed_calls

SPARK_MARKS = [pytest.mark.filterwarnings(PANDAS_WARNING)]


@pytest.fixture(scope="module", params=["duckdb", pytest.param("spark", marks=SPARK_MARKS)])
def each_engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Tests that use this run once on DuckDB and once on Spark, one session for the whole process."""
    if request.param == "duckdb":
        yield "duckdb"
        return
    with tempfile.TemporaryDirectory() as folder:
        typed_calls.as_table = spark_tables(Path(folder))
        yield "spark"
        typed_calls.as_table = typed_calls.in_memory


def spark_tables(folder: Path) -> typed_calls.AsTable:
    """Tables that Spark reads from Parquet files, as it reads a store; or a skip that says what is missing."""
    start_spark()
    return typed_calls.on_spark(folder)
