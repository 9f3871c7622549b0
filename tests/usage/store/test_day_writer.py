"""Calls in any order end up in files of one day each."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from breakeven.usage.store import day_writer
from breakeven.usage.store.day_writer import DayFile, DayWriter
from breakeven.usage.store.schema import call_schema

DAY_US = 86_400_000_000


def calls(starts: np.ndarray, **columns: object) -> pa.Table:
    ids = [str(start) for start in starts]
    return pa.table({"record_id": ids, "start_time": pa.array(starts, pa.int64()), **columns})


def written(files: list[DayFile]) -> dict[date, list[str]]:
    found: dict[date, list[str]] = {}
    for each in files:
        table = pq.read_table(each.path)
        assert table.schema.names == call_schema().names
        assert {time.date() for time in table["start_time"].to_pylist()} == {each.day}
        assert table.num_rows == each.rows
        found.setdefault(each.day, []).extend(table["record_id"].to_pylist())
    return found


def test_mixed_days_mixed_columns_and_constants(tmp_path: Path) -> None:
    writer = DayWriter(tmp_path)
    rng = np.random.default_rng(1)
    starts = rng.integers(20_000 * DAY_US, 20_005 * DAY_US, 1000)
    writer.add(calls(starts[:500], task=["t"] * 500), {"source": "one", "is_batch": False, "weight": 1.0})
    writer.add(calls(starts[500:]), {"source": "two", "request_count": 1})
    files = writer.close()
    found = written(files)
    assert len(found) == 5
    assert sorted(each for some in found.values() for each in some) == sorted(map(str, starts))
    table = pa.concat_tables([pq.read_table(each.path) for each in files])
    assert sorted(set(table["source"].to_pylist())) == ["one", "two"]
    assert table["task"].null_count == 500
    assert table["request_count"].null_count == 500


def test_memory_and_open_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_writer, "_HELD_ROWS_MAX", 50)
    monkeypatch.setattr(day_writer, "_OPEN_FILES_MAX", 3)
    monkeypatch.setattr(day_writer, "ROW_GROUP_ROWS", 40)
    writer = DayWriter(tmp_path)
    starts = np.random.default_rng(2).integers(20_000 * DAY_US, 20_010 * DAY_US, 600)
    for start in range(0, 600, 30):
        writer.add(calls(starts[start : start + 30]), {"source": "s"})
    found = written(writer.close())
    assert sorted(each for some in found.values() for each in some) == sorted(map(str, starts))


def test_nothing_writes_nothing(tmp_path: Path) -> None:
    writer = DayWriter(tmp_path)
    writer.add(calls(np.empty(0, np.int64)), {})
    assert writer.close() == []


def test_a_value_that_stops_being_the_same_in_all_rows_begins_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_writer, "ROW_GROUP_ROWS", 10)
    writer = DayWriter(tmp_path)
    starts = np.arange(20_000 * DAY_US, 20_000 * DAY_US + 120)
    told = []
    for number in range(12):
        some = starts[10 * number : 10 * (number + 1)]
        source, tasks = "one" if number % 4 else "two", {"task": ["t"] * 10} if number % 3 == 2 else {}
        writer.add(calls(some, **tasks), {"source": source, "request_count": 1})
        told += [(str(start), source, "t" if tasks else None, 1) for start in some]
    files = writer.close()
    assert len(files) == 3, "source differs once, task begins once, and then no file need end"
    written(files)
    table = pa.concat_tables([pq.read_table(each.path, partitioning=None) for each in files])
    columns = (table[name].to_pylist() for name in ("record_id", "source", "task", "request_count"))
    assert sorted(zip(*columns, strict=True)) == sorted(told)


def test_columns_that_are_the_same_throughout_a_chunk_are_not_written_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_writer, "ROW_GROUP_ROWS", 100)
    writer = DayWriter(tmp_path)
    starts = np.arange(20_000 * DAY_US, 20_000 * DAY_US + 400)
    words = pa.array(["ok"] * 100).dictionary_encode()
    told: list[tuple[object, ...]] = []
    for number in range(4):
        some = starts[100 * number : 100 * (number + 1)]
        same = {"status": words, "task": ["t"] * 100, "tz_assumed": [True] * 100, "http_status": [200] * 100}
        if number == 2:
            same |= {"task": ["t", "u"] * 50, "http_status": [200] * 99 + [None], "tz_assumed": [True] * 99 + [False]}
        writer.add(calls(some, **same, max_tokens=list(range(100))), {"source": "s"})
        rows = zip(same["task"], same["http_status"], same["tz_assumed"], strict=True)
        told += [(str(start), "ok", *row) for start, row in zip(some, rows, strict=True)]
    files = writer.close()
    written(files)
    assert len(files) == 2, "three columns cease to be the same, at once"
    table = pa.concat_tables([pq.read_table(each.path, partitioning=None) for each in files])
    columns = (table[name].to_pylist() for name in ("record_id", "status", "task", "http_status", "tz_assumed"))
    assert sorted(zip(*columns, strict=True), key=str) == sorted(told, key=str)
    for file in files:
        column = {each.path_in_schema: each for each in map(pq.read_metadata(file.path).row_group(0).column, range(64))}
        assert column["status"].total_uncompressed_size < 100
        assert "DELTA_BINARY_PACKED" in column["max_tokens"].encodings
        assert "DELTA_BINARY_PACKED" in column["start_time"].encodings


def in_order(folder: Path, *days_of_chunks: list[int]) -> list[DayFile]:
    """Write chunks with a row in each of their days, from a log that is said to be in order."""
    writer = DayWriter(folder, is_in_order=True)
    told = []
    for number, days in enumerate(days_of_chunks):
        starts = np.array(days) * DAY_US + number
        writer.add(calls(starts), {"source": "s", "grain": "request"})
        told += map(str, starts)
        assert len(writer._open) <= 3
    files = writer.close()
    assert sorted(each for some in written(files).values() for each in some) == sorted(told)
    return files


def test_days_that_are_over_are_finished_while_others_come(tmp_path: Path) -> None:
    files = in_order(tmp_path, *([day, day + 1] for day in range(20_000, 20_030)))
    assert len(files) == 31
    assert [each.day for each in files] == sorted(each.day for each in files)


def test_after_a_day_came_again_none_is_finished_early(tmp_path: Path) -> None:
    late = [[20_000], [20_001], [20_002], [20_003], [20_000], [20_004]]
    writer = DayWriter(tmp_path, is_in_order=True)
    for days in [*late, *late, *late]:
        writer.add(calls(np.array(days) * DAY_US), {"source": "s"})
    files = writer.close()
    assert sum(each.rows for each in files) == 18
    days = [each.day for each in files]
    assert max(days.count(each) for each in days) == 2


def test_a_file_tells_its_only_source_and_grain(tmp_path: Path) -> None:
    (one,) = in_order(tmp_path / "one", [20_000])
    assert (one.source, one.grain) == ("s", "request")
    writer = DayWriter(tmp_path / "two")
    starts = np.array([20_000]) * DAY_US
    writer.add(calls(starts), {"source": "s", "grain": "request"})
    writer.add(calls(starts + 1), {"source": "t", "grain": "request"})
    (two,) = writer.close()
    assert (two.source, two.grain) == (None, "request")
