"""A server on loopback that answers each request with a script of bytes, pauses and hang-ups."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Step = bytes | float | str
"""Bytes are sent, a number is a pause in seconds, "close" ends the connection, "reset" breaks it."""
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def text_event(text: str = "word") -> bytes:
    """A chunk of a chat completion."""
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})


def event(document: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def usage_event(prompt: object, completion: object) -> bytes:
    """The closing event that counts tokens."""
    return event({"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}})


DONE = b"data: [DONE]\n\n"


def plain(status: str, body: bytes, content_type: str = "application/json") -> bytes:
    """A whole answer that is no stream."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def answer(tokens: int = 3, prompt: int = 10) -> list[Step]:
    """A good answer."""
    return [STREAM_HEAD, *(text_event() for _ in range(tokens)), usage_event(prompt, tokens), DONE]


@dataclass
class Scripted:
    """What the server was asked, and where it is."""

    port: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def scripted(script: Callable[[int, dict[str, Any]], Sequence[Step]]) -> AsyncIterator[Scripted]:
    """A server whose answer to request number n (and its body) is `script(n, body)`."""
    seen = Scripted()
    busy: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        busy.add(task)
        seen.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _converse(reader, writer, seen, script)
        writer.close()
        busy.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in list(busy):
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        await server.wait_closed()


async def _converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    seen: Scripted,
    script: Callable[[int, dict[str, Any]], Sequence[Step]],
) -> None:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        body = json.loads(await reader.readexactly(length))
        seen.bodies.append(body)
        for step in script(len(seen.bodies) - 1, body):
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif step == "reset":
                writer.transport.abort()
                return
            elif step == "close":
                return
            else:
                await asyncio.sleep(float(step))
        if b"connection: close" in head.lower() or not _keeps(script):
            return


def _keeps(script: Callable[[int, dict[str, Any]], Sequence[Step]]) -> bool:
    return getattr(script, "keeps", False)
