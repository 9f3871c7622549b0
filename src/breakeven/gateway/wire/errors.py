"""Errors on the wire: answers of our own in the client's dialect, and what upstreams say, without their secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from breakeven.gateway.plan import Operation, Refusal, RequestFacts
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.sanitising import is_clean, sanitised, secrets_of

_DEPTH_MAX: Final = 4
_BODY_MAX_COUNT: Final = 65_536
_OPENAI_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUS_BY_CODE: Final[Mapping[str, int]] = {"upstream_timeout": 504, "no_upstream": 503}
_IDENTIFIER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\-\[\]]{0,63}")


def error_body(operation: Operation | None, refusal: Refusal, request_id: str) -> bytes:
    """An answer of our own; `operation` is None where no path was understood.

    >>> error_body("messages", Refusal(429, "rate_limited", "Wait."), "req_1")[:44]
    b'{"type":"error","error":{"type":"rate_limit_'
    """
    return _shaped(operation, refusal.http_status, refusal.message, refusal.code, None, None, request_id)


def stream_error(operation: Operation, code: str, message: str, sequence_number: int = 0) -> bytes:
    """The last event of a stream that cannot go on. No end mark follows it: nobody shall take the answer as whole."""
    message = sanitised(message)
    if operation in ("messages", "count_tokens"):
        kind = _ANTHROPIC_TYPES.get(_STATUS_BY_CODE.get(code, 500), "api_error")
        return b"event: error\ndata: " + orjson.dumps(_anthropic(kind, message)) + b"\n\n"
    if operation == "responses":
        event = {
            "type": "error",
            "sequence_number": sequence_number,
            "code": code,
            "message": message,
            "param": None,
        }
        return b"event: error\ndata: " + orjson.dumps(event) + b"\n\n"
    return b"data: " + orjson.dumps(_openai("server_error", message, code, None)) + b"\n\n"


def upstream_error(facts: RequestFacts, target: Target, http_status: int, body: bytes) -> bytes:
    """What an upstream said of an error, in the client's dialect; no address, key or host of it goes through.

    Errors come as an object, as a list of one, flat, or as plain text; a page of HTML is not shown.
    """
    said, hidden = read_error(body), secrets_of(target.upstream)
    message = sanitised(said.message, hidden) or f"The upstream answered {http_status} without a reason."
    if http_status in (401, 403):
        message = f"The upstream refused its credentials or this model ({http_status}): {message}"
    code, kind, param = (
        each if each and is_clean(each, hidden) else None for each in (said.code, said.type, said.param)
    )
    return _shaped(facts.operation, http_status, message, code, kind, param, None)


class SaidError:
    """What an upstream's error says."""

    __slots__ = ("code", "message", "param", "type")

    def __init__(self, message: str = "", code: str | None = None, type_: str | None = None, param: str | None = None):
        self.message = message
        self.code = code
        self.type = type_
        self.param = param


def read_error(body: bytes) -> SaidError:
    """An error out of an upstream's body, of whatever shape; never raises.

    >>> read_error(b'[{"error": {"code": 400, "message": "no such field", "status": "INVALID_ARGUMENT"}}]').message
    'no such field'
    >>> read_error(b'{"code": 20012, "message": "Model does not exist", "data": null}').message
    'Model does not exist'
    """
    try:
        document = orjson.loads(body[:_BODY_MAX_COUNT])
    except orjson.JSONDecodeError:
        text = body[:_BODY_MAX_COUNT].decode("utf-8", "replace").strip()
        return SaidError("" if text.startswith("<") else text)
    return error_in(document)


def error_in(document: Any) -> SaidError:
    """The error in a parsed document."""
    for _ in range(4):
        if isinstance(document, list) and document:
            document = document[0]
        elif isinstance(document, dict) and isinstance(document.get("error"), dict | list):
            document = document["error"]
        else:
            break
    if isinstance(document, str):
        return SaidError(document)
    if not isinstance(document, dict):
        return SaidError()
    return SaidError(
        _message_in(document),
        _identifier(document.get("code")) or _identifier(document.get("status")),
        _identifier(document.get("type")),
        _identifier(document.get("param")),
    )


def _message_in(document: Mapping[str, Any], depth: int = 0) -> str:
    for name in ("message", "error", "detail", "msg", "error_msg", "errors"):
        value = document.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value and depth < _DEPTH_MAX:
            return "; ".join(
                _message_in(each, depth + 1) if isinstance(each, dict) else str(each)[:200] for each in value[:3]
            )
        if isinstance(value, dict) and depth < _DEPTH_MAX:
            return _message_in(value, depth + 1)
    return ""


def _identifier(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None


def _shaped(
    operation: Operation | None,
    http_status: int,
    message: str,
    code: str | None,
    type_: str | None,
    param: str | None,
    request_id: str | None,
) -> bytes:
    if operation in ("messages", "count_tokens"):
        kind = _ANTHROPIC_TYPES.get(http_status) or ("api_error" if http_status >= 500 else "invalid_request_error")
        document = _anthropic(kind, message)
        if request_id is not None:
            document["request_id"] = request_id
            document["error"]["code"] = code
        return orjson.dumps(document)
    kind = _OPENAI_TYPES.get(http_status) or ("server_error" if http_status >= 500 else "invalid_request_error")
    return orjson.dumps(_openai(type_ or kind, message, code, param))


def _openai(kind: str, message: str, code: str | None, param: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}
