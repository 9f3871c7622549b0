"""Stream reader: a streamed answer on its way through: whole events go on at once, usage, end and errors are seen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

import orjson

from breakeven.gateway.attempt import Failure, TokenCounts
from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.upstream import Upstream
from breakeven.gateway.wire.errors import error_in
from breakeven.gateway.wire.estimates import estimated
from breakeven.gateway.wire.event_pieces import EVENT_MAX_BYTES, EventPieces, event_data, event_name
from breakeven.gateway.wire.frame import Around, Frame
from breakeven.gateway.wire.sanitising import sanitised, secrets_of
from breakeven.routing.answers import Answer

_ERROR_NAME: Final = b"error"


class StreamReader(ABC):
    """What every dialect's stream has in common."""

    __slots__ = (
        "_around",
        "_pieces",
        "failure",
        "failure_message",
        "finish_reason",
        "frame",
        "has_begun",
        "held",
        "is_done",
        "response_model",
        "service_tier",
        "text_bytes_count",
        "tokens",
        "upstream",
    )

    def __init__(self) -> None:
        self._pieces = EventPieces()
        self.held = self._pieces.held
        """The part of an event that came so far."""
        self.frame: Frame | None = None
        """Of the events that go on without being read."""
        self._around: Around | None = None
        """The frame's bytes, where a piece that fits goes on as it is."""
        self.upstream: Upstream | None = None
        """Whose secrets are hidden in `failure_message`."""
        self.tokens: TokenCounts | None = None
        """As reported; None so far."""
        self.finish_reason: str | None = None
        self.response_model: str | None = None
        self.service_tier: str | None = None
        self.failure: Failure | None = None
        self.failure_message: str | None = None
        """What the upstream said of it, without secrets."""
        self.has_begun = False
        """A part of the answer itself went to the client."""
        self.is_done = False
        """The mark of its end was seen."""
        self.text_bytes_count = 0

    def feed(self, data: bytes) -> bytes:
        """What may go to the client now: whole events, so that an error event can follow at any time."""
        around = self._around
        if around is not None and not self.held:
            head, start, tail, tail_count = around
            stop = len(data) - tail_count
            if data.startswith(head) and data.endswith(tail) and data.find(b'"', start) == stop:
                self.text_bytes_count += stop - start
                return data
        elif self.frame is not None and not self.held:
            filled = self.frame.filled(data)
            if filled is not None:
                self.text_bytes_count += filled[1]
                return filled[0]
        if self.failure is not None:
            return b""
        given = []
        for event in self._pieces.whole(data):
            filled = self.frame.filled(event) if self.frame is not None else None
            if filled is not None:
                self.text_bytes_count += filled[1]
                given.append(filled[0])
                continue
            given.append(self._taken(event))
            if self.failure is not None:
                break
        if len(self.held) > EVENT_MAX_BYTES:
            self._fail("too_large", "An event of the stream passes all measure.")
        return given[0] if len(given) == 1 else b"".join(given)

    def end(self) -> bytes:
        """The rest, when the upstream ended cleanly; without the mark of its end the answer was cut."""
        if self.failure is not None:
            return b""
        rest = self._pieces.rest()
        given = self._taken(rest) if rest and _is_event(rest) else b""
        if self.failure is None and not self._is_whole():
            self._fail("reset", "The upstream's stream ended before its end mark.")
        return given if self.failure is None else b""

    def counted(self, facts: RequestFacts) -> TokenCounts:
        """The tokens as reported, else estimated by what went through, and marked so."""
        return self.tokens if self.tokens is not None else estimated(facts, self.text_bytes_count)

    def answer(self) -> Answer:
        """Of a stream no text is kept: only how it ended."""
        return Answer("", finish_reason=self.finish_reason)

    @abstractmethod
    def _chunk(self, event: bytes, data: bytes, chunk: dict[str, Any]) -> bytes:
        """What goes to the client for one event, whose data is an object and no error."""

    def _marked(self, event: bytes) -> bytes:
        """What goes to the client for `data: [DONE]`."""
        self.is_done = True
        return event

    def _comment(self, event: bytes) -> bytes:
        """What goes to the client for an event without data."""
        return event

    def _is_whole(self) -> bool:
        return self.is_done or self.finish_reason is not None

    def _taken(self, event: bytes) -> bytes:
        if event.startswith(b"data: {") and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
            data, is_named_error = event[6:-2], False  # the usual event: one line of data, and no name
        elif event == b"data: [DONE]\n\n":
            return self._marked(event)
        else:
            data, is_named_error = event_data(event), event_name(event) == _ERROR_NAME
        if not data:
            return self._comment(event)
        if data == b"[DONE]" or data.strip() == b"[DONE]":
            return self._marked(event)
        chunk = parsed(data)
        if chunk is None:
            self._fail("bad_answer", "An event of the upstream's stream is no JSON object.")
            return b""
        if is_named_error or (("error" in chunk or "choices" not in chunk) and is_error(chunk)):
            self._note_error(chunk)
            return b""
        try:
            return self._chunk(event, data, chunk)
        except (orjson.JSONEncodeError, RecursionError):
            self._fail("bad_answer", "An event of the upstream's stream is nested too deeply.")
            return b""

    def _use(self, frame: Frame | None) -> None:
        self.frame = frame
        self._around = frame.around if frame is not None else None

    def _note_error(self, chunk: Mapping[str, Any]) -> None:
        self._fail("bad_answer", error_in(chunk).message or "The upstream's stream told of an error.")

    def _fail(self, failure: Failure, message: str) -> None:
        self._use(None)
        self.failure, self.failure_message = (
            failure,
            sanitised(message, secrets_of(self.upstream) if self.upstream is not None else ()),
        )


def _is_event(rest: bytes) -> bool:
    """Whether what is left at the end is an event that lacks only its empty line, and not a part of one."""
    data = event_data(rest).strip()
    if not data:
        return rest.endswith((b"\n", b"\r"))
    return data == b"[DONE]" or parsed(data) is not None


def parsed(data: bytes) -> dict[str, Any] | None:
    """An object out of an event's data; bytes that are no UTF-8 (tokens cut in two) are no reason to fail."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            value = orjson.loads(data.decode("utf-8", "replace"))
        except orjson.JSONDecodeError:
            return None
    return value if type(value) is dict else None


def is_error(chunk: Mapping[str, Any]) -> bool:
    """Whether an event is an error, in any vendor's shape.

    >>> is_error({"error": {"message": "x"}}), is_error({"choices": [], "usage": {}})
    (True, False)
    >>> is_error({"code": 20012, "message": "x", "data": None})
    True
    """
    if "choices" in chunk:
        return bool(chunk.get("error"))
    if "error" in chunk:
        return bool(chunk["error"]) or chunk.get("type") == "error"
    if chunk.get("type") == "error" or chunk.get("object") == "error":
        return True
    return "message" in chunk and "code" in chunk and "type" not in chunk


def utf8_count(text: object) -> int:
    """Bytes of a text in UTF-8; 0 for what is none."""
    if type(text) is not str:
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
