"""Files and folders: empty, mixed, looping, forbidden, gone; Parquet with odd types."""

from __future__ import annotations

import os
import signal
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from breakeven.errors import UsageError
from breakeven.usage.store.call_store import CallStore
from usage_black_box.logs import NOW, calls, counts, ingest, jsonl, reject_rows, row, rows, write


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\n\n  \n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"start_time,input_tokens,output_tokens\n",
        b"[]",
        b"{}",
        b"\0" * 99,
    ],
)
def test_a_single_file_without_rows_is_an_error_with_words(take, store, content):
    with pytest.raises(UsageError, match="log"):
        take(content)
    assert store.calls_count == 0


def test_a_path_that_is_not_there(store, tmp_path):
    with pytest.raises(UsageError, match="no such"):
        store.ingest(tmp_path / "gone.jsonl", now=NOW)


def test_an_empty_folder(store, tmp_path):
    with pytest.raises(UsageError, match="no files"):
        store.ingest(tmp_path, now=NOW)


def test_nothing_at_all(store):
    with pytest.raises(UsageError):
        store.ingest([], now=NOW)


def test_a_folder_with_mixed_content(store, tmp_path):
    folder = tmp_path / "logs"
    write(folder / "a.jsonl", jsonl(*rows(3), "bad"))
    write(folder / "b" / "c.csv", "start_time,input_tokens,output_tokens\n2026-11-02T00:00:00Z,1,2\nx,1,2\n")
    write(folder / "b" / "d.txt", "Dear diary,\nnothing happened today.\n")
    write(folder / "e.jsonl", "")
    write(folder / "f.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    write(folder / "g.csv", "start_time,input_tokens,output_tokens\n")
    write(folder / ".hidden.jsonl", jsonl(row(50)))
    write(folder / "h.zip", b"PK\x03\x04zzz")
    write(folder / "i.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n")
    write(folder / "j.jsonl", '{"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": [1]}\n')
    report = ingest(store, folder)
    assert counts(report) == (8, 6, 0, 2)
    statuses = {each.name: each.status for each in report.files}
    assert statuses["a.jsonl"] == statuses["b/c.csv"] == statuses["i.csv"] == statuses["j.jsonl"] == "imported"
    assert statuses["e.jsonl"] == statuses["g.csv"] == "empty"
    assert statuses["f.png"] == statuses["h.zip"] == statuses["b/d.txt"] == "not a log"
    assert set(report.formats) == {"breakeven", "azure_llm_trace", "mooncake_trace"}
    assert all(each.note for each in report.files if each.status in ("empty", "not a log"))


def test_a_folder_of_nothing_but_junk(store, tmp_path):
    write(tmp_path / "x" / "a.txt", "hello\n")
    write(tmp_path / "x" / "b.bin", bytes(range(256)) * 10)
    with pytest.raises(UsageError, match="no log"):
        store.ingest(tmp_path / "x", now=NOW)


def test_a_folder_that_links_to_itself(store, tmp_path):
    folder = tmp_path / "logs"
    write(folder / "a.jsonl", jsonl(*rows(3)))
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "self").symlink_to(folder / "self")
    (folder / "dangling.jsonl").symlink_to(tmp_path / "gone")
    assert counts(ingest(store, folder))[:2] == (3, 3)


def test_a_pipe_in_a_folder_does_not_hang(store, tmp_path):
    folder = tmp_path / "logs"
    write(folder / "a.jsonl", jsonl(*rows(3)))
    os.mkfifo(folder / "b.fifo")
    signal.alarm(3)
    assert counts(ingest(store, folder))[:2] == (3, 3)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(store, tmp_path):
    file = write(tmp_path / "a.jsonl", jsonl(*rows(3)))
    file.chmod(0)
    with pytest.raises(UsageError):
        store.ingest(file, now=NOW)


def test_two_folders_with_files_of_the_same_names(store, tmp_path):
    write(tmp_path / "x" / "a.jsonl", jsonl(*rows(4)[:2]))
    write(tmp_path / "y" / "a.jsonl", jsonl(*rows(4)[2:], row(9, id="q"), row(9, id="q")))
    report = ingest(store, tmp_path / "x", tmp_path / "y")
    assert counts(report) == (6, 5, 1, 0)
    assert [each.duplicates for each in report.files] == [0, 1]


