"""Outgoing text: every piece of text that a request would send out, wherever it stands, and what cannot be read.

Names and values, system prompts, messages, tools, arguments and results of tools are read; JSON inside a string is read
too, as `\\u0041` there is an `A`. Not readable are images, sound, files, tokens given as numbers, base64, and whatever
the body only refers to (a file's id, a stored conversation, a link to an image).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

JSON_DEPTH_MAX_COUNT: Final = 3
"""JSON inside a string inside JSON ...; deeper is read as it stands, and counts as not readable."""
PARTS_MAX_COUNT: Final = 100_000
"""A body of more parts is not read to its end."""
_BINARY_TYPES: Final = frozenset(
    {"image", "image_url", "input_image", "image_file", "input_audio", "audio", "video", "video_url", "input_video"}
    | {"file", "input_file", "container_upload", "computer_screenshot", "redacted_thinking", "item_reference"}
)
_REFERENCES: Final = frozenset(
    {"file_id", "file_ids", "previous_response_id", "conversation", "encrypted_content", "vector_store_ids", "file_url"}
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")


@dataclass(slots=True)
class OutgoingText:
    """What was found."""

    texts: list[str] = field(default_factory=list)
    is_readable: bool = True
    """False where something in the body is no text that can be searched."""
    characters_count: int = 0
    parts_count: int = 0
    """Items of lists and objects that were looked at."""


def outgoing_text(document: Mapping[str, Any]) -> OutgoingText:
    """All text of a body.

    >>> outgoing_text({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}).texts
    ['model', 'm', 'messages', 'role', 'user', 'content', 'Hi']
    >>> outgoing_text({"input": [{"type": "input_image", "image_url": "https://x"}]}).is_readable
    False
    """
    found = OutgoingText()
    _walk(document, found, 0)
    return found


def _walk(value: Any, found: OutgoingText, json_depth: int) -> None:
    """In the order of the body; a stack of its own, so that depth costs nothing."""
    waiting = [value]
    while waiting and found.parts_count <= PARTS_MAX_COUNT:
        each = waiting.pop()
        if isinstance(each, str):
            _read(each, found, json_depth)
        elif isinstance(each, Mapping):
            if not _is_plain(each):
                found.is_readable = False
            found.parts_count += len(each)
            if found.parts_count <= PARTS_MAX_COUNT:
                for name, inner in reversed(list(each.items())):
                    waiting += (inner, name)
        elif isinstance(each, list):
            if len(each) > 1 and type(each[0]) is int:
                found.is_readable = False  # tokens, most likely
            found.parts_count += len(each)
            if found.parts_count <= PARTS_MAX_COUNT:
                waiting += reversed(each)
    if found.parts_count > PARTS_MAX_COUNT:
        found.is_readable = False


def _is_plain(part: Mapping[str, Any]) -> bool:
    """Whether a part is nothing but text and structure."""
    kind = part.get("type")
    if isinstance(kind, str) and kind in _BINARY_TYPES:
        return False
    return _REFERENCES.isdisjoint(part) or not any(part.get(name) for name in _REFERENCES)


def _read(text: str, found: OutgoingText, json_depth: int) -> None:
    found.texts.append(text)
    found.characters_count += len(text)
    if text.startswith("data:") or (len(text) >= 200 and _BASE64.fullmatch(text)):
        found.is_readable = False
    elif "\\" in text and text.lstrip()[:1] in ("{", "[", '"'):
        try:
            inner = orjson.loads(text)
        except orjson.JSONDecodeError:
            return
        if json_depth >= JSON_DEPTH_MAX_COUNT:
            found.is_readable = False
            return
        _walk(inner, found, json_depth + 1)
