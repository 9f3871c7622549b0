"""Messages to chat: Anthropic's messages as a chat completion's request.

Cache marks are left out (OpenAI's vendors cache by themselves), and so is thinking that only its own vendor can read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.quirks import Quirks, quirks_of
from breakeven.gateway.wire.translation.images import document_part, image_part
from breakeven.gateway.wire.translation.members import MESSAGES_KINDS, check_members, checked_content, needed_text
from breakeven.gateway.wire.translation.tool_arguments import as_text
from breakeven.gateway.wire.translation.untranslatable import untranslatable

FAILED: Final = "The tool failed: "
"""Before a result with `is_error`, for which chat completions have no member."""
USER_MAX_COUNT: Final = 64
"""Characters that OpenAI takes of `user`."""
_THOUGHTS: Final = ("thinking", "redacted_thinking")
_CHOICES: Final = {"auto": "auto", "any": "required", "none": "none"}

Message = dict[str, Any]


def chat_request(facts: RequestFacts, target: Target) -> dict[str, Any]:
    """The body for `/v1/chat/completions`."""
    asked, quirks = facts.document, quirks_of(target.upstream.quirks)
    for name in ("mcp_servers", "container"):
        if asked.get(name):
            raise untranslatable(
                f"`{name}` cannot be had from model '{target.name}', whose upstream speaks openai.",
                "Leave it out, or use another model.",
            )
    check_members(asked, MESSAGES_KINDS)
    body: dict[str, Any] = {"model": target.model, "messages": _conversation(asked, quirks)}
    if facts.output_tokens_max is not None:
        body[quirks.limit_name] = facts.output_tokens_max
    _add_tools(body, asked)
    _add_sampling(body, asked, quirks)
    if facts.is_stream:
        body["stream"] = True
        if quirks.usage == "ask":
            body["stream_options"] = {"include_usage": True}
    return {name: value for name, value in body.items() if name not in quirks.dropped}


def _conversation(asked: Mapping[str, Any], quirks: Quirks) -> list[Message]:
    found: list[Message] = []
    system = _text(asked.get("system"))
    if system:
        found.append({"role": "system", "content": system})
    messages = asked.get("messages")
    if not isinstance(messages, list):
        raise untranslatable("`messages` is no list.", "Send a list of messages.")
    for message in messages:
        if not isinstance(message, dict):
            raise untranslatable("A message is no object.", "Send objects with `role` and `content`.")
        role, content = message.get("role"), message.get("content")
        checked_content(content, f"a message of role `{str(role)[:40]}`")
        if role == "assistant":
            found.append(_assistant(content, quirks))
        elif role in ("system", "developer"):
            found.append({"role": "system", "content": _text(content)})
        elif role == "user":
            found += _user(content)
        else:
            raise untranslatable(f"The role `{str(role)[:40]}` is not known there.", "Send user or assistant.")
    return found


def _text(content: object) -> str:
    """The text of a content of either shape, blocks apart by an empty line."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") if isinstance(block, dict) else block for block in blocks]
    for text, block in zip(texts, blocks, strict=True):
        if not isinstance(text, str):
            raise _unknown(block.get("type") if isinstance(block, dict) else block)
    return "\n\n".join(text for text in texts if text)


def _assistant(content: object, quirks: Quirks) -> Message:
    if isinstance(content, str):
        return {"role": "assistant", "content": content}
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    for block in _objects(content):
        kind = block.get("type")
        if kind == "text":
            texts.append(str(block.get("text", "")))
        elif kind == "tool_use":
            function = {"name": block.get("name"), "arguments": as_text(block.get("input"))}
            calls.append({"id": block.get("id"), "type": "function", "function": function})
        elif kind in _THOUGHTS:
            thoughts.append(str(block.get("thinking", "")))
        else:
            raise _unknown(kind)
    message: Message = {"role": "assistant", "content": "".join(texts) if texts else None}
    if calls:
        message["tool_calls"] = calls
    elif not texts:
        message["content"] = ""
    if any(thoughts) and "reasoning_content" in quirks.extras:
        message["reasoning_content"] = "".join(thoughts)
    return message


