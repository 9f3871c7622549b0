"""Requests, models and streams that the wire's tests share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.upstream import Dialect, Target, Upstream
from breakeven.gateway.wire.answers import AnswerReader, reader_for
from breakeven.gateway.wire.request_facts import read_request

CHAT, MESSAGES, RESPONSES = b"/v1/chat/completions", b"/v1/messages", b"/v1/responses"
DONE = b"data: [DONE]\n\n"


def target(dialect: Dialect = "openai", quirks: str = "openai", model: str = "vendor/model-1") -> Target:
    """A model called `small` here and something else there."""
    prefix = b"/v1" if dialect == "openai" else b""
    return Target("small", Upstream("there", "models.example.com", 443, True, prefix, dialect, quirks=quirks), model)


def facts(path: bytes = CHAT, **more: Any) -> RequestFacts:
    """A request that is well made."""
    document = {"model": "small", "messages": [{"role": "user", "content": "Say hello."}], **more}
    found = read_request(path, orjson.dumps(document))
    assert isinstance(found, RequestFacts)
    return found


def chunk(
    delta: dict[str, Any] | None = None, finish_reason: str | None = None, index: int = 0, **more: Any
) -> dict[str, Any]:
    """A chunk of a chat stream; without a delta it has no choices."""
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "model-1"}
    return {**head, "choices": [] if delta is None else [choice], **more}


def event(data: dict[str, Any], name: str | None = None) -> bytes:
    """A server-sent event."""
    start = f"event: {name}\n".encode() if name else b""
    return start + b"data: " + orjson.dumps(data) + b"\n\n"


def anthropic_events(*documents: dict[str, Any]) -> bytes:
    """Events of Anthropic's, named by their type."""
    return b"".join(event(each, each["type"]) for each in documents)


def data_of(stream: bytes) -> list[dict[str, Any]]:
    """The objects in a stream, end mark left out."""
    found = []
    for line in stream.split(b"\n"):
        if line.startswith(b"data: ") and line != b"data: [DONE]":
            found.append(orjson.loads(line[6:]))
    return found


def streamed(
    pieces: Iterable[bytes], asked: RequestFacts | None = None, to: Target | None = None
) -> tuple[bytes, AnswerReader]:
    """What the client gets of a stream, and its reader."""
    reader = reader_for(asked or facts(stream=True), to or target(), True, 1_790_000_000)
    given = b"".join([reader.feed(piece) for piece in pieces])
    return given + reader.end(), reader


def buffered(
    document: dict[str, Any], asked: RequestFacts | None = None, to: Target | None = None
) -> tuple[bytes, AnswerReader]:
    """What the client gets of a plain answer, and its reader."""
    reader = reader_for(asked or facts(), to or target(), False, 1_790_000_000)
    given = reader.feed(orjson.dumps(document))
    return given + reader.end(), reader


def cut(stream: bytes, size_bytes: int) -> list[bytes]:
    """A stream in pieces of one size."""
    return [stream[at : at + size_bytes] for at in range(0, len(stream), size_bytes)]
