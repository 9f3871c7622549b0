"""Pipe: pieces of a stream that go on as they came: whole chunks, each an event in the frame that its reader knows.

Such a piece is told by a few comparisons and waits only for those of other streams that came with it
(`departures.py`); any other goes the ordinary way, through the connection's chunks, the reader and the exchange, which
may know another frame afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from breakeven.gateway.relay.chunks import ChunkReader
from breakeven.gateway.relay.departures import Departures
from breakeven.gateway.wire.frame import Frame
from breakeven.gateway.wire.stream_reader import StreamReader

_SIZES_MAX_COUNT: Final = 4_096
_END: Final = b"\r\n"
_USUAL_TEXT_BYTES: Final = 5
"""By which it is told how many digits the sizes of chunks have; one with more or fewer goes the ordinary way."""


class Moving(Protocol):
    """Whose stream it is, watched by the clock."""

    has_moved: bool


class PipedTo(Protocol):
    """Who gets it: a client's connection."""

    is_full: bool
    transport: asyncio.Transport
    departures: Departures


class Pipe:
    """From one upstream's connection to one client, under one frame."""

    __slots__ = (
        "_begin_bytes_count",
        "_begins",
        "_chunks",
        "_client",
        "_departures",
        "_end",
        "_end_bytes_count",
        "_head",
        "_held",
        "_line",
        "_middle",
        "_middle_bytes_count",
        "_reader",
        "frame",
        "moving",
        "waiting",
        "write",
    )

    def __init__(
        self, frame: Frame, chunks: ChunkReader, reader: StreamReader, moving: Moving, client: PipedTo
    ) -> None:
        self.frame = frame
        self._chunks, self._reader, self._client = chunks, reader, client
        self.moving = moving
        self.write: Callable[[bytes], None] = client.transport.write
        self.waiting = b""
        """What is passed on when everything that came with it was read."""
        self._departures = client.departures
        self._line = self._departures.waiting
        self._held = reader.held
        self._head = frame.head
        self._middle, self._middle_bytes_count = frame.middle, len(frame.middle)
        self._end = frame.tail + _END
        self._end_bytes_count = len(self._end)
        digits_count = len(b"%x" % (frame.head_count + len(frame.middle) + frame.tail_count + _USUAL_TEXT_BYTES))
        self._begin_bytes_count = digits_count + 2 + frame.head_count
        self._begins: dict[int, bytes] = {}
        """Size of a chunk -> how it begins: its size line, and the head of the frame."""

    def passes(self, data: bytes) -> bool:
        """Passes a piece on; False where it goes the ordinary way, all before it has left, and nothing of it did."""
        if self._held or not self._chunks.is_between or self._reader.frame is not self.frame or self._client.is_full:
            self.depart()
            return False
        at, stop_at, texts_bytes_count = 0, len(data), 0
        begins, middle = self._begins, self._middle
        while at < stop_at:
            text_at = at + self._begin_bytes_count
            end = stop = data.find(b'"', text_at)
            if middle:
                end = data.find(b'"', stop + self._middle_bytes_count) if data.startswith(middle, stop) else -1
            after = end + self._end_bytes_count
            begin = begins.get(after - at) or self._new_begin(after - at)
            if not (data.startswith(self._end, end) and data.startswith(begin, at)):
                self.depart()
                return False
            texts_bytes_count += stop - text_at
            at = after
        if self.waiting:
            self.waiting += data
        else:
            self.waiting = data
            line = self._line
            if not line:
                self._departures.begin()
            line.append(self)
        self._reader.text_bytes_count += texts_bytes_count
        self.moving.has_moved = True
        return True

    def depart(self) -> None:
        """What waits goes to the client now, if that is still there."""
        data = self.waiting
        if data:
            self.waiting = b""
            if not self._client.transport.is_closing():
                self.write(data)

    def _new_begin(self, chunk_bytes_count: int) -> bytes:
        """How a chunk of so many bytes, its framing included, begins where its size has the usual digits."""
        content_count = chunk_bytes_count - (self._begin_bytes_count - len(self._head)) - 2
        if len(self._begins) >= _SIZES_MAX_COUNT:
            self._begins.clear()
        begin = self._begins[chunk_bytes_count] = b"%x\r\n%b" % (max(content_count, 0), self._head)
        return begin
