"""Answer parts: the text and the tool calls of an answer in either dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from breakeven.gateway.plan import Operation


@dataclass(slots=True)
class AnswerParts:
    """What a model generated."""

    text: str = ""
    """Of the first answer."""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    """As chat completions name them."""
    bytes_count: int = 0
    """Of all answers, reasoning and arguments included."""

    def add(self, text: object, is_shown: bool = True) -> None:
        """Take in one more text."""
        if isinstance(text, str):
            self.bytes_count += len(text.encode("utf-8", "surrogatepass"))
            self.text += text if is_shown else ""

    def add_call(self, call_id: object, name: object, arguments: object) -> None:
        """Take in a tool call."""
        try:
            written = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
        except orjson.JSONEncodeError:
            written = ""  # nested too deeply to be an argument of anything
        self.bytes_count += len(written.encode("utf-8", "surrogatepass"))
        self.tool_calls.append(
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": written}},
        )


def read_answer(written: bytes) -> Any:
    """The JSON of an answer; bytes that are no UTF-8 become U+FFFD. Raises JSONDecodeError for what is no JSON.

    >>> read_answer(b'{"a": "x \\xff"}')
    {'a': 'x \ufffd'}
    """
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError:
        return orjson.loads(written.decode("utf-8", "replace"))


def answer_parts(operation: Operation, document: Mapping[str, Any]) -> AnswerParts:
    """The parts of an answer; never raises.

    >>> answer_parts("messages", {"content": [{"type": "text", "text": "Hi"}]}).text
    'Hi'
    """
    parts = AnswerParts()
    if operation in ("chat", "completions"):
        for place, choice in enumerate(_objects(document.get("choices"))):
            _add_choice(parts, choice, is_shown=place == 0)
    elif operation == "messages":
        _add_blocks(parts, _objects(document.get("content")))
    elif operation == "responses":
        for item in _objects(document.get("output")):
            _add_item(parts, item)
    return parts


def _add_choice(parts: AnswerParts, choice: Mapping[str, Any], is_shown: bool) -> None:
    parts.add(choice.get("text"), is_shown)
    message = choice.get("message")
    if not isinstance(message, dict):
        return
    parts.add(message.get("content"), is_shown)
    for name in ("reasoning_content", "reasoning", "refusal"):
        parts.add(message.get(name), is_shown=False)
    if is_shown:
        for call in _objects(message.get("tool_calls")):
            function = call.get("function")
            if isinstance(function, dict):
                parts.add_call(call.get("id"), function.get("name"), function.get("arguments"))


def _add_blocks(parts: AnswerParts, blocks: Iterable[Mapping[str, Any]]) -> None:
    for block in blocks:
        kind = block.get("type")
        if kind == "tool_use":
            parts.add_call(block.get("id"), block.get("name"), block.get("input"))
        else:
            parts.add(block.get("text"), is_shown=kind == "text")
            parts.add(block.get("thinking"), is_shown=False)


def _add_item(parts: AnswerParts, item: Mapping[str, Any]) -> None:
    if item.get("type") == "function_call":
        parts.add_call(item.get("call_id"), item.get("name"), item.get("arguments"))
    for part in _objects(item.get("content")):
        parts.add(part.get("text"), is_shown=part.get("type") == "output_text")
    for part in _objects(item.get("summary")):
        parts.add(part.get("text"), is_shown=False)


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
