"""Places: the ports and the state folder that a gateway holds while it runs; a taken one is an error."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from breakeven.errors import GatewayError
from breakeven.gateway.config.settings import GatewaySettings

LOCK_NAME: Final = "lock"
RECORD_FOLDERS: Final = ("calls", "write-ahead")
"""Records that were compacted, and those that were not yet."""
CONTROL_SOCKET_NAME: Final = "control.sock"
SOCKET_PATH_MAX_COUNT: Final = 100
"""Bytes of a path that a Unix socket may have, on every system."""


def control_socket(state_folder: Path) -> Path:
    """Where the control process takes what relays pass on."""
    return state_folder / CONTROL_SOCKET_NAME


@contextmanager
def held_places(settings: GatewaySettings) -> Iterator[GatewaySettings]:
    """Hold the state folder and both ports; the settings, with the ports found where 0 asked for any."""
    with ExitStack() as stack:
        _hold_folder(settings.state_folder, stack)
        listen_port = _hold_port(settings.listen_host, settings.listen_port, "the gateway (--listen)", stack)
        admin_port = _hold_port(settings.admin_host, settings.admin_port, "administrators (--admin)", stack)
        yield replace(settings, listen_port=listen_port, admin_port=admin_port)


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket that shares its port with the one that `held_places` keeps."""
    found = socket.socket(_family(host), socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.bind((host, port))
    return found


def address(host: str, port: int) -> str:
    """As people write it.

    >>> address("::1", 4000)
    '[::1]:4000'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _hold_folder(folder: Path, stack: ExitStack) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in RECORD_FOLDERS:  # `breakeven import` may look before anything is there
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise GatewayError(f"{folder}: the state folder cannot be used ({error.strerror}); name another") from None
    stack.callback(os.close, lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
        raise GatewayError(
            f"{folder}: another gateway uses this state folder (process {holder}); stop it, or name another folder"
        ) from None
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
    except OSError as error:
        raise GatewayError(f"{folder}: nothing can be written to the state folder ({error.strerror})") from None
    path_count = len(os.fsencode(control_socket(folder).absolute()))
    if path_count > SOCKET_PATH_MAX_COUNT:
        raise GatewayError(
            f"{folder}: the path of the state folder is too long for a socket in it ({path_count} bytes of "
            f"{SOCKET_PATH_MAX_COUNT}); name a shorter one"
        )


def _hold_port(host: str, port: int, who: str, stack: ExitStack) -> int:
    """Bind without listening, so that nobody else takes it while children start and start again."""
    try:
        if port:
            with socket.socket(
                _family(host), socket.SOCK_STREAM
            ) as probe:  # alone: a port that is shared is taken, too
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        held = listening_socket(host, port)
    except OSError as error:
        raise GatewayError(
            f"{address(host, port)}: {error.strerror}; wanted for {who}. `ss -ltnp` says who listens there"
        ) from None
    stack.callback(held.close)
    return int(held.getsockname()[1])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
