"""Snapshot file: `STATE/metrics/NAME.json`, where a process tells its numbers once a second."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

FOLDER: Final = "metrics"
PERIOD_S: Final = 1.0
SNAPSHOT_MAX_BYTES: Final = 64 * 2**20


class _Snapshots(Protocol):
    def snapshot(self) -> bytes: ...

    def count(self, name: str, n: float = 1, label: str = "") -> None: ...


def snapshot_path(state_folder: Path, name: str) -> Path:
    """Where the process `name` (`relay-0`, `control`, `supervisor`) tells its numbers."""
    return state_folder / FOLDER / f"{name}.json"


def spare_folder(state_folder: Path) -> Path:
    """Where snapshots go when the state folder takes none: in memory, or else beside other temporary files."""
    name = hashlib.sha256(os.fsencode(state_folder.absolute())).hexdigest()[:16]
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it is checked to be ours alone
    place = memory if memory.is_dir() and os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    return place / f"breakeven-metrics-{os.getuid()}-{name}"


def is_ours(folder: Path) -> bool:
    """Whether a folder in a place that everybody may write is no one's but ours."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def snapshot_paths(state_folder: Path) -> Iterator[Path]:
    """All snapshots that there are, those in the spare folder included."""
    spare = spare_folder(state_folder)
    for folder in (state_folder / FOLDER, *((spare,) if is_ours(spare) else ())):
        yield from sorted(folder.glob("*.json"))


def last_snapshot(state_folder: Path, name: str) -> bytes | None:
    """What it told last; None where there is nothing to read. `Counters(previous=...)` goes on from it."""
    found = [each for each in snapshot_paths(state_folder) if each.stem == name]
    try:
        newest = max(found, key=lambda each: each.stat().st_mtime_ns, default=None)
        if newest is None:
            return None
        with newest.open("rb") as file:
            return file.read(SNAPSHOT_MAX_BYTES)
    except OSError:
        return None


class SnapshotWriter:
    """A thread that writes snapshots: numbers that tell of a full disk do not travel through it alone."""

    def __init__(self, counters: _Snapshots, state_folder: Path, name: str, period_s: float = PERIOD_S) -> None:
        self._counters = counters
        self._path = snapshot_path(state_folder, name)
        self._spare = spare_folder(state_folder)
        self._period_s = period_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def start(self) -> None:
        """Write one now and one each period."""
        self._thread.start()

    def close(self) -> None:
        """Write the last one."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def write(self) -> None:
        """Replace the file as a whole, in the state folder or, where that cannot be, in the spare one."""
        spare = self._spare / self._path.name
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._replace(self._path)
            spare.unlink(missing_ok=True)
        except OSError:
            self._counters.count("events_total", 1, "snapshot_not_written")
            with suppress(OSError):
                self._spare.mkdir(mode=0o700, exist_ok=True)
                if is_ours(self._spare):
                    self._replace(spare)

    def _replace(self, target: Path) -> None:
        written = target.with_suffix(".tmp")
        try:
            written.write_bytes(self._counters.snapshot())
            written.replace(target)
        except OSError:
            written.unlink(missing_ok=True)
            raise

    def _run(self) -> None:
        while True:
            self.write()
            if self._stop.wait(self._period_s):
                self.write()
                return
