"""Upstream connection: one connection to an upstream: writes a request, reads its answer, and can be used again."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, Final, Literal, Protocol, cast

from breakeven.gateway.relay.chunks import ChunkReader, whole_chunk
from breakeven.gateway.relay.heads import AnswerHead, BadMessage, read_answer_head
from breakeven.gateway.relay.pipe import Moving, Pipe

HEAD_MAX_BYTES: Final = 65_536
STALE_WITHIN_S: Final = 0.05
_INTERIM_MAX_COUNT: Final = 16
_Reading = Literal["head", "counted", "chunked", "to_the_end"]


class AnswerTaker(Protocol):
    """Who waits for an answer; any of these may make another one the taker (`hand_on`) before it returns."""

    def answer_head(self, head: AnswerHead) -> None:
        """The head is there; 1xx answers are not told."""
        ...

    def answer_data(self, data: bytes, chunk: bytes | None) -> None:
        """A piece of the body, never empty; `chunk`: the same piece with the framing of the one chunk that it was."""
        ...

    def answer_end(self) -> None:
        """The body is whole, as HTTP goes."""
        ...

    def answer_whole(self, head: AnswerHead, body: bytes) -> None:
        """Head and body came at once; nothing else will be told."""
        ...

    def answer_lost(self, is_stale: bool, is_malformed: bool) -> None:
        """There will be no (more) answer; `is_stale`: a pooled connection ended at once, before any byte came."""
        ...


class MovingTaker(AnswerTaker, Moving, Protocol):
    """One that may go on with what another one began."""


class ExpressTaker(Protocol):
    """Who waits for an answer that comes whole and at once (`express.py`)."""

    def answered(self, data: bytes) -> bool:
        """Takes it; False: an ordinary taker has taken over, and reads it."""
        ...

    def lost(self) -> None:
        """There will be none; an ordinary taker takes over and hears of it."""
        ...


class ConnectionKeeper(Protocol):
    """Where connections go when they are free or gone: the pool."""

    def released(self, connection: UpstreamConnection) -> None:
        """It can take another request."""
        ...

    def gone(self, connection: UpstreamConnection) -> None:
        """It is closed."""
        ...


class UpstreamConnection(asyncio.Protocol):
    """One connection. It has a taker from `send` to the end of the answer, or to `abort`."""

    __slots__ = (
        "_buffer",
        "_has_bytes",
        "_interim_count",
        "_is_kept_alive",
        "_is_large",
        "_is_reused",
        "_keeper",
        "_left_bytes_count",
        "_reading",
        "_sent_s",
        "_taker",
        "chunks",
        "express",
        "idle_since_s",
        "is_closed",
        "pipe",
        "stale_within_s",
        "transport",
    )

    def __init__(self, keeper: ConnectionKeeper) -> None:
        self._keeper = keeper
        self._taker: AnswerTaker | None = None
        self.express: ExpressTaker | None = None
        """In place of a taker: its request was written to the transport, and it waits for the answer."""
        self._reading: _Reading = "head"
        self._buffer = b""
        self.chunks: ChunkReader | None = None
        """Of an answer that comes in chunks."""
        self.pipe: Pipe | None = None
        """What pieces pass that are like those before, as they are."""
        self._left_bytes_count = 0
        self._is_kept_alive = False
        self._is_reused = False
        self._has_bytes = False
        self._is_large = False
        """Its request may not have been sent whole when the answer ends."""
        self._interim_count = 0
        self._sent_s = 0.0
        self.idle_since_s = 0.0
        self.stale_within_s = STALE_WITHIN_S
        """A connection that was closed while idle ends so soon after a request; one that ends later had taken it."""
        self.is_closed = False
        self.transport: asyncio.Transport = cast(Any, None)

    def send(self, taker: AnswerTaker, request: bytes, body: bytes = b"") -> None:
        """Sends a request whole; its answer goes to the taker."""
        self._taker = taker
        self._reading = "head"
        self._has_bytes = False
        self._is_large = bool(body)
        self._sent_s = monotonic()
        self.transport.write(request)
        if body:
            self.transport.write(body)

    def take_over(self, taker: AnswerTaker, sent_s: float) -> None:
        """The answer to a request that was sent for `express` goes to a taker."""
        self.express = None
        self._taker = taker
        self._reading = "head"
        self._has_bytes = self._is_large = False
        self._sent_s = sent_s

    def hand_on(self, taker: MovingTaker) -> None:
        """What is still to come of the answer under way goes to another taker."""
        self._taker = taker
        if self.pipe is not None:
            self.pipe.moving = taker

    def abort(self) -> None:
        """Drops the connection at once, unsent bytes included; the taker hears nothing more."""
        self._stop_flow()
        self._taker = None
        self.transport.abort()
        self._close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer."""
        pipe = self.pipe
        if pipe is not None and pipe.passes(data):
            return
        express = self.express
        if express is not None and express.answered(data):
            self.express = None
            self._is_reused = True
            self._keeper.released(self)
            return
        taker = self._taker
        if taker is None:  # nobody asked: whatever it says, the next answer could not be told from it
            self.abort()
            return
        self._has_bytes = True
        chunks = self.chunks
        if chunks is not None and chunks.is_between and (content := whole_chunk(data)) is not None:
            taker.answer_data(content, data)  # the usual piece of a stream
            return
        try:
            if self._reading == "head":
                self._read_head(taker, data)
            elif self._reading == "chunked":
                self._read_chunks(taker, data)
            else:
                self._read_counted(taker, data)
        except BadMessage:
            self._lose(is_malformed=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        if self.express is not None:
            self.express.lost()
        taker = self._taker
        self._is_kept_alive = False
        if taker is not None and self._reading == "to_the_end" and exc is None:
            self._end(taker)
        elif taker is not None:
            self._lose(is_malformed=False)
        self._close()

    def _read_head(self, taker: AnswerTaker, data: bytes) -> None:
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > HEAD_MAX_BYTES:
            if len(data) > HEAD_MAX_BYTES or (len(data) >= 5 and not data.startswith(b"HTTP/")):
                raise BadMessage("no HTTP, or a head that is too large")
            self._buffer = data
            return
        head = read_answer_head(data[:end])
        rest = data[end + 4 :]
        status = head.http_status
        if status < 200:
            self._interim_count += 1
            if status == 101 or self._interim_count > _INTERIM_MAX_COUNT:
                raise BadMessage("an interim answer that was not asked for")
            if rest:
                self._read_head(taker, rest)
            return
        self._is_kept_alive = head.is_kept_alive
        if status in (204, 304):
            head.body_bytes_count, head.is_chunked = 0, False
        if not head.is_chunked and head.body_bytes_count == len(rest):  # the usual plain answer
            self._set_free()
            taker.answer_whole(head, rest)
            return
        taker.answer_head(head)
        if self._taker is None:  # it wants no more
            return
        taker = self._taker
        if head.is_chunked:
            self._reading, self.chunks = "chunked", ChunkReader()
            if rest:
                self._read_chunks(taker, rest)
            return
        self._reading = "to_the_end" if head.body_bytes_count is None else "counted"
        self._left_bytes_count = head.body_bytes_count or 0
        self._read_counted(taker, rest)

    def _read_counted(self, taker: AnswerTaker, data: bytes) -> None:
        """A body of known length, or one that goes on until the connection ends."""
        if self._reading == "to_the_end":
            self._is_kept_alive = False
            if data:
                taker.answer_data(data, None)
            return
        left = self._left_bytes_count - len(data)
        if left < 0:  # more than was announced: nothing after it can be trusted
            self._is_kept_alive = False
            data, left = data[:left], 0
        self._left_bytes_count = left
        if data:
            taker.answer_data(data, None)
        if left == 0 and self._taker is taker:
            self._end(taker)

    def _read_chunks(self, taker: AnswerTaker, data: bytes) -> None:
        chunks = self.chunks
        assert chunks is not None
        content = chunks.feed(data)
        if content:
            taker.answer_data(content, None)
        if chunks.is_done and self._taker is not None:
            if chunks.rest:
                self._is_kept_alive = False
            self._end(self._taker)

    def _end(self, taker: AnswerTaker) -> None:
        self._set_free()
        taker.answer_end()

    def _set_free(self) -> None:
        """The answer is whole: the connection is free before its taker goes on, who may want it at once."""
        self._taker = self.chunks = None
        self._stop_flow()
        self._interim_count = 0
        if self._is_kept_alive and not (self._is_large and self.transport.get_write_buffer_size()):
            self._is_reused = True
            self._keeper.released(self)
        elif not self.is_closed:
            self.transport.abort()
            self._close()

    def _lose(self, is_malformed: bool) -> None:
        self._stop_flow()  # first: what leaves now may fill the client, whose stream then has another taker
        taker, self._taker = self._taker, None
        self.transport.abort()
        self._close()
        if taker is not None:
            ended_in_s = monotonic() - self._sent_s
            is_stale = self._is_reused and not self._has_bytes and ended_in_s < self.stale_within_s
            taker.answer_lost(is_stale and not is_malformed, is_malformed)

    def _stop_flow(self) -> None:
        pipe = self.pipe
        if pipe is not None:
            self.pipe = None
            pipe.depart()

    def _close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._keeper.gone(self)
