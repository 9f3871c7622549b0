"""Stop reasons: why an answer ended, in the words of either dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_TO_OPENAI: Final[Mapping[str, str]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_TO_ANTHROPIC: Final[Mapping[str, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def openai_reason(stop_reason: str | None) -> str:
    """`finish_reason` for a `stop_reason`; an unknown one is an ordinary end.

    >>> openai_reason("tool_use"), openai_reason("refusal")
    ('tool_calls', 'content_filter')
    """
    return _TO_OPENAI.get(stop_reason or "", "stop")


def anthropic_reason(finish_reason: str | None, has_calls: bool = False) -> str:
    """`stop_reason` for a `finish_reason`; some vendors say `stop` after a tool call.

    >>> anthropic_reason("stop"), anthropic_reason("stop", has_calls=True)
    ('end_turn', 'tool_use')
    """
    found = _TO_ANTHROPIC.get(finish_reason or "", "end_turn")
    return "tool_use" if has_calls and found == "end_turn" else found
