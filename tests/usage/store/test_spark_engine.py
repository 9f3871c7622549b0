"""A store read by Spark: the same columns, types and rows as DuckDB gives; tables in memory can be joined."""

from __future__ import annotations

from pathlib import Path

import ibis
import pytest
import sqlglot.expressions as sge
from ibis.backends.sql.dialects import PySpark

from breakeven.usage.store import CallStore
from breakeven.usage.store.spark_engine import _write_texts_as_spark_reads_them
from spark_session import PANDAS_WARNING, start_spark

from ..logs import NOW, jsonl, row, write

pytestmark = pytest.mark.filterwarnings(PANDAS_WARNING)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ibis.Table]:
    """A store, and its calls on Spark."""
    start_spark()
    folder = tmp_path_factory.mktemp("spark")
    days = [row(number, timestamp=f"2026-11-0{1 + number % 3}T23:59:{number:02d}.123456Z") for number in range(30)]
    with CallStore(folder / "store") as store:
        store.ingest(write(folder, jsonl(*days)), now=NOW)
    return folder / "store", CallStore(folder / "store", engine="spark").calls()


def test_columns_types_and_rows_are_duckdbs(both: tuple[Path, ibis.Table]) -> None:
    path, on_spark = both
    with CallStore(path) as store:
        wanted = store.calls().order_by("record_id").to_pyarrow()
    found = on_spark.order_by("record_id").to_pyarrow()
    assert found.column_names == wanted.column_names
    assert found.to_pylist() == wanted.to_pylist()


def test_a_table_in_memory_keeps_its_nulls_in_a_join(both: tuple[Path, ibis.Table]) -> None:
    _, calls = both
    prices = ibis.memtable([{"model": "gpt-5", "usd": None}], schema={"model": "string", "usd": "float64"})
    joined = calls.left_join(prices, calls.request_model == prices.model)
    row = joined.aggregate(found=joined.model.count(), priced=joined.usd.count()).to_pyarrow().to_pylist()[0]
    assert row == {"found": 30, "priced": 0}


def test_control_characters_of_a_text_reach_spark_as_they_are() -> None:
    _write_texts_as_spark_reads_them()
    assert sge.Literal.string("a\x07b\x0b\x0c\n").sql(PySpark) == "'a\x07b\x0b\x0c\\n'"


def test_an_empty_store_has_the_same_columns(both: tuple[Path, ibis.Table], tmp_path: Path) -> None:
    _, calls = both
    empty = CallStore(tmp_path / "empty", engine="spark").calls()
    assert empty.columns == calls.columns
    assert empty.count().to_pyarrow().as_py() == 0
