"""Answers with tool calls, one and several at once, whole and in interleaved pieces; and one that says what it saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from gateway.parts.answers import DONE, chat_chunk, compact, event, message_usage, plain, stream, usage
from gateway.parts.scripted_upstream import Asked, Step


def arguments(index: int) -> dict[str, Any]:
    """Of call number `index`."""
    return {"city": f"Zürich {index}", "days": index + 1}


def tool_calls(asked: Asked, count: int) -> Iterator[Step]:
    """So many parallel calls of the first tool of the request."""
    if asked.path.endswith("/messages"):
        yield from _anthropic(asked, count)
        return
    name = asked.document["tools"][0]["function"]["name"]
    calls = [
        {
            "id": f"call_{index}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments(index), ensure_ascii=False)},
        }
        for index in range(count)
    ]
    if not asked.is_stream:
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        document = {"id": "chatcmpl-t", "object": "chat.completion", "created": 1, "model": asked.model}
        yield plain(document | {"choices": [choice], "usage": usage(asked, 7 * count)})
        return
    yield from stream(_interleaved(asked, calls))


def _interleaved(asked: Asked, calls: list[dict[str, Any]]) -> list[bytes]:
    counted = usage(asked, 7 * len(calls))
    events = [event(chat_chunk(asked, {"role": "assistant", "content": None}))]
    for index, call in enumerate(calls):
        begun = call | {"index": index, "function": {"name": call["function"]["name"], "arguments": ""}}
        events.append(event(chat_chunk(asked, {"tool_calls": [begun]})))
    texts = [call["function"]["arguments"] for call in calls]
    for at in range(0, max(map(len, texts)), 5):
        for index, text in enumerate(texts):  # a piece of each in turn
            if text[at : at + 5]:
                piece = {"index": index, "function": {"arguments": text[at : at + 5]}}
                events.append(event(chat_chunk(asked, {"tool_calls": [piece]})))
    events.append(event(chat_chunk(asked, {}, "tool_calls")))
    if (asked.document.get("stream_options") or {}).get("include_usage"):
        events.append(event(chat_chunk(asked, {}) | {"choices": [], "usage": counted}))
    return [*events, DONE]


def _anthropic(asked: Asked, count: int) -> Iterator[Step]:
    name = asked.document["tools"][0]["name"]
    counted = message_usage(asked, 7 * count)
    blocks = [{"type": "tool_use", "id": f"toolu_{i}", "name": name, "input": arguments(i)} for i in range(count)]
    whole = {
        "id": "msg_t",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": blocks,
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": counted,
    }
    if not asked.is_stream:
        yield plain(whole)
        return
    start = whole | {"content": [], "stop_reason": None, "usage": counted | {"output_tokens": 1}}
    events = [event({"type": "message_start", "message": start}, "message_start")]
    for index, block in enumerate(blocks):
        begun = {"type": "content_block_start", "index": index, "content_block": block | {"input": {}}}
        events.append(event(begun, "content_block_start"))
        text = compact(block["input"]).decode()
        for at in range(0, len(text), 6):
            delta = {"type": "input_json_delta", "partial_json": text[at : at + 6]}
            events.append(event({"type": "content_block_delta", "index": index, "delta": delta}, "content_block_delta"))
        events.append(event({"type": "content_block_stop", "index": index}, "content_block_stop"))
    ended = {"stop_reason": "tool_use", "stop_sequence": None}
    last = {"type": "message_delta", "delta": ended, "usage": {"output_tokens": counted["output_tokens"]}}
    events += [event(last, "message_delta"), event({"type": "message_stop"}, "message_stop")]
    yield from stream(events)


def echo(asked: Asked) -> Iterator[Step]:
    """Says what came: the hash of the body, how many pictures, and the text of each message's role."""
    text = asked.body.decode()
    document = asked.document
    seen = {
        "body_hash": hashlib.sha256(asked.body).hexdigest(),
        "keys": sorted(document),
        "roles": [each.get("role") for each in document.get("messages", [])],
        "pictures": text.count('"image_url":{') + text.count('"type":"image"') + text.count('"type": "image_url"'),
    }
    message = {"role": "assistant", "content": json.dumps(seen)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = {"id": "chatcmpl-e", "object": "chat.completion", "created": 1, "model": asked.model}
    yield plain(answer | {"choices": [choice], "usage": usage(asked, 5)})
