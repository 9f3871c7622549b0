"""Pipes: whatever the pieces of a stream are, the client gets the bytes that it gets without them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.gateway.relay.chunks import ChunkReader
from breakeven.gateway.relay.departures import Departures
from breakeven.gateway.relay.heads import BadMessage
from breakeven.gateway.relay.pipe import Pipe
from breakeven.gateway.wire.chat_stream import ChatStream


class Turns:
    """A loop that takes its turns when it is told to."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        """As a loop."""
        self.due.append(call)

    def turn(self) -> None:
        """All that was due."""
        due, self.due = self.due, []
        for each in due:
            each()


class Client:
    """Keeps what is written to it."""

    def __init__(self, departures: Departures) -> None:
        self.departures = departures
        self.is_full = self.is_gone = False
        self.transport: Any = self
        self.given = b""

    def write(self, data: bytes) -> None:
        """As a transport."""
        assert not self.is_gone
        self.given += data

    def is_closing(self) -> bool:
        """As a transport."""
        return self.is_gone


class Connection:
    """The ordinary way of a piece: out of its chunks, through the reader, into one chunk."""

    def __init__(self, turns: Turns | None = None, departures: Departures | None = None) -> None:
        self.turns = turns or Turns()
        self.client = Client(departures or Departures(cast(Any, self.turns)))
        self.chunks, self.reader = ChunkReader(), ChatStream(strips=False)
        self.pipe: Pipe | None = None
        self.has_moved = False
        self.ordinary_count = 0

    def data_received(self, data: bytes) -> None:
        """A piece of any kind."""
        if self.pipe is not None and self.pipe.passes(data):
            return
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


def piped(connection: Connection, first: bytes) -> Pipe:
    """A pipe after a first chunk that was read in the ordinary way."""
    connection.data_received(first)
    frame = connection.reader.frame
    assert frame is not None
    connection.pipe = Pipe(frame, connection.chunks, connection.reader, connection, cast(Any, connection.client))
    return connection.pipe


def flowed(first: bytes, pieces: list[bytes], has_pipe: bool, turns: list[int] | None = None) -> Connection:
    """A stream whose first chunk was read in the ordinary way; the loop turns after these pieces, and at the end."""
    connection = Connection()
    if has_pipe:
        piped(connection, first)
    else:
        connection.data_received(first)
    for at, piece in enumerate(pieces):
        connection.data_received(piece)
        if turns is None or at in turns:
            connection.turns.turn()
    connection.turns.turn()
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
    turns=st.lists(st.integers(0, 12)),
)
def test_a_stream_is_the_same_with_and_without(
    texts: list[str], sizes: list[int], is_padded: bool, joined: bool, turns: list[int]
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
    found, expected = flowed(first, pieces, True, turns), flowed(first, pieces, False)
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
    piped(connection, chunk(event("Hi")))
    connection.client.is_full = True
    connection.data_received(chunk(event(" word")))
    assert connection.ordinary_count == 2


def test_what_came_in_one_turn_leaves_after_it_and_one_stream_that_ends_holds_up_nobody() -> None:
    turns = Turns()
    departures = Departures(cast(Any, turns))
    first, second = (Connection(turns, departures) for _ in range(2))
    pipes = [piped(each, chunk(event("Hi"))) for each in (first, second)]
    word, begun = chunk(event(" word")), first.client.given
    for each in (first, second, first):
        each.data_received(word)
    assert (first.client.given, second.client.given, len(turns.due)) == (begun, begun, 1)
    pipes[1].depart()  # as at its end, before the loop turns
    assert (first.client.given, second.client.given) == (begun, begun + word)
    turns.turn()
    assert (first.client.given, second.client.given) == (begun + word * 2, begun + word)
    assert not departures.waiting and not turns.due


def test_what_goes_the_ordinary_way_comes_after_what_waits() -> None:
    connection = Connection()
    piped(connection, chunk(event("Hi")))
    begun, word, last = connection.client.given, chunk(event(" word")), chunk(event("", None, "stop"))
    connection.data_received(word)
    connection.data_received(last)
    assert connection.client.given == begun + word + last
    connection.turns.turn()
    assert connection.client.given == begun + word + last


def test_nothing_is_written_to_a_client_that_is_gone() -> None:
    connection = Connection()
    pipe = piped(connection, chunk(event("Hi")))
    connection.data_received(chunk(event(" word")))
    connection.client.is_gone = True
    pipe.depart()
    connection.turns.turn()
    assert pipe.waiting == b""


def test_a_write_that_fails_holds_up_nobody_else() -> None:
    turns = Turns()
    departures = Departures(cast(Any, turns))
    broken, sound = (Connection(turns, departures) for _ in range(2))
    word = chunk(event(" word"))
    for each in (broken, sound):
        piped(each, chunk(event("Hi")))
        each.data_received(word)
    broken.client.is_gone = True
    with pytest.raises(AssertionError):
        turns.turn()
    turns.turn()
    assert sound.client.given.endswith(word)


def test_a_size_that_lies_is_no_piece() -> None:
    good = chunk(event(" word"))
    lying = b"%x\r\n" % (len(event(" word")) + 1) + good.partition(b"\r\n")[2]
    assert flowed(chunk(event("Hi")), [good], True).ordinary_count == 1
    with pytest.raises(BadMessage):  # from the ordinary way: the pipe gave it back
        flowed(chunk(event("Hi")), [good, lying], True)
