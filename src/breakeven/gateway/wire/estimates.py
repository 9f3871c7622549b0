"""Estimates: tokens counted by bytes where nobody reported any; they are marked as estimated wherever they go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.plan import RequestFacts

BYTES_PER_TOKEN_RATIO: Final = 4.0
"""Within about 10 % for English and code, 40 % too few for JSON and long numbers (see USAGE: token estimates)."""
IMAGE_TOKENS: Final = 800
"""One image of about a megapixel."""
MESSAGE_TOKENS: Final = 4
"""Role and separators of one message."""
_TEXT_KEYS: Final = ("content", "text", "system", "instructions", "input", "prompt", "arguments", "thinking", "output")
_NESTED_KEYS: Final = ("tool_calls", "function")
_TOP_TEXT_KEYS: Final = ("system", "instructions", "input", "prompt")
_TOP_OBJECT_KEYS: Final = ("tools", "functions", "response_format")
_DEPTH_MAX: Final = 12


def input_tokens(facts: RequestFacts) -> int:
    """Tokens of a request, by the bytes of its texts.

    >>> from breakeven.gateway.wire.request_facts import read_request
    >>> input_tokens(read_request(b"/v1/completions", b'{"model": "m", "prompt": "sixteen letters."}'))
    4
    """
    return input_tokens_of(facts.document)


def input_tokens_of(document: Mapping[str, Any]) -> int:
    """The same of a body."""
    messages = document.get("messages")
    bytes_count = overhead = 0
    if type(messages) is list:
        overhead = MESSAGE_TOKENS * len(messages)
        for message in messages:
            content = message.get("content") if type(message) is dict else None
            if type(content) is str and len(message) == 2 and content.isascii():
                bytes_count += len(content)
            else:
                bytes_count += _bytes_count(message, 1)
    for name in _TOP_TEXT_KEYS:
        if name in document:
            bytes_count += _bytes_count(document[name], 1)
    for name in _TOP_OBJECT_KEYS:
        if name in document:
            bytes_count += _written_count(document[name])
    return max(1, output_tokens(bytes_count) + overhead)


def output_tokens(text_bytes_count: int) -> int:
    """Tokens of a text of so many bytes.

    >>> output_tokens(9)
    3
    """
    return -(-text_bytes_count // int(BYTES_PER_TOKEN_RATIO))


def _bytes_count(value: Any, depth: int) -> int:
    kind = type(value)
    if kind is str:
        return len(value) if value.isascii() else len(value.encode())
    if depth > _DEPTH_MAX:
        return 0
    if kind is list:
        if value and type(value[0]) is int:
            return int(BYTES_PER_TOKEN_RATIO) * len(value)  # a prompt that is tokens already
        return sum([_bytes_count(each, depth + 1) for each in value])
    return _object_bytes_count(value, depth) if kind is dict else 0


def _object_bytes_count(value: Mapping[str, Any], depth: int) -> int:
    count = 0
    for name, inner in value.items():
        if name == "input" and type(inner) is dict:
            count += _written_count(inner)  # a tool's
        elif name in _TEXT_KEYS or name in _NESTED_KEYS:
            count += _bytes_count(inner, depth + 1)
        elif name in ("image_url", "source", "input_audio", "file", "image"):
            count += int(IMAGE_TOKENS * BYTES_PER_TOKEN_RATIO)
    return count


def _written_count(value: Any) -> int:
    try:
        return len(orjson.dumps(value))
    except (orjson.JSONEncodeError, RecursionError):
        return 0


def estimated(facts: RequestFacts, text_bytes_count: int) -> TokenCounts:
    """What a call of which no usage was reported took, by its request and the text that came; marked as estimated."""
    return TokenCounts(input_tokens(facts), output_tokens(text_bytes_count), is_estimated=True)
