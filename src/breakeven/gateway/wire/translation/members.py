"""Members: whether what a request holds has the types that its own dialect wants; a translation guesses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from breakeven.gateway.wire.translation.untranslatable import untranslatable

_WORDS: Final[Mapping[type, str]] = {
    str: "a text",
    list: "a list",
    dict: "an object",
    float: "a number",
    int: "1 or more",
}
Kinds = Mapping[str, tuple[type, ...]]

CHAT_KINDS: Final[Kinds] = {
    "max_completion_tokens": (int,),
    "max_tokens": (int,),
    "temperature": (float,),
    "top_p": (float,),
    "tools": (list,),
    "functions": (list,),
    "stop": (str, list),
    "response_format": (dict,),
}
MESSAGES_KINDS: Final[Kinds] = {
    "max_tokens": (int,),
    "temperature": (float,),
    "top_p": (float,),
    "tools": (list,),
    "tool_choice": (dict,),
    "system": (str, list),
    "stop_sequences": (list,),
    "metadata": (dict,),
}


def check_members(asked: Mapping[str, Any], kinds: Kinds) -> None:
    """Raise for a member of another type; one that is null is not there. `int` is a limit, 1 or more."""
    for name, wanted in kinds.items():
        value = asked.get(name)
        if value is not None and not any(_is(value, kind) for kind in wanted):
            words = " or ".join(_WORDS[kind] for kind in wanted)
            raise untranslatable(f"`{name}` is {repr(value)[:40]}; wanted is {words}.", "Correct it or leave it out.")


def checked_content(content: object, place: str, may_miss: bool = False) -> None:
    """Raise for a content that is neither a text nor a list of objects and texts."""
    if isinstance(content, str) or (content is None and may_miss):
        return
    if not isinstance(content, list):
        raise untranslatable(f"The content of {place} is {repr(content)[:40]}.", "Send a text or a list of parts.")
    for part in content:
        if not isinstance(part, dict | str):
            raise untranslatable(f"A part of the content of {place} is {repr(part)[:40]}.", "Send objects.")


def needed_text(value: object, name: str) -> str:
    """A text that must be there; raises where it is not."""
    if not isinstance(value, str) or not value:
        raise untranslatable(f"`{name}` is {repr(value)[:40]}.", "Name it as a text.")
    return value


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    if kind is int:
        return isinstance(value, int) and value >= 1
    return isinstance(value, (int, float)) if kind is float else isinstance(value, kind)
