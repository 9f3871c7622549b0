"""Routed text: the last user message of a request, whatever its operation: what a policy or a classifier reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breakeven.routing.request import last_user_text


def prompt_of(document: Mapping[str, Any]) -> str:
    """The last user message of a body; "" where it has none.

    >>> prompt_of({"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]})
    'Hi'
    >>> prompt_of({"prompt": ["one", "two"]})
    'two'
    """
    for name in ("messages", "input", "prompt"):
        value = document.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list) and value:
            if isinstance(value[-1], str):
                return value[-1]
            return last_user_text(value)
    return ""
