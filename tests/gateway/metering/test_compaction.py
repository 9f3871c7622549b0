"""Compaction: exact counts, kills at every step, full disks, and what `breakeven import` makes of the result."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import threading
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from breakeven.cli.main import group
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.metering import compaction
from breakeven.gateway.metering.call_line import call_line
from breakeven.gateway.metering.calls_table import SCHEMA, read_lines
from breakeven.gateway.metering.compaction import compact_once
from breakeven.gateway.metering.compactor import main
from breakeven.gateway.metering.kept_prompts import with_prompt
from breakeven.gateway.metering.segments import OPEN_SUFFIX, Segment
from breakeven.gateway.metering.write_ahead import write_ahead_folder
from breakeven.usage.call import CALL_COLUMNS
from breakeven.usage.store.schema import call_schema
from gateway.metering.calls_made import STARTED_UNIX_S, attempt, plan

STEPS = ("plan", "write", "sync", "rename", "sync", "rename", "done", "delete", "delete", "end")


@pytest.fixture(autouse=True)
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Inodes that were synced. Nothing is really synced here: what a process wrote outlives it anyway."""
    found: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: found.append(os.fstat(fd).st_ino))
    return found


def _line(i: int, **changes: Any) -> bytes:
    """Every other Call is of the day before."""
    started_s = STARTED_UNIX_S - 86_400.0 * (i % 2) + i
    return call_line(plan(f"r{i}"), attempt(started_unix_s=started_s, **changes))


