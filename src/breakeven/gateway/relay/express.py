"""Express: a request on a lane: it goes out as it came, its answer goes back as it came, and it is recorded later.

One such object serves all requests of a client's connection. It takes a request only where everything about it is
known (`admission/lane.py`), and an answer only where it came whole, sound and in one piece; for anything else the
request goes on as an ordinary Exchange, as if it had been one from the start.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from breakeven.gateway.admission.lane import Gate, Lane, Read, Reserved
from breakeven.gateway.admission.lane_book import LaneBook
from breakeven.gateway.admission.lane_records import Streamed
from breakeven.gateway.admission.reservations import OUTPUT_TOKENS_UNSTATED
from breakeven.gateway.plan import Plan
from breakeven.gateway.relay.exchange import Exchange
from breakeven.gateway.relay.heads import RequestHead
from breakeven.gateway.relay.lane_stream import LaneStream
from breakeven.gateway.relay.on_a_lane import OnALane
from breakeven.gateway.relay.road import LENGTH, PIECE_MAX_BYTES, Road
from breakeven.gateway.relay.state import RelayState
from breakeven.gateway.relay.upstream_connection import UpstreamConnection
from breakeven.gateway.wire.outgoing import with_usage_asked
from breakeven.gateway.wire.raw_object import with_model
from breakeven.units import TOKENS_PER_MTOK

if TYPE_CHECKING:
    from breakeven.gateway.relay.client_connection import ClientConnection

_DIGITS_MAX_COUNT: Final = 8
RECORD_AFTER_S: Final = 0.02
RECORD_AT_COUNT: Final = 64
"""So many are recorded at once: enough for a warm loop, and so few that nobody else waits for them noticeably."""
_NOTHING: Final[dict[str, Any]] = {}


class Express(OnALane):
    """What is under way on a lane for one client's connection."""

    __slots__ = (
        "_after",
        "_after_bytes_count",
        "_before",
        "_body",
        "_body_max_bytes",
        "_digits_at",
        "_document",
        "_gate",
        "_stream",
        "begun_s",
        "came_unix_s",
        "client",
        "connection",
        "lane",
        "lanes",
        "out",
        "read",
        "request_id",
        "reserved",
        "state",
    )

    def __init__(self, state: RelayState, client: ClientConnection, lanes: LaneBook) -> None:
        self.state, self.client, self.lanes = state, client, lanes
        self._gate: Gate | None = None
        self._before = self._after = b""
        """What stands before and after the digits of the length in the head that the gate knows."""
        self._digits_at = self._after_bytes_count = self._body_max_bytes = 0
        self.connection: UpstreamConnection = cast(Any, None)
        # what is under way:
        self.lane: Lane = cast(Any, None)
        self.request_id = ""
        self.came_unix_s = self.begun_s = 0.0
        self.read: Read = cast(Any, None)
        self.reserved: Reserved = (0, 0.0, 0)
        self._document: dict[str, Any] = {}
        self._body = self.out = b""
        """As it came, and as it went out."""
        self._stream = LaneStream(self)

    def learn(self, raw: bytes, request: RequestHead) -> bool:
        """Looks for the gate of a head (`raw`: with its end); True where there is one that was not asked yet."""
        gate, lanes = self._gate, self.lanes
        if gate is not None and gate.is_open and raw.startswith(self._before) and raw.endswith(self._after):
            return False
        self._gate = None
        if lanes.maker is None or request.is_chunked or request.expects_continue or request.closes:
            return False
        small = raw.lower()
        at = small.find(LENGTH) + len(LENGTH)
        if at < len(LENGTH) or small.count(LENGTH) != 1 or small.find(b"\r\ntraceparent:") >= 0 or request.is_http10:
            return False
        at += raw[at] == 0x20
        stop = raw.find(b"\r\n", at)
        if raw[at:stop] != b"%d" % request.body_bytes_count:
            return False
        self._before, self._after = raw[:at], raw[stop:]
        self._digits_at, self._after_bytes_count = at, len(raw) - stop
        self._body_max_bytes = min(PIECE_MAX_BYTES, self.state.settings.wire.body_max_bytes)
        self._gate = lanes.gate(self._before + self._after, request.head)
        return self._gate is not None

    def takes(self, data: bytes) -> bool:
        """Sends a request on its way; False where it must take the ordinary one, and nothing was done."""
        gate, at = self._gate, self._digits_at
        if gate is None or not data.startswith(self._before):
            return False
        stop = data.find(b"\r", at, at + _DIGITS_MAX_COUNT)
        body_at = stop + self._after_bytes_count
        size = len(data) - body_at
        if not data.startswith(self._after, stop) or data[at:stop] != b"%d" % size:
            return False
        state, lanes = self.state, self.lanes
        if not gate.is_open or lanes.availability.is_troubled or size > self._body_max_bytes:
            return False
        if state.is_draining or len(state.exchanges) >= state.settings.wire.requests_in_flight_max_count:
            return False
        body = data[body_at:]
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return False
        try:
            read = lanes.read(gate, document, body) if type(document) is dict else None
        except Exception:  # whatever it was, admission says it to the client
            return False
        if read is None:
            return False
        lane, input_count, limit, _ = read
        road: Road = lane.road or _new_road(lane, state)
        if lane.is_same_model and body.count(b'"model"') == 1 and b"\\" not in body:
            out: bytes | None = body
        else:
            out = with_model(body, lane.target.model)
        now_unix_s, now_s = lanes.now(), monotonic()
        if out is None or now_unix_s >= gate.expires_unix_s:
            return False
        if lane.adds_usage:
            out = with_usage_asked(out)
        connection = road.pool.take()
        if connection is None:
            return False
        terms, period, usd, tokens_count = gate.terms, 0, 0.0, 0
        if terms is not None:
            output_count = OUTPUT_TOKENS_UNSTATED if limit is None else limit
            tokens_count = input_count + output_count
            usd = (input_count * lane.dearest_usd_per_mtok + output_count * lane.output_usd_per_mtok) / TOKENS_PER_MTOK
            if lane.usd_per_request is not None:
                usd += lane.usd_per_request
            taken = lanes.take(terms, usd, tokens_count, now_unix_s)
            if taken is None:
                road.pool.released(connection)
                return False
            period = taken
        self.lane, self.request_id = lane, (lanes.ids or lanes.new_ids()).pop()
        self.came_unix_s, self.begun_s = now_unix_s, now_s
        self.read, self.reserved = read, (period, usd, tokens_count)
        self._document, self._body, self.out = document, body, out
        self.connection = connection
        connection.express = self
        connection.transport.write(b"%b%d\r\n\r\n%b" % (road.out, len(out), out))
        client = self.client
        client.under_way, client.phase = self, "busy"
        state.exchanges.add(self)
        return True

    # What the connection says.

    def answered(self, data: bytes) -> bool:
        """Gives out an answer that came whole; False where the request went over to an Exchange, which reads on."""
        lane, client, state = self.lane, self.client, self.state
        if lane.plan.facts.is_stream:
            self._stream.begin()
            return False
        road: Road = lane.road
        at = road.digits_at
        stop = data.find(b"\r", at, at + _DIGITS_MAX_COUNT)
        if not (data.startswith(road.before) and data.startswith(road.after, stop)):
            if not road.learn(data):
                return self._hand_over()
            at = road.digits_at
            stop = data.find(b"\r", at, at + _DIGITS_MAX_COUNT)
        body_at = stop + road.after_bytes_count
        size = len(data) - body_at
        if data[at:stop] != b"%d" % size or size > road.answer_max_bytes or client.closes or state.is_draining:
            return self._hand_over()
        body = data[body_at:]
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return self._hand_over()
        if type(document) is not dict or "choices" not in document or "error" in document:
            return self._hand_over()
        ended_s = monotonic()
        if road.date_line is not state.date_line:
            road.word(state)
        request_id = self.request_id
        client.under_way = None  # over before the write: the write may say that the client is full
        state.exchanges.discard(self)
        client.transport.write(b"%b%b%b%d\r\n\r\n%b" % (road.start, request_id.encode(), road.end, size, body))
        self.ended(document, ended_s)
        self.forget()
        if client.buffer:
            client.ready()
        else:
            client.phase = "idle"
            client.deadline_s = state.now_s + state.settings.timeouts.client_idle_s
        return True

    def lost(self) -> None:
        """The connection ended without an answer: what is done about that is an Exchange's."""
        self._hand_over()

    # What the clock says; what the client says is common to all lanes.

    def look(self, now_s: float) -> None:
        """What takes too long, or should be asked of somebody else too, is an Exchange's to end."""
        waited_s = now_s - self.begun_s
        settings = self.state.settings
        hedge_after_s = settings.retries.hedge_after_s
        if (
            waited_s > settings.timeouts.first_byte_s
            or waited_s > settings.timeouts.total_s
            or (hedge_after_s is not None and waited_s > hedge_after_s)
        ):
            self._exchange().look(now_s)

    # What both its ways have in common.

    def plan(self) -> Plan:
        """The ordinary plan of what is under way, which leaves its lane."""
        at_s = (self.came_unix_s, self.begun_s)
        return self.lanes.ordinary(self.request_id, self._document, self._body, self.read, self.reserved, at_s)

    def ended(self, told: dict[str, Any] | Streamed, ended_s: float) -> None:
        """Lets it be recorded, soon."""
        lanes = self.lanes
        ended = lanes.ended
        ended.append((self.request_id, self.came_unix_s, self.begun_s, ended_s, told, self.read, self.reserved))
        if not lanes.will_record:
            lanes.will_record = True
            self.state.loop.call_later(RECORD_AFTER_S, self.state.record)
        elif len(ended) >= RECORD_AT_COUNT:
            lanes.record()

    def forget(self) -> None:
        """It is over, or somebody else's: what it holds is let go."""
        self._document, self._body, self.out = _NOTHING, b"", b""

    def _hand_over(self) -> bool:
        self._exchange()
        return False

    def _exchange(self) -> Exchange:
        """The ordinary Exchange of what is under way, from now on in the place of this."""
        state, client = self.state, self.client
        exchange = Exchange(state, client)
        self.connection.express = None
        exchange.take_over(self.plan()).take_over(self.connection, self.out)
        self.forget()
        state.exchanges.discard(self)
        state.exchanges.add(exchange)
        client.under_way = exchange
        return exchange


def _new_road(lane: Lane, state: RelayState) -> Road:
    road = lane.road = Road(lane, state)
    return road
