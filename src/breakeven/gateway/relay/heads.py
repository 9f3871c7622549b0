"""Heads: the start line and headers of an HTTP/1.1 message, read strictly, and how its body is framed.

Whatever two readers could understand in two ways (both lengths, a bare CR, a folded line, a space before the colon) is
an error: that is what request smuggling and response splitting are made of. Lines and heads that come again and
again (clients and upstreams repeat themselves) are read once and remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.gateway.plan import Head, Refusal

_TEXT: Final = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
_VISIBLE: Final = bytes(range(0x21, 0x7F))
_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LENGTH_MAX_DIGITS: Final = 15
_LINES_MAX_COUNT: Final = 4_096
_LINE_MAX_BYTES: Final = 160
"""Of a line that is remembered."""
_HEADS_MAX_COUNT: Final = 512
_HEAD_MAX_BYTES: Final = 2_048
"""Of a head that is remembered."""
_SECRET: Final = frozenset((b"api-key", b"authorization", b"cookie", b"proxy-authorization", b"x-api-key"))
_FRAMING: Final = frozenset(
    (b"connection", b"content-encoding", b"content-length", b"content-type", b"expect", b"host", b"transfer-encoding")
)

Header = tuple[bytes, bytes]
_headers: dict[bytes, Header] = {}
"""Lines as they came -> lower-case name and value; valid ones only."""
_starts: dict[bytes, tuple[bytes, bytes, bytes, bool]] = {}
"""Request lines as they came -> method, path, query, and whether they are of HTTP/1.0."""


class BadMessage(Exception):
    """A message that is no HTTP/1.1, or not safely so; holds what a client is told."""

    def __init__(self, message: str, http_status: int = 400, code: str = "bad_request") -> None:
        super().__init__(message)
        self.refusal = Refusal(http_status, code, message)


@dataclass(slots=True)
class RequestHead:
    """A client's head, and what follows it."""

    head: Head
    body_bytes_count: int
    """0 where there is no body; meaningless where it comes in chunks."""
    is_chunked: bool
    expects_continue: bool
    closes: bool
    """No other request follows on this connection."""
    is_http10: bool
    """Knows no chunks."""


@dataclass(slots=True)
class AnswerHead:
    """An upstream's head, and what follows it."""

    http_status: int
    headers: list[Header]
    body_bytes_count: int | None
    """None: in chunks, or until the connection closes."""
    is_chunked: bool
    is_kept_alive: bool
    content_type: bytes
    is_encoded: bool
    """Compressed, though we asked for it as it is."""


_heads: dict[bytes, RequestHead] = {}
"""Heads as they came, without their length -> what they say."""
_statuses: dict[bytes, tuple[int, bool]] = {}
"""Status lines as they came -> status, and whether the connection stays open."""


def read_request_head(raw: bytes, headers_max_count: int, peer: str = "") -> RequestHead:
    r"""A head without the empty line that ends it.

    A client's heads mostly differ by their length only: what is left without it is looked up. A head with another
    word on its framing is not remembered, so nothing is missed. Such heads share one list of headers, without the
    length.

    >>> read_request_head(b"POST /v1/x?a=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5", 100).body_bytes_count
    5
    """
    at = raw.find(b"\r\nContent-Length: ")
    if at < 0:
        at = raw.find(b"\r\ncontent-length: ")
    if at < 0:
        return _read_request_head(raw, headers_max_count, peer)
    stop = raw.find(b"\r\n", at + 18)
    rest = raw[:at] if stop < 0 else raw[:at] + raw[stop:]
    known = _heads.get(rest) or _without_length(raw, rest, headers_max_count)
    if known is None or len(known.head.headers) >= headers_max_count:
        return _read_request_head(raw, headers_max_count, peer)
    size = _length((raw[at + 18 :] if stop < 0 else raw[at + 18 : stop]).strip(b" \t"))
    same = known.head
    head = Head(same.method, same.path, same.query, same.headers, peer)
    return RequestHead(head, size, False, known.expects_continue, known.closes, known.is_http10)


def _without_length(raw: bytes, rest: bytes, headers_max_count: int) -> RequestHead | None:
    """A head without its length, remembered; None where another header tells of its body, too."""
    known = _read_request_head(rest, headers_max_count, "")
    if known.is_chunked or any(name in (b"content-length", b"transfer-encoding") for name, _ in known.head.headers):
        return None
    if len(raw) <= _HEAD_MAX_BYTES:
        if len(_heads) >= _HEADS_MAX_COUNT:
            _heads.clear()
        _heads[rest] = known
    return known


def _read_request_head(raw: bytes, headers_max_count: int, peer: str) -> RequestHead:
    """Line by line."""
    lines = raw.split(b"\r\n")
    if len(lines) - 1 > headers_max_count:
        raise BadMessage(f"more than {headers_max_count} headers", 431, "headers_too_large")
    start = lines[0]
    method, path, query, is_http10 = _starts.get(start) or _read_start(start)
    del lines[0]
    headers: list[Header] = []
    length: bytes | None = None
    coding: bytes | None = None
    hosts_count = 0
    closes, expects = is_http10, False
    known = _headers
    for line in lines:
        header = known.get(line) or _read_header(line)
        headers.append(header)
        name, value = header
        if name in _FRAMING:
            if name == b"content-length":
                if length is not None:
                    raise BadMessage("more than one Content-Length")
                length = value
            elif name == b"host":
                hosts_count += 1
            elif name == b"transfer-encoding":
                if coding is not None:
                    raise BadMessage("more than one Transfer-Encoding")
                coding = value.lower()
            elif name == b"connection":
                closes = _closes(value, closes)
            elif name == b"expect":
                expects = value.lower() == b"100-continue"
    if hosts_count != 1 and not (is_http10 and hosts_count == 0):
        raise BadMessage("exactly one Host header is wanted")
    if coding is not None:
        if coding != b"chunked" or is_http10:
            raise BadMessage("the only Transfer-Encoding known here is chunked, in HTTP/1.1", 501, "transfer_encoding")
        if length is not None:
            raise BadMessage("Content-Length and Transfer-Encoding exclude each other")
    size = 0 if length is None else _length(length)
    head = Head(method, path, query, headers, peer)
    return RequestHead(head, size, coding is not None, expects and not is_http10, closes, is_http10)


