"""Groups: what a request is known by, with the very hashes that `breakeven import` gives a log of the same request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from breakeven.usage.features import schema_hash_of, system_hash_of
from breakeven.usage.prompts.conversation import conversation, text_of
from breakeven.usage.redact import hash_of

_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_OTHER_ROLES: Final = ("user", "assistant", "tool")
_ODD_NAMES: Final = frozenset(
    {"role", "systemInstruction", "system_instruction", "instructions", "system_instructions", "contents"}
)
"""Bodies that hold one of these are left to the importer's own reading."""
_SHAPING_NAMES: Final = (
    *("tools", "functions", "toolConfig", "tool_config"),
    *("response_format", "output_config", "output_format", "responseSchema", "response_schema"),
    *("generationConfig", "generation_config"),
)
_SHAPING: Final = frozenset({*_SHAPING_NAMES, "text"})
_UNUSUAL: Final = _ODD_NAMES | _SHAPING | {"system"}
_KEPT_MAX_COUNT: Final = 512
_KEPT_MAX_BYTES: Final = 8_192

_by_system: dict[str, str] = {}
_by_shape: dict[bytes, str | None] = {}


def hashes(document: Mapping[str, Any], body: bytes) -> tuple[str | None, str | None]:
    """Both hashes of a request: of its system prompt, and of the form that its answer shall have."""
    messages = document.get("messages")
    if type(messages) is not list or not messages or not document.keys().isdisjoint(_UNUSUAL):
        return system_hash(document, body), schema_hash(document)
    parts = [each for each in messages if type(each) is not dict or each.get("role") not in _OTHER_ROLES]
    if not parts:
        return None, None
    if len(parts) == 1 and type(parts[0]) is dict and parts[0].get("role") == "system":
        content = parts[0].get("content")
        if type(content) is str:
            return _by_system.get(content) or _hashed(content), None
    spoken = _spoken(parts)
    return (_hashed("\n".join(spoken)) if spoken else None), None


def is_shaping(names: frozenset[str]) -> bool:
    """Whether one of the names of a body tells of the form of its answer, or of tools."""
    return not _SHAPING.isdisjoint(names)


def known_system_hash(system: str) -> str | None:
    """The hash of a system prompt that is one text."""
    return _by_system.get(system) or _hashed(system)


def _spoken(messages: list[Any]) -> list[str]:
    """What messages of the system say."""
    parts: list[str] = []
    for message in messages:
        if type(message) is dict:
            role = message.get("role")
            if role in _OTHER_ROLES or type(role) is not str or role.lower() not in _SYSTEM_ROLES:
                continue
            content = message.get("content")
            parts.append(content if type(content) is str else _text(message))
    return parts


def system_hash(document: Mapping[str, Any], body: bytes) -> str | None:
    """Hash of the system prompt.

    >>> system_hash({"messages": [{"role": "system", "content": "Be brief."}]}, b"") == hash_of("Be brief.")
    True
    """
    messages = document.get("messages")
    if type(messages) is not list or not messages or not _ODD_NAMES.isdisjoint(document):
        return system_hash_of(conversation(body.decode("utf-8", "replace")), "")
    parts: list[str] = []
    system = document.get("system")
    if system:
        if type(system) is str and system.lstrip()[:1] in ("{", "["):
            return system_hash_of(conversation(body.decode("utf-8", "replace")), "")
        parts.append(system if type(system) is str else text_of(system))
    parts += _spoken(messages)
    return _hashed("\n".join(parts)) if parts else None


def _text(message: Mapping[str, Any]) -> str:
    """As the importer reads a message whose content is no plain text."""
    for name in ("content", "parts"):
        if message.get(name) is not None:
            return text_of(message[name])
    return text_of(message)


def _hashed(system: str) -> str | None:
    if not system:
        return None
    found = _by_system.get(system)
    if found is None:
        found = hash_of(system)
        if len(system) <= _KEPT_MAX_BYTES:
            if len(_by_system) >= _KEPT_MAX_COUNT:
                _by_system.clear()
            _by_system[system] = found
    return found


def schema_hash(document: Mapping[str, Any]) -> str | None:
    """Hash of the wanted form of the answer and of the names of the tools; None where the request has neither."""
    if _SHAPING.isdisjoint(document):
        return None
    shaping = {name: document[name] for name in _SHAPING_NAMES if name in document}
    if type(document.get("text")) is dict:
        shaping["text"] = document["text"]
    if not shaping:
        return None
    written = orjson.dumps(shaping)
    if written in _by_shape:
        return _by_shape[written]
    found = schema_hash_of(conversation(written.decode()), "")
    if len(written) <= _KEPT_MAX_BYTES:
        if len(_by_shape) >= _KEPT_MAX_COUNT:
            _by_shape.clear()
        _by_shape[written] = found
    return found
