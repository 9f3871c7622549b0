"""Messages stream: Anthropic's events, passed on byte for byte; its usage is cumulative and is never added up."""

from __future__ import annotations

from typing import Any

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.wire.estimates import input_tokens, output_tokens
from breakeven.gateway.wire.frame import learnt
from breakeven.gateway.wire.stream_reader import StreamReader, utf8_count
from breakeven.gateway.wire.usage_fields import anthropic_counts, merged_anthropic


class MessagesStream(StreamReader):
    """Of `/v1/messages`."""

    __slots__ = ("_text", "_usage")

    def __init__(self) -> None:
        super().__init__()
        self._usage: dict[str, Any] = {}
        self._text: tuple[str, str] | None = None
        """Key and text of the event at hand, where it holds nothing else."""

    def counted(self, facts: RequestFacts) -> TokenCounts:
        """As reported; before the end, input as the start told it and output by the bytes that came."""
        if self.tokens is not None:
            return self.tokens
        counts = anthropic_counts(self._usage) or TokenCounts(input_tokens(facts))
        counts.input_tokens = counts.input_tokens or input_tokens(facts)
        counts.output_tokens = max(counts.output_tokens, output_tokens(self.text_bytes_count))
        counts.is_estimated = True
        return counts

    def _chunk(self, event: bytes, data: bytes, chunk: dict[str, Any]) -> bytes:
        del data
        self.note(chunk)
        if self._text is not None:
            self._use(learnt(event, b'"%s":"' % self._text[0].encode(), self._text[1], event))
        return event

    def note(self, chunk: dict[str, Any]) -> None:
        """Keep what is wanted of one event."""
        self._text = None
        kind = chunk.get("type")
        if kind == "content_block_delta":
            self._note_delta(chunk.get("delta"))
        elif kind == "content_block_start":
            self.has_begun = True
        elif kind == "message_start":
            self._note_start(chunk.get("message"))
        elif kind == "message_delta":
            self._note_end(chunk)
        elif kind == "message_stop":
            self.is_done = True

    def _note_delta(self, delta: object) -> None:
        self.has_begun = True
        if type(delta) is not dict:
            return
        for name in ("text", "thinking", "partial_json"):
            text = delta.get(name)
            if type(text) is str and text:
                self.text_bytes_count += utf8_count(text)
                self._text = (name, text)

    def _note_start(self, message: object) -> None:
        if type(message) is not dict:
            return
        self._usage = merged_anthropic(self._usage, message.get("usage"))
        self.response_model = message.get("model") if type(message.get("model")) is str else None
        self._note_tier()

    def _note_end(self, chunk: dict[str, Any]) -> None:
        self._usage = merged_anthropic(self._usage, chunk.get("usage"))
        self.tokens = anthropic_counts(self._usage) if "output_tokens" in self._usage else None
        delta = chunk.get("delta")
        if type(delta) is dict and type(delta.get("stop_reason")) is str:
            self.finish_reason = delta["stop_reason"]
        self._note_tier()

    def _note_tier(self) -> None:
        tier = self._usage.get("service_tier")
        self.service_tier = tier if type(tier) is str else self.service_tier
