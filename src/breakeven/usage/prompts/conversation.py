"""Conversation: a logged prompt taken apart: system prompt, last user message, messages, turns, images, tools, schema.

A prompt is logged as plain text, as a JSON list of messages (OpenAI, Anthropic with content parts, OpenTelemetry and
Gemini with `parts`) or as a JSON object, the request body (`messages`, `contents`, `input`, `prompt`, with `system`,
`tools`, `response_format` and their other names). What is none of these is plain text; nothing here ever fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_USER_ROLES: Final = frozenset({"user", "human", "", None})
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_MESSAGES: Final = ("messages", "contents", "input", "prompt", "inputText", "query", "text")
_SYSTEM: Final = ("system", "systemInstruction", "system_instruction", "instructions", "system_instructions")
_TOOLS: Final = ("tools", "functions", "toolConfig", "tool_config")
_SCHEMA: Final = ("response_format", "output_config", "output_format", "responseSchema", "response_schema")
_ANSWER: Final = ("choices", "candidates", "message", "output", "content", "parts", "text", "completion", "output_text")
_IMAGE_TYPES: Final = frozenset({"image", "image_url", "input_image", "image_file"})
_NESTED: Final = ("function", "toolSpec", "functionDeclarations", "function_declarations", "tools")


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one request said."""

    user: str = ""
    """The last user message that has text."""
    system: str | None = None
    messages_count: int = 1
    turns_count: int = 1
    """User messages."""
    images_count: int = 0
    tool_names: tuple[str, ...] = ()
    schema: str | None = None
    """The wanted form of the answer, as JSON with sorted keys."""
    has_tools: bool | None = None
    """None where the log does not say."""
    text: str = ""
    """Everything the model read as text: system prompt and messages, one below the other."""


