"""Raw object: a JSON object taken apart at its top level only, each member as the bytes that were sent.

What is changed is changed in the bytes: numbers keep their digits, texts their escapes, members their order. A body is
never parsed and written again as a whole, since that would change numbers beyond 64 bits and the like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import orjson

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_SCAN: Final = json.JSONDecoder(strict=False, parse_int=len, parse_float=len).raw_decode
"""Finds where a value ends; its numbers are not needed, and may have more digits than Python likes to read."""
_MODEL: Final = re.compile(rb'"model"[ \t\r\n]*:[ \t\r\n]*"([^"\\]*+(?:\\.[^"\\]*+)*+)"')
_BACKSLASH: Final = 92


@dataclass(frozen=True, slots=True)
class Member:
    """One member at the top level."""

    key: str
    raw_key: str
    """With its quotation marks, as it was written."""
    raw_value: str


def members(document: bytes) -> list[Member]:
    """The members of a valid JSON object; RecursionError where it is nested too deeply.

    >>> [(each.key, each.raw_value) for each in members(b'{"a": 1.50, "b": ["x"]}')]
    [('a', '1.50'), ('b', '["x"]')]
    """
    text = document.decode("utf-8", "surrogateescape")  # a piece of a letter keeps its bytes
    found: list[Member] = []
    at = _after_blank(text, text.index("{") + 1)
    while text[at] != "}":
        key, end = _SCAN(text, at)
        raw_key = text[at:end]
        start = _after_blank(text, _after_blank(text, end) + 1)
        end = _SCAN(text, start)[1]
        found.append(Member(key, raw_key, text[start:end]))
        at = _after_blank(text, end)
        if text[at] == ",":
            at = _after_blank(text, at + 1)
    return found


def _after_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def rewritten(
    document: bytes,
    replaced: Mapping[str, bytes],
    dropped: Collection[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> bytes:
    """The object with some members given other values, left out or renamed; values of `replaced` it lacks are added.

    Where a key stands twice, each of them is changed.

    >>> rewritten(b'{"model": "a", "x": 1.50, "y": 2}', {"model": b'"b"'}, ("y",))
    b'{"model":"b","x":1.50}'
    """
    parts: list[bytes] = []
    seen: set[str] = set()
    for each in members(document):
        if each.key in dropped:
            continue
        seen.add(each.key)
        value = replaced.get(each.key)
        name = renamed.get(each.key) if renamed else None
        raw_key = orjson.dumps(name) if name else each.raw_key.encode("utf-8", "surrogateescape")
        parts.append(raw_key + b":" + (each.raw_value.encode("utf-8", "surrogateescape") if value is None else value))
    parts += [quoted(key) + b":" + value for key, value in replaced.items() if key not in seen]
    return b"{" + b",".join(parts) + b"}"


@lru_cache(maxsize=4_096)
def quoted(text: str) -> bytes:
    """A text as JSON."""
    return orjson.dumps(text)


def with_model(body: bytes, model: str) -> bytes | None:
    """The body with another model's name, all other bytes as they were; None where it is not clear which to change.

    It is clear where `"model"` stands once and no letter of it can be written as an escape: a text of JSON that begins
    behind no backslash is a whole string, and the one string of that name is the one key that the parser found.

    >>> with_model(b'{"model": "a", "n": 1.50}', "b")
    b'{"model": "b", "n": 1.50}'
    >>> with_model(b'{"model": "a", "tools": [{"model": "x"}]}', "b") is None
    True
    """
    at = body.find(b'"model"')
    if at < 0 or body.rfind(b'"model"') != at or (body.find(b"\\") >= 0 and body.rfind(b"\\u006") >= 0):
        return None
    start = at + 9
    end = body.find(b'"', start)
    if body[at - 1] == _BACKSLASH:
        return None
    if not body.startswith(b':"', at + 7) or body[end - 1] == _BACKSLASH:
        match = _MODEL.match(body, at)
        if match is None:
            return None
        start, end = match.span(1)
    name = quoted(model)[1:-1]
    if body[start:end] == name:
        return body
    return body[:start] + name + body[end:]
