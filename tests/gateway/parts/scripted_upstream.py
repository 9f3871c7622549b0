"""An upstream on loopback that answers by a script, keeps a strict eye on what it is sent, and counts what it bills."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

Step = bytes | float | str | int
"""Bytes are sent, a float is a pause in seconds, an int is that many bytes of filling,
"close" ends the connection, "reset" breaks it, "hold" waits until the other side leaves."""
FILLING = b" " * 65_536
HEAD_MAX_BYTES = 262_144


@dataclass(slots=True)
class Asked:
    """One request as it came, and how its answer went."""

    number: int
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    peer: object
    received_monotonic_s: float
    input_tokens: int = 0
    """What the answer says, and so what is billed."""
    output_tokens: int = 0
    is_whole: bool = False
    """The script was played to its end."""
    left_monotonic_s: float | None = None
    """When the other side closed before that."""
    written_bytes: int = 0

    @property
    def document(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body) if self.body else {}

    @property
    def model(self) -> str:
        """What it asks for."""
        try:
            return str(self.document.get("model", ""))
        except (ValueError, AttributeError):
            return ""

    @property
    def is_stream(self) -> bool:
        """Whether it wants events."""
        return self.document.get("stream") is True

    def header(self, name: str) -> str | None:
        """The only header of that name (two of them are a failure)."""
        found = [value for each, value in self.headers if each == name]
        assert len(found) < 2, f"{name} came {len(found)} times"
        return found[0] if found else None


Script = Callable[[Asked], Iterable[Step]]


@dataclass
class ScriptedUpstream:
    """What it was asked, and where it is."""

    script: Script
    host: str = "127.0.0.1"
    port: int = 0
    is_tls: bool = False
    asked: list[Asked] = field(default_factory=list)
    connections_count: int = 0
    open_connections: set[_Connection] = field(default_factory=set)
    oddities: list[str] = field(default_factory=list)
    """What no honest proxy sends: two lengths, bytes behind a body, a bare line feed."""

    @property
    def url(self) -> str:
        """Its base URL, as clients write it."""
        return f"http{'s' if self.is_tls else ''}://{self.host}:{self.port}/v1"

    def asked_for(self, model: str) -> list[Asked]:
        """Requests for one model."""
        return [each for each in self.asked if each.model == model]

    def counts(self) -> Counter[str]:
        """Requests by model."""
        return Counter(each.model for each in self.asked)


class _Connection(asyncio.Protocol):
    def __init__(self, upstream: ScriptedUpstream) -> None:
        self.upstream = upstream
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.task: asyncio.Task[None] | None = None
        self.playing: Asked | None = None
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.left = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.upstream.connections_count += 1
        self.upstream.open_connections.add(self)

    def pause_writing(self) -> None:
        self.may_write.clear()

    def resume_writing(self) -> None:
        self.may_write.set()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.upstream.open_connections.discard(self)
        if self.playing is not None and not self.playing.is_whole:
            self.playing.left_monotonic_s = time.monotonic()
        self.left.set()
        self.may_write.set()
        if self.task is not None:
            self.task.cancel()
        if self.buffer:
            self.upstream.oddities.append(f"left with {bytes(self.buffer[:60])!r} unread")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.task is None:
            self._next()

    def _next(self) -> None:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > HEAD_MAX_BYTES:
                self._odd("a head without end")
            return
        head = bytes(self.buffer[:end])
        request, headers = self._read_head(head)
        body = self._take_body(headers, end + 4)
        if body is None:
            return
        asked = Asked(
            len(self.upstream.asked),
            *request,
            headers,
            body,
            self.transport.get_extra_info("peername"),
            time.monotonic(),
        )
        self.upstream.asked.append(asked)
        self.playing = asked
        self.task = asyncio.get_running_loop().create_task(self._play(asked))

    def _read_head(self, head: bytes) -> tuple[tuple[str, str], list[tuple[str, str]]]:
        if b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b"") or b"\0" in head:
            self._odd(f"bare line ends or NUL in {head[:80]!r}")
        lines = head.split(b"\r\n")
        parts = lines[0].split(b" ")
        if len(parts) != 3 or parts[2] != b"HTTP/1.1":
            self._odd(f"request line {lines[0][:80]!r}")
            parts = [*parts, b"", b""]
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip() or line[:1] in b" \t":
                self._odd(f"header line {line[:80]!r}")
            headers.append((name.decode("latin-1").lower(), value.decode("latin-1").strip()))
        return (parts[0].decode("latin-1"), parts[1].decode("latin-1")), headers

    def _take_body(self, headers: list[tuple[str, str]], start: int) -> bytes | None:
        lengths = [value for name, value in headers if name == "content-length"]
        codings = [value for name, value in headers if name == "transfer-encoding"]
        hosts = [value for name, value in headers if name == "host"]
        if len(lengths) + len(codings) > 1 or len(hosts) != 1:
            self._odd(f"lengths {lengths}, codings {codings}, hosts {hosts}")
        if codings:
            return self._take_chunks(start)
        length = int(lengths[0]) if lengths else 0
        if len(self.buffer) < start + length:
            return None
        body = bytes(self.buffer[start : start + length])
        del self.buffer[: start + length]
        return body

    def _take_chunks(self, start: int) -> bytes | None:
        body, at = bytearray(), start
        while True:
            end = self.buffer.find(b"\r\n", at)
            if end < 0:
                return None
            size = int(bytes(self.buffer[at:end]).split(b";")[0], 16)
            if len(self.buffer) < end + 2 + size + 2:
                return None
            body += self.buffer[end + 2 : end + 2 + size]
            at = end + 2 + size + 2
            if size == 0:
                del self.buffer[:at]
                return bytes(body)

    def _odd(self, what: str) -> None:
        self.upstream.oddities.append(what)

    async def _play(self, asked: Asked) -> None:
        assert self.transport is not None
        for step in self.upstream.script(asked):
            if isinstance(step, bytes):
                await self._write(asked, step)
            elif isinstance(step, float):
                await asyncio.sleep(step)
            elif isinstance(step, int):
                for _ in range(step // len(FILLING)):
                    await self._write(asked, FILLING)
            elif step == "hold":
                await self.left.wait()
            elif step == "reset":
                self._reset()
                return
            elif step == "close":
                asked.is_whole = True
                self.transport.close()
                return
        asked.is_whole = True
        self.playing = None
        self.task = None
        if asked.header("connection") == "close":
            self.transport.close()
        elif self.buffer:
            self._next()

    async def _write(self, asked: Asked, data: bytes) -> None:
        assert self.transport is not None
        await self.may_write.wait()
        if not self.transport.is_closing():
            self.transport.write(data)
            asked.written_bytes += len(data)

    def _reset(self) -> None:
        """A hard end: what was not read yet is lost, as when a machine goes."""
        assert self.transport is not None
        plug = self.transport.get_extra_info("socket")
        if plug is not None:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


@asynccontextmanager
async def scripted_upstream(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedUpstream]:
    """An upstream on the running loop."""
    upstream = ScriptedUpstream(script, is_tls=tls is not None)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(upstream), "127.0.0.1", 0, ssl=tls, backlog=1024
    )
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for connection in list(upstream.open_connections):
            if connection.task is not None:
                connection.task.cancel()
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)


@contextmanager
def upstream_thread(script: Script) -> Iterator[ScriptedUpstream]:
    """The same on a thread of its own, for gateways in other processes and clients that block."""
    started: threading.Event = threading.Event()
    upstreams: list[ScriptedUpstream] = []
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with scripted_upstream(script) as upstream:
            upstreams.append(upstream)
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield upstreams[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


def closed_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