def test_twins_in_files_of_the_same_name_are_not_taken_for_one_file(store, tmp_path):
    """Two hosts rotate a log under the same name; both have an equal first row. Without ids these are two calls."""
    write(tmp_path / "host1" / "a.jsonl", jsonl(row(0), row(1)))
    write(tmp_path / "host2" / "a.jsonl", jsonl(row(0), row(2)))
    assert counts(ingest(store, tmp_path / "host1", tmp_path / "host2")) == (4, 4, 0, 0)


def test_the_store_inside_the_folder_that_is_imported(tmp_path):
    folder = tmp_path / "logs"
    write(folder / "a.jsonl", jsonl(*rows(3), "bad"))
    with CallStore(folder / ".breakeven") as store:
        assert counts(ingest(store, folder)) == (4, 3, 0, 1)
        before = store.digest()
        ingest(store, folder)
        assert store.digest() == before


def test_a_visible_store_inside_the_folder_that_is_imported(tmp_path):
    """The store's own Parquet files are no new log."""
    folder = tmp_path / "logs"
    write(folder / "a.jsonl", jsonl(*rows(3)))
    with CallStore(folder / "store") as store:
        store.ingest(folder, now=NOW)
        before = store.digest()
        store.ingest(folder, now=NOW)
        assert store.calls_count == 3
        assert store.digest() == before


def test_the_store_as_a_log_of_its_own(store, tmp_path):
    """Parquet of the store is breakeven's own format, so it can be read into another store."""
    ingest(store, write(tmp_path / "a.jsonl", jsonl(*(row(n, id=f"i{n}", user="u", task="t") for n in range(5)))))
    with CallStore.temporary() as other:
        report = ingest(other, *store.path.glob("day=*"))
        assert report.calls == 5
        assert [each["input_tokens"] for each in calls(other)] == [each["input_tokens"] for each in calls(store)]
        assert [each["unit_hash"] for each in calls(other)] == [each["unit_hash"] for each in calls(store)]


def parquet(tmp_path, columns, name="log.parquet"):
    pq.write_table(pa.table(columns), tmp_path / name)
    return tmp_path / name


def test_parquet_with_odd_types(store, tmp_path):
    when = datetime(2026, 11, 1, 12, tzinfo=UTC)
    columns = {
        "start_time": pa.array([when] * 4, pa.timestamp("ns", "Europe/Berlin")),
        "input_tokens": pa.array([Decimal("12.00"), Decimal("13.50"), None, Decimal("-1.00")], pa.decimal128(10, 2)),
        "output_tokens": pa.array([1, 2, 3, 4], pa.uint8()),
        "request_model": pa.array(["a", "b", "a", None]).dictionary_encode(),
        "stream": pa.array([True, False, None, True]),
        "blob": pa.array([b"\xff", b"", None, b"x"], pa.binary()),
        "map": pa.array([[("k", 1)], [], None, []], pa.map_(pa.string(), pa.int64())),
        "day": pa.array([date(2026, 11, 1)] * 4),
        "nothing": pa.nulls(4),
        "large": pa.array(["x"] * 4, pa.large_string()),
        "hash_list": pa.array([[1], [], None, [2]], pa.list_(pa.int32())),
        "duration_s": pa.array([1.5, float("nan"), None, 2.0], pa.float32()),
    }
    assert counts(ingest(store, parquet(tmp_path, columns))) == (4, 1, 0, 3)
    assert reject_rows(store) == [2, 3, 4]
    assert calls(store)[0]["start_time"] == when
    assert (calls(store)[0]["input_tokens"], calls(store)[0]["stream"]) == (12, True)


@pytest.mark.parametrize(
    "times",
    [
        pa.array([1793534400], pa.timestamp("s")),
        pa.array([1793534400000], pa.timestamp("ms")),
        pa.array([1793534400], pa.int64()),
        pa.array([1793534400], pa.uint32()),
        pa.array([1793534400.0], pa.float64()),
        pa.array([1793534400000], pa.int64()),
        pa.array(["2026-11-01T12:00:00Z"], pa.large_string()),
        pa.array(["2026-11-01T12:00:00Z"]).dictionary_encode(),
        pa.array([Decimal("1793534400.000")], pa.decimal128(20, 3)),
    ],
    ids=lambda array: str(array.type),
)
def test_parquet_times(store, tmp_path, times):
    ingest(store, parquet(tmp_path, {"start_time": times, "input_tokens": [1], "output_tokens": [1]}))
    assert [each["start_time"] for each in calls(store)] == [datetime(2026, 11, 1, 12, tzinfo=UTC)]


