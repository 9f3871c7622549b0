"""Answers of ours: heads of what goes to clients, and whole answers where no model speaks: errors, health, lists."""

from __future__ import annotations

from http.client import responses as reasons
from math import ceil
from secrets import token_hex
from typing import Final

from breakeven.gateway.plan import Operation, Refusal
from breakeven.gateway.relay.heads import AnswerHead
from breakeven.gateway.wire.errors import error_body

_START_LINES: Final = {
    status: f"HTTP/1.1 {status} {reasons.get(status, 'Status')}\r\n".encode() for status in range(200, 600)
}
_PASSED_BACK: Final = frozenset((b"request-id", b"x-request-id"))
"""Of an upstream that we pay for. Its limits, cookies and organisation are not the client's business."""
_NEVER_PASSED_BACK: Final = frozenset(
    (
        b"alt-svc",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"date",
        b"keep-alive",
        b"proxy-authenticate",
        b"server",
        b"set-cookie",
        b"strict-transport-security",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_CLOSE: Final = b"connection: close\r\n"
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def answer_start(
    answer: AnswerHead, date_line: bytes, ours: bytes, closes: bool, is_open: bool, content_type: bytes = b""
) -> list[bytes]:
    """The head of an upstream's answer as its client gets it, up to its framing, in pieces."""
    pieces = [
        _START_LINES[answer.http_status],
        date_line,
        b"content-type: ",
        content_type or answer.content_type or b"application/json",
        b"\r\n",
        ours,
        _CLOSE if closes else b"",
    ]
    for header in answer.headers:
        if header[0] in _PASSED_BACK or (is_open and _may_pass_back(header[0])):
            pieces.append(b"%b: %b\r\n" % header)
    return pieces


def _may_pass_back(name: bytes) -> bool:
    return name not in _NEVER_PASSED_BACK and not name.startswith(b"x-breakeven-")


def whole_answer(
    http_status: int,
    body: bytes,
    date_line: bytes,
    ours: bytes = b"",
    closes: bool = False,
    is_head: bool = False,
    retry_after_s: float | None = None,
    content_type: bytes = b"application/json",
) -> bytes:
    """A whole answer; for HEAD without its body.

    >>> whole_answer(204, b"", b"")[:23]
    b'HTTP/1.1 204 No Content'
    """
    pieces = [_START_LINES[http_status], date_line, b"content-type: ", content_type, b"\r\n", ours]
    if retry_after_s is not None:
        pieces.append(b"retry-after: %d\r\n" % max(ceil(retry_after_s), 0))
    if closes:
        pieces.append(_CLOSE)
    pieces.append(b"content-length: %d\r\n\r\n" % len(body))
    if not is_head:
        pieces.append(body)
    return b"".join(pieces)


def refusal_answer(
    refusal: Refusal,
    operation: Operation | None,
    date_line: bytes,
    request_id: str | None = None,
    closes: bool = False,
    is_head: bool = False,
    more_headers: bytes = b"",
) -> bytes:
    """A refusal in the client's dialect, under an id that can be asked for."""
    request_id = request_id or "req_" + token_hex(12)
    body = error_body(operation, refusal, request_id)
    ours = b"x-breakeven-request-id: %b\r\n" % request_id.encode("ascii", "replace") + more_headers
    return whole_answer(refusal.http_status, body, date_line, ours, closes, is_head, refusal.retry_after_s)
