"""Columns that are the same in all rows: a file with them reads as one that Arrow wrote whole."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.usage.store.schema import FEW_NUMBERS, FEW_VALUES, call_schema, writing_schema
from breakeven.usage.store.still_columns import Value, add_still_columns

TOLD = ("record_id", "start_time", "input_tokens")
STILL: dict[str, Value] = {
    **{name: None for name in call_schema().names if name not in TOLD},
    "source": "litellm",
    "source_file": 'déjà "vu".jsonl',
    "grain": "",
    "request_count": 1,
    "cache_read_tokens": 0,
    "output_tokens": -(2**63),
    "weight": 0.1,
    "tz_assumed": True,
    "is_batch": False,
}


def told(rows: int, first: int = 0) -> pa.Table:
    fields = [field for field in writing_schema() if field.name in TOLD]
    numbers = pa.array(range(first, first + rows), pa.int64())
    columns = {"record_id": numbers.cast(pa.string()), "start_time": numbers, "input_tokens": numbers}
    return pa.table([columns[each.name].cast(each.type) for each in fields], schema=pa.schema(fields))


def write(path: Path, groups: list[int], still: dict[str, Value] = STILL) -> pa.Table:
    """A file with row groups of so many rows, and what it must say."""
    parts = [told(rows, 1000 * number) for number, rows in enumerate(groups)]
    with pq.ParquetWriter(path, parts[0].schema, store_schema=False) as writer:
        for each in parts:
            writer.write_table(each)
    add_still_columns(path, still)
    whole = pa.concat_tables(parts)
    columns = [
        whole[field.name].cast(field.type)
        if field.name in TOLD
        else pa.array([still[field.name]] * whole.num_rows, field.type)
        for field in call_schema()
    ]
    return pa.table(columns, schema=call_schema())


GROUPS = ([1], [7], [8], [9, 1, 300], [70_000])


@pytest.mark.parametrize("groups", GROUPS, ids=str)
def test_arrow_duckdb_and_polars_read_what_was_written(tmp_path: Path, groups: list[int]) -> None:
    path = tmp_path / "calls.parquet"
    wanted = write(path, groups)
    found = pq.read_table(path, partitioning=None)
    found.validate(full=True)
    assert found.cast(call_schema()).equals(wanted)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        by_duckdb = connection.execute("SELECT * FROM read_parquet(?)", [str(path)]).to_arrow_table()
    assert by_duckdb.cast(call_schema()).equals(wanted)
    assert pl.read_parquet(path).to_arrow().cast(call_schema()).equals(wanted)


def test_clickhouse_reads_it(tmp_path: Path) -> None:
    chdb = pytest.importorskip("chdb")
    path = tmp_path / "calls.parquet"
    wanted = write(path, [9, 500])
    names = [name for name in call_schema().names if not pa.types.is_list(call_schema().field(name).type)]
    query = f"SELECT {', '.join(names)} FROM file('{path}', Parquet) ORDER BY input_tokens"
    found = chdb.query(query, "Arrow")
    table = pa.ipc.open_file(pa.py_buffer(found.bytes())).read_all()
    for name in names:
        assert [_text(each) for each in table[name].to_pylist()] == wanted[name].to_pylist(), name


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def test_the_file_is_one_that_arrow_could_have_written(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    wanted = write(ours, [100, 50])
    with pq.ParquetWriter(
        theirs, writing_schema(), use_dictionary=[*FEW_VALUES, *FEW_NUMBERS], store_schema=False
    ) as it:
        for start, rows in ((0, 100), (100, 50)):
            it.write_table(wanted.slice(start, rows).cast(writing_schema()))
    mine, its = pq.read_metadata(ours), pq.read_metadata(theirs)
    assert mine.schema.equals(its.schema)
    assert (mine.num_rows, mine.num_row_groups, mine.num_columns) == (150, 2, len(call_schema()))
    ends = []
    for number in range(2):
        group, other = mine.row_group(number), its.row_group(number)
        assert group.num_rows == other.num_rows
        assert group.total_byte_size == sum(group.column(i).total_uncompressed_size for i in range(mine.num_columns))
        for place in range(mine.num_columns):
            one, another = group.column(place), other.column(place)
            for key in ("path_in_schema", "physical_type", "num_values", "compression"):
                assert getattr(one, key) == getattr(another, key)
            for key in ("has_min_max", "min", "max", "null_count", "num_values"):
                assert getattr(one.statistics, key) == getattr(another.statistics, key), one.path_in_schema
            start = one.data_page_offset if one.dictionary_page_offset is None else one.dictionary_page_offset
            ends.append((start, start + one.total_compressed_size))
    ends.sort()
    assert all(end == start for (_, end), (start, _) in pairwise(ends)), "gaps or overlaps"


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 2000),
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=300),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
)
def test_any_value_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: int, text: str, number: int, real: float, is_so: bool
) -> None:
    path = tmp_path_factory.mktemp("still") / "calls.parquet"
    values: dict[str, Value] = {"trace_id": text, "task": text, "max_tokens": number, "cost_usd": real, "stream": is_so}
    wanted = write(path, [rows], {**STILL, **values})
    assert pq.read_table(path, partitioning=None).cast(call_schema()).equals(wanted)


def test_more_rows_cost_no_more_bytes(tmp_path: Path) -> None:
    sizes = []
    for rows in (1_000, 100_000):
        bare, path = tmp_path / "bare.parquet", tmp_path / "calls.parquet"
        write(path, [rows])
        pq.write_table(told(rows), bare, store_schema=False)
        sizes.append(path.stat().st_size - bare.stat().st_size)
    assert sizes[1] - sizes[0] < 3_000
