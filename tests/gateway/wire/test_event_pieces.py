"""Streams cut at the ends of their events."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from breakeven.gateway.wire.event_pieces import EVENT_MAX_BYTES, EventPieces, event_data, event_name
from gateway.wire.samples import cut

LINES = st.lists(
    st.sampled_from([b"data: {}", b"data:x", b": ping", b"event: e", b"", b"", "data: \u2028\x85é".encode(), b"id: 1"]),
    max_size=12,
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


def split(pieces: list[bytes]) -> tuple[list[bytes], bytes]:
    held = EventPieces()
    found = [event for piece in pieces for event in held.whole(piece)]
    return found, held.rest()


@given(LINES, ENDS, st.integers(1, 9), st.binary(max_size=4))
@example([b"data: 1", b"", b"data: 2", b""], b"\r\n", 1, b"")
def test_no_byte_is_lost_however_it_is_cut(lines: list[bytes], end: bytes, size: int, tail: bytes) -> None:
    stream = end.join(lines) + tail
    events, rest = split(cut(stream, size))
    assert b"".join(events) + rest == stream


@given(LINES, st.sampled_from([b"\n", b"\r\n"]), st.integers(1, 40))
def test_events_are_the_same_however_they_are_cut(lines: list[bytes], end: bytes, size: int) -> None:
    stream = end.join(lines)
    whole, cut_up = split([stream])[0], split(cut(stream, size))[0]
    datas = [[event_data(event) for event in events if event.strip()] for events in (whole, cut_up)]
    assert datas[0] == datas[1]


def test_a_lone_event_is_the_same_object() -> None:
    event = b"data: {}\n\n"
    assert EventPieces().whole(event)[0] is event


@pytest.mark.parametrize(
    ("event", "data", "name"),
    [
        (b"data: {}\n\n", b"{}", b""),
        (b"data:{}\r\n\r\n", b"{}", b""),
        (b"event: x\ndata: a\ndata: b\n\n", b"a\nb", b"x"),
        (b": comment\n\n", b"", b""),
        (b"data\n\n", b"", b""),
        (b"datax: 1\n\n", b"", b""),
        (b"\xef\xbb\xbfdata: 1\n\n", b"1", b""),
        ("data: a\u2028b\x85c\n\n".encode(), "a\u2028b\x85c".encode(), b""),
    ],
)
def test_fields_of_events(event: bytes, data: bytes, name: bytes) -> None:
    assert (event_data(event), event_name(event)) == (data, name)


def test_an_event_without_end_is_known_as_too_large() -> None:
    held = EventPieces()
    piece = b"x" * 2**20
    for _ in range(EVENT_MAX_BYTES // len(piece)):
        held.whole(piece)
    assert not held.is_too_large
    held.whole(b"x")
    assert held.is_too_large


def test_lines_that_end_in_cr_after_a_cut_without_one() -> None:
    events, rest = split([b"data: 1", b"\n\n", b"data: 2\r\n", b"\r\n"])
    assert events == [b"data: 1\n\n", b"data: 2\r\n\r\n"]
    assert rest == b""
