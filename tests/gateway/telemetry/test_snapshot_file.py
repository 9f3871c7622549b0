"""Snapshot files: whole, gone on from, and still told when the disk of the state folder is full."""

from __future__ import annotations

import errno
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.merged import merged, read_snapshots
from breakeven.gateway.telemetry.snapshot_file import (
    SnapshotWriter,
    is_ours,
    last_snapshot,
    snapshot_path,
    spare_folder,
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    shutil.rmtree(spare_folder(tmp_path), ignore_errors=True)


def refusals(state: Path) -> float:
    snapshots = read_snapshots(state)
    at_s = max(each["written_unix_s"] for each in snapshots.values())
    return sum(merged(snapshots, at_s).numbers["refusals_total"].values())


def full_disk(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Half of a file is written, then nothing more, but only below `folder`."""
    write = Path.write_bytes

    def fails(self: Path, data: bytes) -> int:
        if folder in self.parents:
            write(self, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", fails)


def test_a_process_goes_on_from_its_last_snapshot(state: Path) -> None:
    counters = Counters()
    counters.refused("x")
    SnapshotWriter(counters, state, "relay-0").write()
    again = Counters(previous=last_snapshot(state, "relay-0"))
    again.refused("x")
    assert again.refusals() == {"x": 2}
    assert last_snapshot(state, "relay-1") is None
    assert [each.name for each in (state / "metrics").iterdir()] == ["relay-0.json"]


def test_a_full_disk_hides_no_number(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = Counters()
    writer = SnapshotWriter(counters, state, "relay-0")
    counters.refused("before")
    writer.write()
    with monkeypatch.context() as patch:
        full_disk(patch, state)
        counters.refused("while full")
        writer.write()
        assert refusals(state) == 2
        told = orjson.loads(last_snapshot(state, "relay-0") or b"")
        assert ["events_total", "snapshot_not_written", 1] in told["counts"]
        assert not list((state / "metrics").glob("*.tmp"))
    counters.refused("after")
    writer.write()
    assert refusals(state) == 3
    assert list(spare_folder(state).iterdir()) == [], "what is told in its place again is told there only"


def test_a_spare_folder_of_somebody_else_is_not_used(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spare = spare_folder(state)
    spare.mkdir(mode=0o777)
    spare.chmod(0o777)
    (spare / "relay-0.json").write_text('{"version": 1}')
    assert not is_ours(spare)
    full_disk(monkeypatch, state)
    counters = Counters()
    counters.refused("x")
    SnapshotWriter(counters, state, "relay-0").write()
    assert read_snapshots(state) == {}
    assert (spare / "relay-0.json").read_text() == '{"version": 1}'


def test_the_spare_folder_is_for_us_alone(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full_disk(monkeypatch, state)
    SnapshotWriter(Counters(), state, "relay-0").write()
    assert stat.S_IMODE(spare_folder(state).stat().st_mode) == 0o700


def test_the_thread_writes_at_once_and_at_its_end(state: Path) -> None:
    counters = Counters()
    writer = SnapshotWriter(counters, state, "relay-0", period_s=3600)
    writer.start()
    counters.refused("x")
    writer.close()
    assert orjson.loads(snapshot_path(state, "relay-0").read_bytes())["counts"] == [["refusals_total", "x", 1.0]]
