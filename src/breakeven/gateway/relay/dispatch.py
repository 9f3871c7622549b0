"""Dispatch: one attempt under way: a request at one upstream, what came back of it, and how it ended."""

from __future__ import annotations

from time import monotonic, time
from typing import Final, Literal, Protocol, cast

from breakeven.gateway.attempt import Attempt, Failure, TokenCounts
from breakeven.gateway.plan import Plan
from breakeven.gateway.relay.heads import AnswerHead
from breakeven.gateway.relay.outgoing_heads import OutgoingHeads
from breakeven.gateway.relay.pipe import Pipe, PipedTo
from breakeven.gateway.relay.upstream_connection import UpstreamConnection
from breakeven.gateway.wire.answers import AnswerReader, reader_for
from breakeven.gateway.wire.estimates import input_tokens, output_tokens
from breakeven.gateway.wire.outgoing import DIALECT_BY_OPERATION, outgoing_body
from breakeven.gateway.wire.stream_reader import StreamReader

_ERROR_BODY_MAX_BYTES: Final = 65_536
_TAIL_BYTES: Final = 16_384
_JOINED_MAX_BYTES: Final = 65_536
"""Smaller bodies are written together with their head."""
_RETRIED_STATUSES: Final = frozenset((408, 429))
_RETRY_AFTER_MAX_S: Final = 86_400.0
_UNBILLED: Final = frozenset(("connect", "reset", "bad_answer"))
"""Before any answer."""
Mode = Literal["waiting", "plain", "stream", "passing", "refused", "failing"]


class DispatchOwner(Protocol):
    """Who asked, and does something with the answer."""

    def answered(self, dispatch: Dispatch, body: bytes) -> None:
        """A plain answer is whole and sound."""
        ...

    def piece(self, dispatch: Dispatch, data: bytes, chunk: bytes | None) -> None:
        """A piece of a stream, or of an answer that is passed on as it comes; `chunk`: the same bytes as one chunk."""
        ...

    def ended(self, dispatch: Dispatch, data: bytes) -> None:
        """A stream or what was passed on is whole; `data` is what still goes to the client."""
        ...

    def refused(self, dispatch: Dispatch, body: bytes) -> None:
        """The upstream says that the request is wrong (4xx)."""
        ...

    def failed(self, dispatch: Dispatch) -> None:
        """`attempt.failure` says how."""
        ...

    def piped_to(self, dispatch: Dispatch) -> PipedTo | None:
        """Who takes pieces of its stream as the chunks that they are; None: nobody, or not as they are."""
        ...

    def may_pass(self, dispatch: Dispatch) -> bool:
        """The answer is too large to be held; whether it may go to the client piece by piece."""
        ...


class BegunStream(Protocol):
    """A stream that a lane has passed on so far (`lane_stream.py`)."""

    answer: AnswerHead | None
    """None: its head is not known yet."""
    first_s: float | None
    """When the first byte of its body came."""
    still_since_s: float
    has_moved: bool

    @property
    def reader(self) -> StreamReader:
        """What has read it so far."""
        ...


