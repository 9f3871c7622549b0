"""State: what all connections of one relay share: settings, pools, who is served, and the time of the last look."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.utils import formatdate
from time import monotonic
from typing import Final, Protocol

from breakeven.gateway.admission.lane_book import LaneBook
from breakeven.gateway.attempt import Attempt
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.metering.audit_keeping import AuditedAnswer
from breakeven.gateway.plan import Head, Plan, Refusal
from breakeven.gateway.ports import Admission, Sink
from breakeven.gateway.relay.departures import Departures
from breakeven.gateway.relay.outgoing_heads import OutgoingHeads
from breakeven.gateway.relay.pool import Pool
from breakeven.gateway.upstream import Upstream

LOOK_EVERY_S: Final = 0.05
BODIES_MAX_BYTES: Final = 512 * 2**20
"""Of all large requests that one process holds at once."""


class RelayAdmission(Admission, Protocol):
    """What the relay asks of admission beyond the port: words of answers, and lists."""

    def response_headers(self, plan: Plan, attempt: Attempt) -> bytes:
        """The `x-breakeven-*` headers of an answer, each line with its CRLF."""
        ...

    def key_refusal(self, head: Head) -> Refusal | None:
        """Why a request is refused whatever its body says."""
        ...

    def models(self, head: Head) -> bytes | Refusal:
        """The document of `GET /v1/models` for the key in this head."""
        ...


class Counting(Protocol):
    """Where the relay counts what only it sees: `telemetry.counters`."""

    def refused(self, code: str) -> None:
        """A request was answered by ourselves, before admission saw it."""
        ...

    def count(self, name: str, n: float = 1, label: str = "") -> None:
        """Something happened."""
        ...

    def gauge(self, name: str, value: float) -> None:
        """How much of something there is."""
        ...

    def mistake(self, problem: Exception) -> None:
        """Something was raised that no code expects."""
        ...


class AuditKeeper(Protocol):
    """Where answers go that people shall label: `metering.audit_keeping`."""

    def put(self, answer: AuditedAnswer) -> None:
        """One answer. Never blocks, never raises."""
        ...


class Watched(Protocol):
    """Something with limits of time."""

    def look(self, now_s: float) -> None:
        """Ends what takes too long; called every `LOOK_EVERY_S` with the monotonic clock."""
        ...

    def client_gone(self) -> None:
        """Ends it at once."""
        ...


class UnderWay(Watched, Protocol):
    """What a client waits for."""

    def client_full(self) -> None:
        """The client reads more slowly than its answer comes."""
        ...

    def client_ready(self) -> None:
        """The client reads again."""
        ...


class UnderWayClient(Protocol):
    """The client's side of it."""

    closes: bool
    """The connection ends after this answer."""

    def write(self, data: bytes) -> None:
        """Sends bytes."""
        ...

    def answered(self, exchange: object) -> None:
        """The answer is whole: the next request may come."""
        ...


class ClientSide(UnderWayClient, Protocol):
    """The connection of the client, as far as its exchange goes."""

    is_http10: bool
    is_full: bool
    """It takes no more bytes for now."""
    transport: asyncio.Transport
    departures: Departures

    def cut(self, is_flushed: bool) -> None:
        """Ends the connection without the end of an answer; `is_flushed`: after what was written."""
        ...


class RelayState:
    """What the connections of a relay share."""

    __slots__ = (
        "_outgoing",
        "admission",
        "audit",
        "bodies_bytes_count",
        "counting",
        "date_line",
        "departures",
        "exchanges",
        "is_draining",
        "is_durable",
        "lanes",
        "loop",
        "now_s",
        "pools",
        "settings",
        "shadows_count_by_model",
        "sink",
    )

    def __init__(
        self,
        settings: GatewaySettings,
        admission: RelayAdmission,
        sink: Sink | None,
        counting: Counting | None,
        loop: asyncio.AbstractEventLoop,
        audit: AuditKeeper | None = None,
    ) -> None:
        self.settings = settings
        self.admission = admission
        self.sink = sink
        self.counting = counting
        self.loop = loop
        self.departures = Departures(loop)
        """Pieces of streams that go to their clients together."""
        self.audit = audit
        self.pools: dict[Upstream, Pool] = {}
        self._outgoing: dict[int, OutgoingHeads] = {}
        self.exchanges: set[Watched] = set()
        """Requests under way, shadows included."""
        self.bodies_bytes_count = 0
        """Of large requests that are being read or answered."""
        self.shadows_count_by_model: dict[str, int] = {}
        self.now_s = monotonic()
        """The monotonic clock at the last look: exact enough for limits."""
        self.is_draining = False
        self.is_durable = settings.durability == "request"
        self.lanes: LaneBook | None = getattr(admission, "lanes", None)
        """Where requests go that are like others before; None: each takes the ordinary way."""
        self.date_line = b""
        self.set_date()

    def outgoing(self, upstream: Upstream) -> OutgoingHeads:
        """How that upstream is written to. By identity: the value is long to hash, and every request asks."""
        return self._outgoing.get(id(upstream)) or self._new_outgoing(upstream)

    def reload(self, settings: GatewaySettings) -> None:
        """Other settings, for requests to come; what is under way ends as it began."""
        self.settings = settings
        self.is_durable = settings.durability == "request"
        self._outgoing.clear()
        if self.lanes is not None:
            self.lanes.renew()
        known = set(settings.upstreams.values())
        for upstream in [each for each in self.pools if each not in known]:
            self.pools.pop(upstream).retire()
        for pool in self.pools.values():
            pool.connect_s = settings.timeouts.connect_s

    def record(self) -> None:
        """Has recorded what was answered on lanes."""
        if self.lanes is not None:
            self.lanes.will_record = False
            self.lanes.record()

    def set_date(self) -> None:
        """The Date header; once a second is enough."""
        self.date_line = b"date: " + formatdate(usegmt=True).encode() + b"\r\n"

    def refused(self, code: str) -> None:
        """Counts an answer of our own."""
        if self.counting is not None:
            self.counting.refused(code)

    def shadow_limits(self) -> Mapping[str, int]:
        """Model -> how many copies may be under way."""
        return {each.model: each.in_flight_max_count for each in self.settings.shadows}

    def _new_outgoing(self, upstream: Upstream) -> OutgoingHeads:
        pool = self.pools.get(upstream)
        if pool is None:
            pool = self.pools[upstream] = Pool(upstream, self.loop, self.settings.timeouts.connect_s)
        outgoing = OutgoingHeads(upstream, pool, self.settings.is_open)
        self._outgoing[id(upstream)] = outgoing
        return outgoing