def test_parquet_dates_and_structs(store, tmp_path):
    usage = pa.array([{"prompt_tokens": 5, "completion_tokens": 6, "prompt_tokens_details": {"cached_tokens": 4}}])
    ingest(store, parquet(tmp_path, {"date": pa.array([date(2026, 11, 1)]), "usage": usage}))
    found = calls(store)[0]
    assert (found["input_tokens"], found["output_tokens"], found["cache_read_tokens"]) == (5, 6, 4)


def test_parquet_with_null_structs(store, tmp_path):
    usage = pa.array([{"prompt_tokens": 5, "completion_tokens": 6}, None])
    times = pa.array([1793534400, 1793534401])
    assert counts(ingest(store, parquet(tmp_path, {"ts": times, "usage": usage}))) == (2, 1, 0, 1)


def test_parquet_large_integers_are_not_rounded(store, tmp_path):
    columns = {"start_time": [1793534400], "input_tokens": [1], "output_tokens": [1]}
    columns["id"] = [9_007_199_254_740_993]
    ingest(store, parquet(tmp_path, columns))
    assert calls(store)[0]["record_id"] == "9007199254740993"


def test_parquet_with_a_column_named_twice(store, tmp_path):
    table = pa.Table.from_arrays(
        [pa.array([1793534400]), *[pa.array([n]) for n in (1, 2, 3)]],
        names=["start_time", "input_tokens", "input_tokens", "output_tokens"],
    )
    pq.write_table(table, tmp_path / "log.parquet")
    try:
        ingest(store, tmp_path / "log.parquet")
    except UsageError:
        return
    assert calls(store)[0]["input_tokens"] in (1, 2)


def test_parquet_without_rows(store, tmp_path):
    with pytest.raises(UsageError, match="no rows"):
        store.ingest(parquet(tmp_path, {"start_time": pa.array([], pa.int64())}), now=NOW)


@pytest.mark.parametrize("cut", [4, 8, 50, 400, -1, -4, -30])
def test_parquet_cut_short_is_refused(store, tmp_path, cut):
    path = parquet(tmp_path, {"start_time": [1793534400] * 50, "input_tokens": [1] * 50, "output_tokens": [1] * 50})
    write(path, path.read_bytes()[:cut])
    with pytest.raises(UsageError):
        store.ingest(path, now=NOW)


def test_parquet_with_damaged_pages(store, tmp_path):
    path = parquet(
        tmp_path,
        {
            "start_time": [1793534400 + n for n in range(5000)],
            "input_tokens": list(range(5000)),
            "output_tokens": list(range(5000)),
        },
    )
    data = bytearray(path.read_bytes())
    data[2000:2200] = b"\xff" * 200
    write(path, bytes(data))
    try:
        report = ingest(store, path)
    except UsageError:
        return
    assert report.rows_in >= report.rejects_count >= 1


def test_stored_times_are_utc_microseconds_and_days_are_folders(store, tmp_path):
    ingest(store, write(tmp_path / "a.jsonl", jsonl(row(0), row(1440), row(0, start_time="2026-11-03T01:00:00+02:00"))))
    files = sorted(store.path.glob("day=*/*.parquet"))
    assert [each.parent.name for each in files] == ["day=2026-11-01", "day=2026-11-02"]
    for file in files:
        schema = pq.read_schema(file)
        assert schema.field("start_time").type == pa.timestamp("us", "UTC")
        assert schema.field("end_time").type == pa.timestamp("us", "UTC")


def test_the_columns_are_the_documented_ones(store, tmp_path):
    from breakeven.usage.call import CALL_COLUMNS

    assert set(store.calls().columns) >= {column.name for column in CALL_COLUMNS}
    ingest(store, write(tmp_path / "a.jsonl", jsonl(row(0))))
    assert set(store.calls().columns) >= {column.name for column in CALL_COLUMNS}