class Dispatch:
    """One attempt under way. It ends once: by a call of its owner, or by `abort`."""

    __slots__ = (
        "_body",
        "_connection",
        "_head",
        "_held",
        "_held_bytes_count",
        "_held_max_bytes",
        "_owner",
        "_to",
        "_was_resent",
        "answer",
        "attempt",
        "has_moved",
        "is_over",
        "mode",
        "plan",
        "reader",
        "still_since_s",
    )

    def __init__(
        self, owner: DispatchOwner, plan: Plan, to: OutgoingHeads, attempt: Attempt, answer_buffer_max_bytes: int
    ) -> None:
        self._owner = owner
        self._to = to
        self._connection: UpstreamConnection | None = None
        self._head = b""
        self._body = b""
        self.reader: AnswerReader | None = None
        """What reads the answer; None before its head and for errors."""
        self._held: list[bytes] = []
        self._held_bytes_count = 0
        self._held_max_bytes = answer_buffer_max_bytes
        self._was_resent = False
        self.plan = plan
        self.attempt = attempt
        self.answer: AnswerHead | None = None
        self.mode: Mode = "waiting"
        self.is_over = False
        self.has_moved = False
        """Something came since the last look of the clock."""
        self.still_since_s = attempt.started_monotonic_s = monotonic()
        attempt.started_unix_s = time()

    @property
    def is_connecting(self) -> bool:
        """It has no connection yet."""
        return self._connection is None

    def start(self) -> None:
        """Sends the request. Raises Untranslatable where it cannot be said in the upstream's dialect."""
        body = outgoing_body(self.plan.facts, self.attempt.target)
        head = self._to.head(self.plan, self.attempt.target, len(body))
        if len(body) < _JOINED_MAX_BYTES:
            head, body = head + body, b""
        self._head, self._body = head, body
        connection = self._to.pool.take()
        if connection is None:
            self._to.pool.want(self)
        else:
            self.connected(connection)

    def take_over(self, connection: UpstreamConnection, body: bytes) -> None:
        """Goes on with a request that went out on this connection when its plan was made."""
        plan, attempt = self.plan, self.attempt
        self._head = self._to.head(plan, attempt.target, len(body)) + body
        self._connection = connection
        attempt.started_unix_s = plan.received_unix_s
        self.still_since_s = attempt.started_monotonic_s = plan.received_monotonic_s
        attempt.was_sent = True
        connection.take_over(self, plan.received_monotonic_s)

    def go_on(self, begun: BegunStream, connection: UpstreamConnection | None) -> None:
        """Goes on with a stream that a lane has passed on so far; without a connection it is at its end."""
        plan, attempt, answer = self.plan, self.attempt, begun.answer
        self._connection = connection
        attempt.started_unix_s, attempt.started_monotonic_s = plan.received_unix_s, plan.received_monotonic_s
        attempt.first_byte_monotonic_s = begun.first_s
        attempt.was_sent = True
        self.still_since_s, self.has_moved = begun.still_since_s, begun.has_moved
        if answer is not None:
            self.answer, self.reader, self.mode = answer, begun.reader, "stream"
            attempt.http_status = answer.http_status
        if connection is not None:
            connection.hand_on(self)

    def abort(self, failure: Failure | None) -> None:
        """Ends it at once, and the upstream's connection with it; the owner hears nothing."""
        if self.is_over:
            return
        connection, self._connection = self._connection, None
        if connection is None:
            self._to.pool.leave(self)
        else:
            connection.abort()
        self._close(failure)

    def fail(self, failure: Failure) -> None:
        """Ends it at once, and tells the owner."""
        if not self.is_over:
            self.abort(failure)
            self._owner.failed(self)

    def pause(self) -> None:
        """The client takes no more for now."""
        if self._connection is not None and not self._connection.is_closed:
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        """The client takes more."""
        if self._connection is not None and not self._connection.is_closed:
            self._connection.transport.resume_reading()
            self.has_moved = True

    # What the pool says.

    def connected(self, connection: UpstreamConnection) -> None:
        """There is a connection."""
        self._connection = connection
        self.attempt.was_sent = True
        connection.send(self, self._head, self._body)

    def not_connected(self) -> None:
        """There is none."""
        self._close("connect")
        self._owner.failed(self)

    # What the connection says.

    def answer_head(self, head: AnswerHead) -> None:
        """Decides how the body is taken."""
        self._head = self._body = b""
        self.answer = head
        self.has_moved = True
        attempt, facts = self.attempt, self.plan.facts
        status = attempt.http_status = head.http_status
        if 200 <= status < 300 and not head.is_encoded:
            is_event_stream = head.content_type[:17].lower() == b"text/event-stream"
            if is_event_stream and not facts.is_stream:
                self.fail("bad_answer")
                return
            self.reader = reader_for(facts, attempt.target, is_event_stream, int(attempt.started_unix_s))
            self.mode = "stream" if is_event_stream else "plain"
            if not is_event_stream and (head.body_bytes_count or 0) > self._held_max_bytes:
                self._pass_on()
        elif 400 <= status < 500 and status not in _RETRIED_STATUSES:
            self.mode = "refused"
        elif status >= 400:
            self.mode = "failing"
            attempt.retry_after_s = retry_after_s(head)
        else:
            self.fail("bad_answer")

    def answer_data(self, data: bytes, chunk: bytes | None) -> None:
        """A piece of the body."""
        self.has_moved = True
        if self.attempt.first_byte_monotonic_s is None:
            self.attempt.first_byte_monotonic_s = monotonic()
        if self.mode == "stream":
            assert self.reader is not None
            self.fed(data, chunk, self.reader.feed(data))
        elif self.mode == "passing":
            self._keep_tail(data)
            self._owner.piece(self, data, chunk)
        elif self.mode == "plain":
            self._held.append(data)
            self._held_bytes_count += len(data)
            if self._held_bytes_count > self._held_max_bytes:
                self._pass_on()
        elif self._held_bytes_count < _ERROR_BODY_MAX_BYTES:
            self._held.append(data)
            self._held_bytes_count += len(data)

    def fed(self, data: bytes, chunk: bytes | None, out: bytes) -> None:
        """The reader was given a piece of a stream, and lets `out` go on."""
        reader = self.reader
        assert reader is not None
        if reader.failure is not None and not reader.has_begun:
            self.fail(reader.failure)
        elif out:
            self._owner.piece(self, out, chunk if out is data else None)
            if not self.is_over:
                self._pipe(cast(StreamReader, reader))

    def _pipe(self, reader: StreamReader) -> None:
        """Lets the pieces to come go on as they are, where they are like this one."""
        frame, connection = reader.frame, self._connection
        if frame is None or not frame.is_same or connection is None or connection.chunks is None:
            return
        if connection.pipe is None or connection.pipe.frame is not frame:
            client = self._owner.piped_to(self)
            if client is not None:
                connection.pipe = Pipe(frame, connection.chunks, reader, self, client)

    def answer_whole(self, head: AnswerHead, body: bytes) -> None:
        """Everything at once."""
        self._connection = None
        self.answer_head(head)
        if self.mode == "plain" and not self.is_over:
            self.attempt.first_byte_monotonic_s = monotonic()
            self._end_plain(body)
        elif not self.is_over:
            if body:
                self.answer_data(body, None)
            self.answer_end()

    def _end_plain(self, body: bytes) -> None:
        reader = self.reader
        assert reader is not None
        reader.feed(body)
        out = reader.end()
        self._close(reader.failure)
        if reader.failure is None:
            self._owner.answered(self, out)
        else:
            self._owner.failed(self)

    def answer_end(self) -> None:
        """The body is whole."""
        self._connection = None
        mode, reader = self.mode, self.reader
        if mode == "stream":
            assert reader is not None
            self.read(reader.end())
        elif mode == "plain":
            held, self._held = self._held, []
            self._end_plain(b"".join(held))
        elif mode == "passing":
            self._close(None)
            self._owner.ended(self, b"")
        elif mode == "refused":
            body = b"".join(self._held)
            self._close(None)
            self._owner.refused(self, body)
        else:
            self._close("status")
            self._owner.failed(self)

    def read(self, tail: bytes) -> None:
        """The reader has heard that its stream is whole, and lets `tail` go on."""
        assert self.reader is not None
        self._connection = None
        self._close(self.reader.failure)
        self._owner.ended(self, tail)

    def answer_lost(self, is_stale: bool, is_malformed: bool) -> None:
        """The connection ended too early. A pooled one that was closed while idle is replaced, once."""
        self._connection = None
        if is_stale and not self._was_resent:
            self._was_resent = True
            self._to.pool.want(self)
        elif self.mode == "stream" and not is_malformed:
            assert self.reader is not None
            tail = self.reader.end()
            self._close("reset")
            self._owner.ended(self, tail) if self.reader.has_begun else self._owner.failed(self)
        else:
            self._close("bad_answer" if is_malformed else "status" if self.mode == "failing" else "reset")
            self._owner.failed(self)

    @property
    def error_body(self) -> bytes:
        """What came with a status that says failure."""
        return b"".join(self._held) if self.mode == "failing" else b""

    def _pass_on(self) -> None:
        """The answer is too large to be held: it goes on piece by piece, if the client can read it as it is."""
        dialect = DIALECT_BY_OPERATION.get(self.plan.facts.operation)
        if dialect not in (None, self.attempt.target.upstream.dialect) or not self._owner.may_pass(self):
            self.fail("too_large")
            return
        held, self._held = self._held, []
        self.mode = "passing"
        self._held_bytes_count = 0
        for data in held:
            self._keep_tail(data)
            self._owner.piece(self, data, None)

    def _keep_tail(self, data: bytes) -> None:
        """Usage stands near the end."""
        self._held = [(b"".join(self._held) + data[-_TAIL_BYTES:])[-_TAIL_BYTES:]]
        self._held_bytes_count += len(data)

    def _close(self, failure: Failure | None) -> None:
        """Writes down how it ended."""
        self.is_over = True
        attempt, reader = self.attempt, self.reader
        attempt.ended_monotonic_s = monotonic()
        attempt.failure = failure
        if reader is not None:
            if self.mode == "passing":
                reader = self.reader = _tail_reader(reader, self._held, self.plan, attempt)
            attempt.finish_reason = reader.finish_reason
            attempt.response_model = reader.response_model
            attempt.service_tier = reader.service_tier
            attempt.tokens = reader.tokens
        if attempt.tokens is None and self._is_billed(failure):
            attempt.tokens = self._estimate()

    def _is_billed(self, failure: Failure | None) -> bool:
        """Whether an upstream that reported no usage will likely bill what it did."""
        if not self.attempt.was_sent or self.mode in ("refused", "failing"):
            return False
        return self.mode != "waiting" or failure not in _UNBILLED

    def _estimate(self) -> TokenCounts:
        """Nobody reported usage: what was asked and what came, by its bytes."""
        facts, reader = self.plan.facts, self.reader
        if reader is None:
            return TokenCounts(input_tokens(facts), 0, is_estimated=True)
        if self.mode == "passing":
            came_count = 0 if facts.operation == "embeddings" else self._held_bytes_count
            return TokenCounts(input_tokens(facts), output_tokens(came_count), is_estimated=True)
        for piece in self._held:  # of a plain answer that was cut
            reader.feed(piece)
        return reader.counted(facts)


def retry_after_s(head: AnswerHead) -> float | None:
    """What Retry-After says, where it says seconds."""
    for name, value in head.headers:
        if name == b"retry-after" and len(value) <= 10 and value.replace(b".", b"", 1).isdigit():
            return min(float(value), _RETRY_AFTER_MAX_S)
    return None


def _tail_reader(reader: AnswerReader, held: list[bytes], plan: Plan, attempt: Attempt) -> AnswerReader:
    """The usage at the end of an answer that was too large to be held, read as if it were the whole answer."""
    tail = held[0] if held else b""
    at = tail.rfind(b'"usage"')
    if at < 0:
        return reader
    short = reader_for(plan.facts, attempt.target, False)
    short.feed(b"{" + tail[at:])
    short.end()
    return short if short.tokens is not None else reader
