"""Mock server: an OpenAI-compatible endpoint that answers on a timetable, to measure the generator itself against.

python -m breakeven.bench.mock_server [--port N] [--ttft-ms N] [--tpot-ms N] [--slowdown-ms N]

It prints the port it listens on. It speaks HTTP/1.1 on loopback with nothing but asyncio, so that the generator and
not the server is the slower of the two. Every event carries `sent_s`, the clock at which it was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from breakeven.units import MS_PER_S

MODEL: Final = "mock"
TEMPLATE_TOKENS: Final = 7
"""What a chat template adds to the words of a prompt; one word is one token."""
_WORD: Final = " word"
_REASONS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


@dataclass(frozen=True, slots=True)
class Timetable:
    """When tokens come: a time to the first, and a time per token that grows with the requests under way."""

    ttft_s: float = 0.0
    tpot_s: float = 0.0
    slowdown_s: float = 0.0
    """Added to the time per token for each other request under way."""
    tokens_per_event_count: int = 1


class Exchange(asyncio.Protocol):
    """One connection."""

    active_count = 0
    """Answers under way, over all connections."""
    answered_count = 0
    """Answers given so far; `/v1/models` says it too."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._received = b""
        self._transport: asyncio.Transport
        self._timer: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connects."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """The client is gone; so is the rest of its answer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            type(self).active_count -= 1

    def data_received(self, data: bytes) -> None:
        """A block of a request."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = _content_length(head)
        if len(body) < length:
            return
        self._received = body[length:]
        method, _, rest = head.partition(b" ")
        path = rest.split(b" ", 1)[0].split(b"?", 1)[0].decode("latin-1")
        self._route(method, path.rstrip("/"), body[:length])

    def _route(self, method: bytes, path: str, body: bytes) -> None:
        if path == "/v1/models":
            model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "breakeven"}
            answered = type(self).answered_count
            self._send_json(200, {"object": "list", "data": [model], "answered_count": answered})
        elif path not in ("/v1/chat/completions", "/v1/completions"):
            self._send_json(404, _error(f"no such path: {path}"))
        elif method != b"POST":
            self._send_json(405, _error("POST only"))
        else:
            try:
                asked = _Asked.read(json.loads(body), chat="chat" in path)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                self._send_json(400, _error(f"{type(error).__name__}: {error}"))
                return
            self._answer(asked)

    def _answer(self, asked: _Asked) -> None:
        self._asked, self._left = asked, asked.tokens_count
        word = asked.event({"content": _WORD * self._timetable.tokens_per_event_count})
        self._word_event = json.dumps(word, separators=(",", ":")).encode()[1:]
        type(self).active_count += 1
        if asked.stream:
            self._write_head(200, "text/event-stream", "Transfer-Encoding: chunked\r\n")
            if asked.chat:
                self._event(asked.event({"role": "assistant", "content": ""}))
        self._later(self._timetable.ttft_s)

    def _later(self, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(delay_s, self._next) if delay_s > 0 else loop.call_soon(self._next)

    def _next(self) -> None:
        table = self._timetable
        count = min(table.tokens_per_event_count, self._left)
        self._left -= count
        if self._asked.stream:
            self._transport.write(_chunk(b'data: {"sent_s":%r,%b\n\n' % (time.perf_counter(), self._word_event)))
        if self._left:
            per_token = table.tpot_s + table.slowdown_s * (type(self).active_count - 1)
            self._later(per_token * min(table.tokens_per_event_count, self._left))
            return
        self._timer = None
        type(self).active_count -= 1
        type(self).answered_count += 1
        if self._asked.stream:
            self._end_stream()
        else:
            self._send_json(200, self._asked.whole())

    def _end_stream(self) -> None:
        last = [self._asked.event({}, finish="length")]
        if self._asked.include_usage:
            last.append(self._asked.usage_event())
        for each in last:
            self._event(each)
        self._transport.write(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    def _event(self, event: dict[str, Any]) -> None:
        event["sent_s"] = time.perf_counter()
        self._transport.write(_chunk(b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"))

    def _send_json(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self._write_head(status, "application/json", f"Content-Length: {len(body)}\r\n")
        self._transport.write(body)

    def _write_head(self, status: int, content_type: str, more: str) -> None:
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nServer: breakeven-mock\r\n"
        head += f"Content-Type: {content_type}\r\n{more}\r\n"
        self._transport.write(head.encode())


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request asks for."""

    model: str
    chat: bool
    stream: bool
    include_usage: bool
    tokens_count: int
    prompt_tokens: int

    @classmethod
    def read(cls, body: dict[str, Any], *, chat: bool) -> _Asked:
        if chat:
            said = " ".join(str(each["content"]) for each in body["messages"])
        else:
            said = str(body["prompt"])
        tokens = int(body.get("max_tokens") or body.get("max_completion_tokens") or 16)
        if tokens < 1:
            raise ValueError(f"max_tokens {tokens}")
        options = body.get("stream_options") or {}
        prompt = len(said.split()) + TEMPLATE_TOKENS * chat
        return cls(
            str(body["model"]), chat, bool(body.get("stream")), bool(options.get("include_usage")), tokens, prompt
        )

    def event(self, delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
        said = {"delta": delta} if self.chat else {"text": delta.get("content", "")}
        return self._frame(chunk=True) | {"choices": [{"index": 0, **said, "finish_reason": finish, "logprobs": None}]}

    def usage_event(self) -> dict[str, Any]:
        return self._frame(chunk=True) | {"choices": [], "usage": self._usage()}

    def whole(self) -> dict[str, Any]:
        text = _WORD * self.tokens_count
        said = {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        choice = {"index": 0, **said, "finish_reason": "length", "logprobs": None}
        return self._frame(chunk=False) | {"choices": [choice], "usage": self._usage()}

    def _frame(self, *, chunk: bool) -> dict[str, Any]:
        kind = ("chat.completion.chunk" if chunk else "chat.completion") if self.chat else "text_completion"
        return {"id": "cmpl-mock", "object": kind, "created": 0, "model": self.model}

    def _usage(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.tokens_count,
            "total_tokens": self.prompt_tokens + self.tokens_count,
        }


async def serve(timetable: Timetable, port: int = 0) -> asyncio.Server:
    """A server on loopback; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Exchange(timetable), "127.0.0.1", port, backlog=4096)


def port_of(server: asyncio.Server) -> int:
    """The port that a server listens on."""
    port: int = server.sockets[0].getsockname()[1]
    return port


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m breakeven.bench.mock_server")
    parser.add_argument("--port", type=int, default=0)
    for name in ("ttft", "tpot", "slowdown"):
        parser.add_argument(f"--{name}-ms", type=float, default=0.0)
    parser.add_argument("--tokens-per-event", type=int, default=1)
    given = parser.parse_args(arguments)
    timetable = Timetable(
        given.ttft_ms / MS_PER_S, given.tpot_ms / MS_PER_S, given.slowdown_ms / MS_PER_S, given.tokens_per_event
    )
    try:
        asyncio.run(_serve_forever(timetable, given.port))
    except KeyboardInterrupt:
        return 0
    return 0


async def _serve_forever(timetable: Timetable, port: int) -> None:
    server = await serve(timetable, port)
    print(port_of(server), flush=True)  # noqa: T201 - the parent reads it
    async with server:
        await server.serve_forever()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": None}}


if __name__ == "__main__":
    raise SystemExit(main())
