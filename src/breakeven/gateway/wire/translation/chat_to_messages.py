"""Chat to messages: a chat completion's request as Anthropic's messages.

What is a hint and no part of what is asked for (`seed`, penalties, `logit_bias`, `reasoning_effort`, `user` tags of
OpenAI's own services) is left out; what changes the answer's form and cannot be had is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.translation.images import document_block, image_block
from breakeven.gateway.wire.translation.members import CHAT_KINDS, check_members, checked_content, needed_text
from breakeven.gateway.wire.translation.tool_arguments import as_object
from breakeven.gateway.wire.translation.untranslatable import untranslatable

OUTPUT_TOKENS_DEFAULT: Final = 4_096
"""Anthropic wants a limit; chat completions have none unless it is said."""
TEMPERATURE_MAX_RATIO: Final = 1.0
"""Anthropic's scale ends there, OpenAI's at 2."""
_OTHER_LETTERS: Final = re.compile(r"[^A-Za-z0-9_-]")
_PASSED: Final = ("top_p", "top_k", "thinking")
_JSON_ONLY: Final = "Answer with one JSON object and nothing else."

Block = dict[str, Any]


def messages_request(facts: RequestFacts, target: Target) -> dict[str, Any]:
    """The body for `/v1/messages`."""
    asked = facts.document
    _refuse(asked, target)
    check_members(asked, CHAT_KINDS)
    system, messages = _conversation(asked.get("messages"))
    body: dict[str, Any] = {"model": target.model, "max_tokens": facts.output_tokens_max or OUTPUT_TOKENS_DEFAULT}
    _add_format(body, system, asked.get("response_format"))
    if system:
        body["system"] = _joined(system)
    body["messages"] = messages
    _add_tools(body, asked)
    _add_sampling(body, asked)
    if facts.is_stream:
        body["stream"] = True
    return body


def _refuse(asked: Mapping[str, Any], target: Target) -> None:
    """Raise for what changes the form of the answer and cannot be had there."""
    n, modalities = asked.get("n"), asked.get("modalities")
    seen = [
        ("`n` above 1", isinstance(n, int) and n > 1),
        ("`logprobs`", asked.get("logprobs") is True),
        ("audio", isinstance(modalities, list) and "audio" in modalities),
        ("`web_search_options`", bool(asked.get("web_search_options"))),
    ]
    for what, is_asked in seen:
        if is_asked:
            raise untranslatable(
                f"{what} cannot be had from model '{target.name}', whose upstream speaks anthropic.",
                "Leave it out, or use another model.",
            )


def _conversation(messages: object) -> tuple[list[Block], list[dict[str, Any]]]:
    """System blocks, wherever they stood, and messages in which user and assistant take turns."""
    system: list[Block] = []
    turns: list[dict[str, Any]] = []
    if not isinstance(messages, list):
        raise untranslatable("`messages` is no list.", "Send a list of messages.")
    last_call_id = "call_0"
    for message in messages:
        if not isinstance(message, dict):
            raise untranslatable("A message is no object.", "Send objects with `role` and `content`.")
        role, content = message.get("role"), message.get("content")
        checked_content(content, f"a message of role `{str(role)[:40]}`", may_miss=role in ("assistant", "function"))
        if role in ("system", "developer"):
            system += _texts(content)
        elif role == "assistant":
            if isinstance(message.get("function_call"), dict):
                last_call_id = f"call_{len(turns)}"
            _add_turn(turns, "assistant", _assistant_blocks(message, last_call_id))
        elif role in ("tool", "function"):
            call_id = needed_text(message.get("tool_call_id"), "tool_call_id") if role == "tool" else last_call_id
            _add_turn(turns, "user", [_result_block(_call_id(call_id), message)])
        elif role == "user":
            _add_turn(turns, "user", _user_blocks(content))
        else:
            raise untranslatable(f"The role `{str(role)[:40]}` is not known there.", "Send user, assistant or tool.")
    return system, [{"role": turn["role"], "content": _shortened(turn["content"])} for turn in turns]


def _add_turn(turns: list[dict[str, Any]], role: str, blocks: list[Block]) -> None:
    """Add to the last turn where it has the same role: all results of one round of tools stand in one message."""
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append({"role": role, "content": blocks})


def _shortened(blocks: list[Block]) -> str | list[Block]:
    """A lone text as a text."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return str(blocks[0]["text"])
    return blocks


def _joined(system: list[Block]) -> str | list[Block]:
    return _shortened(system) if len(system) == 1 else system


