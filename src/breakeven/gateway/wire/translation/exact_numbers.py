"""Exact numbers: integers of more than 64 bits keep their digits when a body is taken apart and put together."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

_LONG: Final = re.compile(r"\d{19}")
_LONG_BYTES: Final = re.compile(rb"\d{19}")


def exactly(written: bytes | str, document: Any) -> Any:
    """The document that was written, its long integers as integers; `document` is what orjson made of it.

    >>> exactly('{"id": 12345678901234567890123}', {"id": 1.2345678901234568e22})
    {'id': 12345678901234567890123}
    """
    found = _LONG.search(written) if isinstance(written, str) else _LONG_BYTES.search(written)
    if found is None:
        return document
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return document  # bytes that are no UTF-8, thousands of digits: no ids


def dumped(value: Any) -> bytes:
    """JSON of a value that may hold long integers.

    >>> dumped({"id": 12345678901234567890123})
    b'{"id":12345678901234567890123}'
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as problem:
        if "64-bit" not in str(problem):
            raise
        return json.dumps(value, separators=(",", ":")).encode()