def _user(content: object) -> list[Message]:
    """Tool results first, each a message of its own, then what the user says and the images that tools gave."""
    if isinstance(content, str):
        return [{"role": "user", "content": content}]
    results: list[Message] = []
    parts: list[dict[str, Any]] = []
    for block in _objects(content):
        if block.get("type") == "tool_result":
            text, pictures = _result(block.get("content"))
            call_id = needed_text(block.get("tool_use_id"), "tool_use_id")
            text = FAILED + text if block.get("is_error") is True else text
            results.append({"role": "tool", "tool_call_id": call_id, "content": text})
            parts += pictures
        else:
            parts.append(_part(block))
    if not parts:
        return results or [{"role": "user", "content": ""}]
    if all(part["type"] == "text" for part in parts):
        return [*results, {"role": "user", "content": "\n\n".join(part["text"] for part in parts)}]
    return [*results, {"role": "user", "content": parts}]


def _result(content: object) -> tuple[str, list[dict[str, Any]]]:
    """Text of a tool's result, and its images: OpenAI's tools can only say text."""
    if isinstance(content, str):
        return content, []
    parts = [_part(block) for block in _objects(content)]
    text = "\n\n".join(part["text"] for part in parts if part["type"] == "text")
    return text, [part for part in parts if part["type"] != "text"]


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    kind = block.get("type")
    if kind == "text":
        return {"type": "text", "text": str(block.get("text", ""))}
    if kind == "image":
        return image_part(block)
    if kind == "document":
        return document_part(block)
    raise _unknown(kind)


def _unknown(kind: object) -> Exception:
    return untranslatable(f"A block of type `{str(kind)[:40]}` is not known there.", "Use another model for it.")


def _objects(content: object) -> list[dict[str, Any]]:
    blocks = content if isinstance(content, list) else []
    if not all(isinstance(block, dict) for block in blocks):
        raise untranslatable("A block of a content is no object.", "Send objects with a `type`.")
    return blocks


def _add_tools(body: dict[str, Any], asked: Mapping[str, Any]) -> None:
    tools = asked.get("tools")
    if not isinstance(tools, list) or not tools:
        return
    body["tools"] = [_tool(each) for each in tools]
    choice = asked.get("tool_choice")
    if not isinstance(choice, dict):
        return
    kind = choice.get("type")
    if kind == "tool":
        body["tool_choice"] = {"type": "function", "function": {"name": choice.get("name")}}
    elif kind in _CHOICES:
        body["tool_choice"] = _CHOICES[kind]
    if choice.get("disable_parallel_tool_use") is True:
        body["parallel_tool_calls"] = False


def _tool(tool: object) -> dict[str, Any]:
    if not isinstance(tool, dict) or tool.get("type") not in (None, "custom") or not isinstance(tool.get("name"), str):
        kind = tool.get("type") if isinstance(tool, dict) else tool
        raise untranslatable(f"The tool `{str(kind)[:40]}` is run by its vendor.", "Use another model for it.")
    schema = tool.get("input_schema")
    function: dict[str, Any] = {"name": tool["name"], "parameters": schema if isinstance(schema, dict) else {}}
    if isinstance(tool.get("description"), str):
        function["description"] = tool["description"]
    if tool.get("strict") is True:
        function["strict"] = True
    return {"type": "function", "function": function}


def _add_sampling(body: dict[str, Any], asked: Mapping[str, Any], quirks: Quirks) -> None:
    for name in ("temperature", "top_p"):
        if asked.get(name) is not None:
            body[name] = asked[name]
    if asked.get("top_k") is not None and "top_k" in quirks.extras:
        body["top_k"] = asked["top_k"]
    stops = asked.get("stop_sequences")
    if isinstance(stops, list) and stops:
        body["stop"] = stops
    metadata = asked.get("metadata")
    user = metadata.get("user_id") if isinstance(metadata, dict) else None
    if isinstance(user, str) and 0 < len(user) <= USER_MAX_COUNT:
        body["user"] = user
    config = asked.get("output_config")
    wanted = config.get("format") if isinstance(config, dict) else asked.get("output_format")
    if isinstance(wanted, dict) and wanted.get("type") == "json_schema":
        inner = {"name": "answer", "schema": wanted.get("schema")}
        body["response_format"] = {"type": "json_schema", "json_schema": inner}
