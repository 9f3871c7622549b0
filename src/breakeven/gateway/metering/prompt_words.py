"""Prompt words: a prompt as a person reads it, whoever said what, as far as prompts are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from breakeven.gateway.metering.kept_prompts import kept_text

_SYSTEM: Final = ("system", "instructions")
_ASKED: Final = ("messages", "input", "prompt")
_SHOWN: Final = ("text", "content", "output", "arguments")
_DEPTH_MAX_COUNT: Final = 8


def prompt_words(document: Mapping[str, Any], is_redacted: bool) -> str:
    """What a request says, one speaker a line; what is no text is named by its kind.

    >>> prompt_words({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}, False)
    'user: Hi'
    """
    lines = [f"system: {each}" for name in _SYSTEM for each in _texts(document.get(name), 0)]
    for name in _ASKED:
        said = document.get(name)
        for each in said if isinstance(said, list) else [said]:
            speaker = each.get("role") or each.get("type") if isinstance(each, Mapping) else "user"
            told = " ".join(_texts(each, 0))
            if told:
                lines.append(f"{speaker}: {told}")
    return "\n".join(str(kept_text(line, is_redacted)) for line in lines)


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth >= _DEPTH_MAX_COUNT:
        return
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, depth + 1)
    elif isinstance(value, Mapping):
        found = [text for name in _SHOWN for text in _texts(value.get(name), depth + 1)]
        calls = value.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, Mapping) else None
            if isinstance(function, Mapping):
                found.append(f"{function.get('name')}({function.get('arguments')})")
        if not found and isinstance(kind := value.get("type"), str) and "role" not in value:
            found.append(f"<{kind}>")
        yield from found