def read_answer_head(raw: bytes, headers_max_count: int = 200) -> AnswerHead:
    r"""An upstream's head without the empty line that ends it.

    >>> read_answer_head(b"HTTP/1.1 200 OK\r\nContent-Length: 2").http_status
    200
    """
    lines = raw.split(b"\r\n")
    if len(lines) > headers_max_count:
        raise BadMessage("too many headers")
    status, is_kept_alive = _statuses.get(lines[0]) or _read_status(lines[0])
    del lines[0]
    headers: list[Header] = []
    answer = AnswerHead(status, headers, None, False, is_kept_alive, b"", False)
    known = _headers
    for line in lines:
        header = known.get(line) or _read_header(line)
        headers.append(header)
        name = header[0]
        if name in _FRAMING:
            if name == b"content-type":
                answer.content_type = header[1]
            else:
                _frame(answer, name, header[1])
    if answer.is_chunked and answer.body_bytes_count is not None:
        raise BadMessage("Content-Length and Transfer-Encoding exclude each other")
    return answer


def _frame(answer: AnswerHead, name: bytes, value: bytes) -> None:
    """What one header says of the body."""
    if name == b"content-length":
        size = _length(value)
        if answer.body_bytes_count not in (None, size):
            raise BadMessage("Content-Length twice, and not the same")
        answer.body_bytes_count = size
    elif name == b"transfer-encoding":
        if value.lower() != b"chunked" or answer.is_chunked:
            raise BadMessage("the only Transfer-Encoding known here is chunked")
        answer.is_chunked = True
    elif name == b"connection":
        answer.is_kept_alive = not _closes(value, not answer.is_kept_alive)
    elif name == b"content-encoding":
        answer.is_encoded = value.lower() not in (b"identity", b"")


def _read_start(line: bytes) -> tuple[bytes, bytes, bytes, bool]:
    """Method, path, query, whether it is HTTP/1.0."""
    parts = line.split(b" ")
    if len(parts) != 3 or parts[0].translate(None, _TOKEN) or not parts[0]:
        raise BadMessage("the request line is not METHOD PATH VERSION")
    method, target, version = parts
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise BadMessage("only HTTP/1.1 and HTTP/1.0 are spoken here", 505, "http_version")
    if target[:1] != b"/" or target.translate(None, _VISIBLE):
        raise BadMessage("the path must begin with / and hold visible ASCII characters only")
    path, _, query = target.partition(b"?")
    start = (method, path, query, version == b"HTTP/1.0")
    if len(line) <= _LINE_MAX_BYTES:
        if len(_starts) >= _LINES_MAX_COUNT:
            _starts.clear()
        _starts[line] = start
    return start


def _read_status(line: bytes) -> tuple[int, bool]:
    """Status, and whether the connection stays open if nothing else is said."""
    digits = line[9:12]
    if line[:7] != b"HTTP/1." or line[7:9] not in (b"1 ", b"0 ") or len(digits) != 3 or not digits.isdigit():
        raise BadMessage("not an HTTP/1.1 answer")
    if line[12:13] not in (b"", b" ") or digits[0] not in b"12345" or line.translate(None, _TEXT):
        raise BadMessage("not an HTTP/1.1 answer")
    status = (int(digits), line[7] == 0x31)
    if len(_statuses) < _HEADS_MAX_COUNT and len(line) <= _LINE_MAX_BYTES:
        _statuses[line] = status
    return status


def _read_header(line: bytes) -> Header:
    """Name in lower case, and value."""
    raw_name, colon, value = line.partition(b":")
    if not raw_name or raw_name.translate(None, _TOKEN) or not colon:
        raise BadMessage("a header without a name and a colon, with a name that is none, or folded")
    if value.translate(None, _TEXT):
        raise BadMessage("control characters in a header")
    header = (raw_name.lower(), value.strip(b" \t"))
    if len(line) <= _LINE_MAX_BYTES and header[0] not in _SECRET:
        if len(_headers) >= _LINES_MAX_COUNT:
            _headers.clear()
        _headers[line] = header
    return header


def _closes(value: bytes, by_default: bool) -> bool:
    """What a Connection header says about the end of the connection."""
    tokens = [token.strip(b" \t") for token in value.lower().split(b",")]
    if b"close" in tokens:
        return True
    return False if b"keep-alive" in tokens else by_default


def _length(value: bytes) -> int:
    """A Content-Length: digits and nothing else."""
    if not value.isdigit() or len(value) > _LENGTH_MAX_DIGITS:
        raise BadMessage("Content-Length is not a number")
    return int(value)
