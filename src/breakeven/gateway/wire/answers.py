"""Answers: who reads an upstream's answer, and what every reader tells."""

from __future__ import annotations

from typing import Protocol

from breakeven.gateway.attempt import Failure, TokenCounts
from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.chat_stream import ChatStream
from breakeven.gateway.wire.messages_stream import MessagesStream
from breakeven.gateway.wire.outgoing import asks_for_usage, upstream_operation
from breakeven.gateway.wire.plain_answer import PlainAnswer
from breakeven.gateway.wire.responses_stream import ResponsesStream
from breakeven.gateway.wire.stream_reader import StreamReader
from breakeven.gateway.wire.translation.chunks_to_events import ChunksToEvents
from breakeven.gateway.wire.translation.events_to_chunks import EventsToChunks
from breakeven.gateway.wire.translation.plain_reader import TranslatedPlainAnswer
from breakeven.routing.answers import Answer


class AnswerReader(Protocol):
    """Takes an answer's bytes as they come, says what goes to the client, and what there is to know of it."""

    tokens: TokenCounts | None
    """As reported; None: not reported."""
    finish_reason: str | None
    response_model: str | None
    service_tier: str | None
    failure: Failure | None
    """`reset`: a stream without its end mark; `bad_answer`: no JSON, or an error in a stream (it is not passed on)."""
    failure_message: str | None
    """What the upstream said of it, sanitised: for the error event that ends the client's stream."""
    has_begun: bool
    """A part of the answer itself went to the client."""

    @property
    def text_bytes_count(self) -> int:
        """Bytes of generated text so far."""
        ...

    def feed(self, data: bytes) -> bytes:
        """What may go to the client now."""
        ...

    def end(self) -> bytes:
        """The rest, when the upstream ended its answer cleanly as HTTP."""
        ...

    def counted(self, facts: RequestFacts) -> TokenCounts:
        """Tokens as reported, else estimated and marked so; also of an answer that was cut off."""
        ...

    def answer(self) -> Answer:
        """What the model said, for checks; the text of streams is not kept."""
        ...


def reader_for(facts: RequestFacts, target: Target, is_event_stream: bool, created_unix_s: int = 0) -> AnswerReader:
    """A reader for the answer of one attempt that was answered with 2xx.

    `created_unix_s` is when the request came: translated chat completions say it.
    """
    reader = _reader(facts, target, is_event_stream, created_unix_s)
    reader.upstream = target.upstream
    return reader


def _reader(
    facts: RequestFacts, target: Target, is_event_stream: bool, created_unix_s: int
) -> PlainAnswer | StreamReader:
    operation = upstream_operation(facts, target)
    if operation != facts.operation:
        return _translating(facts, is_event_stream, created_unix_s)
    if not is_event_stream:
        return PlainAnswer(operation, operation)
    if operation == "messages":
        return MessagesStream()
    if operation == "responses":
        return ResponsesStream()
    return ChatStream(asks_for_usage(facts, target))


def _translating(facts: RequestFacts, is_event_stream: bool, created_unix_s: int) -> PlainAnswer | StreamReader:
    if not is_event_stream:
        return TranslatedPlainAnswer(facts, created_unix_s)
    return EventsToChunks(facts, created_unix_s) if facts.operation == "chat" else ChunksToEvents(facts)
