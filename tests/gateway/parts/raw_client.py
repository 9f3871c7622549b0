"""A client that sends bytes as they are and reads what comes back, for requests no honest library would send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

WAIT_S = 20.0


@dataclass
class RawAnswer:
    """One answer, as bytes."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    is_whole: bool = True
    """It ended as its framing says, not by the end of the connection."""
    interim: list[int] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The only header of that name."""
        found = [value for each, value in self.headers if each == name]
        assert len(found) < 2, f"{name} came {len(found)} times"
        return found[0] if found else None

    @property
    def document(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """Of an error of either dialect."""
        error = self.document.get("error") or {}
        return error.get("code") or error.get("type")

    @property
    def events(self) -> list[bytes]:
        """The data of each server-sent event."""
        lines = self.body.replace(b"\r\n", b"\n").split(b"\n")
        return [line[5:].strip() for line in lines if line.startswith(b"data:")]


class RawClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """These bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> RawAnswer:
        """The next answer, whole or as far as it came."""
        async with asyncio.timeout(WAIT_S):
            return await self._answer()

    async def head(self) -> RawAnswer:
        """The next answer's head only."""
        async with asyncio.timeout(WAIT_S):
            return await self._head()

    async def is_closed(self) -> bool:
        """Whether the other side ended the connection, with nothing more to say."""
        try:
            async with asyncio.timeout(WAIT_S):
                return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    def abort(self) -> None:
        """Leave at once."""
        self.writer.transport.abort()

    async def _head(self) -> RawAnswer:
        interim: list[int] = []
        while True:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head[:-4].split("\r\n")
            version, status, *_ = first.split(" ")
            assert version in {"HTTP/1.1", "HTTP/1.0"}, first
            if status.startswith("1"):
                interim.append(int(status))
                continue
            headers = []
            for line in lines:
                name, colon, value = line.partition(":")
                assert colon and "\r" not in line and "\n" not in line, line
                headers.append((name.lower(), value.strip()))
            return RawAnswer(int(status), headers, interim=interim)

    async def _answer(self) -> RawAnswer:
        answer = await self._head()
        try:
            if "chunked" in (answer.header("transfer-encoding") or ""):
                await self._chunks(answer)
            elif (length := answer.header("content-length")) is not None:
                answer.body = await self.reader.readexactly(int(length))
            elif answer.status not in {204, 304}:
                answer.body = await self.reader.read()
        except asyncio.IncompleteReadError as error:
            answer.body += error.partial
            answer.is_whole = False
        except ConnectionError:
            answer.is_whole = False
        return answer

    async def _chunks(self, answer: RawAnswer) -> None:
        while True:
            size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
            data = await self.reader.readexactly(size + 2)
            assert data.endswith(b"\r\n")
            if size == 0:
                return
            answer.body += data[:-2]


@asynccontextmanager
async def raw_client(url: str, limit_bytes: int = 2**20) -> AsyncIterator[RawClient]:
    """A connection to a server."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=limit_bytes)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()


def request(
    path: str,
    document: Any = None,
    headers: dict[str, str] | None = None,
    method: str = "POST",
    body: bytes | None = None,
) -> bytes:
    """A request of good manners."""
    data = body if body is not None else b"" if document is None else json.dumps(document).encode()
    fields = {"Host": "gateway.test", "Content-Type": "application/json", "Content-Length": str(len(data))}
    fields |= headers or {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + data


def chat(model: str, text: str = "hello there", **more: Any) -> dict[str, Any]:
    """The body of a chat request."""
    return {"model": model, "messages": [{"role": "user", "content": text}]} | more


async def ask(
    url: str, document: Any, path: str = "/v1/chat/completions", headers: dict[str, str] | None = None
) -> RawAnswer:
    """One request on a connection of its own."""
    async with raw_client(url) as client:
        await client.send(request(path, document, headers))
        return await client.answer()
