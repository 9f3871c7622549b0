"""Snapshot file: `STATE/metrics/NAME.json`, where a process tells its numbers once a second."""

from __future__ import annotations

import threading
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


def last_snapshot(state_folder: Path, name: str) -> bytes | None:
    """What it told last; None where there is nothing to read. `Counters(previous=...)` goes on from it."""
    try:
        with snapshot_path(state_folder, name).open("rb") as file:
            return file.read(SNAPSHOT_MAX_BYTES)
    except OSError:
        return None


class SnapshotWriter:
    """A thread that writes snapshots; a full disk loses numbers on a page, never a request."""

    def __init__(self, counters: _Snapshots, state_folder: Path, name: str, period_s: float = PERIOD_S) -> None:
        self._counters = counters
        self._path = snapshot_path(state_folder, name)
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
        """Replace the file as a whole."""
        target = self._path
        spare = target.with_suffix(".tmp")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            spare.write_bytes(self._counters.snapshot())
            spare.replace(target)
        except OSError:
            self._counters.count("events_total", 1, "snapshot_not_written")

    def _run(self) -> None:
        while True:
            self.write()
            if self._stop.wait(self._period_s):
                self.write()
                return
