"""Event stream: server-sent events taken apart byte by byte, and what one event of a completion says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

LINE_MAX_BYTES_COUNT: Final = 4 * 2**20
"""A longer line is no event: an endless one would fill the memory."""
DONE: Final = b"[DONE]"
_FIELDS: Final = (b"event:", b"id:", b"retry:", b":")


class Garbage(ValueError):
    """The stream is not one of events, or an event is not one of a completion."""


class EventParser:
    """Feed it blocks as they arrive; it returns the data of each event that is complete.

    >>> parser = EventParser()
    >>> parser.feed(b'data: {"a"'), parser.feed(b': 1}' + bytes([10, 10])), parser.rest()
    ([], [b'{"a": 1}'], [])
    """

    __slots__ = ("_data", "_is_done", "_line")

    def __init__(self) -> None:
        self._line = b""
        self._data: list[bytes] = []
        self._is_done = False
        """After [DONE] nothing is read any more."""

    def feed(self, block: bytes) -> list[bytes]:
        """Data of the events that `block` completes; raises Garbage for a line that is no line of an event."""
        lines = (self._line + block).split(b"\n") if self._line else block.split(b"\n")
        self._line = lines.pop()
        if len(self._line) > LINE_MAX_BYTES_COUNT:
            raise Garbage(f"a line of more than {LINE_MAX_BYTES_COUNT:,} bytes")
        events: list[bytes] = []
        for line in lines:
            if self._is_done:
                break
            self._take(line, events)
        return events

    def rest(self) -> list[bytes]:
        """What was not ended by a blank line when the connection closed."""
        events: list[bytes] = []
        self._take(self._line, events)
        self._line = b""
        self._take(b"", events)
        return events

    def _take(self, line: bytes, events: list[bytes]) -> None:
        if line.endswith(b"\r"):
            line = line[:-1]
        if not line:
            if self._data:
                events.append(b"\n".join(self._data))
                self._data = []
                self._is_done = events[-1] == DONE
        elif line.startswith(b"data:"):
            self._data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif not line.startswith(_FIELDS):
            raise Garbage(f"a line that is no event: {_shown(line)}")


@dataclass(frozen=True, slots=True)
class Piece:
    """One event of a completion."""

    has_text: bool
    """True when it carries text (content, reasoning or a tool call): tokens arrived."""
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    error: str | None = None
    """What the server says went wrong, mid-stream."""


_TEXT: Final = Piece(True)


def piece_of(data: bytes) -> Piece:
    """What one event of a chat completion or a completion says; raises Garbage when it is neither."""
    try:
        event = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise Garbage(f"an event that is not JSON: {_shown(data)}") from None
    if not isinstance(event, dict):
        raise Garbage(f"an event that is no object: {_shown(data)}")
    if event.get("error"):
        return Piece(False, error=_message(event["error"]))
    choices = event.get("choices")
    if not isinstance(choices, list):
        raise Garbage(f"an event without choices: {_shown(data)}")
    choice = choices[0] if choices else {}
    if not isinstance(choice, dict):
        raise Garbage(f"a choice that is no object: {_shown(data)}")
    has_text, finish = _has_text(choice), choice.get("finish_reason")
    usage = event.get("usage")
    if usage is None and finish is None and has_text:
        return _TEXT
    return _with_usage(has_text, str(finish) if finish else None, usage)


def _has_text(choice: dict[str, Any]) -> bool:
    delta = choice.get("delta")
    if isinstance(delta, dict):
        fields = ("content", "reasoning_content", "reasoning", "tool_calls")
        return any(delta.get(name) for name in fields)
    return bool(choice.get("text"))


def _with_usage(has_text: bool, finish: str | None, usage: object) -> Piece:
    if not isinstance(usage, dict):
        return Piece(has_text, finish)
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return Piece(
        has_text,
        finish,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(cached),
    )


def _count(value: object) -> int | None:
    """A count of tokens; None for everything that is no whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value >= 0 else None


def _message(error: object) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or error.get("type") or error)[:200]
    return str(error)[:200]


def _shown(data: bytes) -> str:
    text = data[:80].decode("utf-8", "replace")
    return repr(text + ("…" if len(data) > 80 else ""))
