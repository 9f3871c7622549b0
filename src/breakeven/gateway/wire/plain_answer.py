"""Plain answer: an answer that is no stream, held until it is whole, so that another can still take its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from breakeven.gateway.attempt import Failure, TokenCounts
from breakeven.gateway.plan import Operation, RequestFacts
from breakeven.gateway.upstream import Upstream
from breakeven.gateway.wire.answer_parts import answer_parts, read_answer
from breakeven.gateway.wire.chat_stream import chunk_counts
from breakeven.gateway.wire.errors import error_in
from breakeven.gateway.wire.estimates import estimated
from breakeven.gateway.wire.responses_stream import response_reason
from breakeven.gateway.wire.sanitising import sanitised, secrets_of
from breakeven.gateway.wire.stream_reader import is_error
from breakeven.gateway.wire.usage_fields import anthropic_counts, openai_counts, timings_counts
from breakeven.routing.answers import Answer


class PlainAnswer:
    """An answer as one JSON object."""

    __slots__ = (
        "_document",
        "_held_bytes_count",
        "_operation",
        "_parts",
        "_upstream_operation",
        "failure",
        "failure_message",
        "finish_reason",
        "has_begun",
        "response_model",
        "service_tier",
        "tokens",
        "upstream",
    )

    def __init__(self, operation: Operation, upstream_operation: Operation) -> None:
        self._operation = operation
        self._upstream_operation = upstream_operation
        self._parts: list[bytes] = []
        self.upstream: Upstream | None = None
        """Whose secrets are hidden in `failure_message`."""
        self._document: dict[str, Any] = {}
        self._held_bytes_count = 0
        self.tokens: TokenCounts | None = None
        self.finish_reason: str | None = None
        self.response_model: str | None = None
        self.service_tier: str | None = None
        self.failure: Failure | None = None
        self.failure_message: str | None = None
        self.has_begun = False

    def feed(self, data: bytes) -> bytes:
        """Nothing, until it is whole."""
        self._parts.append(data)
        self._held_bytes_count += len(data)
        return b""

    def end(self) -> bytes:
        """The answer, where it is one."""
        body = b"".join(self._parts)
        self._parts = []
        try:
            document = read_answer(body)
        except orjson.JSONDecodeError:
            return self._failed("The upstream's answer is no JSON.")
        if type(document) is not dict:
            return self._failed("The upstream's answer is JSON, but no object.")
        self.note(document)
        if is_error(document) and self._operation != "outcomes":
            return self._failed(error_in(document).message or "The upstream answered with an error.")
        if (self._operation, self._upstream_operation) == ("messages", "chat") and not document.get("choices"):
            return self._failed("The upstream's answer has no choices.")
        self.has_begun = True
        return self._written(body, document)

    def _written(self, body: bytes, document: dict[str, Any]) -> bytes:
        """What the client gets."""
        del document
        return body

    def counted(self, facts: RequestFacts) -> TokenCounts:
        """The tokens as reported, else estimated, and marked so."""
        return self.tokens if self.tokens is not None else estimated(facts, self.text_bytes_count)

    @property
    def text_bytes_count(self) -> int:
        """Bytes of the generated text; of an answer that never became whole, bytes of all that came."""
        if self._document:
            return answer_parts(self._upstream_operation, self._document).bytes_count
        return 0 if self._upstream_operation == "embeddings" else self._held_bytes_count

    def answer(self) -> Answer:
        """What the model said, for checks."""
        parts = answer_parts(self._upstream_operation, self._document)
        return Answer(parts.text, finish_reason=self.finish_reason, tool_calls=parts.tool_calls or None)

    def _failed(self, message: str) -> bytes:
        self.failure, self.failure_message = (
            "bad_answer",
            sanitised(message, secrets_of(self.upstream) if self.upstream is not None else ()),
        )
        return b""

    def note(self, document: dict[str, Any]) -> None:
        """What an answer tells of itself; `end` does it, too."""
        self._document = document
        operation = self._upstream_operation
        usage = document.get("usage")
        if operation == "messages":
            self.tokens = anthropic_counts(usage)
        elif operation == "count_tokens":
            self.tokens = TokenCounts()
        else:
            choices = document.get("choices")
            self.tokens = chunk_counts(document, choices if type(choices) is list else [])
            if self.tokens is None:
                self.tokens = openai_counts(usage) or timings_counts(document.get("timings"))
        self.finish_reason = _finish_reason(operation, document)
        self.response_model = _text(document.get("model"))
        tier = usage.get("service_tier") if type(usage) is dict and operation == "messages" else None
        self.service_tier = _text(tier) or _text(document.get("service_tier"))


def _finish_reason(operation: Operation, document: Mapping[str, Any]) -> str | None:
    if operation == "messages":
        return _text(document.get("stop_reason"))
    if operation == "responses":
        return response_reason(document)
    choices = document.get("choices")
    first = choices[0] if type(choices) is list and choices else None
    return _text(first.get("finish_reason")) if type(first) is dict else None


def _text(value: object) -> str | None:
    return value if type(value) is str and value else None
