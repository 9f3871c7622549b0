"""Outgoing text: every piece of text that a request would send out, wherever it stands, and whether all of it is text.

Texts and numbers are taken from the bytes that are sent, so that a name that stands twice hides nothing; escapes inside
a text (JSON in JSON) are read as what they stand for, too. Not readable are images, sound, files, tokens given as
numbers, base64, parts of a kind that is not known to be text, whatever the body only refers to (a file's id, a stored
prompt or conversation, a link), and objects in which a name stands twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

PARTS_MAX_COUNT: Final = 100_000
"""A body of more parts is not read to its end."""
_TEXT_TYPES: Final = frozenset(
    # parts and items of messages
    {"text", "input_text", "output_text", "summary_text", "refusal", "message", "content", "thinking", "reasoning"}
    | {"tool_use", "tool_result", "function_call", "function_call_output", "tool_call", "ephemeral"}
    # tools, forms of answers, choices
    | {"function", "custom", "json_schema", "json_object", "auto", "any", "tool", "none", "required", "allowed_tools"}
    | {"enabled", "disabled", "adaptive", "grammar", "regex"}
    # JSON Schema
    | {"object", "array", "string", "number", "integer", "boolean", "null"}
)
"""What a `type` may be where nothing but text is said."""
_REFERENCES: Final = frozenset(
    {"file_id", "file_ids", "previous_response_id", "conversation", "encrypted_content", "vector_store_ids", "url"}
    | {"file_data", "image", "audio", "video"}
)
_TOKEN: Final = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"([ \t\r\n]*:)?|-?[0-9][0-9.eE+-]*')
"""A string of JSON and whether it is a name, or a number."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{200}|(?:[A-Za-z0-9+/_-]{60,}\r?\n){2}")
_ESCAPED: Final = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|([nrt/\"]))")
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(slots=True)
class OutgoingText:
    """What was found."""

    texts: list[str] = field(default_factory=list)
    is_readable: bool = True
    """False where something in the body is no text that can be searched."""
    has_twins: bool = False
    """A name stands twice in an object: servers differ in which of the two they take."""
    characters_count: int = 0


def outgoing_text(document: Mapping[str, Any], body: bytes) -> OutgoingText:
    """All text of a body, which was read as `document`.

    >>> outgoing_text({"model": "m", "n": 12}, b'{"model": "m", "n": 12}').texts
    ['model', 'm', 'n', '12']
    >>> outgoing_text({"a": 1}, b'{"a": "hidden", "a": 1}').has_twins
    True
    """
    found = OutgoingText()
    names_count = _gather(body, found)
    members_count = _look(document, found)
    found.has_twins = members_count is None or names_count != members_count
    if found.has_twins:
        found.is_readable = False
    return found


def _gather(body: bytes, found: OutgoingText) -> int | None:
    """Take the texts and numbers out of the bytes; how many names there are."""
    names_count = 0
    for parts_count, token in enumerate(_TOKEN.finditer(body)):
        if parts_count > PARTS_MAX_COUNT:
            return None
        said, colon = token.groups()
        if said is None:
            text = token[0].decode()
        else:
            names_count += colon is not None
            text = said.decode() if b"\\" not in said else orjson.loads(b'"%b"' % said)
        _read(text, found)
    return names_count


def _read(text: str, found: OutgoingText) -> None:
    found.texts.append(text)
    found.characters_count += len(text)
    if text.startswith("data:") or (len(text) >= 120 and _BASE64.search(text)):
        found.is_readable = False
    if "\\" in text:
        plain = _ESCAPED.sub(_unescaped, text)
        if plain != text:
            found.texts.append(plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
            found.characters_count += len(plain)


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1] is not None:
        return chr(int(escape[1], 16))
    return _LETTERS.get(escape[2], escape[2])


def _look(document: Mapping[str, Any], found: OutgoingText) -> int | None:
    """See whether all parts of a body are text; how many members its objects have, None where they are too many."""
    if isinstance(document.get("prompt"), Mapping):  # one that is stored at the upstream
        found.is_readable = False
    waiting: list[Any] = [document]
    parts_count = members_count = 0
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            members_count += len(each)
            if not _is_plain(each):
                found.is_readable = False
            inner: Any = each.values()
        elif isinstance(each, list):
            if each and type(each[0]) is int:
                found.is_readable = False  # tokens, most likely
            inner = each
        else:
            continue
        parts_count += len(each)
        if parts_count > PARTS_MAX_COUNT:
            return None
        waiting += inner
    return members_count


def _is_plain(part: Mapping[str, Any]) -> bool:
    """Whether a part is nothing but text and structure."""
    kind = part.get("type")
    if isinstance(kind, str) and kind not in _TEXT_TYPES:
        return False
    for name, value in part.items():
        if isinstance(value, str):
            if value and (name in _REFERENCES or name.endswith("_url") or (name == "data" and kind != "text")):
                return False
        elif value and name in _REFERENCES and not (isinstance(value, Mapping) and "type" in value):
            return False
    return True
