"""Writer: a thread that writes pieces of the write-ahead log into segments of one folder.

It is the only one to touch the disk, so a disk that hangs holds up nobody else. What it cannot write it refuses, piece
by piece, to whom its owner named (the writer of the spill folder, or the one who counts what is lost).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from breakeven.gateway.metering.segments import Segment, close_left_segments

RETRY_S: Final = 1.0
"""A folder that failed is tried again after so long."""
_PIECES_AT_ONCE: Final = 4096


class Mark:
    """Whether everything handed over at one time is settled: on the disk, or lost and counted."""

    __slots__ = ("_lock", "_open_count", "is_lost", "is_settled")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open_count = 1
        self.is_settled = False
        self.is_lost = False

    def split(self) -> None:
        """One piece became two."""
        with self._lock:
            self._open_count += 1

    def settle(self, *, is_lost: bool = False) -> None:
        """One piece is settled."""
        with self._lock:
            self._open_count -= 1
            self.is_lost |= is_lost
            self.is_settled = self._open_count == 0


@dataclass(slots=True)
class Piece:
    """Whole lines that are written together."""

    data: bytes
    mark: Mark
    is_waited: bool = False
    """Somebody waits till it is on the disk."""


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """How a writer works."""

    sync_every_s: float = 1.0
    rotate_after_s: float = 60.0
    rotate_idle_s: float = 5.0
    """A segment that got nothing for so long is closed: who tries the gateway out sees the Calls soon."""
    rotate_after_bytes: int = 64 * 2**20
    make_segment: Callable[[Path, str], Segment] = field(default=Segment)


class Writer:
    """Writes to one folder."""

    def __init__(
        self,
        folder: Path,
        prefix: str,
        on_refused: Callable[[list[Piece]], None],
        on_settled: Callable[[], None],
        settings: WriterSettings,
    ) -> None:
        self.folder = folder
        self.written_bytes_count = 0
        self.written_count = 0
        """Lines."""
        self.failures_count = 0
        self.busy_since_s: float | None = None
        """Since when (monotonic) the disk has been at work on the same thing."""
        self._prefix = prefix
        self._on_refused = on_refused
        self._on_settled = on_settled
        self._settings = settings
        self._queue: SimpleQueue[Piece | None] = SimpleQueue()
        self._segment: Segment | None = None
        self._segment_since_s = self._written_s = 0.0
        self._unsynced: list[Piece] = []
        self._synced_s = 0.0
        self._retry_s = 0.0
        self._segments_count = 0
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def put(self, piece: Piece) -> None:
        """Hand over; never blocks. From any thread, once started."""
        self._queue.put(piece)

    def start(self) -> None:
        """Start the thread; nothing if it runs. From any thread."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"write-ahead-{self._prefix}", daemon=True)
                self._thread.start()

    def take_back(self) -> list[Piece]:
        """What still waits in the queue, oldest first: for another writer, while the disk hangs."""
        found: list[Piece] = []
        with suppress(Empty):
            while (piece := self._queue.get_nowait()) is not None:
                found.append(piece)
            self._queue.put(None)
        return found

    def end(self, wait_s: float) -> bool:
        """Write what is queued, close the segment, end the thread; False when that took too long."""
        if self._thread is None:
            return True
        self._queue.put(None)
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        is_ending = False
        self._guarded(self._prepare)
        while not is_ending:
            pieces, is_ending = self._next()
            self.busy_since_s = time.monotonic()
            self._guarded(self._work, pieces)
            if is_ending:
                self._guarded(self._close)
            self.busy_since_s = None

    def _guarded(self, work: Callable[..., None], *arguments: list[Piece]) -> None:
        """The thread outlives whatever the disk says."""
        try:
            work(*arguments)
        except OSError:
            self._fail([])

    def _next(self) -> tuple[list[Piece], bool]:
        """All pieces that wait; at the latest when a sync or a rotation is due."""
        found: list[Piece] = []
        with suppress(Empty):
            piece = self._queue.get(timeout=self._idle_s())
            while piece is not None:
                found.append(piece)
                if len(found) == _PIECES_AT_ONCE:
                    return found, False
                piece = self._queue.get_nowait()
            return found, True
        return found, False

    def _idle_s(self) -> float | None:
        """How long there is nothing to do unless something comes; None: for good."""
        if self._segment is None:
            return None
        due_s = self._rotation_due_s()
        if self._unsynced:
            due_s = min(due_s, self._synced_s + self._settings.sync_every_s)
        return max(due_s - time.monotonic(), 0.0)

    def _prepare(self) -> None:
        """Make the folder, and close what dead processes left in it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        close_left_segments(self.folder)

    def _work(self, pieces: list[Piece]) -> None:
        for i, piece in enumerate(pieces):
            if not self._write(piece):
                self._refuse(pieces[i + 1 :])
                return
        now_s = time.monotonic()
        if any(each.is_waited for each in pieces) or now_s - self._synced_s >= self._settings.sync_every_s:
            self._sync()
        segment = self._segment
        if segment is not None and (
            segment.bytes_count >= self._settings.rotate_after_bytes or now_s >= self._rotation_due_s()
        ):
            self._close()

    def _rotation_due_s(self) -> float:
        return min(
            self._segment_since_s + self._settings.rotate_after_s, self._written_s + self._settings.rotate_idle_s
        )

    def _write(self, piece: Piece) -> bool:
        """Write one piece; False after a failure, when what it has left was refused."""
        if not piece.data:
            self._unsynced.append(piece)
            return True
        try:
            segment = self._segment or self._open()
        except OSError:
            self._fail([piece])
            return False
        written = segment.write(piece.data)
        self._written_s = time.monotonic()
        self.written_bytes_count += written
        self.written_count += piece.data.count(b"\n", 0, written)
        if written == len(piece.data):
            self._unsynced.append(piece)
            return True
        rest = Piece(piece.data[written:], piece.mark, piece.is_waited)
        if written:
            piece.mark.split()
            self._unsynced.append(Piece(piece.data[:written], piece.mark, piece.is_waited))
        self._fail([rest])
        return False

    def _open(self) -> Segment:
        if time.monotonic() < self._retry_s:
            raise BlockingIOError("failed a moment ago")
        if not self.folder.is_dir():
            self._prepare()
        name = f"{self._prefix}-{time.time_ns()}-{os.getpid()}-{self._segments_count}"
        self._segments_count += 1
        self._segment = self._settings.make_segment(self.folder, name)
        self._segment_since_s = self._synced_s = self._written_s = time.monotonic()
        return self._segment

    def _fail(self, pieces: list[Piece]) -> None:
        """Close the segment, refuse `pieces`, and leave the folder alone for a moment."""
        now_s = time.monotonic()
        if now_s >= self._retry_s:
            self.failures_count += 1
            self._retry_s = now_s + RETRY_S
        if self._segment is not None:
            with suppress(OSError):
                self._close()
        self._refuse(pieces)

    def _sync(self) -> None:
        """Put what was written on the disk; where that fails nothing of it is trusted, and all of it is refused."""
        segment, pieces = self._segment, self._unsynced
        self._synced_s = time.monotonic()
        if segment is not None:
            try:
                segment.sync()
            except OSError:
                self._distrust(segment)
                return
        self._settle(pieces)

    def _close(self) -> None:
        segment = self._segment
        if segment is None:
            return
        try:
            segment.sync()
        except OSError:
            self._distrust(segment)
            return
        self._segment = None
        self._settle(self._unsynced)
        segment.close()

    def _distrust(self, segment: Segment) -> None:
        self._segment = None
        pieces, self._unsynced = self._unsynced, []
        self.written_bytes_count -= sum(len(each.data) for each in pieces)
        self.written_count -= sum(each.data.count(b"\n") for each in pieces)
        self.failures_count += 1
        self._retry_s = time.monotonic() + RETRY_S
        segment.give_up()
        self._refuse(pieces)

    def _settle(self, pieces: list[Piece]) -> None:
        self._unsynced = []
        for each in pieces:
            each.mark.settle()
        if any(each.is_waited for each in pieces):
            self._on_settled()

    def _refuse(self, pieces: list[Piece]) -> None:
        if pieces:
            self._on_refused(pieces)
