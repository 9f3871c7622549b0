"""Chunks: the same body whatever pieces it comes in; broken framing is an error wherever it is cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.gateway.relay.chunks import ChunkReader, chunk_bytes_count, whole_chunk
from breakeven.gateway.relay.heads import BadMessage


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data cut at these places."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:stop] for start, stop in itertools.pairwise(places)]


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.sampled_from([b"", b";ext=1", b" ;q"]),
    st.sampled_from([b"", b"X-Trailer: 1\r\n"]),
    st.binary(max_size=10),
    st.lists(st.integers(0, 500), max_size=12),
)
@settings(max_examples=200, deadline=None)
def test_any_cut_gives_the_same_body(
    chunks: list[bytes], extension: bytes, trailer: bytes, rest: bytes, cuts: list[int]
) -> None:
    data = b"".join(b"%X%b\r\n%b\r\n" % (len(each), extension, each) for each in chunks)
    data += b"0\r\n" + trailer + b"\r\n"
    reader, content, after = ChunkReader(), b"", b""
    for piece in pieces_of(data + rest, cuts):
        if reader.is_done:
            after += piece
            continue
        content += reader.feed(piece)
        after += reader.rest if reader.is_done else b""
    assert (content, reader.is_done, after) == (b"".join(chunks), True, rest)


@pytest.mark.parametrize(
    "data",
    [
        b"x\r\nabc\r\n",
        b"\r\nabc",
        b"-1\r\na\r\n",
        b"0x3\r\nabc\r\n",
        b"3\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"3;a\nb\r\nabc\r\n",
        b"3;a\0b\r\nabc\r\n",
        b"fffffffffffff\r\n",
        b"3" + b";" + b"e" * 400 + b"\r\nabc\r\n",
        b"0\r\nA: b\nc\r\n\r\n",
        b"0\r\n" + b"A: " + b"b" * 9000 + b"\r\n\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_broken_framing(data: bytes, size: int) -> None:
    reader = ChunkReader()
    with pytest.raises(BadMessage):
        for at in range(0, len(data), size):
            reader.feed(data[at : at + size])


def test_whole_chunk_is_exact() -> None:
    for size in (1, 9, 15, 16, 255, 256, 4095, 4096, 8191):
        content = b"a" * size
        data = b"%x\r\n%b\r\n" % (size, content)
        assert whole_chunk(data) == content
        assert whole_chunk(data + b"0\r\n\r\n") is None
        assert whole_chunk(data[:-1]) is None
        assert whole_chunk(b"0" + data) is None, "left to the reader, which knows how to read it"
    assert whole_chunk(b"0\r\n\r\n") is None


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_what_is_taken_as_one_chunk_is_one(data: bytes) -> None:
    content = whole_chunk(data)
    if content is not None:
        reader = ChunkReader()
        assert reader.feed(data) == content and reader.is_between


def test_between_chunks_or_not() -> None:
    reader = ChunkReader()
    assert reader.is_between
    reader.feed(b"3\r\nab")
    assert not reader.is_between
    reader.feed(b"c\r\n")
    assert reader.is_between
    reader.feed(b"0\r\n")
    assert not reader.is_between and not reader.is_done


def test_sizes() -> None:
    assert chunk_bytes_count(b"fF") == 255
    with pytest.raises(BadMessage):
        chunk_bytes_count(b"1_0")