def _segment(folder: Path, name: str, lines: list[bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    segment = Segment(folder, name)
    segment.write(b"".join(lines))
    segment.close()
    return folder / f"{name}.jsonl"


def _state(tmp_path: Path) -> Path:
    """Two closed segments of 30 Calls in all, one of them spilled."""
    _segment(write_ahead_folder(tmp_path), "relay-0-1", [_line(i) for i in range(20)])
    _segment(tmp_path / "spill", "relay-0-2", [_line(i) for i in range(20, 30)])
    return tmp_path


def _compact(state: Path, **changes: Any) -> Any:
    return compact_once(state, spill=state / "spill", **changes)


def _rows(state: Path, folder: str = "calls") -> list[dict[str, Any]]:
    files = sorted((state / folder).glob("day=*/*.parquet"))
    return [row for each in files for row in pq.ParquetFile(each).read().to_pylist()]


def _ids(state: Path) -> Counter[str]:
    return Counter(row["record_id"] for row in _rows(state))


ALL = Counter({f"r{i}": 1 for i in range(30)})


def test_segments_become_one_file_a_day_with_every_call_once(tmp_path: Path) -> None:
    state = _state(tmp_path)
    done = _compact(state)
    assert (done.segments_count, done.calls_count, done.rejects_count) == (2, 30, 0)
    assert _ids(state) == ALL
    days = sorted(each.parent.name for each in (state / "calls").rglob("*.parquet"))
    assert days == ["day=2026-11-25", "day=2026-11-26"]
    assert not list(write_ahead_folder(state).iterdir()) and not list((state / "spill").iterdir())
    assert [each.name for each in (state / "compaction").iterdir()] == ["lock"]
    assert _compact(state).calls_count == 0 and _ids(state) == ALL


def test_files_and_folders_are_on_the_disk_before_segments_go(tmp_path: Path, synced: list[int]) -> None:
    state = _state(tmp_path)
    synced.clear()

    def look(name: str) -> None:
        if name == "done":
            files = list((state / "calls").rglob("*.parquet"))
            plan_file = next((state / "compaction").glob("*.json"))
            folders = {each.parent for each in files} | {state / "calls", state / "compaction"}
            assert len(files) == 2
            assert {each.stat().st_ino for each in (*files, *folders, plan_file)} <= set(synced)
            synced.clear()
        if name == "delete" and synced:
            assert (state / "compaction").stat().st_ino == synced[0], "the mark is there to stay before a segment goes"

    _compact(state, step=look)
    assert write_ahead_folder(state).stat().st_ino in synced


def test_columns_are_those_of_the_store(tmp_path: Path) -> None:
    provenance = {each.name for each in CALL_COLUMNS if not each.is_content}
    assert [each for each in call_schema() if each.name not in provenance] == list(SCHEMA)
    state = _state(tmp_path)
    _compact(state)
    row = next(row for row in _rows(state) if row["record_id"] == "r0")
    assert row["start_time"] == datetime(2026, 11, 26, 12, 0, 0, 123456, tzinfo=UTC)
    assert (row["end_time"] - row["start_time"]).total_seconds() == row["duration_s"] == 1.5
    assert (row["grain"], row["request_count"], row["weight"], row["is_batch"]) == ("request", 1, 1.0, False)
    assert (row["cache_read_tokens"], row["tokens_source"], row["max_tokens"]) == (0, "reported", 64)


def _run_killed(state: Path, number: int) -> None:
    """In a process of its own, which gets SIGKILL before step `number`."""
    left = iter(range(number))

    def die(_name: str) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    context = multiprocessing.get_context("fork")
    process = context.Process(target=_compact, args=(state,), kwargs={"step": die})
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


class Gone(BaseException):
    """Ends a run as a kill would: what tidies up after errors is taken out."""


def _run_cut_off(state: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped before step `number`, if it comes so far, with everything left as it is then."""
    left = iter(range(number))

    def leave(_name: str) -> None:
        if next(left, None) is None:
            raise Gone

    with suppress(Gone), monkeypatch.context() as patched:
        patched.setattr(compaction._Files, "give_up", lambda _files: None)
        _compact(state, step=leave)


def test_the_steps_are_these(tmp_path: Path) -> None:
    seen: list[str] = []
    _compact(_state(tmp_path), step=seen.append)
    assert tuple(seen) == STEPS


MORE = ALL + Counter({f"r{i}": 1 for i in range(30, 33)})


def _finish(state: Path) -> None:
    """One undisturbed run; then everything is there once, and nothing else is left."""
    _compact(state)
    assert _ids(state) == MORE
    assert not list(write_ahead_folder(state).iterdir()) and not list(state.rglob("*.part"))
    assert [each.name for each in (state / "compaction").iterdir()] == ["lock"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("number", range(len(STEPS)))
def test_kill_9_at_any_step_neither_loses_nor_doubles_a_call(tmp_path: Path, number: int) -> None:
    _run_killed(_state(tmp_path), number)
    _segment(write_ahead_folder(tmp_path), "relay-0-3", [_line(i) for i in range(30, 33)])
    _finish(tmp_path)


@pytest.mark.parametrize("first", range(len(STEPS)))
def test_two_ends_at_any_two_steps_neither_lose_nor_double_a_call(
    tmp_path: Path, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between them new segments are closed, which must not change what the first plan wrote.

    Every step is once the first and three times the second; all pairs with BREAKEVEN_ALL_PAIRS=1.
    """
    some = {(first + i) % len(STEPS) for i in (0, 3, 7)}
    for second in range(len(STEPS)) if os.environ.get("BREAKEVEN_ALL_PAIRS") else sorted(some):
        state = _state(tmp_path / str(second))
        _run_cut_off(state, first, monkeypatch)
        _segment(write_ahead_folder(state), "relay-0-3", [_line(i) for i in range(30, 33)])
        _run_cut_off(state, second, monkeypatch)
        _finish(state)


def _many_small_files(state: Path) -> Counter[str]:
    """Five small files of one day, of two Calls each."""
    for i in range(5):
        _segment(write_ahead_folder(state), f"relay-0-{i}", [_line(2 * i), _line(2 * i + 100)])
        _compact(state)
    return Counter({f"r{2 * i + j}": 1 for i in range(5) for j in (0, 100)})


def test_many_small_files_of_a_day_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = _many_small_files(tmp_path)
    before = {row["record_id"]: row for row in _rows(tmp_path)}
    assert len(list((tmp_path / "calls").glob("day=*/*.parquet"))) == 5
    monkeypatch.setattr(compaction, "JOINED_AT_COUNT", 5)
    _compact(tmp_path)
    assert len(list((tmp_path / "calls").glob("day=*/*.parquet"))) == 1
    assert _ids(tmp_path) == every and {row["record_id"]: row for row in _rows(tmp_path)} == before


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 9, 10])
def test_joining_that_is_cut_off_at_any_step_ends_with_every_call_once(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = _many_small_files(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(compaction, "JOINED_AT_COUNT", 5)
        _run_cut_off(tmp_path, number, patched)
    assert set(_ids(tmp_path)) == set(every), "at no time is a Call missing"
    _compact(tmp_path)
    assert _ids(tmp_path) == every
    assert not list(tmp_path.rglob("*.part")) and [each.name for each in (tmp_path / "compaction").iterdir()] == [
        "lock"
    ]


def test_a_full_disk_loses_nothing_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = _state(tmp_path)

    def full(name: str) -> None:
        if name == "sync":
            raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(OSError, match="no space"):
        _compact(state, step=full)
    assert not _rows(state) and not list(state.rglob("*.part"))
    _compact(state)
    assert _ids(state) == ALL


def test_lines_that_are_no_calls_are_kept_aside(tmp_path: Path) -> None:
    odd = [
        b"not json\n",
        b'{"record_id":"a"}\n',
        b'{"record_id":5,"start_time":"2026-11-26T12:00:00Z"}\n',
        b'{"record_id":"b","start_time":"yesterday"}\n',
        b'{"record_id":"c","start_time":"2026-11-26T12:00:00Z","input_tokens":"many"}\n',
        b'{"record_id":"d","start_time":"2026-11-26T12:00:00Z","duration_s":1e300}\n',
        b"[]\n",
        b"\xff\xfe\n",
    ]
    _segment(write_ahead_folder(tmp_path), "relay-0-1", [_line(0), *odd, _line(1)])
    done = _compact(tmp_path)
    assert (done.calls_count, done.rejects_count) == (2, len(odd))
    kept = [each.read_bytes() for each in (tmp_path / "rejects").iterdir()]
    assert kept == [b"".join(odd)]


def test_a_line_written_twice_is_one_call() -> None:
    seen: set[str] = set()
    read = read_lines([_line(0), _line(2), _line(0)], seen)
    assert [row["record_id"] for row in read.days["2026-11-26"].calls] == ["r0", "r2"]
    assert not read_lines([_line(2)], seen).days


def test_segments_of_dead_processes_are_taken_and_of_living_ones_left(tmp_path: Path) -> None:
    folder = write_ahead_folder(tmp_path)
    folder.mkdir(parents=True)
    (folder / f"relay-0-1{OPEN_SUFFIX}").write_bytes(_line(0) + _line(1)[:50])
    living = Segment(folder, "relay-1-2")
    living.write(_line(2))
    _compact(tmp_path)
    assert _ids(tmp_path) == Counter({"r0": 1})
    living.close()
    _compact(tmp_path)
    assert _ids(tmp_path) == Counter({"r0": 1, "r2": 1})


def _imported(path: Path, store: Path) -> dict[str, Any]:
    run = CliRunner().invoke(group, ["import", str(path), "--store", str(store), "--json"])
    assert run.exit_code == 0, run.output
    found: dict[str, Any] = json.loads(run.output)
    return found


def test_breakeven_import_reads_the_parquet_and_the_raw_log_alike(tmp_path: Path) -> None:
    state = _state(tmp_path / "state")
    raw = tmp_path / "raw"
    _segment(raw, "a", [_line(i) for i in range(30)])
    _compact(state)
    (state / "calls" / "day=2026-11-26" / ".gateway-half.parquet.part").write_bytes(b"PAR1 half")
    _imported(state / "calls", tmp_path / "store-a")
    _imported(raw, tmp_path / "store-b")
    provenance = {each.name for each in CALL_COLUMNS if not each.is_content}
    stores = []
    for each in ("store-a", "store-b"):
        rows = _rows(tmp_path, each)
        stores.append({row["record_id"]: {k: v for k, v in row.items() if k not in provenance} for row in rows})
        assert len(rows) == 30
    assert stores[0] == stores[1] and set(stores[0]) == set(ALL)
    assert sum(row["input_tokens"] for row in stores[0].values()) == 3_000
    both = _imported(raw, tmp_path / "store-a")
    assert len(_rows(tmp_path, "store-a")) == 30, both
    profile = CliRunner().invoke(group, ["profile", "--store", str(tmp_path / "store-a"), "--json"])
    assert profile.exit_code == 0, profile.output
    seen = json.loads(profile.output)
    assert (seen["requests_count"], seen["input_tokens"], seen["output_tokens"]) == (30, 3_000, 600)


IMAGE = "data:image/png;base64," + "A" * 99


def test_kept_prompts_lie_beside_the_calls_and_not_in_them(tmp_path: Path) -> None:
    document = {
        "model": "mini",
        "messages": [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": "write to ann@example.com, key sk-abcdefghijklmnopqrstuv"},
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": IMAGE}}],
            },
        ],
    }
    asked = plan("r1", document)
    none, redacted, full = (
        with_prompt(call_line(asked, attempt()), asked.facts, each) for each in ("none", "redacted", "full")
    )
    assert b"terse" not in none
    assert b"ann@example.com" in full and b"AAAA" not in full
    assert b"ann@example" not in redacted and b"sk-abc" not in redacted and b"You are terse." in redacted
    _segment(write_ahead_folder(tmp_path), "relay-0-1", [redacted, _line(2)])
    done = _compact(tmp_path)
    assert done.calls_count == 2
    for each in (tmp_path / "calls").rglob("*.parquet"):
        assert "prompt_text" not in pq.ParquetFile(each).schema_arrow.names and b"terse" not in each.read_bytes()
    (row,) = _rows(tmp_path, "prompts")
    assert row["record_id"] == "r1" and json.loads(row["prompt_text"])[0]["content"] == "You are terse."
    _imported(tmp_path / "prompts", tmp_path / "store")
    (stored,) = _rows(tmp_path, "store")
    assert stored["prompt_terms"] and stored["system_hash"] and stored["input_tokens"] == 100


def test_the_process_compacts_until_it_is_told_to_stop(tmp_path: Path) -> None:

    state = _state(tmp_path)
    settings = GatewaySettings("127.0.0.1", 0, "127.0.0.1", 0, 1, state, {}, {})
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=main, args=(settings, ready, None, 0.05))
    process.start()
    assert ready.wait(60)
    for _ in range(600):
        if len(_rows(state)) == 20:  # the spill folder here is not the usual one
            break
        threading.Event().wait(0.05)
    _segment(write_ahead_folder(state), "relay-0-9", [_line(99)])
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    process.join(30)
    assert process.exitcode == 0
    assert _ids(state) == Counter({f"r{i}": 1 for i in (*range(20), 99)})
