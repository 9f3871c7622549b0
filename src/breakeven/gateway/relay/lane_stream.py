"""Lane stream: a stream on a lane: its pieces go on and are read, and it is recorded later, with others.

One such object serves all streams of a client's connection. It goes on as long as all is well; whatever is not (an
answer that is none, a client that reads slowly or leaves, an error, an end that comes too early or not at all) is an
ordinary Exchange's, which takes over where this one stands.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from breakeven.gateway.relay.dispatch import Dispatch
from breakeven.gateway.relay.exchange import LAST_CHUNK, Exchange
from breakeven.gateway.relay.heads import AnswerHead
from breakeven.gateway.relay.on_a_lane import OnALane
from breakeven.gateway.relay.pipe import Pipe
from breakeven.gateway.wire.chat_stream import ChatStream

if TYPE_CHECKING:
    from breakeven.gateway.relay.express import Express

_OK: Final = 200
_EVENT_STREAM: Final = b"text/event-stream"


class LaneStream(OnALane):
    """The stream under way on a lane for one client's connection."""

    __slots__ = ("_express", "_is_head_sent", "answer", "first_s", "has_moved", "reader", "still_since_s")

    def __init__(self, express: Express) -> None:
        self._express = express
        """Whose request it is."""
        self.answer: AnswerHead | None = None
        self.reader: ChatStream = cast(Any, None)
        self.first_s: float | None = None
        """When the first byte of the body came."""
        self.still_since_s = 0.0
        self.has_moved = self._is_head_sent = False

    def begin(self) -> None:
        """Something came on the connection of a request for a stream: it is read here from now on."""
        express = self._express
        state, connection = express.state, express.connection
        self.answer = self.first_s = None
        self.still_since_s = express.begun_s
        self.has_moved = self._is_head_sent = False
        state.exchanges.discard(express)
        state.exchanges.add(self)
        express.client.under_way = self
        connection.take_over(self, express.begun_s)

    # What the connection says.

    def answer_head(self, head: AnswerHead) -> None:
        """A stream is taken; what else it may be is a Dispatch's."""
        self.has_moved = True
        is_event_stream = head.content_type[:17].lower() == _EVENT_STREAM
        if head.http_status != _OK or not is_event_stream or not head.is_chunked or head.is_encoded:
            self._dispatch().answer_head(head)
            return
        lane = self._express.lane
        self.answer = head
        self.reader = ChatStream(lane.adds_usage)
        self.reader.upstream = lane.target.upstream

    def answer_data(self, data: bytes, chunk: bytes | None) -> None:
        """A piece of the body."""
        self.has_moved = True
        if self.first_s is None:
            self.first_s = monotonic()
        reader = self.reader
        out = reader.feed(data)
        if reader.failure is not None or not (self._is_head_sent or self._may_begin()):
            self._dispatch().fed(data, chunk, out)
        elif out:
            if out is not data or chunk is None:
                chunk = b"%x\r\n%b\r\n" % (len(out), out)
            client = self._express.client
            client.transport.write(chunk if self._is_head_sent else self._head() + chunk)
            if client.under_way is self:  # it was not full
                self._pipe(reader)

    def answer_end(self) -> None:
        """The body is whole."""
        express, reader = self._express, self.reader
        state, client = express.state, express.client
        tail = reader.end()
        must_wait = state.is_durable or express.lanes.availability.is_troubled  # for the disk; breakers hear at once
        if reader.failure is not None or must_wait or not (self._is_head_sent or self._may_begin()):
            self._dispatch(is_connected=False).read(tail)
            return
        ended_s = monotonic()
        last = b"%x\r\n%b\r\n%b" % (len(tail), tail, LAST_CHUNK) if tail else LAST_CHUNK
        if not self._is_head_sent:
            last = self._head() + last
        client.under_way = None  # over before the write: the write may say that the client is full
        state.exchanges.discard(self)
        client.transport.write(last)
        assert self.first_s is not None
        express.ended((reader, self.first_s), ended_s)
        self._forget()
        client.ready()

    def answer_whole(self, head: AnswerHead, body: bytes) -> None:
        """Everything at once: no stream."""
        self._dispatch(is_connected=False).answer_whole(head, body)

    def answer_lost(self, is_stale: bool, is_malformed: bool) -> None:
        """The connection ended too early."""
        self._dispatch(is_connected=False).answer_lost(is_stale, is_malformed)

    # What the clock says; what the client says is common to all lanes.

    def look(self, now_s: float) -> None:
        """What takes too long is an Exchange's to end."""
        settings, begun_s = self._express.state.settings, self._express.begun_s
        timeouts, hedge_after_s = settings.timeouts, settings.retries.hedge_after_s
        if now_s - begun_s > timeouts.total_s:
            self._exchange().look(now_s)
        elif self.has_moved:
            self.has_moved, self.still_since_s = False, now_s
        elif self.first_s is not None:
            if now_s - self.still_since_s > timeouts.idle_s:
                self._exchange().look(now_s)
        elif now_s - begun_s > timeouts.first_byte_s or (hedge_after_s is not None and now_s - begun_s > hedge_after_s):
            self._exchange().look(now_s)

    def _may_begin(self) -> bool:
        """Whether the client may have the head as usual: its connection stays open afterwards."""
        client = self._express.client
        return not (client.closes or client.is_http10 or self._express.state.is_draining)

    def _head(self) -> bytes:
        """The head that the client gets. From here on no other model can answer."""
        express = self._express
        assert self.answer is not None
        self._is_head_sent = True
        return bytes(express.lane.road.stream_head(self.answer, express.request_id, express.state))

    def _pipe(self, reader: ChatStream) -> None:
        """Lets the pieces to come go on as they are, where they are like this one."""
        frame, connection = reader.frame, self._express.connection
        chunks = connection.chunks
        if frame is None or not frame.is_same or chunks is None:
            return
        if connection.pipe is None or connection.pipe.frame is not frame:
            connection.pipe = Pipe(frame, chunks, reader, self, self._express.client)

    # Leaving the lane.

    def _exchange(self) -> Exchange:
        """The ordinary Exchange of the stream, from now on in the place of this; the stream is not at its end."""
        self._dispatch()
        return cast(Exchange, self._express.client.under_way)

    def _dispatch(self, is_connected: bool = True) -> Dispatch:
        """The ordinary attempt of the stream, with an Exchange, both from now on in the place of this."""
        express = self._express
        state, client = express.state, express.client
        exchange = Exchange(state, client)
        dispatch = exchange.take_over(express.plan(), is_begun=self._is_head_sent)
        state.exchanges.discard(self)
        state.exchanges.add(exchange)
        client.under_way = exchange
        dispatch.go_on(self, express.connection if is_connected else None)
        self._forget()
        return dispatch

    def _forget(self) -> None:
        """It is over, or somebody else's."""
        self.answer, self.reader = None, cast(Any, None)
        self._express.forget()
