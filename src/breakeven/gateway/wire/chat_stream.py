"""Chat stream: chunks of chat completions and of completions, passed on byte for byte; usage we asked for is taken out.

Most chunks hold a few letters and nothing else: they are known by a few searches in their bytes, and go on as the very
object that came in. Everything else is parsed.
"""

from __future__ import annotations

from typing import Any, Final

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.wire.raw_object import rewritten
from breakeven.gateway.wire.stream_reader import StreamReader, utf8_count
from breakeven.gateway.wire.usage_fields import openai_counts, timings_counts

_TEXT_NAMES: Final = ("content", "reasoning_content", "reasoning", "refusal", "text")
_BACKSLASH: Final = 92
_COMMA: Final = 44
_LINE_FEED: Final = 10


class ChatStream(StreamReader):
    """Of `/v1/chat/completions` and `/v1/completions`."""

    __slots__ = ("_finished", "_is_single", "_strips", "_text_key", "_text_key_count", "_timings")

    def __init__(self, facts: RequestFacts, strips: bool) -> None:
        super().__init__()
        self._strips = strips
        """The client did not ask for usage, we did."""
        self._is_single = facts.answers_count == 1
        self._text_key: bytes | None = None
        """The key of the last text, as it stood in the bytes; None: look at the whole chunk."""
        self._text_key_count = 0
        self._finished: set[int] = set()
        self._timings: object = None

    def feed(self, data: bytes) -> bytes:
        """What may go to the client now."""
        key = self._text_key
        end = len(data) - 2
        if (
            key is not None
            and not self._held
            and data.find(b"\n") == end
            and data[-1] == _LINE_FEED
            and (start := data.find(key)) > 0
            and data.startswith(b"data: {")
            and data.find(b'"error"') < 0
        ):
            start += self._text_key_count
            stop = data.find(b'"', start)
            reason = data.find(b'finish_reason"')
            if data[stop - 1] != _BACKSLASH and (reason < 0 or data.startswith(b":null", reason + 14)):
                usage = data.find(b'"usage"')
                if usage < 0:
                    self.text_bytes_count += stop - start
                    return data
                if data.startswith(b":null", usage + 7):
                    if not self._strips:
                        self.text_bytes_count += stop - start
                        return data
                    if data[usage - 1] == _COMMA and data.find(b"}", usage) == end - 1:
                        # no brace closes between it and the last one: it is a member of the outermost object
                        self.text_bytes_count += stop - start
                        return data[: usage - 1] + data[usage + 12 :]
        return StreamReader.feed(self, data)

    def end(self) -> bytes:
        """The rest."""
        rest = super().end()
        if self.tokens is None:
            self.tokens = timings_counts(self._timings)
        return rest

    def _chunk(self, event: bytes, data: bytes, chunk: dict[str, Any]) -> bytes:
        choices = chunk.get("choices")
        choices = choices if type(choices) is list else []
        self._note(chunk, choices)
        for choice in choices:
            if type(choice) is dict:
                self._note_choice(choice, event)
        if not self._strips or "usage" not in chunk:
            return event
        if not choices and chunk["usage"] is not None:
            return b""
        changed = rewritten(data, {}, ("usage",))
        return event.replace(data, changed, 1) if data in event else b"data: " + changed + b"\n\n"

    def _note(self, chunk: dict[str, Any], choices: list[Any]) -> None:
        counts = chunk_counts(chunk, choices)
        if counts is not None and (self.tokens is None or counts.input_tokens or counts.output_tokens):
            self.tokens = counts
        if type(chunk.get("timings")) is dict:
            self._timings = chunk["timings"]
        if self.response_model is None and type(chunk.get("model")) is str:
            self.response_model = chunk["model"] or None
        if type(chunk.get("service_tier")) is str:
            self.service_tier = chunk["service_tier"]

    def _note_choice(self, choice: dict[str, Any], event: bytes) -> None:
        reason, index = choice.get("finish_reason"), choice.get("index")
        if type(reason) is str and reason:
            self._finished.add(index if type(index) is int else 0)
            if self.finish_reason is None or index == 0:
                self.finish_reason = reason
        delta: Any = choice.get("delta")
        delta = delta if type(delta) is dict else choice
        for name in _TEXT_NAMES:
            count = utf8_count(delta.get(name))
            if count:
                self.text_bytes_count += count
                self.has_begun = True
                self._learn(name, event)
        for call in _calls(delta):
            self.has_begun = True
            function = call.get("function")
            self.text_bytes_count += utf8_count(function.get("arguments")) if type(function) is dict else 0

    def _learn(self, name: str, event: bytes) -> None:
        """Where the text of the next chunks will probably stand."""
        key = b'"%s":"' % name.encode()
        if self._is_single and key in event:
            self._text_key, self._text_key_count = key, len(key)


def chunk_counts(chunk: dict[str, Any], choices: list[Any]) -> TokenCounts | None:
    """Usage of a chunk, wherever that vendor puts it: on top; Groq's `x_groq`; Moonshot's choice."""
    counts = openai_counts(chunk.get("usage"))
    if counts is None and type(chunk.get("x_groq")) is dict:
        counts = openai_counts(chunk["x_groq"].get("usage"))
    if counts is None and choices and type(choices[0]) is dict and "usage" in choices[0]:
        counts = openai_counts(choices[0]["usage"])
    return counts


def _calls(delta: dict[str, Any]) -> list[dict[str, Any]]:
    calls = delta.get("tool_calls")
    found = [call for call in calls if type(call) is dict] if type(calls) is list else []
    if type(delta.get("function_call")) is dict:
        found.append({"function": delta["function_call"]})
    return found
