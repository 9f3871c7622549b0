"""Plain answers translated: a message as a chat completion, and a chat completion as a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.wire.translation.stop_reasons import anthropic_reason, openai_reason
from breakeven.gateway.wire.translation.tool_arguments import as_object, as_text
from breakeven.gateway.wire.usage_fields import anthropic_usage, openai_usage


def chat_completion(message: Mapping[str, Any], tokens: TokenCounts, created_unix_s: int) -> dict[str, Any]:
    """A message as a chat completion. Thinking goes to `reasoning_content`, signed blocks to `thinking_blocks`."""
    blocks = _objects(message.get("content"))
    texts = [str(block.get("text", "")) for block in blocks if block.get("type") == "text"]
    thoughts = [block for block in blocks if block.get("type") in ("thinking", "redacted_thinking")]
    calls = [_call(block) for block in blocks if block.get("type") == "tool_use"]
    said: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None, "refusal": None}
    if thoughts:
        said["reasoning_content"] = "".join(str(block.get("thinking", "")) for block in thoughts)
        said["thinking_blocks"] = thoughts
    if calls:
        said["tool_calls"] = calls
    elif not texts:
        said["content"] = ""
    reason = openai_reason(_text(message.get("stop_reason")))
    return {
        "id": "chatcmpl-" + str(message.get("id", "")),
        "object": "chat.completion",
        "created": created_unix_s,
        "model": str(message.get("model", "")),
        "choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": reason}],
        "usage": openai_usage(tokens),
    }


def message(completion: Mapping[str, Any], tokens: TokenCounts, facts: RequestFacts) -> dict[str, Any]:
    """A chat completion as a message: its first choice."""
    choices = _objects(completion.get("choices"))
    choice: Mapping[str, Any] = choices[0] if choices else {}
    said = choice.get("message")
    said = said if isinstance(said, dict) else {}
    content = list(_blocks(said, wants_thinking(facts)))
    has_calls = any(block["type"] == "tool_use" for block in content)
    stop = stop_sequence(choice, facts)
    reason = "stop_sequence" if stop else anthropic_reason(_text(choice.get("finish_reason")), has_calls)
    return {
        "id": message_id(completion),
        "type": "message",
        "role": "assistant",
        "model": str(completion.get("model", "")),
        "content": content,
        "stop_reason": "refusal" if said.get("refusal") else reason,
        "stop_sequence": stop,
        "usage": anthropic_usage(tokens),
    }


def message_id(completion: Mapping[str, Any]) -> str:
    """The id of an answer, as Anthropic's ids begin."""
    found = str(completion.get("id", "") or "")
    return found if found.startswith("msg_") else "msg_" + found


def wants_thinking(facts: RequestFacts) -> bool:
    """Whether the client asked for thinking; a client that did not may not know its blocks."""
    thinking = facts.document.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")


def stop_sequence(choice: Mapping[str, Any], facts: RequestFacts) -> str | None:
    """The client's stop text that ended the answer, where the upstream says so (vLLM's `stop_reason`)."""
    said, asked = choice.get("stop_reason"), facts.document.get("stop_sequences")
    return said if isinstance(said, str) and isinstance(asked, list) and said in asked else None


def _blocks(said: Mapping[str, Any], has_thinking: bool) -> Iterable[dict[str, Any]]:
    thought = said.get("reasoning_content") or said.get("reasoning")
    if has_thinking and isinstance(thought, str) and thought:
        yield {"type": "thinking", "thinking": thought, "signature": ""}
    for text in (said.get("content"), said.get("refusal")):
        if isinstance(text, str) and text:
            yield {"type": "text", "text": text}
    legacy = said.get("function_call")
    calls = _objects(said.get("tool_calls"))
    for place, call in enumerate(calls or ([{"function": legacy}] if isinstance(legacy, dict) else [])):
        function = call.get("function")
        if isinstance(function, dict):
            yield {
                "type": "tool_use",
                "id": str(call.get("id") or f"toolu_{place}"),
                "name": str(function.get("name", "")),
                "input": as_object(function.get("arguments")),
            }


def _call(block: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": str(block.get("name", "")), "arguments": as_text(block.get("input"))}
    return {"id": str(block.get("id", "")), "type": "function", "function": function}


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
