"""Serving: the dashboard's own web server: its socket, its patience with slow clients, its end."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import signal
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from breakeven.clock import today
from breakeven.errors import DashboardError
from breakeven.web.access import Access
from breakeven.web.app import application
from breakeven.web.guard import HEAD_MAX_BYTES
from breakeven.web.jobs import Jobs
from breakeven.web.page import Desk
from breakeven.web.project import Project
from breakeven.web.readiness import load_ahead
from breakeven.web.shelf import Shelf

if TYPE_CHECKING:
    from starlette.applications import Starlette

HEAD_WAIT_S: Final = 10.0
"""A whole request head has to come within this time."""
IDLE_WAIT_S: Final = 15
CONNECTIONS_COUNT: Final = 256
PORTS_TRIED_COUNT: Final = 20
END_WAIT_S: Final = 3
SWITCH_S: Final = 0.001
"""A page does not wait for a thread that computes longer than this, each time it has to."""


def serve(
    project: Project, listener: socket.socket, access: Access, ready: Callable[[str], None] = lambda _: None
) -> bool:
    """Serve until somebody stops it (SIGINT or SIGTERM); `ready` is told the address once it answers.

    False: some work did not end when it was asked to, and is still at it in a thread of this process.
    """
    jobs = Jobs(project.without_places)
    desk = Desk(project, jobs, Shelf(project.kept, jobs), today)
    server = Server(application(desk, access), listener, ready)
    sys.setswitchinterval(SWITCH_S)
    before = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run()  # hands the signal that ended it to the handler above, so that this is an orderly end
    finally:
        is_over = jobs.close(END_WAIT_S)
        for each, handler in before.items():
            signal.signal(each, handler)
    return is_over


def listening(host: str, port: int, *, or_next: bool = False) -> socket.socket:
    """A socket bound to `host` and `port` (0: any free one), or with `or_next` to one of the ports after it."""
    last = min(port + PORTS_TRIED_COUNT, 65_535) if or_next and port else port
    for number in range(port, last + 1):
        try:
            return _bound(host, number)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and number < last:
                continue
            raise DashboardError(_refused(host, port, last, error)) from None
    raise AssertionError("the last port returns or raises")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Server(uvicorn.Server):
    """The web server of one dashboard, on a socket that is bound already."""

    def __init__(self, app: Starlette, listener: socket.socket, ready: Callable[[str], None] = lambda _: None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=IDLE_WAIT_S,
                timeout_graceful_shutdown=END_WAIT_S,
                limit_concurrency=CONNECTIONS_COUNT,
                h11_max_incomplete_event_size=HEAD_MAX_BYTES,
            )
        )
        self._listener, self._ready = listener, ready
        host, self.port = listener.getsockname()[:2]
        name = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        self.url = f"http://{name}:{self.port}/"

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `should_exit`, or until a signal."""
        super().run(sockets or [self._listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so; by then what the first page needs is loaded."""
        load_ahead()
        await super().startup(sockets)
        self._ready(self.url)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that ends a connection whose request head does not come."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The clock begins with the connection."""
        super().connection_made(transport)
        self.access_log = False  # addresses may hold a token
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """The clock ends when the head is there, not with each byte."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._forget_timer()
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._forget_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_WAIT_S, self._too_slow)

    def _forget_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


def _bound(host: str, port: int) -> socket.socket:
    plain = host.strip("[]")
    found = socket.getaddrinfo(plain, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    found.sort(key=lambda each: each[0] != socket.AF_INET)  # where a name has both, IPv4 first
    family, kind, number, _, address = found[0]
    made = socket.socket(family, kind, number)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


def _refused(host: str, port: int, last: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        ports = f"port {port} is" if last == port else f"ports {port} to {last} are"
        return f"{ports} in use on {host}; name another one with --port, or 0 for any that is free"
    if error.errno == errno.EACCES:
        return f"port {port} is reserved for the system's administrator; name one above 1023 with --port"
    return (
        f"cannot listen on {host}:{port}: {error.strerror or error}; wanted an address of this machine, e.g. 127.0.0.1"
    )
