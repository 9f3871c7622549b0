"""Compactor: the process that turns the write-ahead log into Parquet while the relays serve.

It is the only one of the gateway's processes that loads pyarrow. When it is not there, segments wait; when the disk is
full, it tries again later. The relays never notice.
"""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Final, Protocol

from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.metering.compaction import CALLS_FOLDER, compact_once
from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.json_log import JsonLog
from breakeven.gateway.telemetry.snapshot_file import SnapshotWriter, last_snapshot

EVERY_S: Final = 5.0
RETRY_S: Final = 5.0
_NAME: Final = "compactor"


class Ready(Protocol):
    """Told once it runs."""

    def set(self) -> None:
        """It runs."""
        ...


def main(settings: GatewaySettings, ready: Ready, pipe: Connection | None = None, every_s: float = EVERY_S) -> None:
    """Compact again and again until SIGTERM; then once more, and end."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    if pipe is not None:
        threading.Thread(target=_drain, args=(pipe,), daemon=True).start()
    counters = Counters(previous=last_snapshot(settings.state_folder, _NAME))
    log = JsonLog(_NAME, counters)
    writer = SnapshotWriter(counters, settings.state_folder, _NAME)
    writer.start()
    with suppress(OSError):  # so that `breakeven import STATE/calls` finds a folder from the first moment
        (settings.state_folder / CALLS_FOLDER).mkdir(parents=True, exist_ok=True)
    ready.set()
    try:
        wait_s = 0.0
        while not stop.wait(wait_s):
            wait_s = every_s if _compact(settings.state_folder, counters, log) else min(RETRY_S, every_s)
        _compact(settings.state_folder, counters, log)
    finally:
        writer.close()


def _compact(state_folder: Path, counters: Counters, log: JsonLog) -> bool:
    try:
        done = compact_once(state_folder)
    except OSError as error:
        counters.count("compaction_failures")
        log.say("compaction_failed", "error", why=str(error))
        return False
    if done.calls_count:
        counters.count("compacted_calls", done.calls_count)
    if done.rejects_count:
        counters.count("compaction_rejects", done.rejects_count)
        log.say("compaction_rejects", "warning", lines=done.rejects_count)
    return True


def _drain(pipe: Connection) -> None:
    """New settings change nothing here; they are read so that whoever sends them does not wait."""
    try:
        while True:
            pipe.recv()
    except (EOFError, OSError):
        return
