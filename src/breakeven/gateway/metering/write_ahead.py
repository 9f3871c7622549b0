"""Write-ahead log: where a relay puts its Calls down before anything else is done with them.

Lines are collected for 20 ms (or 256 KB) and handed to one thread, which appends them to a file and syncs it once a
second; `kill -9` costs at most what was collected in the last 20 ms, a power cut the last second. With
`durability="request"` the relay waits for `written()` before it answers, and many requests share one sync.

When the folder fails (full, gone, I/O error) or hangs, pieces go to the spill folder, by default on another
file system; when that fails too, Calls are dropped and counted. The queue is bounded. Nothing here ever blocks the
event loop or raises.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Protocol

from breakeven.gateway.metering.writer import Mark, Piece, Writer, WriterSettings

FOLDER_NAME: Final = "write-ahead"
HAND_OVER_S: Final = 0.02
PUBLISH_EVERY_S: Final = 1.0
HAND_OVER_BYTES: Final = 256 * 1024
QUEUE_MAX_BYTES: Final = 64 * 2**20
STUCK_AFTER_S: Final = 2.0
"""A disk that has not answered for so long hangs: what comes goes to the spill folder until it answers."""
WAIT_MAX_S: Final = 5.0
"""`written()` waits no longer than this: a client is worth more than a record."""


_COUNTERS: Final = (
    "calls_written_total",
    "calls_spilled_total",
    "calls_dropped_total",
    "sink_errors_total",
    "sink_undurable_waits",
)
"""Names in telemetry's table of metrics, in the order of `_publish`; the last is one of its events."""


class Counting(Protocol):
    """What the log asks of `telemetry/counters.py`."""

    def count(self, name: str, times_count: float = 1, /) -> None:
        """Add to a counter."""
        ...

    def gauge(self, name: str, value: float) -> None:
        """Set a gauge."""
        ...


@dataclass(frozen=True, slots=True)
class WriteAheadState:
    """Where the log stands."""

    queue_bytes_count: int
    put_count: int
    written_count: int
    dropped_count: int
    """Calls that were lost: no room in the queue, or both folders failed."""
    spilled_count: int
    """Calls that went to the spill folder."""
    failures_count: int
    """How often a folder failed."""
    undurable_count: int
    """How often somebody waited in vain for the disk."""
    is_stuck: bool


@dataclass(frozen=True, slots=True)
class _Waiter:
    future: asyncio.Future[None]
    number: int
    """Of the last piece that it waits for."""
    until_s: float


def write_ahead_folder(state_folder: Path) -> Path:
    """Where the log of a gateway lies.

    >>> write_ahead_folder(Path("state")).as_posix()
    'state/write-ahead'
    """
    return state_folder / FOLDER_NAME


def spill_folder(folder: Path) -> Path:
    """Where pieces go that `folder` does not take: beside other temporary files, one folder for each log and user."""
    name = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"breakeven-spill-{os.getuid()}-{name}"


