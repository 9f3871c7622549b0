"""Server: a relay that listens: `start`, `reload`, `drain`; and the clock that ends what takes too long."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext, TLSVersion
from time import monotonic
from typing import Any, Final

from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.places import listening_socket
from breakeven.gateway.ports import Sink
from breakeven.gateway.relay.client_connection import ClientConnection
from breakeven.gateway.relay.exchange import Exchange
from breakeven.gateway.relay.state import LOOK_EVERY_S, AuditKeeper, Counting, RelayAdmission, RelayState, Watched

_BACKLOG_COUNT: Final = 2_048
_LOOKS_PER_SECOND_COUNT: Final = round(1 / LOOK_EVERY_S)


class Relay:
    """A relay that listens."""

    def __init__(self, state: RelayState) -> None:
        self._state = state
        self._clients: set[ClientConnection] = set()
        self._server: asyncio.Server | None = None
        self._clock: asyncio.TimerHandle | None = None
        self._looks_count = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def open_requests_count(self) -> int:
        """Requests under way or not recorded yet, shadows included."""
        state = self._state
        return len(state.exchanges) + (0 if state.lanes is None else len(state.lanes.ended))

    @property
    def clients_count(self) -> int:
        """Connections of clients."""
        return len(self._clients)

    @property
    def unsent_bytes_count(self) -> int:
        """Bytes that clients have not taken yet."""
        return sum(each.unsent_bytes_count for each in self._clients)

    @property
    def upstream_connections_count(self) -> int:
        """Connections to upstreams, free ones included."""
        return sum(len(pool.open) for pool in self._state.pools.values())

    async def listen(self, shares_port: bool) -> None:
        """Begins to take connections."""
        settings, loop = self._state.settings, self._state.loop
        tls = None
        if settings.tls_certificate is not None and settings.tls_key is not None:
            tls = server_ssl_context(settings.tls_certificate, settings.tls_key)
        host, port = settings.listen_host, settings.listen_port
        where: dict[str, Any] = {"sock": listening_socket(host, port)} if shares_port else {"host": host, "port": port}
        self._server = await loop.create_server(
            lambda: ClientConnection(self._state, self._clients),
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else settings.timeouts.client_head_s,
            backlog=_BACKLOG_COUNT,
            **where,
        )
        self._clock = loop.call_later(LOOK_EVERY_S, self._look)

    def reload(self, settings: GatewaySettings) -> None:
        """Other settings, for requests to come; nothing under way is dropped. Where it listens stays as it was."""
        self._state.reload(settings)

    async def drain(self) -> None:
        """Takes nothing new, waits for what is under way up to `drain_s`, then ends it."""
        state = self._state
        state.is_draining = True
        if self._server is not None:
            self._server.close()
        ends_s = monotonic() + state.settings.timeouts.drain_s
        for client in list(self._clients):
            client.drain()
        while (state.exchanges or any(each.is_busy for each in self._clients)) and monotonic() < ends_s:
            await asyncio.sleep(LOOK_EVERY_S)
        await self.close()

    async def close(self) -> None:
        """Ends everything at once."""
        state = self._state
        if self._server is not None:
            self._server.close()
        if self._clock is not None:
            self._clock.cancel()
        for exchange in list(state.exchanges):
            exchange.client_gone()
        for client in list(self._clients):
            client.kill()
        state.record()
        for pool in state.pools.values():
            pool.close()
        await asyncio.sleep(0)

    def _look(self) -> None:
        """Looks at everything that may take too long; one timer for all."""
        state = self._state
        now_s = state.now_s = monotonic()
        self._clock = state.loop.call_later(LOOK_EVERY_S, self._look)
        for exchange in tuple(state.exchanges):
            try:
                exchange.look(now_s)
            except Exception as problem:  # whatever it is, the clock goes on for all others
                self._end_broken(exchange, problem)
        self._looks_count += 1
        if self._looks_count % 4 == 0:
            for client in tuple(self._clients):
                client.look(now_s)
        if self._looks_count % _LOOKS_PER_SECOND_COUNT == 0:
            self._each_second()

    def _end_broken(self, under_way: Watched, problem: Exception) -> None:
        """Ends what raises, so that it does so once; its client gets an error, or at least loses its connection."""
        state = self._state
        if state.counting is not None:
            state.counting.mistake(problem)
        if under_way not in state.exchanges:  # an Exchange took its place, and is looked at next
            return
        with suppress(Exception):
            if isinstance(under_way, Exchange):
                under_way.broken()
                return
            under_way.client_gone()
        state.exchanges.discard(under_way)
        for client in tuple(self._clients):
            if client.under_way is under_way:
                client.kill()

    def _each_second(self) -> None:
        state = self._state
        state.set_date()
        if state.lanes is not None:
            state.lanes.learnt_count = 0
        for pool in state.pools.values():
            pool.reap(state.now_s)
        if state.counting is not None:
            state.counting.gauge("requests_in_flight", len(state.exchanges))
            state.counting.gauge("client_connections", len(self._clients))
            state.counting.gauge("upstream_connections", self.upstream_connections_count)


async def start(
    settings: GatewaySettings,
    admission: RelayAdmission,
    sink: Sink | None = None,
    counting: Counting | None = None,
    shares_port: bool = False,
    audit: AuditKeeper | None = None,
) -> Relay:
    """A relay that listens at `settings.listen_host` and `listen_port` (0: any free port; see `Relay.port`)."""
    relay = Relay(RelayState(settings, admission, sink, counting, asyncio.get_running_loop(), audit))
    await relay.listen(shares_port)
    return relay


def server_ssl_context(certificate: Path, key: Path) -> SSLContext:
    """TLS towards clients: 1.2 or newer, HTTP/1.1."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.minimum_version = TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
