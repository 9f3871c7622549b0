"""Heard answer: what a model said, put together from the bytes that went to a client, for checks and people's labels.

Only requests in a trial are heard, and nothing waits for it: a plain answer is looked at when it is out, the texts of a
stream's events are taken after each piece went on. What is kept is bounded.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from breakeven.gateway.plan import Operation
from breakeven.gateway.wire.answer_parts import answer_parts
from breakeven.gateway.wire.answers import AnswerReader
from breakeven.gateway.wire.event_pieces import EventPieces, event_data
from breakeven.routing.answers import Answer
from breakeven.routing.validators import ANSWER_MAX_COUNT

CALLS_MAX_COUNT: Final = 128
"""Tool calls of one answer."""
_LAST: Final = ("response.completed", "response.incomplete")


class HeardAnswer:
    """One answer on its way out."""

    __slots__ = ("_calls", "_characters_count", "_operation", "_pieces", "_reader", "_texts", "is_too_long")

    def __init__(self, operation: Operation, reader: AnswerReader, is_stream: bool) -> None:
        self._operation = operation
        self._reader = reader
        self._pieces = EventPieces() if is_stream else None
        self._texts: list[str] = []
        self._characters_count = 0
        self._calls: dict[int, dict[str, Any]] = {}
        self.is_too_long = False
        """More was said than is kept."""

    def feed(self, data: bytes) -> None:
        """A piece of the client's stream. Never raises."""
        if self._pieces is None or self.is_too_long:
            return
        for event in self._pieces.whole(data):
            self._take(event_data(event))
        if self._pieces.is_too_large:
            self.is_too_long = True

    def answer(self) -> Answer:
        """What was said, as far as it was kept."""
        if self._pieces is None:
            said = self._reader.answer()
            self.is_too_long = len(said.text) > ANSWER_MAX_COUNT
            return said
        text = "".join(self._texts)
        calls = [self._calls[at] for at in sorted(self._calls)]
        return Answer(text, finish_reason=self._reader.finish_reason, tool_calls=calls or None)

    def _take(self, data: bytes) -> None:
        if not data.startswith(b"{"):
            return
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            return
        if self._operation == "messages":
            self._take_block(event)
        elif self._operation == "responses":
            self._take_response(event)
        else:
            self._take_choice(event)

    def _take_choice(self, event: dict[str, Any]) -> None:
        """Of chat completions and completions: the first answer of several."""
        choices = event.get("choices")
        for choice in choices if type(choices) is list else ():
            if type(choice) is not dict or choice.get("index", 0) != 0:
                continue
            delta = choice.get("delta")
            if type(delta) is not dict:
                self._say(choice.get("text"))
                continue
            self._say(delta.get("content"))
            calls = delta.get("tool_calls")
            for call in calls if type(calls) is list else ():
                if type(call) is dict and type(call.get("function")) is dict:
                    function = call["function"]
                    self._call(call.get("index"), call.get("id"), function.get("name"), function.get("arguments"))

    def _take_block(self, event: dict[str, Any]) -> None:
        """Of messages."""
        block, delta = event.get("content_block"), event.get("delta")
        if type(block) is dict:
            self._say(block.get("text"))
            if block.get("type") == "tool_use":
                self._call(event.get("index"), block.get("id"), block.get("name"), "")
        elif type(delta) is dict:
            if delta.get("type") == "text_delta":
                self._say(delta.get("text"))
            elif delta.get("type") == "input_json_delta":
                self._call(event.get("index"), None, None, delta.get("partial_json"))

    def _take_response(self, event: dict[str, Any]) -> None:
        """Of responses: the last event says it all again."""
        kind, response = event.get("type"), event.get("response")
        if kind == "response.output_text.delta":
            self._say(event.get("delta"))
        elif kind in _LAST and type(response) is dict:
            parts = answer_parts("responses", response)
            if parts.text:
                self._texts, self._characters_count = [], 0
                self._say(parts.text)
            self._calls = dict(enumerate(parts.tool_calls[:CALLS_MAX_COUNT]))

    def _say(self, text: object) -> None:
        if type(text) is not str or not text:
            return
        self._characters_count += len(text)
        if self._characters_count > ANSWER_MAX_COUNT:
            self.is_too_long = True
        else:
            self._texts.append(text)

    def _call(self, index: object, call_id: object, name: object, arguments: object) -> None:
        """A tool call, or a further piece of one."""
        at = index if type(index) is int else 0
        call = self._calls.get(at)
        if call is None:
            if len(self._calls) >= CALLS_MAX_COUNT:
                self.is_too_long = True
                return
            call = self._calls[at] = {"id": None, "type": "function", "function": {"name": None, "arguments": ""}}
        call["id"] = call_id or call["id"]
        function = call["function"]
        function["name"] = name or function["name"]
        if type(arguments) is str and arguments:
            self._characters_count += len(arguments)
            if self._characters_count > ANSWER_MAX_COUNT:
                self.is_too_long = True
            else:
                function["arguments"] += arguments
