"""Pipes: whatever the pieces of a stream are, the client gets the bytes that it gets without them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.gateway.relay.chunks import ChunkReader
from breakeven.gateway.relay.heads import BadMessage
from breakeven.gateway.relay.pipe import Pipe
from breakeven.gateway.wire.chat_stream import ChatStream


class Client:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.is_full = False
        self.transport: Any = self
        self.given = b""

    def write(self, data: bytes) -> None:
        """As a transport."""
        self.given += data


class Connection(asyncio.Protocol):
    """The ordinary way of a piece: out of its chunks, through the reader, into one chunk."""

    def __init__(self) -> None:
        self.client, self.chunks, self.reader = Client(), ChunkReader(), ChatStream(strips=False)
        self.has_moved = False
        self.ordinary_count = 0

    def data_received(self, data: bytes) -> None:
        """A piece that the pipe does not know."""
        self.ordinary_count += 1
        out = self.reader.feed(self.chunks.feed(data))
        if out:
            self.client.write(b"%x\r\n%b\r\n" % (len(out), out))


def event(text: str, padding: str | None = None, finish: str | None = None) -> bytes:
    """A chunk of a chat completion."""
    document: dict[str, Any] = {"id": "c", "choices": [{"delta": {"content": text}, "finish_reason": finish}]}
    if padding is not None:
        document["obfuscation"] = padding
    return b"data: " + json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def chunk(content: bytes) -> bytes:
    """With its framing."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def content_of(chunked: bytes) -> bytes:
    """Without it."""
    return ChunkReader().feed(chunked)


def flowed(first: bytes, pieces: list[bytes], has_pipe: bool) -> Connection:
    """A stream whose first chunk was read in the ordinary way."""
    connection = Connection()
    connection.data_received(first)
    way: Any = connection
    frame = connection.reader.frame
    if has_pipe and frame is not None:
        client, chunks, reader = connection.client, connection.chunks, connection.reader
        way = Pipe(connection, frame, chunks, reader, connection, client)
    for piece in pieces:
        way.data_received(piece)
    return connection


TEXTS = st.one_of(
    st.sampled_from(["", "a", " word", '"', "\\", 'x"}', "\n\n", "é東", "a" * 200, "b" * 4_000]), st.text(max_size=40)
)


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=12),
    sizes=st.lists(st.integers(1, 900), max_size=12),
    is_padded=st.booleans(),
    joined=st.booleans(),
)
def test_a_stream_is_the_same_with_and_without(
    texts: list[str], sizes: list[int], is_padded: bool, joined: bool
) -> None:
    events = [event(each, "p" * (number % 5) if is_padded else None) for number, each in enumerate(texts)]
    whole = [chunk(each) for each in events]
    last = chunk(event("", None, "stop")) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    if joined:  # cut anywhere
        rest, pieces = b"".join(whole) + last, []
        for size in sizes:
            pieces, rest = [*pieces, rest[:size]], rest[size:]
        pieces.append(rest)
    else:
        pieces = [*whole, last]
    pieces = [each for each in pieces if each]
    first = chunk(event("Hi", "pp" if is_padded else None))
    found, expected = flowed(first, pieces, True), flowed(first, pieces, False)
    assert content_of(found.client.given) == content_of(expected.client.given)
    for name in ("text_bytes_count", "finish_reason", "is_done", "failure", "has_begun"):
        assert getattr(found.reader, name) == getattr(expected.reader, name), name
    assert found.chunks.is_done is expected.chunks.is_done is True


def test_pieces_like_the_first_never_go_the_ordinary_way() -> None:
    pieces = [chunk(event(each)) for each in (" one", " two", " three")]
    connection = flowed(chunk(event("Hi")), [*pieces, b"".join(pieces)], True)
    assert (connection.ordinary_count, connection.has_moved) == (1, True)
    assert connection.client.given.endswith(b"".join(pieces) * 2)


def test_a_client_that_takes_no_more_is_seen_by_the_ordinary_way() -> None:
    connection = Connection()
    connection.data_received(chunk(event("Hi")))
    frame = connection.reader.frame
    assert frame is not None
    pipe = Pipe(connection, frame, connection.chunks, connection.reader, connection, connection.client)
    connection.client.is_full = True
    pipe.data_received(chunk(event(" word")))
    assert connection.ordinary_count == 2


def test_a_size_that_lies_is_no_piece() -> None:
    good = chunk(event(" word"))
    lying = b"%x\r\n" % (len(event(" word")) + 1) + good.partition(b"\r\n")[2]
    assert flowed(chunk(event("Hi")), [good], True).ordinary_count == 1
    with pytest.raises(BadMessage):  # from the ordinary way: the pipe gave it back
        flowed(chunk(event("Hi")), [good, lying], True)