def _texts(content: object) -> list[Block]:
    """Text blocks of a content of either shape; empty ones, which Anthropic refuses, are left out."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    found = []
    for part in content if isinstance(content, list) else []:
        text = part.get("text", part.get("refusal")) if isinstance(part, dict) else part
        if not isinstance(text, str):
            kind = part.get("type") if isinstance(part, dict) else part
            raise untranslatable(f"Content of type `{str(kind)[:40]}` is no text there.", "Use another model for it.")
        if text:
            found.append(_kept(part, {"type": "text", "text": text}))
    return found


def _kept(part: object, block: Block) -> Block:
    """The block with the cache mark of its part."""
    if isinstance(part, dict) and isinstance(part.get("cache_control"), dict):
        block["cache_control"] = part["cache_control"]
    return block


def _user_blocks(content: object) -> list[Block]:
    if not isinstance(content, list):
        return _texts(content)
    blocks: list[Block] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else "text"
        if kind in ("text", "input_text", None):
            blocks += _texts([part])
        elif kind == "image_url":
            blocks.append(_kept(part, image_block(part)))
        elif kind == "file":
            blocks.append(_kept(part, document_block(part)))
        elif kind in ("image", "document"):
            blocks.append(part)  # Anthropic's own, as some clients send them through chat completions
        else:
            raise untranslatable(f"Content of type `{str(kind)[:40]}` is not known there.", "Use another model for it.")
    return blocks


def _assistant_blocks(message: Mapping[str, Any], legacy_id: str) -> list[Block]:
    """Thinking first and unchanged, then text, then tool calls."""
    blocks: list[Block] = []
    thoughts = message.get("thinking_blocks")
    for block in thoughts if isinstance(thoughts, list) else []:
        if isinstance(block, dict) and (block.get("signature") or block.get("type") == "redacted_thinking"):
            blocks.append(block)
    blocks += _texts(message.get("content"))
    blocks += _texts(message.get("refusal"))
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        blocks.append(_call_block(call))
    legacy = message.get("function_call")
    if isinstance(legacy, dict):
        blocks.append(_tool_use(legacy_id, legacy))
    return blocks


def _call_block(call: object) -> Block:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict):
        raise untranslatable("A tool call is no function call.", "Use another model for it.")
    return _kept(call, _tool_use(_call_id(needed_text(call.get("id"), "id` of a tool call")), function))


def _call_id(call_id: object) -> str:
    """An id in the letters that Anthropic takes: some vendors write `functions.f:0`."""
    return _OTHER_LETTERS.sub("_", str(call_id)) or "_"


def _tool_use(call_id: str, function: Mapping[str, Any]) -> Block:
    name = str(function.get("name", ""))
    return {"type": "tool_use", "id": call_id, "name": name, "input": as_object(function.get("arguments"))}


def _result_block(call_id: str, message: Mapping[str, Any]) -> Block:
    """A tool's result, images in it."""
    content = message.get("content")
    inner = _user_blocks(content)
    block: Block = {"type": "tool_result", "tool_use_id": call_id, "content": _shortened(inner) if inner else ""}
    if message.get("is_error") is True:
        block["is_error"] = True
    return _kept(message, block)


def _add_tools(body: dict[str, Any], asked: Mapping[str, Any]) -> None:
    tools = asked.get("tools")
    found = [_tool(each) for each in tools] if isinstance(tools, list) else []
    functions = asked.get("functions")
    if isinstance(functions, list):
        found += [_tool({"type": "function", "function": each}) for each in functions]
    if not found:
        return
    body["tools"] = found
    choice = _tool_choice(asked.get("tool_choice", asked.get("function_call")))
    if asked.get("parallel_tool_calls") is False and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    if choice is not None:
        body["tool_choice"] = choice


def _tool(tool: object) -> dict[str, Any]:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(tool, dict) or not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise untranslatable("A tool is no function.", "Use another model for tools that its vendor runs.")
    schema = function.get("parameters")
    found: dict[str, Any] = {
        "name": function["name"],
        "input_schema": schema if isinstance(schema, dict) and schema else {"type": "object", "properties": {}},
    }
    if isinstance(function.get("description"), str):
        found["description"] = function["description"]
    if function.get("strict") is True:
        found["strict"] = True
    return _kept(tool, found)


def _tool_choice(choice: object) -> dict[str, Any] | None:
    if choice is None:
        return None
    if isinstance(choice, str) and choice in ("auto", "none", "required"):
        return {"type": "any" if choice == "required" else choice}
    if isinstance(choice, dict):
        function = choice.get("function", choice)
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            return {"type": "tool", "name": function["name"]}
    raise untranslatable("This `tool_choice` is not known there.", "Use auto, none, required, or one function's name.")


def _add_format(body: dict[str, Any], system: list[Block], wanted: object) -> None:
    """Structured output by its schema; JSON without one by a word to the model."""
    if not isinstance(wanted, dict):
        return
    if wanted.get("type") == "json_object":
        system.append({"type": "text", "text": _JSON_ONLY})
    elif wanted.get("type") == "json_schema":
        inner = wanted.get("json_schema")
        schema = inner.get("schema") if isinstance(inner, dict) else None
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema if schema else {"type": "object"}}}


def _add_sampling(body: dict[str, Any], asked: Mapping[str, Any]) -> None:
    temperature = asked.get("temperature")
    if isinstance(temperature, int | float) and not isinstance(temperature, bool):
        body["temperature"] = min(temperature, TEMPERATURE_MAX_RATIO)
    for name in _PASSED:
        if asked.get(name) is not None:
            body[name] = asked[name]
    stops = list(_stops(asked.get("stop")))
    if stops:
        body["stop_sequences"] = stops
    if isinstance(asked.get("user"), str) and asked["user"]:
        body["metadata"] = {"user_id": asked["user"]}


def _stops(stop: object) -> Iterable[str]:
    """Texts at which to stop; blank ones are refused there, so they are left out."""
    for each in stop if isinstance(stop, list) else [stop]:
        if isinstance(each, str) and each.strip():
            yield each