def conversation(
    prompt: str | None, system: str | None = None, tools: str | None = None, schema: str | None = None
) -> Conversation:
    """Take a logged prompt apart; `system`, `tools` and `schema` are columns that the log has beside it.

    >>> found = conversation('[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]')
    >>> found.system, found.user, found.messages_count, found.turns_count
    ('Be brief.', 'Hello', 2, 1)
    >>> conversation("Hello, no JSON").user
    'Hello, no JSON'
    """
    value = _value(prompt or "")
    body = value if isinstance(value, dict) and not _is_message(value) else {}
    if not body and system is tools is schema is None:
        return _assembled(_messages(value), None, None, None, is_body=False)
    messages = _messages(_first(body, _MESSAGES) if body else value)
    config = body.get("generationConfig") or body.get("generation_config") or {}
    told_system = system if system is not None else _first(body, _SYSTEM)
    told_tools = _value(tools) if tools is not None else _first(body, _TOOLS)
    told_schema = _value(schema) if schema is not None else _first(body, _SCHEMA) or _first(_dict(config), _SCHEMA)
    if not told_schema and isinstance(body.get("text"), dict):
        told_schema = body["text"].get("format")
    return _assembled(messages, told_system, told_tools, told_schema, is_body=bool(body))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a logged prompt."""

    role: str
    """As it is logged, in small letters; user where the log does not say."""
    text: str
    """Empty for images and calls of tools."""


def messages_of(prompt: str) -> tuple[Message, ...]:
    """A logged prompt message by message, as a person reads it; the system prompt of a request body first.

    >>> body = '{"system": "Brief.", "messages": [{"role": "user", "content": "Hi"}]}'
    >>> [(each.role, each.text) for each in messages_of(body)]
    [('system', 'Brief.'), ('user', 'Hi')]
    >>> messages_of("Hello, no JSON")
    (Message(role='user', text='Hello, no JSON'),)
    """
    value = _value(prompt)
    body = value if isinstance(value, dict) and not _is_message(value) else {}
    found = _messages(_first(body, _MESSAGES) if body else value)
    system = _first(body, _SYSTEM)
    first = (Message("system", text_of(system)),) if system else ()
    told = (*first, *(Message(role or "user", text) for role, text, _ in found))
    return told if any(each.text for each in told) else (Message("user", prompt),)


def _assembled(
    messages: Sequence[tuple[str | None, str, int]], system: Any, tools: Any, schema: Any, *, is_body: bool
) -> Conversation:
    parts = [text_of(_value(system) if isinstance(system, str) else system)] if system else []
    parts += [text for role, text, _ in messages if role in _SYSTEM_ROLES]
    users = [text for role, text, _ in messages if role in _USER_ROLES]
    names = tuple(sorted(set(_tool_names(tools)))) if tools else ()
    has_tools = bool(tools) if is_body or tools is not None else None
    spoken = [text for role, text, _ in messages if role not in _SYSTEM_ROLES]
    return Conversation(
        next((text for text in reversed(users) if text), ""),
        "\n".join(parts) if parts else None,
        len(messages),
        len(users),
        sum(images for _, _, images in messages),
        names,
        json.dumps(schema, sort_keys=True, default=str) if schema else None,
        has_tools,
        "\n".join((*parts, *spoken)),
    )


def text_of(content: Any) -> str:
    """The text in a message's content, whatever its form.

    >>> text_of([{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}])
    'a\\nb'
    """
    return _content(content)[0]


def answer_text(logged: str) -> str:
    """The text of a logged answer: as it is, or out of the JSON of the usual APIs.

    >>> answer_text('{"choices": [{"message": {"role": "assistant", "content": "Yes."}}]}')
    'Yes.'
    """
    value = _value(logged)
    for _ in range(6):
        if isinstance(value, list):
            return "\n".join(filter(None, (answer_text(json.dumps(each)) if each else "" for each in value[:1_000])))
        if not isinstance(value, dict):
            break
        inner = _first(value, _ANSWER)
        if inner is None:
            return ""
        value = inner
    return value if isinstance(value, str) else ""


def _value(text: str) -> Any:
    """The JSON value in `text`, or `text` itself."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _messages(value: Any) -> list[tuple[str | None, str, int]]:
    """Role, text and images of each message."""
    if value is None:
        return []
    if not isinstance(value, list):
        value = [value]
    found: list[tuple[str | None, str, int]] = []
    for each in value:
        if isinstance(each, dict):
            role, content = each.get("role"), each.get("content")
            if content is None:
                content = each.get("parts")
            text, images = (content, 0) if isinstance(content, str) else _content(each if content is None else content)
            found.append((role.lower() if isinstance(role, str) else None, text, images))
        elif isinstance(each, str):
            found.append(("user", each, 0))
        elif isinstance(each, list):
            found.append(("user", *_content(each)))
    return found


def _content(content: Any, depth: int = 0) -> tuple[str, int]:
    """Text and number of images in a message's content."""
    if isinstance(content, str):
        return content, 0
    if isinstance(content, list) and depth < 4:
        found = [_content(each, depth + 1) for each in content]
        return "\n".join(text for text, _ in found if text), sum(images for _, images in found)
    if isinstance(content, dict):
        return _part(content, depth)
    return "", 0


def _part(part: Mapping[str, Any], depth: int) -> tuple[str, int]:
    kind = str(part.get("type") or "")
    if kind in _IMAGE_TYPES or "inlineData" in part or "inline_data" in part or ("image" in part and not kind):
        return "", 1
    if kind in ("tool_result", "tool_use", "function_call", "tool_call", "tool_call_response"):
        return "", 0
    for key in ("text", "content", "parts", "input_text"):
        if isinstance(part.get(key), str | list | dict) and depth < 4:
            return _content(part[key], depth + 1)
    return "", 0


def _tool_names(tools: Any, depth: int = 0) -> Iterable[str]:
    if isinstance(tools, list):
        for each in tools:
            yield from _tool_names(each, depth + 1)
    elif isinstance(tools, dict) and depth < 6:
        for key in _NESTED:
            yield from _tool_names(tools.get(key), depth + 1)
        name = tools.get("name", tools.get("type") if not any(key in tools for key in _NESTED) else None)
        if isinstance(name, str):
            yield name


def _is_message(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("role"), str) and ("content" in value or "parts" in value)


def _first(body: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((body[name] for name in names if body.get(name)), None)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
