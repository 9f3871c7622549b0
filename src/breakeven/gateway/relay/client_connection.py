"""Client connection: reads requests strictly and within limits, one at a time, and writes their answers."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Literal, cast

from breakeven.gateway.plan import Head, Refusal
from breakeven.gateway.relay.answers_of_ours import CONTINUE, refusal_answer, whole_answer
from breakeven.gateway.relay.chunks import ChunkReader
from breakeven.gateway.relay.exchange import Exchange
from breakeven.gateway.relay.express import Express
from breakeven.gateway.relay.heads import BadMessage, RequestHead, read_request_head
from breakeven.gateway.relay.passed_list import PassedList
from breakeven.gateway.relay.state import BODIES_MAX_BYTES, RelayState, UnderWay
from breakeven.gateway.wire.request_facts import OPERATIONS

_PIPELINED_MAX_BYTES: Final = 65_536
_LINGER_S: Final = 2.0
_LINGER_MAX_BYTES: Final = 4 * 2**20
_MODEL_PATHS: Final = frozenset((b"/v1/models", b"/models", b"/openai/v1/models"))
_UNKNOWN: Final = Refusal(404, "unknown_path", "This gateway has no such path. GET /v1/models lists its models.")
_NO_ROOM: Final = Refusal(503, "overloaded", "This gateway holds as many large requests as it can. Try again.", 1.0)
_Phase = Literal["idle", "head", "body", "busy", "lingering", "closed"]


class ClientConnection(asyncio.Protocol):
    """One connection of a client."""

    __slots__ = (
        "_body",
        "_body_bytes_count",
        "_chunks",
        "_clients",
        "_express",
        "_held_bytes_count",
        "_lingered_bytes_count",
        "_peer",
        "_request",
        "_state",
        "_unsent_bytes_count",
        "buffer",
        "closes",
        "deadline_s",
        "departures",
        "is_full",
        "is_http10",
        "phase",
        "transport",
        "under_way",
    )

    def __init__(self, state: RelayState, clients: set[ClientConnection]) -> None:
        self._state = state
        self._clients = clients
        self.departures = state.departures
        self.transport: asyncio.Transport = cast(Any, None)
        self._peer = ""
        self.phase: _Phase = "idle"
        self.buffer = b""
        self._request: RequestHead | None = None
        self._body: list[bytes] = []
        self._body_bytes_count = 0
        self._chunks: ChunkReader | None = None
        self.under_way: UnderWay | None = None
        self._held_bytes_count = 0
        """Of the body, as `RelayState.bodies_bytes_count` knows of it."""
        self._lingered_bytes_count = self._unsent_bytes_count = 0
        self.deadline_s = 0.0
        self._express = None if state.lanes is None else Express(state, self, state.lanes)
        self.closes = False
        self.is_http10 = False
        self.is_full = False

    @property
    def is_busy(self) -> bool:
        """A request is under way or being read."""
        return self.phase not in ("idle", "closed")

    @property
    def unsent_bytes_count(self) -> int:
        """Bytes that this client has not taken yet."""
        return self.transport.get_write_buffer_size()

    # What the loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) else ""
        state = self._state
        self._clients.add(self)
        self.deadline_s = state.now_s + state.settings.timeouts.client_idle_s
        if len(self._clients) > state.settings.wire.connections_max_count:
            self.closes = True
            self._refuse(Refusal(503, "too_many_connections", "This gateway has as many connections as it takes.", 1.0))

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        phase = self.phase
        if phase == "idle":
            if self.is_full:  # it asks, and does not read what it asked for: its next request waits until it does
                self.buffer += data
                self.transport.pause_reading()
                return
            express = self._express
            if express is not None and express.takes(data):
                return
        if phase == "idle" or phase == "head":
            self._read_head(data)
        elif phase == "body":
            self._read_body(data)
        elif phase == "busy":  # the next request: it waits for its turn
            self.buffer += data
            if len(self.buffer) > _PIPELINED_MAX_BYTES:
                self.transport.pause_reading()
        elif phase == "lingering":
            self._lingered_bytes_count += len(data)
            if self._lingered_bytes_count > _LINGER_MAX_BYTES:
                self.transport.abort()

    def eof_received(self) -> bool:
        """The client says no more; one that still waits for an answer has left, as far as anybody can tell."""
        if self.under_way is not None:
            self.transport.abort()
            self._leave()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client is gone."""
        self._leave()
        self._let_go()
        self.phase = "closed"
        self._clients.discard(self)

    def pause_writing(self) -> None:
        """Bytes are piling up."""
        self.is_full = True
        if self.under_way is not None:
            self.under_way.client_full()

    def resume_writing(self) -> None:
        """They are gone."""
        self.is_full = False
        if self.under_way is not None:
            self.under_way.client_ready()
        elif self.phase == "idle" and self.buffer:
            self._begin_next()

    def look(self, now_s: float) -> None:
        """Ends what takes too long; an answer under way has its own limits."""
        if self.phase == "lingering":
            self._look_at_rest(now_s)
            return
        if self.phase == "busy" or now_s < self.deadline_s:
            return
        if self.phase in ("head", "body"):
            self.closes = True
            self._refuse(Refusal(408, "request_timeout", f"The {self.phase} of the request took too long."))
        elif self.is_full:
            self.transport.abort()
        else:
            self.transport.close()

    def _look_at_rest(self, now_s: float) -> None:
        """The last bytes of an answer take the time that they take, as long as they go on."""
        unsent_count = self.transport.get_write_buffer_size()
        if unsent_count != self._unsent_bytes_count:
            self._unsent_bytes_count = unsent_count
            self.deadline_s = now_s + (self._state.settings.timeouts.idle_s if unsent_count else _LINGER_S)
        elif now_s > self.deadline_s:
            self.transport.abort()

    def drain(self) -> None:
        """No further request is taken."""
        self.closes = True
        if self.phase == "idle":
            self.transport.close()

    def kill(self) -> None:
        """The process ends."""
        self.transport.abort()

    # What the exchange says.

    def write(self, data: bytes) -> None:
        """Sends bytes."""
        self.transport.write(data)

    def answered(self, exchange: object) -> None:
        """An answer is whole."""
        if self.under_way is exchange:
            self.under_way = None
            self.ready()

    def cut(self, is_flushed: bool) -> None:
        """Ends the connection in the middle of an answer."""
        self.under_way = None
        self.phase = "lingering"
        self.deadline_s = self._state.now_s + _LINGER_S
        if is_flushed:
            self.transport.close()
        else:
            self.transport.abort()

    # Reading.

    def _read_head(self, data: bytes) -> None:
        state = self._state
        limits = state.settings.wire
        if self.buffer:
            data, self.buffer = self.buffer + data, b""
        if data.startswith(b"\r\n"):  # an empty line before a request is forgiven
            data = data[2:]
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > limits.head_max_bytes:
            self._wait_for_head(data, limits.head_max_bytes)
            return
        try:
            request = read_request_head(data[:end], limits.headers_max_count, self._peer)
            if request.body_bytes_count > limits.body_max_bytes:
                raise _too_large(limits.body_max_bytes)
            self._request = request
            self.closes = request.closes or state.is_draining
            self.is_http10 = request.is_http10
            rest = data[end + 4 :]
            express = self._express
            if express is not None and express.learn(data[: end + 4], request) and express.takes(data):
                return
            if not request.is_chunked and len(rest) == request.body_bytes_count:  # the usual case: all in one piece
                self._take(request.head, rest)
                return
        except BadMessage as problem:
            self._refuse_and_close(problem.refusal)
            return
        refusal = state.admission.key_refusal(request.head) if request.head.path in OPERATIONS else None
        if refusal is not None:
            self._refuse_and_close(refusal, is_counted=True)
            return
        self.phase = "body"
        self.deadline_s = state.now_s + state.settings.timeouts.client_body_s
        self._chunks = ChunkReader() if request.is_chunked else None
        if request.expects_continue and not rest:
            self.transport.write(CONTINUE)
        self._read_body(rest)

    def _wait_for_head(self, data: bytes, limit_bytes: int) -> None:
        if len(data) > limit_bytes:
            message = f"The head of the request is larger than {limit_bytes} bytes."
            self._refuse_and_close(Refusal(431, "headers_too_large", message))
        elif data:
            self.buffer = data
            if self.phase == "idle":
                self.phase = "head"
                self.deadline_s = self._state.now_s + self._state.settings.timeouts.client_head_s

    def _read_body(self, data: bytes) -> None:
        """A body in pieces."""
        request, limit_bytes = self._request, self._state.settings.wire.body_max_bytes
        assert request is not None
        chunks = self._chunks
        try:
            if chunks is not None:
                data = chunks.feed(data)
                self.buffer = chunks.rest
            else:
                missing_count = request.body_bytes_count - self._body_bytes_count
                data, self.buffer = data[:missing_count], data[missing_count:]
            if data:
                self._body.append(data)
                self._body_bytes_count += len(data)
                self._held_bytes_count += len(data)
                self._state.bodies_bytes_count += len(data)
            if self._body_bytes_count > limit_bytes:
                raise _too_large(limit_bytes)
        except BadMessage as problem:
            self._refuse_and_close(problem.refusal)
            return
        if self._state.bodies_bytes_count > BODIES_MAX_BYTES:
            self._refuse_and_close(_NO_ROOM)
            return
        if self._body_bytes_count == request.body_bytes_count if chunks is None else chunks.is_done:
            body = b"".join(self._body)
            self._body, self._body_bytes_count, self._chunks = [], 0, None
            self._take(request.head, body)

    def _take(self, head: Head, body: bytes) -> None:
        """A request is whole."""
        self.phase = "busy"
        if head.method == b"POST" and head.path in OPERATIONS:
            self.under_way = exchange = Exchange(self._state, self)
            exchange.begin(head, body)
        else:
            self._answer(head)

    def _answer(self, head: Head) -> None:
        """Requests that need no model."""
        state = self._state
        is_head = head.method == b"HEAD"
        allowed = b"POST" if head.path in OPERATIONS else b"GET, HEAD"
        said: bytes | Refusal = _UNKNOWN
        http_status = 200
        if head.path in OPERATIONS or (not is_head and head.method != b"GET" and _is_ours(head.path)):
            message = f"This path takes {allowed.decode()}."
            answer = refusal_answer(
                Refusal(405, "method_not_allowed", message),
                OPERATIONS.get(head.path),
                state.date_line,
                closes=self.closes,
                is_head=is_head,
                more_headers=b"allow: " + allowed + b"\r\n",
            )
            self.transport.write(answer)
            self.ready()
            return
        if head.path == b"/healthz":
            said = b'{"status":"ok"}'
        elif head.path == b"/readyz":
            http_status = 503 if state.is_draining else 200
            said = b'{"status":"draining"}' if state.is_draining else b'{"status":"ready"}'
        elif _is_models(head.path):
            said = state.admission.models(head)
            settings = state.settings
            if isinstance(said, bytes) and settings.passthrough is not None and not settings.models and not is_head:
                passed = PassedList(state, self, head, settings.upstreams[settings.passthrough])
                self.under_way = passed
                passed.begin()
                return
        if isinstance(said, Refusal):
            answer = refusal_answer(said, None, state.date_line, closes=self.closes, is_head=is_head)
        else:
            answer = whole_answer(http_status, said, state.date_line, closes=self.closes, is_head=is_head)
        self.transport.write(answer)
        self.ready()

    def ready(self) -> None:
        """The connection is free for the next request, which may be here already."""
        self._request = None
        if self._held_bytes_count:
            self._let_go()
        if self.closes:
            self._linger()
            return
        self.phase = "idle"
        self.deadline_s = self._state.now_s + self._state.settings.timeouts.client_idle_s
        if self.buffer and not self.is_full:
            self._begin_next()

    def _begin_next(self) -> None:
        data, self.buffer = self.buffer, b""
        self.transport.resume_reading()
        self._state.loop.call_soon(self._next, data)

    def _next(self, data: bytes) -> None:
        """A request that waited; in a call of its own, so that a long queue does not grow the stack."""
        if self.phase == "idle":
            self.data_received(data)
        elif self.phase in ("head", "busy"):
            self.buffer = data + self.buffer

    def _let_go(self) -> None:
        """The body of a large request is not held any longer."""
        self._state.bodies_bytes_count -= self._held_bytes_count
        self._held_bytes_count = 0

    def _refuse(self, refusal: Refusal, is_counted: bool = False) -> None:
        """An answer of ours to what is no request."""
        state = self._state
        if not is_counted:
            state.refused(refusal.code)
        head = None if self._request is None else self._request.head
        operation = None if head is None else OPERATIONS.get(head.path)
        is_head = head is not None and head.method == b"HEAD"
        self.transport.write(refusal_answer(refusal, operation, state.date_line, None, self.closes, is_head))
        self._linger()

    def _refuse_and_close(self, refusal: Refusal, is_counted: bool = False) -> None:
        self.closes = True
        self._body, self._body_bytes_count, self._chunks = [], 0, None
        self._let_go()
        self._refuse(refusal, is_counted)

    def _linger(self) -> None:
        """Closes so that the client can read the answer even if it is still sending: closing at once would reset it."""
        self.phase = "lingering"
        self.buffer = b""
        self.deadline_s = self._state.now_s + _LINGER_S
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _leave(self) -> None:
        exchange, self.under_way = self.under_way, None
        if exchange is not None:
            exchange.client_gone()


def _is_ours(path: bytes) -> bool:
    return path in (b"/healthz", b"/readyz") or _is_models(path)


def _is_models(path: bytes) -> bool:
    return path in _MODEL_PATHS or path.startswith((b"/v1/models/", b"/models/", b"/openai/v1/models/"))


def _too_large(limit_bytes: int) -> BadMessage:
    return BadMessage(f"The body is larger than {limit_bytes} bytes.", 413, "body_too_large")
