"""Trace thread: exports the Calls that relays write as spans, in the control process, a second behind."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final, Protocol

from breakeven import __version__
from breakeven.gateway.metering.write_ahead import write_ahead_folder
from breakeven.gateway.telemetry.call_follower import CallFollower

PERIOD_S: Final = 1.0
POSITIONS_NAME: Final = "traces.json"


class _Counts(Protocol):
    def count(self, name: str, n: float = 1, label: str = "") -> None: ...


class TraceThread:
    """Follows the write-ahead log of one gateway."""

    def __init__(self, endpoint: str, state_folder: Path, counters: _Counts, period_s: float = PERIOD_S) -> None:
        self._endpoint = endpoint
        self._counters = counters
        self._period_s = period_s
        self._follower = CallFollower(
            write_ahead_folder(state_folder),
            state_folder / POSITIONS_NAME,
            lambda: counters.count("events_total", 1, "traces_left_behind"),
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)

    def start(self) -> None:
        """Begin with what comes from now on."""
        self._thread.start()

    def close(self) -> None:
        """Export what is there, and end."""
        self._stop.set()
        self._thread.join(2 * self._period_s + 5.0)

    def _run(self) -> None:
        from breakeven.gateway.telemetry.traces import SpanExport

        export = SpanExport(self._endpoint, __version__)
        while True:
            is_last = self._stop.wait(self._period_s)
            exported, dropped = export.exported_count, export.dropped_count
            export.export(self._follower.lines())
            self._counters.count("spans_exported_total", export.exported_count - exported)
            self._counters.count("spans_dropped_total", export.dropped_count - dropped)
            self._follower.keep()
            if is_last:
                break
        self._follower.close()
        export.close()
