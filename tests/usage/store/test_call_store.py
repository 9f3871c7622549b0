"""The store: types on disk, importing twice, duplicates, digest, atomic writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from breakeven.errors import UsageError
from breakeven.usage.call import CALL_COLUMNS
from breakeven.usage.ingest_report import IngestReport, Progress
from breakeven.usage.plan import ImportSettings
from breakeven.usage.store import CallStore, call_store, day_writer, intake
from breakeven.usage.store.lock import exclusive

from ..logs import CSV_HEADER, NOW, imported, jsonl, row, stored_calls, write

DAYS = [row(number, timestamp=f"2026-11-0{1 + number % 3}T10:00:{number:02d}Z") for number in range(30)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CallStore]:
    with CallStore(tmp_path / "store") as fresh:
        yield fresh


def take(store: CallStore, folder: Path, content: str, name: str = "log.jsonl", **settings: object) -> IngestReport:
    return store.ingest(write(folder, content, name), now=NOW, settings=ImportSettings(**settings))  # type: ignore[arg-type]


def test_files_are_partitioned_by_utc_day_in_microseconds(store: CallStore, tmp_path: Path) -> None:
    take(store, tmp_path, jsonl(*DAYS))
    folders = sorted(path.name for path in store.path.glob("day=*"))
    assert folders == ["day=2026-11-01", "day=2026-11-02", "day=2026-11-03"]
    for path in store.path.glob("day=*/*.parquet"):
        schema = pq.read_schema(path)
        assert schema.names == [column.name for column in CALL_COLUMNS]
        for name in ("start_time", "end_time"):
            assert schema.field(name).type == pa.timestamp("us", "UTC")
        column = pq.ParquetFile(path).schema.column(schema.names.index("start_time"))
        assert "timeUnit=microseconds" in str(column.logical_type)
        assert "isAdjustedToUTC=true" in str(column.logical_type)
        times = pq.read_table(path)["start_time"].to_pylist()
        assert {f"day={time.date()}" for time in times} == {path.parent.name}


def test_calls_have_all_columns_and_the_day(store: CallStore, tmp_path: Path) -> None:
    take(store, tmp_path, jsonl(*DAYS))
    calls = store.calls()
    assert calls.columns == (*(column.name for column in CALL_COLUMNS), "day")
    assert calls.day.min().to_pyarrow().as_py() == date(2026, 11, 1)
    assert str(calls.schema()["start_time"]).startswith("timestamp('UTC'")


def test_an_empty_store_has_the_same_columns(store: CallStore) -> None:
    calls = store.calls()
    assert calls.columns == (*(column.name for column in CALL_COLUMNS), "day")
    assert calls.count().to_pyarrow().as_py() == 0
    assert store.calls_count == 0
    assert store.imported() == ()
    with CallStore.temporary() as other:
        assert store.digest() == other.digest()


def test_importing_twice_changes_nothing(store: CallStore, tmp_path: Path) -> None:
    content = jsonl(*DAYS, "not json")
    first = take(store, tmp_path, content)
    before, digest = stored_calls(store), store.digest()
    second = take(store, tmp_path, content)
    assert (first.calls, second.calls) == (30, 0)
    assert (second.rows_in, second.duplicates, second.rejects_count) == (31, 30, 1)
    assert second.files[0].status == "already imported"
    assert (stored_calls(store), store.digest()) == (before, digest)


def test_the_same_bytes_under_another_name_change_nothing(store: CallStore, tmp_path: Path) -> None:
    content = jsonl(*({**each, "id": None} for each in DAYS))
    take(store, tmp_path, content, "a.jsonl")
    digest = store.digest()
    assert take(store, tmp_path, content, "b.jsonl").calls == 0
    assert store.digest() == digest


def test_a_log_that_grew_adds_its_new_rows(store: CallStore, tmp_path: Path) -> None:
    rows = [{**each, "id": None} for each in DAYS]
    half = jsonl(*rows[:20])
    take(store, tmp_path, half[:-1])  # the last line not yet ended
    report = take(store, tmp_path, half + jsonl(*rows[20:]))
    assert (report.rows_in, report.calls, report.duplicates) == (30, 10, 20)
    assert store.calls_count == 30


def test_honest_twins_in_one_file_are_kept(store: CallStore, tmp_path: Path) -> None:
    assert take(store, tmp_path, jsonl(row(0, id=None), row(0, id=None))).calls == 2


def test_the_last_delivery_of_an_id_wins(store: CallStore, tmp_path: Path) -> None:
    report = take(store, tmp_path, jsonl(row(0, output_tokens=50), row(1), row(0, output_tokens=20)))
    assert (report.calls, report.duplicates) == (2, 1)
    assert {call["record_id"]: call["output_tokens"] for call in stored_calls(store)} == {"call-0": 20, "call-1": 10}


def test_a_later_delivery_in_another_file_replaces_the_call_wherever_its_day_is(
    store: CallStore, tmp_path: Path
) -> None:
    take(store, tmp_path, jsonl(*DAYS), "a.jsonl")
    late = {**DAYS[0], "timestamp": "2026-11-03T23:00:00Z", "output_tokens": 99}
    report = take(store, tmp_path, jsonl(late), "b.jsonl")
    assert (report.calls, report.duplicates) == (0, 1)
    assert report.warnings
    found = [call for call in stored_calls(store) if call["record_id"] == DAYS[0]["id"]]
    assert [call["output_tokens"] for call in found] == [99]
    assert store.calls_count == 30


def test_the_order_of_imports_does_not_matter(tmp_path: Path) -> None:
    one = jsonl(*DAYS[:20])
    two = jsonl(*({**each, "output_tokens": 77} for each in DAYS[10:]), row(0, id=None))
    digests = set()
    for order in ((("a", one), ("b", two)), (("b", two), ("a", one)), (("b", two), ("a", one), ("b", two))):
        with CallStore.temporary() as store:
            for name, content in order:
                take(store, tmp_path, content, f"{name}.jsonl")
            digests.add(store.digest())
    assert len(digests) == 1


def test_the_digest_sees_every_content_column(tmp_path: Path) -> None:
    plain = imported(tmp_path, jsonl(*DAYS)).digest
    for change in (
        {"input_tokens": 101},
        {"cached_tokens": 1},
        {"task": "x"},
        {"status": "error"},
        {"end_time": "2026-11-03T12:00:00Z"},
        {"weight": 2},
        {"cost_usd": 0.001},
        {"service_tier": "flex"},
        {"prefix_hashes": [1]},
        {"grain": "bucket"},
    ):
        assert imported(tmp_path, jsonl({**DAYS[0], **change}, *DAYS[1:])).digest != plain, change
    assert imported(tmp_path, jsonl(*DAYS), "other.jsonl").digest == plain
    assert imported(tmp_path, jsonl(*reversed(DAYS))).digest == plain


def test_a_store_can_be_imported_into_another(store: CallStore, tmp_path: Path) -> None:
    rows = [{**each, "user": "ann", "task": "t", "cached_tokens": 5, "hash_ids": [1, 2]} for each in DAYS]
    take(store, tmp_path, jsonl(*rows, row(99, id=None, prefix_hashes=[1, -2])))
    with CallStore.temporary() as copy:
        report = copy.ingest(sorted(store.path.glob("day=*")), now=NOW)
        assert report.calls == 31
        assert copy.digest() == store.digest()


def test_other_settings_for_the_same_bytes_are_refused(store: CallStore, tmp_path: Path) -> None:
    content = jsonl(*DAYS)
    take(store, tmp_path, content)
    with pytest.raises(UsageError, match="before without a rule for tokens, now with the rule 'exclusive'"):
        take(store, tmp_path, content, tokens_rule="exclusive")


def test_a_crash_before_the_manifest_changes_nothing(
    store: CallStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, tmp_path, jsonl(*DAYS[:10]))
    digest = store.digest()

    def crash(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(call_store, "write_manifest", crash)
        with pytest.raises(RuntimeError):
            take(store, tmp_path, jsonl(*DAYS), "more.jsonl")
    assert store.digest() == digest
    assert store.calls_count == 10
    report = take(store, tmp_path, jsonl(*DAYS), "more.jsonl")
    assert (report.calls, report.duplicates) == (20, 10)
    store.close()
    files = list(store.path.glob("day=*/*.parquet"))
    assert len(files) == len(json.loads((store.path / "manifest.json").read_text())["stored"])


def test_many_small_imports_are_written_together(store: CallStore, tmp_path: Path) -> None:
    for number in range(20):
        take(store, tmp_path, jsonl(row(number)), f"{number}.jsonl")
    store.close()
    assert len(list(store.path.glob("day=*/*.parquet"))) <= call_store.FILES_PER_DAY_MAX
    with CallStore(store.path) as again:
        assert again.calls_count == 20
        assert {call["record_id"] for call in stored_calls(again)} == {f"call-{number}" for number in range(20)}


def test_two_imports_at_once_are_refused(store: CallStore, tmp_path: Path) -> None:
    def other(_: Progress) -> None:
        with CallStore(store.path) as second:
            take(second, tmp_path, jsonl(row(1)), "b.jsonl")

    with pytest.raises(UsageError, match="another import"):
        store.ingest(write(tmp_path, jsonl(row())), now=NOW, progress=other)


def test_an_import_waits_for_whoever_holds_the_store_for_a_moment(store: CallStore, tmp_path: Path) -> None:
    """As somebody who notes the hash of the calls, or removes files that were replaced."""
    held = Event()

    def hold() -> None:
        with exclusive(store.path):
            held.set()
            sleep(0.2)

    other = Thread(target=hold)
    other.start()
    assert held.wait(5)
    take(store, tmp_path, jsonl(row()))
    other.join()
    assert store.calls_count == 1


def test_a_store_of_a_newer_version_is_refused(store: CallStore) -> None:
    (store.path / "manifest.json").write_text('{"version": 99, "imported": [], "stored": []}')
    with pytest.raises(UsageError, match="newer breakeven"):
        store.calls()


def test_a_temporary_store_is_gone_afterwards(tmp_path: Path) -> None:
    with CallStore.temporary() as store:
        take(store, tmp_path, jsonl(row()))
        path = store.path
    assert not path.exists()


def test_progress_is_reported(store: CallStore, tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / "logs", jsonl(row(number)), f"{number}.jsonl")
    seen: list[Progress] = []
    store.ingest(tmp_path / "logs", now=NOW, progress=seen.append)
    assert [each.file for each in seen] == ["0.jsonl", "1.jsonl", "2.jsonl"]
    assert seen[-1].files_count == 3
    assert seen[-1].rows_in == 3


def test_single_files_that_are_no_logs_are_errors(store: CallStore, tmp_path: Path) -> None:
    for content, words in (("", "empty"), (CSV_HEADER, "a header and no rows"), ("hello\n", "neither JSON")):
        with pytest.raises(UsageError, match=words):
            take(store, tmp_path, content)


def test_twins_of_two_machines_are_kept_and_stay_known(store: CallStore, tmp_path: Path) -> None:
    twins = [row(0, id=None), row(1, id=None)]
    for host in ("a", "b"):
        write(tmp_path / "logs" / host, jsonl(twins[0], {**twins[1], "output_tokens": ord(host)}))
    assert store.ingest(tmp_path / "logs", now=NOW).calls == 4
    digest = store.digest()
    for host in ("a", "b"):
        with (tmp_path / "logs" / host / "log.jsonl").open("a") as file:
            file.write("\n")
    report = store.ingest(tmp_path / "logs", now=NOW)
    assert (report.calls, report.duplicates) == (0, 4)
    assert store.digest() == digest


def test_end_and_duration_fill_each_other(tmp_path: Path) -> None:
    rows = (row(0, latency_ms=1500), row(1, end_time="2026-11-02T00:00:03.5Z"))
    for call, seconds in zip(imported(tmp_path, jsonl(*rows)).calls, (1.5, 2.5), strict=True):
        assert call["duration_s"] == seconds
        assert call["end_time"] - call["start_time"] == timedelta(seconds=seconds)


def test_of_equal_rows_the_last_file_by_name_has_the_call(
    store: CallStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many Parquet files a day was written in: their names are drawn by chance."""
    monkeypatch.setattr(day_writer, "_HELD_ROWS_MAX", 1)
    monkeypatch.setattr(day_writer, "_OPEN_FILES_MAX", 1)
    monkeypatch.setattr(intake, "CHUNK_BYTES", 1)
    days = [row(number, timestamp=f"2026-11-{1 + number:02d}T10:00:00Z") for number in range(12)]
    for name in ("a.jsonl", "b.jsonl"):
        more = row(20, timestamp="2026-11-20T10:00:00Z", id=name)  # or they would be one file, told twice
        write(tmp_path / "logs", jsonl(*days, more), name)
    files = {each.name: each for each in store.ingest(tmp_path / "logs", now=NOW).files}
    assert [(each.calls, each.duplicates) for _, each in sorted(files.items())] == [(1, 12), (13, 0)]
