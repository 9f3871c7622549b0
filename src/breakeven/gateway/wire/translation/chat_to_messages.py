"""Chat to messages: a chat completion's request as Anthropic's messages."""

from __future__ import annotations

from typing import Any

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.translation.untranslatable import untranslatable


def messages_request(facts: RequestFacts, target: Target) -> dict[str, Any]:
    """The body for `/v1/messages`."""
    raise untranslatable(f"'{target.name}' speaks anthropic only.", f"{facts.operation} is not translated.")
