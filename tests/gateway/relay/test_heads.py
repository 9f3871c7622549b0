"""Heads: what is read, what is refused, and that remembering changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.gateway.relay.heads import BadMessage, read_answer_head, read_request_head

START = b"POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: h"


def framing(raw: bytes) -> tuple[int, bool] | int:
    """Length and coding of a request, or the status that it is refused with."""
    try:
        found = read_request_head(raw, 100)
    except BadMessage as problem:
        return problem.refusal.http_status
    return found.body_bytes_count, found.is_chunked


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (b"", (0, False)),
        (b"\r\nContent-Length: 12", (12, False)),
        (b"\r\ncontent-length:  12 ", (12, False)),
        (b"\r\nCONTENT-LENGTH:12", (12, False)),
        (b"\r\nTransfer-Encoding: Chunked", (0, True)),
        (b"\r\nContent-Length: 1\r\nContent-Length: 1", 400),
        (b"\r\nContent-Length: 1\r\ncontent-length: 2", 400),
        (b"\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", 400),
        (b"\r\nTransfer-Encoding: chunked\r\nContent-Length: 1", 400),
        (b"\r\nTransfer-Encoding: gzip, chunked", 501),
        (b"\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
        (b"\r\nContent-Length: +1", 400),
        (b"\r\nContent-Length: 1_0", 400),
        (b"\r\nContent-Length: 1, 1", 400),
        (b"\r\nContent-Length: ", 400),
        (b"\r\nContent-Length: 9999999999999999", 400),
        (b"\r\nContent-Length : 1", 400),
        (b"\r\n Content-Length: 1", 400),
        (b"\r\nA: b\r\n folded", 400),
        (b"\r\nA: b\nContent-Length: 1", 400),
        (b"\r\nA: b\rContent-Length: 1", 400),
        (b"\r\nA: b\0", 400),
        (b"\r\n: empty", 400),
        (b"\r\nno colon", 400),
        (b"\r\nHost: other", 400),
    ],
)
def test_framing_is_told_in_one_way_or_refused(more: bytes, expected: object) -> None:
    assert framing(START + more) == expected
    assert framing(START + more) == expected, "and the same again, when its parts are remembered"


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (b"POST  /v1 HTTP/1.1", 400),
        (b"POST /v1 HTTP/2.0", 505),
        (b"POST http://10.0.0.1/v1 HTTP/1.1", 400),
        (b"POST /v1\t HTTP/1.1", 400),
        (b"POST /v1\xff HTTP/1.1", 400),
        (b"PO(T /v1 HTTP/1.1", 400),
        (b" /v1 HTTP/1.1", 400),
        (b"POST /v1", 400),
    ],
)
def test_request_lines_that_are_none(start: bytes, status: int) -> None:
    assert framing(start + b"\r\nHost: h") == status


def test_a_head_is_read() -> None:
    found = read_request_head(START + b"\r\nX-A:  b c \r\nx-a: d\r\nConnection: Keep-Alive, Close", 100, "10.1.1.1")
    head = found.head
    assert (head.method, head.path, head.query, head.peer) == (b"POST", b"/v1/chat/completions", b"x=1", "10.1.1.1")
    assert [each for each in head.headers if each[0] == b"x-a"] == [(b"x-a", b"b c"), (b"x-a", b"d")]
    assert found.closes and not found.is_http10


def test_http10_closes_unless_it_says_otherwise() -> None:
    assert read_request_head(b"GET / HTTP/1.0", 100).closes
    assert not read_request_head(b"GET / HTTP/1.0\r\nConnection: keep-alive", 100).closes
    assert framing(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked") == 501


def test_too_many_headers_also_when_remembered() -> None:
    raw = START + b"".join(b"\r\nX-%d: 1" % number for number in range(10)) + b"\r\nContent-Length: 3"
    assert read_request_head(raw, 100).body_bytes_count == 3
    with pytest.raises(BadMessage) as refused:
        read_request_head(raw, 5)
    assert refused.value.refusal.http_status == 431


_LINES = st.sampled_from(
    [
        b"Content-Length: 5",
        b"content-length: 5",
        b"Content-Length: 6",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Expect: 100-continue",
        b"Authorization: Bearer k",
        b"A: b",
        b" folded",
        b"A : b",
        b"Content-Length: x",
    ]
)


@given(st.lists(_LINES, max_size=5), st.booleans())
@settings(max_examples=200, deadline=None)
def test_remembering_changes_nothing(lines: list[bytes], has_host: bool) -> None:
    raw = b"\r\n".join([b"POST / HTTP/1.1", *([b"Host: h"] if has_host else []), *lines])
    lengths = [line for line in lines if line.lower().startswith(b"content-length:")]
    codings = [line for line in lines if line.startswith(b"Transfer")]
    is_good = (
        has_host
        and b" folded" not in lines
        and b"A : b" not in lines
        and b"Content-Length: x" not in lines
        and len(lengths) + len(codings) <= 1
    )
    found = framing(raw)
    assert isinstance(found, tuple) == is_good
    if isinstance(found, tuple):
        length = int(lengths[0].partition(b": ")[2]) if lengths else 0
        assert found == (length, bool(codings))
        assert read_request_head(raw, 100).closes == (b"Connection: close" in lines)
        assert read_request_head(raw, 100).expects_continue == (b"Expect: 100-continue" in lines)


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_nothing_but_bad_message_is_ever_raised(raw: bytes) -> None:
    for read in (lambda data: read_request_head(data, 10), read_answer_head):
        for lead in (b"", START + b"\r\n", b"HTTP/1.1 200 OK\r\n"):
            try:
                read(lead + raw)
            except BadMessage:
                continue


def test_an_answer_is_read() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nX-Request-Id: r"
    found = read_answer_head(raw)
    assert (found.http_status, found.is_chunked, found.body_bytes_count) == (200, True, None)
    assert found.is_kept_alive and found.content_type == b"text/event-stream" and not found.is_encoded
    assert (b"x-request-id", b"r") in found.headers
    assert read_answer_head(b"HTTP/1.1 204").http_status == 204
    assert not read_answer_head(b"HTTP/1.0 200 OK").is_kept_alive
    assert not read_answer_head(b"HTTP/1.1 200 OK\r\nConnection: close").is_kept_alive
    assert read_answer_head(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip").is_encoded


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/2 200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        b"HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: x",
        b"HTTP/1.1 200 O\rK",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip",
        b"SSH-2.0-OpenSSH",
    ],
)
def test_answers_that_are_none(raw: bytes) -> None:
    for _ in range(2):
        with pytest.raises(BadMessage):
            read_answer_head(raw)
