"""Pool: the connections to one upstream: free ones are used again, new ones are opened up to a limit, others wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, TLSVersion, create_default_context
from time import monotonic
from typing import Final, Protocol

from breakeven.gateway.relay.upstream_connection import STALE_WITHIN_S, UpstreamConnection
from breakeven.gateway.upstream import Upstream

IDLE_MAX_S: Final = 55.0
"""Shorter than what servers and load balancers commonly wait (60 s and more), so that they seldom close first."""

_STALE_MAX_S: Final = 0.5


class Waiter(Protocol):
    """Who wants a connection."""

    def connected(self, connection: UpstreamConnection) -> None:
        """Here it is."""
        ...

    def not_connected(self) -> None:
        """There is none to be had: refused, no such name, no trust in its certificate."""
        ...


class Pool:
    """The connections to one upstream. `take` gives a free one at once; `want` calls back."""

    __slots__ = (
        "_free",
        "_is_retired",
        "_loop",
        "_opening",
        "_ssl",
        "_waiting",
        "connect_s",
        "now_s",
        "open",
        "upstream",
    )

    def __init__(self, upstream: Upstream, loop: asyncio.AbstractEventLoop, connect_s: float = 5.0) -> None:
        self.upstream = upstream
        self.connect_s = connect_s
        self.now_s = monotonic()
        self.open: set[UpstreamConnection] = set()
        self._free: list[UpstreamConnection] = []
        self._waiting: deque[Waiter] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._loop = loop
        self._ssl: SSLContext | None = None
        self._is_retired = False

    def take(self) -> UpstreamConnection | None:
        """A free connection, the one used last first; None: there is none."""
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed and not connection.transport.is_closing():
                return connection
        return None

    def want(self, waiter: Waiter) -> None:
        """Calls the waiter back with a connection of its own, or with none; a waiter that gave up must `leave`."""
        self._waiting.append(waiter)
        self._open_more()

    def leave(self, waiter: Waiter) -> None:
        """This one waits no longer."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)

    def released(self, connection: UpstreamConnection) -> None:
        """A connection is free."""
        if self._is_retired:
            connection.abort()
        elif self._waiting:
            self._loop.call_soon(self._hand_on, connection)
        else:
            connection.idle_since_s = self.now_s
            self._free.append(connection)

    def gone(self, connection: UpstreamConnection) -> None:
        """A connection is closed."""
        self.open.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if self._waiting:
            self._open_more()

    def reap(self, now_s: float) -> None:
        """Closes what has been free for long; called now and then with the monotonic clock."""
        self.now_s = now_s
        while self._free and now_s - self._free[0].idle_since_s > IDLE_MAX_S:
            self._free.pop(0).abort()

    def retire(self) -> None:
        """Nothing new will come: free connections are closed now, the others when their answers end."""
        self._is_retired = True
        for connection in list(self._free):
            connection.abort()

    def close(self) -> None:
        """Closes everything."""
        self.retire()
        for task in list(self._opening):
            task.cancel()
        for connection in list(self.open):
            connection.abort()

    @property
    def free_count(self) -> int:
        """Connections that wait for work."""
        return len(self._free)

    def _hand_on(self, connection: UpstreamConnection) -> None:
        if connection.is_closed:
            return
        if self._waiting:
            self._waiting.popleft().connected(connection)
        else:
            self.released(connection)

    def _open_more(self) -> None:
        while (
            len(self._opening) < len(self._waiting)
            and len(self.open) + len(self._opening) < self.upstream.connections_max_count
        ):
            task = self._loop.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if self._waiting:
            self._open_more()

    async def _connect(self) -> None:
        start_s = monotonic()
        try:
            async with asyncio.timeout(self.connect_s):
                connection = await self._connection()
        except (OSError, ValueError):  # timeouts and errors of TLS are OSErrors; ValueError: a name that cannot be one
            if self._waiting:
                self._waiting.popleft().not_connected()
            return
        # how soon its end can be heard: never less than a journey there and back, which opening took, too
        connection.stale_within_s = min(max(STALE_WITHIN_S, 1.5 * (monotonic() - start_s)), _STALE_MAX_S)
        self.open.add(connection)
        self._hand_on(connection)

    async def _connection(self) -> UpstreamConnection:
        upstream = self.upstream
        if upstream.is_tls and self._ssl is None:
            self._ssl = client_ssl_context(upstream.ca_file)
        name = upstream.host if upstream.is_tls else None
        make: Callable[[], UpstreamConnection] = lambda: UpstreamConnection(self)  # noqa: E731
        if upstream.socket_path is not None:
            _, connection = await self._loop.create_unix_connection(make, upstream.socket_path)
        else:
            _, connection = await self._loop.create_connection(
                make, upstream.host, upstream.port, ssl=self._ssl, server_hostname=name
            )
        return connection


def client_ssl_context(ca_file: str | None) -> SSLContext:
    """Checks certificates and names, always; `ca_file` in place of the system's authorities."""
    context = SSLContext(PROTOCOL_TLS_CLIENT) if ca_file else create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    context.minimum_version = TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
