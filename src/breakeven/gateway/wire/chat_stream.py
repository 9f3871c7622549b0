"""Chat stream: chunks of chat completions and of completions, passed on byte for byte; usage we asked for is taken out.

Most chunks hold a few letters and nothing else: they are known by their frame, and go on as the very object that came
in. Everything else is parsed.
"""

from __future__ import annotations

from typing import Any, Final

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.wire.frame import learnt
from breakeven.gateway.wire.raw_object import rewritten
from breakeven.gateway.wire.stream_reader import StreamReader, utf8_count
from breakeven.gateway.wire.usage_fields import openai_counts, timings_counts

_TEXT_NAMES: Final = ("content", "reasoning_content", "reasoning", "refusal", "text")


class ChatStream(StreamReader):
    """Of `/v1/chat/completions` and `/v1/completions`."""

    __slots__ = ("_finished", "_strips", "_text", "_timings")

    def __init__(self, strips: bool) -> None:
        super().__init__()
        self._strips = strips
        """The client did not ask for usage, we did."""
        self._text: tuple[str, str] | None = None
        """Key and text of the chunk at hand, where it holds nothing but one text."""
        self._finished: set[int] = set()
        self._timings: object = None

    def end(self) -> bytes:
        """The rest."""
        rest = super().end()
        if self.tokens is None:
            self.tokens = timings_counts(self._timings)
        return rest

    def _chunk(self, event: bytes, data: bytes, chunk: dict[str, Any]) -> bytes:
        choices = chunk.get("choices")
        choices = choices if type(choices) is list else []
        self._text = None
        self._note(chunk, choices)
        for choice in choices:
            if type(choice) is dict:
                self._note_choice(choice)
        given = self._given(event, data, chunk, bool(choices))
        if self._text is not None and len(choices) == 1 and chunk.get("usage") is None and "timings" not in chunk:
            self._use(learnt(event, b'"%s":"' % self._text[0].encode(), self._text[1], given))
        return given

    def _given(self, event: bytes, data: bytes, chunk: dict[str, Any], has_choices: bool) -> bytes:
        """The chunk without the usage that only we asked for."""
        if not self._strips or "usage" not in chunk:
            return event
        if not has_choices and chunk["usage"] is not None:
            return b""
        changed = rewritten(data, {}, ("usage",))
        return event.replace(data, changed, 1) if data in event else b"data: " + changed + b"\n\n"

    def _note(self, chunk: dict[str, Any], choices: list[Any]) -> None:
        counts = None
        if "usage" in chunk or "x_groq" in chunk or (choices and type(choices[0]) is dict and "usage" in choices[0]):
            counts = chunk_counts(chunk, choices)
        if counts is not None and (self.tokens is None or counts.input_tokens or counts.output_tokens):
            self.tokens = counts
        if type(chunk.get("timings")) is dict:
            self._timings = chunk["timings"]
        if self.response_model is None and type(chunk.get("model")) is str:
            self.response_model = chunk["model"] or None
        if type(chunk.get("service_tier")) is str:
            self.service_tier = chunk["service_tier"]

    def _note_choice(self, choice: dict[str, Any]) -> None:
        reason, index = choice.get("finish_reason"), choice.get("index")
        is_last = type(reason) is str and bool(reason)
        if is_last:
            self._finished.add(index if type(index) is int else 0)
            if self.finish_reason is None or index == 0:
                self.finish_reason = reason
        delta: Any = choice.get("delta")
        delta = delta if type(delta) is dict else choice
        texts = [(name, text) for name in _TEXT_NAMES if type(text := delta.get(name)) is str and text]
        calls = _calls(delta)
        if texts or calls:
            self.has_begun = True
        for _, text in texts:
            self.text_bytes_count += utf8_count(text)
        for call in calls:
            function = call.get("function")
            if type(function) is dict:
                self.text_bytes_count += utf8_count(function.get("name")) + utf8_count(function.get("arguments"))
        if len(texts) == 1 and not calls and not is_last and "usage" not in choice:
            self._text = texts[0]


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
