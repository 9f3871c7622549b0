"""The write-ahead log: order, rotation, shared syncs, and disks that are full, broken or stuck."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from breakeven.gateway.metering.segments import (
    OPEN_SUFFIX,
    Segment,
    close_left_segments,
    closed_segments,
)
from breakeven.gateway.metering.write_ahead import WriteAhead, spill_folder
from breakeven.gateway.metering.writer import WriterSettings


class Counts:
    """Counters that remember."""

    def __init__(self) -> None:
        self.counts: dict[str, float] = {}
        self.gauges: dict[str, float] = {}

    def count(self, name: str, n: float = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + n

    def gauge(self, name: str, value: float) -> None:
        self.gauges[name] = value


def _line(i: int, size: int = 0) -> bytes:
    return b'{"i":%d,"x":"%b"}\n' % (i, b"x" * size)


def _kept(*folders: Path) -> list[int]:
    lines = [
        line
        for folder in folders
        if folder.is_dir()
        for each in sorted(folder.glob("*.jsonl"))
        for line in each.read_bytes().splitlines()
    ]
    return [json.loads(line)["i"] for line in lines]


def _sink(tmp_path: Path, make_segment: Callable[[Path, str], Segment] = Segment, **changes: object) -> WriteAhead:
    settings = WriterSettings(make_segment=make_segment, **changes.pop("writer", {}))  # type: ignore[arg-type]
    return WriteAhead(tmp_path / "main", 0, spill=tmp_path / "spill", settings=settings, **changes)  # type: ignore[arg-type]


async def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited 10 s in vain")


def test_every_line_is_written_once_in_order(tmp_path: Path) -> None:
    async def run() -> None:
        counts = Counts()
        sink = _sink(tmp_path, counters=counts)
        for i in range(10):
            sink.put(_line(i))  # before the start
        sink.start(asyncio.get_running_loop())
        for i in range(10, 5_000):
            sink.put(_line(i))
            if i % 500 == 0:
                await asyncio.sleep(0.005)
        sink.close()
        assert counts.counts == {"calls_written_total": 5_000}
        assert counts.gauges["sink_queue_bytes"] == 0

    asyncio.run(run())
    assert _kept(tmp_path / "main") == list(range(5_000))
    assert not list((tmp_path / "main").glob(f"*{OPEN_SUFFIX}"))


def test_counters_are_told_of_the_last_lines_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.gateway.metering.write_ahead.PUBLISH_EVERY_S", 0.1)

    async def run() -> None:
        counts = Counts()
        sink = _sink(tmp_path, counters=counts)
        sink.start(asyncio.get_running_loop())
        for i in range(4):
            sink.put(_line(i))
            await asyncio.sleep(0.03)
        await _until(lambda: counts.counts.get("calls_written_total") == 4)
        await _until(lambda: counts.gauges["sink_queue_bytes"] == 0)
        sink.close()

    asyncio.run(run())


def test_written_means_synced_and_one_sync_serves_many(tmp_path: Path) -> None:
    syncs: list[int] = []

    class Counted(Segment):
        def sync(self) -> None:
            syncs.append(self.bytes_count)
            time.sleep(0.002)
            super().sync()

    async def run() -> None:
        sink = _sink(tmp_path, Counted)
        sink.start(asyncio.get_running_loop())

        async def one(i: int) -> None:
            sink.put(_line(i))
            await sink.written()
            assert syncs and i in _kept(tmp_path / "main")

        await asyncio.gather(*(one(i) for i in range(64)))
        await sink.written()  # nothing new: at once
        assert sink.state().undurable_count == 0
        sink.close()

    asyncio.run(run())
    assert sorted(_kept(tmp_path / "main")) == list(range(64))
    assert len(syncs) < 40


def test_lines_put_before_a_wait_are_covered_by_it(tmp_path: Path) -> None:
    async def run() -> None:
        sink = _sink(tmp_path, writer={"sync_every_s": 60.0})
        sink.start(asyncio.get_running_loop())
        sink.put(_line(1))
        await asyncio.sleep(0.06)  # handed over, not synced
        started_s = time.monotonic()
        await sink.written()
        assert sink.state().undurable_count == 0 and time.monotonic() - started_s < 4.0
        sink.close()

    asyncio.run(run())


def test_segments_rotate_by_size_and_age(tmp_path: Path) -> None:
    async def run() -> None:
        sink = _sink(tmp_path, writer={"rotate_after_bytes": 10_000, "rotate_after_s": 0.15})
        sink.start(asyncio.get_running_loop())
        for i in range(5):
            sink.put(_line(i, 12_000))
            await sink.written()
        await _until(lambda: len(closed_segments(tmp_path / "main")) == 5)
        sink.put(_line(5))
        await _until(lambda: len(closed_segments(tmp_path / "main")) == 6)
        sink.close()

    asyncio.run(run())
    assert _kept(tmp_path / "main") == [0, 1, 2, 3, 4, 5]


def test_a_segment_that_gets_nothing_is_closed_soon(tmp_path: Path) -> None:
    async def run() -> None:
        sink = _sink(tmp_path, writer={"rotate_idle_s": 0.1})
        sink.start(asyncio.get_running_loop())
        sink.put(_line(0))
        await _until(lambda: len(closed_segments(tmp_path / "main")) == 1)
        sink.put(_line(1))
        await _until(lambda: len(closed_segments(tmp_path / "main")) == 2)
        sink.close()

    asyncio.run(run())


def test_torn_tails_of_the_dead_are_cut_and_the_living_are_left_alone(tmp_path: Path) -> None:
    whole = tmp_path / f"relay-0-1{OPEN_SUFFIX}"
    whole.write_bytes(_line(1) + _line(2) + b'{"i":3,"x":')
    (tmp_path / f"relay-0-2{OPEN_SUFFIX}").write_bytes(b'{"i":4' + b"x" * 200_000)
    living = Segment(tmp_path, "relay-1-3")
    living.write(_line(5))
    assert close_left_segments(tmp_path) == 2
    assert [each.name for each in closed_segments(tmp_path)] == ["relay-0-1.jsonl"]
    assert (tmp_path / "relay-0-1.jsonl").read_bytes() == _line(1) + _line(2)
    living.close()
    assert _kept(tmp_path) == [1, 2, 5]


def test_a_segment_taken_away_before_it_was_locked_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock

    def late(fd: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        close_left_segments(tmp_path)
        lock(fd, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(FileNotFoundError):
        Segment(tmp_path, "relay-0-1")


class Full(Segment):
    """A disk with room for so many bytes."""

    room = 0

    def write(self, data: bytes) -> int:
        kept = os.write

        def write(fd: int, view: bytes) -> int:
            if Full.room <= 0:
                raise OSError(errno.ENOSPC, "no space left")
            count = kept(fd, bytes(view)[: Full.room])
            Full.room -= count
            return count

        os.write = write  # type: ignore[assignment]
        try:
            return super().write(data)
        finally:
            os.write = kept


def test_a_disk_that_fills_up_in_the_middle_of_a_line_loses_and_doubles_nothing(tmp_path: Path) -> None:
    def make(folder: Path, name: str) -> Segment:
        return Full(folder, name) if folder.name == "main" else Segment(folder, name)

    async def run() -> None:
        Full.room = 4_321
        counts = Counts()
        sink = _sink(tmp_path, make, counters=counts)
        sink.start(asyncio.get_running_loop())
        for i in range(300):
            sink.put(_line(i, 100))
            if i % 50 == 0:
                await sink.written()
        await sink.written()
        assert sink.state().undurable_count == 0, "the spill folder is durable too"
        sink.close()
        assert counts.counts["sink_errors_total"] >= 1
        assert counts.counts["calls_written_total"] == 300
        assert counts.counts["calls_spilled_total"] > 200
        assert "calls_dropped_total" not in counts.counts

    asyncio.run(run())
    assert len(_kept(tmp_path / "main")) == 4_321 // len(_line(10, 100))
    assert sorted(_kept(tmp_path / "main", tmp_path / "spill")) == list(range(300))


def test_the_folder_is_used_again_when_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.gateway.metering.writer.RETRY_S", 0.05)

    def make(folder: Path, name: str) -> Segment:
        return Full(folder, name) if folder.name == "main" else Segment(folder, name)

    async def run() -> None:
        Full.room = 0
        sink = _sink(tmp_path, make)
        sink.start(asyncio.get_running_loop())
        sink.put(_line(0))
        await sink.written()
        Full.room = 1_000_000
        await asyncio.sleep(0.1)
        sink.put(_line(1))
        await sink.written()
        sink.close()

    asyncio.run(run())
    assert (_kept(tmp_path / "spill"), _kept(tmp_path / "main")) == ([0], [1])


def test_a_real_limit_of_file_sizes_is_survived(tmp_path: Path) -> None:
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    async def run() -> None:
        sink = _sink(tmp_path)
        sink.start(asyncio.get_running_loop())
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
        for i in range(200):
            sink.put(_line(i, 90))
            if i % 20 == 0:
                await sink.written()
        await sink.written()
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sink.close()
        state = sink.state()
        assert state.failures_count > 0 and state.spilled_count > 0
        assert state.dropped_count + state.written_count == 200

    try:
        asyncio.run(run())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    kept = _kept(tmp_path / "main", tmp_path / "spill")
    assert len(kept) == len(set(kept))
    assert len(kept) >= 2 * 10_000 // len(_line(100, 90)) - 2


def test_a_sync_that_fails_is_not_believed(tmp_path: Path) -> None:
    class Lying(Segment):
        def sync(self) -> None:
            raise OSError(errno.EIO, "input/output error")

    def make(folder: Path, name: str) -> Segment:
        return Lying(folder, name) if folder.name == "main" else Segment(folder, name)

    async def run() -> None:
        sink = _sink(tmp_path, make)
        sink.start(asyncio.get_running_loop())
        for i in range(20):
            sink.put(_line(i))
        await sink.written()
        assert sink.state().undurable_count == 0
        sink.close()
        assert sink.state().written_count == 20

    asyncio.run(run())
    assert _kept(tmp_path / "main") == []
    assert _kept(tmp_path / "spill") == list(range(20))


def test_what_neither_folder_takes_is_counted_and_nobody_waits_for_it(tmp_path: Path) -> None:
    class Gone(Segment):
        def __init__(self, folder: Path, name: str) -> None:
            raise OSError(errno.EROFS, "read-only file system")

    async def run() -> None:
        counts = Counts()
        sink = _sink(tmp_path, Gone, counters=counts)
        sink.start(asyncio.get_running_loop())
        for i in range(10):
            sink.put(_line(i))
        await asyncio.wait_for(sink.written(), 5.0)
        sink.close()
        assert counts.counts["calls_dropped_total"] == 10
        assert counts.counts["sink_undurable_waits"] == 1
        assert counts.gauges["sink_queue_bytes"] == 0

    asyncio.run(run())


class Stuck(Segment):
    """A disk that answers nothing until its pipe is read."""

    gate = threading.Event()
    reached = threading.Event()

    def write(self, data: bytes) -> int:
        fifo = self.path.parent.parent / "fifo"
        Stuck.reached.set()
        with fifo.open("wb"):  # blocks until somebody opens the other end
            return super().write(data)


def _stuck_main(folder: Path, name: str) -> Segment:
    return Stuck(folder, name) if folder.name == "main" else Segment(folder, name)


def test_a_stuck_disk_holds_up_nobody_and_the_spill_folder_takes_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    Stuck.reached.clear()

    async def run() -> None:
        counts = Counts()
        sink = _sink(tmp_path, _stuck_main, counters=counts, stuck_after_s=0.1)
        sink.start(asyncio.get_running_loop())
        sink.put(_line(0))
        await _until(Stuck.reached.is_set)
        turns = 0
        for i in range(1, 2_000):
            sink.put(_line(i))
            if i % 10 == 0:
                await asyncio.sleep(0.001)
                turns += 1  # the loop turned while the disk hung
        assert turns == 199 and not _kept(tmp_path / "main")
        await _until(lambda: sink.state().is_stuck)
        await _until(lambda: len(_kept(tmp_path / "spill")) == 1_999)
        assert sink.state().queue_bytes_count == len(_line(0))
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        await _until(lambda: not sink.state().is_stuck)
        os.close(reader)
        sink.close()
        assert counts.counts["calls_spilled_total"] == 1_999
        assert "calls_dropped_total" not in counts.counts

    asyncio.run(run())
    assert _kept(tmp_path / "main") == [0]
    assert sorted(_kept(tmp_path / "main", tmp_path / "spill")) == list(range(2_000))


def test_waiting_for_a_stuck_disk_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    Stuck.reached.clear()

    async def run() -> None:
        sink = _sink(tmp_path, _stuck_main, wait_max_s=0.2)
        sink.start(asyncio.get_running_loop())
        sink.put(_line(0))
        await asyncio.wait_for(sink.written(), 5.0)
        assert sink.state().undurable_count == 1
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        sink.close()
        os.close(reader)

    asyncio.run(run())
    assert _kept(tmp_path / "main") == [0]


def test_memory_is_bounded_with_every_disk_stuck(tmp_path: Path) -> None:
    """The queue takes so many bytes and no more; the rest is dropped and counted, and put stays as quick."""
    import tracemalloc

    os.mkfifo(tmp_path / "fifo")
    Stuck.reached.clear()

    async def run() -> None:
        counts = Counts()
        limit = 2**20
        sink = _sink(tmp_path, Stuck, counters=counts, queue_max_bytes=limit, stuck_after_s=0.05)
        sink.start(asyncio.get_running_loop())
        sink.put(_line(0))
        await _until(Stuck.reached.is_set)
        tracemalloc.start()
        for i in range(1, 20_001):
            sink.put(_line(i, 1_000))
            if i % 200 == 0:
                await asyncio.sleep(0.001)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        state = sink.state()
        assert state.queue_bytes_count <= limit + 2 * 256 * 1024
        assert peak < 3 * limit, "20 MB were put"
        assert state.dropped_count > 15_000
        stop = threading.Event()
        readers = threading.Thread(target=_open_again_and_again, args=(tmp_path / "fifo", stop))
        readers.start()
        await _until(lambda: sink.state().queue_bytes_count == 0)
        sink.close()
        stop.set()
        readers.join()
        state = sink.state()
        assert state.written_count + state.dropped_count == 20_001
        assert counts.counts["calls_dropped_total"] == state.dropped_count

    asyncio.run(run())
    kept = _kept(tmp_path / "main", tmp_path / "spill")
    assert len(kept) == len(set(kept)) > 900


def _open_again_and_again(fifo: Path, stop: threading.Event) -> None:
    while not stop.is_set():
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        time.sleep(0.002)
        os.close(reader)


def test_a_folder_that_is_taken_away_is_made_again(tmp_path: Path) -> None:
    import shutil

    async def run() -> None:
        sink = _sink(tmp_path, writer={"rotate_after_bytes": 1})
        sink.start(asyncio.get_running_loop())
        sink.put(_line(0))
        await sink.written()
        shutil.rmtree(tmp_path / "main")
        sink.put(_line(1))
        await sink.written()
        sink.close()

    asyncio.run(run())
    assert _kept(tmp_path / "main", tmp_path / "spill") == [1]


def test_spill_folders_of_two_logs_differ(tmp_path: Path) -> None:
    assert spill_folder(tmp_path / "a") != spill_folder(tmp_path / "b")
