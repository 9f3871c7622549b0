"""Control process: serves the admin API and takes outcomes, until SIGTERM; new settings come through its pipe."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

import uvicorn

from breakeven.gateway.child_process import DRAINING_SIGNAL
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.control.app import admin_app, outcomes_app
from breakeven.gateway.control.state import ControlState
from breakeven.gateway.places import control_socket, listening_socket
from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.json_log import JsonLog
from breakeven.gateway.telemetry.snapshot_file import SnapshotWriter, last_snapshot

NAME: Final = "control"
CONCURRENT_MAX_COUNT: Final = 512
DRAIN_S: Final = 5


class Ready(Protocol):
    """What is set when connections are accepted."""

    def set(self) -> None:
        """Tell the parent."""
        ...


class Pipe(Protocol):
    """Where new settings come from."""

    def recv(self) -> GatewaySettings:
        """The next ones; EOFError when nobody sends any more."""
        ...


def main(settings: GatewaySettings, ready: Ready, pipe: Pipe) -> None:
    """The life of the process."""
    counters = Counters(previous=last_snapshot(settings.state_folder, NAME))
    log = JsonLog(NAME, counters)
    writer = SnapshotWriter(counters, settings.state_folder, NAME)
    writer.start()
    state = ControlState(settings, counters, log)
    try:
        asyncio.run(serve(state, ready, pipe))
    finally:
        state.close()
        writer.close()
        log.close()


async def serve(state: ControlState, ready: Ready, pipe: Pipe) -> None:
    """Serve both sockets until SIGTERM."""
    loop = asyncio.get_running_loop()
    settings = state.settings
    admin = _Server(_config(admin_app(state), settings.admin_tls_certificate, settings.admin_tls_key))
    outcomes = _Server(_config(outcomes_app(state)))
    with _unix_socket(control_socket(settings.state_folder)) as inner:
        outer = listening_socket(settings.admin_host, settings.admin_port)

        def stop() -> None:
            admin.should_exit = outcomes.should_exit = True

        loop.add_signal_handler(signal.SIGTERM, stop)
        loop.add_signal_handler(DRAINING_SIGNAL, state.drains)
        _listen_to(pipe, state, loop)
        serving = asyncio.gather(admin.serve([outer]), outcomes.serve([inner]))
        while not (admin.started and outcomes.started) and not serving.done():
            await asyncio.sleep(0.01)
        ready.set()
        try:
            await serving
        finally:
            await state.close_limits()


class _Server(uvicorn.Server):
    """A server beside another one: signals are not its business."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield


def _config(app: object, certificate: Path | None = None, key: Path | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONCURRENT_MAX_COUNT,
        timeout_graceful_shutdown=DRAIN_S,
        loop="none",
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


@contextmanager
def _unix_socket(path: Path) -> Iterator[socket.socket]:
    """Only the same user reaches it."""
    with suppress(FileNotFoundError):
        path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as found:
        before = os.umask(0o177)
        try:
            found.bind(str(path))
        finally:
            os.umask(before)
        try:
            yield found
        finally:
            with suppress(FileNotFoundError):
                path.unlink()


def _listen_to(pipe: Pipe, state: ControlState, loop: asyncio.AbstractEventLoop) -> None:
    import threading

    def run() -> None:
        with suppress(EOFError, OSError, RuntimeError):
            while True:
                loop.call_soon_threadsafe(state.change, pipe.recv())

    threading.Thread(target=run, name="settings", daemon=True).start()