class WriteAhead:
    """The sink of one relay process. All methods belong to the thread of its event loop."""

    def __init__(
        self,
        folder: Path,
        process_index: int,
        durability: Literal["batch", "request"] = "batch",
        counters: Counting | None = None,
        *,
        spill: Path | None = None,
        settings: WriterSettings | None = None,
        queue_max_bytes: int = QUEUE_MAX_BYTES,
        stuck_after_s: float = STUCK_AFTER_S,
        wait_max_s: float = WAIT_MAX_S,
    ) -> None:
        chosen = settings or WriterSettings()
        self.durability = durability
        self._counters = counters
        self._queue_max_bytes = queue_max_bytes
        self._stuck_after_s = stuck_after_s
        self._wait_max_s = wait_max_s
        prefix = f"relay-{process_index}"
        self._spill = Writer(spill or spill_folder(folder), prefix, self._lose, self._wake, replace(chosen))
        self._main = Writer(folder, prefix, self._divert, self._wake, chosen)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lines: list[bytes] = []
        self._lines_bytes_count = 0
        self._handed_bytes_count = 0
        self._lost_bytes_count = 0
        self._lost_count = 0
        self._refused_count = 0
        self._spilled_count = 0
        self._spilling = threading.Lock()
        self._put_count = 0
        self._undurable_count = 0
        self._is_ticking = False
        self._is_stuck = False
        self._is_full = False
        self._marks: deque[Mark] = deque()
        self._settled_count = 0
        """How many were taken from the left of `_marks`."""
        self._lost_until = 0
        """Number of the last piece that was lost."""
        self._waiters: deque[_Waiter] = deque()
        self._told = (0, 0, 0, 0, 0)
        self._told_s = 0.0
        self._is_publishing = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to write; what was put before waits for this."""
        self._loop = loop
        self._main.start()
        if self._lines:
            self._schedule()

    def put(self, line: bytes) -> None:
        """One Call as a JSON line, with its newline. Never blocks, never raises."""
        if self._is_full:
            self._refused_count += 1
            return
        self._put_count += 1
        self._lines.append(line)
        self._lines_bytes_count += len(line)
        if self._lines_bytes_count >= HAND_OVER_BYTES:
            self._hand_over()
        if not self._is_ticking:
            self._schedule()

    def written(self) -> asyncio.Future[None]:
        """Done when everything put before is on the disk, or (counted) when it is lost or the wait took too long."""
        loop = self._loop or asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._hand_over(is_waited=True)
        if not self._marks:
            future.set_result(None)
            return future
        number = self._settled_count + len(self._marks)
        self._waiters.append(_Waiter(future, number, time.monotonic() + self._wait_max_s))
        if not self._is_ticking:
            self._schedule()
        return future

    def state(self) -> WriteAheadState:
        """Where the log stands."""
        return WriteAheadState(
            queue_bytes_count=self._queued_bytes_count(),
            put_count=self._put_count,
            written_count=self._main.written_count + self._spill.written_count,
            dropped_count=self._lost_count + self._refused_count,
            spilled_count=self._spilled_count,
            failures_count=self._main.failures_count + self._spill.failures_count,
            undurable_count=self._undurable_count,
            is_stuck=self._is_stuck,
        )

    def close(self, wait_s: float = 5.0) -> None:
        """Write what is left and close the segments, within `wait_s`. Blocks: only after the last request."""
        until_s = time.monotonic() + wait_s
        self._hand_over()
        self._main.start()
        if not self._main.end(wait_s / 2):
            self._move_to_spill()
        self._spill.end(max(until_s - time.monotonic(), 0.1))
        self._settle()
        self._loop = None
        lost = self._queued_bytes_count()
        if lost > 0 and self._put_count:
            self._lost_count += sum(each.data.count(b"\n") for each in self._main.take_back() + self._spill.take_back())
        self._publish()

    def _schedule(self) -> None:
        if self._loop is not None:
            self._is_ticking = True
            self._loop.call_later(HAND_OVER_S, self._tick)

    def _tick(self) -> None:
        """Every 20 ms while there is something to do."""
        self._is_ticking = False
        self._hand_over()
        self._settle()
        busy_since_s = self._main.busy_since_s
        now_s = time.monotonic()
        self._is_stuck = busy_since_s is not None and now_s - busy_since_s > self._stuck_after_s
        if self._is_stuck:
            self._move_to_spill()
        queued = self._queued_bytes_count()
        self._is_full = queued >= self._queue_max_bytes
        if queued or self._waiters or self._is_stuck:
            self._schedule()
        if now_s - self._told_s >= PUBLISH_EVERY_S:
            self._publish()
        elif not self._is_publishing and self._loop is not None:
            self._is_publishing = True
            self._loop.call_later(PUBLISH_EVERY_S, self._publish)

    def _hand_over(self, *, is_waited: bool = False) -> None:
        """Give what was collected to the writer."""
        if self._lines and self._loop is not None:
            piece = Piece(b"".join(self._lines), Mark(), is_waited)
            self._handed_bytes_count += len(piece.data)
            self._lines = []
            self._lines_bytes_count = 0
            self._marks.append(piece.mark)
            if self._is_stuck:
                self._put_to_spill([piece])
            else:
                self._main.put(piece)
            self._is_full = self._queued_bytes_count() >= self._queue_max_bytes
        elif is_waited and self._marks:
            self._ask_for_sync()
        elif self._loop is None:  # not begun, or closed
            self._is_full = self._lines_bytes_count >= self._queue_max_bytes

    def _ask_for_sync(self) -> None:
        """A piece without bytes: whoever takes it syncs what it wrote before."""
        mark = Mark()
        self._marks.append(mark)
        self._main.put(Piece(b"", mark, is_waited=True))

    def _queued_bytes_count(self) -> int:
        """Bytes that are neither written nor lost."""
        done = self._main.written_bytes_count + self._spill.written_bytes_count + self._lost_bytes_count
        return self._handed_bytes_count - done + self._lines_bytes_count

    def _settle(self) -> None:
        """Release whoever waited for what is settled now."""
        while self._marks and self._marks[0].is_settled:
            self._settled_count += 1
            if self._marks.popleft().is_lost:
                self._lost_until = self._settled_count
        now_s = time.monotonic()
        while self._waiters:
            waiter = self._waiters[0]
            is_settled = waiter.number <= self._settled_count
            if not is_settled and now_s < waiter.until_s:
                return
            self._waiters.popleft()
            self._undurable_count += not is_settled or waiter.number == self._lost_until
            if not waiter.future.done():
                waiter.future.set_result(None)

    def _wake(self) -> None:
        """From a writer's thread: somebody's piece is on the disk."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._settle)

    def _divert(self, pieces: list[Piece]) -> None:
        """From the thread of the main writer: its folder failed."""
        self._put_to_spill(pieces)

    def _move_to_spill(self) -> None:
        self._put_to_spill(self._main.take_back())

    def _put_to_spill(self, pieces: list[Piece]) -> None:
        if not pieces:
            return
        with self._spilling:  # both threads may come here
            self._spilled_count += sum(each.data.count(b"\n") for each in pieces)
        for each in pieces:
            self._spill.put(each)
        self._spill.start()

    def _lose(self, pieces: list[Piece]) -> None:
        """From the thread of the spill's writer: it failed as well."""
        for each in pieces:
            self._lost_bytes_count += len(each.data)
            self._lost_count += each.data.count(b"\n")
            each.mark.settle(is_lost=True)
        if any(each.is_waited for each in pieces):
            self._wake()

    def _publish(self) -> None:
        """Tell the counters what changed since the last time: once a second, and once more after the last line."""
        self._is_publishing = False
        self._told_s = time.monotonic()
        if self._counters is None:
            return
        state = self.state()
        now = (
            state.written_count,
            state.spilled_count,
            state.dropped_count,
            state.failures_count,
            state.undurable_count,
        )
        for name, new, old in zip(_COUNTERS, now, self._told, strict=True):
            if new != old:
                self._counters.count(name, new - old)
        self._told = now
        self._counters.gauge("sink_queue_bytes", float(state.queue_bytes_count))
