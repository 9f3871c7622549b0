"""Plain reader that translates: an answer of one dialect held until it is whole, and given in the other."""

from __future__ import annotations

from typing import Any

import orjson

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.wire.plain_answer import PlainAnswer
from breakeven.gateway.wire.translation.exact_numbers import dumped, exactly
from breakeven.gateway.wire.translation.plain_answers import chat_completion, message


class TranslatedPlainAnswer(PlainAnswer):
    """Between `/v1/chat/completions` and `/v1/messages`, either way."""

    __slots__ = ("_created_unix_s", "_facts")

    def __init__(self, facts: RequestFacts, created_unix_s: int) -> None:
        super().__init__(facts.operation, "messages" if facts.operation == "chat" else "chat")
        self._facts = facts
        self._created_unix_s = created_unix_s

    def _written(self, body: bytes, document: dict[str, Any]) -> bytes:
        document = exactly(body, document)
        tokens = self.counted(self._facts)
        try:
            if self._facts.operation == "chat":
                return dumped(chat_completion(document, tokens, self._created_unix_s))
            return dumped(message(document, tokens, self._facts))
        except (orjson.JSONEncodeError, RecursionError):
            return self._failed("The upstream's answer is nested too deeply.")
