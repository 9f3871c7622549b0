"""Messages to chat: Anthropic's messages as a chat completion's request."""

from __future__ import annotations

from typing import Any

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.translation.untranslatable import untranslatable


def chat_request(facts: RequestFacts, target: Target) -> dict[str, Any]:
    """The body for `/v1/chat/completions`."""
    raise untranslatable(f"'{target.name}' speaks openai only.", f"{facts.operation} is not translated.")
