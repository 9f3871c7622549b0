"""Buffered stream: a whole answer put into the events of a stream, for a client that asked for one.

Where an answer is checked before it goes out, the upstream is asked for it whole. What the client then gets is a stream
in its own dialect: each part of the answer in one piece, then how it ended, usage where it was asked for, the end mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from breakeven.gateway.plan import Operation, Refusal, RequestFacts
from breakeven.gateway.wire.answer_parts import read_answer
from breakeven.gateway.wire.outgoing import too_deep
from breakeven.gateway.wire.raw_object import rewritten
from breakeven.gateway.wire.translation.exact_numbers import dumped, exactly

BUFFERED: Final[frozenset[Operation]] = frozenset({"chat", "messages"})
"""Whose answers can be put into a stream."""
_STREAM_NAMES: Final = ("stream", "stream_options")
_END: Final = b"data: [DONE]\n\n"


def asked_whole(facts: RequestFacts) -> RequestFacts | Refusal:
    """A request for a stream as one for a whole answer; whether the client wants usage in its stream stays.

    What is nested too deeply to be written again is refused.

    >>> body = b'{"model":"m","stream":true,"n":1}'
    >>> asked_whole(RequestFacts("chat", orjson.loads(body), body, "m", True, False, None)).body
    b'{"model":"m","n":1}'
    """
    document = {name: value for name, value in facts.document.items() if name not in _STREAM_NAMES}
    try:
        body = rewritten(facts.body, {}, _STREAM_NAMES)
    except RecursionError:
        return too_deep()
    return replace(facts, document=document, body=body, is_stream=False)


def streamed(facts: RequestFacts, body: bytes) -> bytes | None:
    """The stream of a whole answer in the client's dialect, which is a JSON object.

    None where that cannot be: more levels can be read than can be written again.
    """
    document = exactly(body, read_answer(body))
    try:
        if facts.operation == "messages":
            return b"".join(_named_event(each) for each in _message_events(document))
        return b"".join(b"data: " + dumped(each) + b"\n\n" for each in _chunks(document, facts.is_usage_asked)) + _END
    except (orjson.JSONEncodeError, RecursionError):
        return None


def _chunks(document: Mapping[str, Any], is_usage_asked: bool) -> Iterator[dict[str, Any]]:
    """Of a chat completion: all that a choice says, then why it ended."""
    usage = {"usage": None} if is_usage_asked else {}
    common = {name: value for name, value in document.items() if name not in ("choices", "usage", "object")}
    common["object"] = "chat.completion.chunk"
    choices = document.get("choices")
    for at, choice in enumerate(choices if type(choices) is list else ()):
        if type(choice) is not dict:
            continue
        others = {name: value for name, value in choice.items() if name not in ("message", "finish_reason", "index")}
        index, message = choice.get("index", at), choice.get("message")
        said = {"index": index, "delta": _delta(message), **others, "finish_reason": None}
        yield {**common, "choices": [said], **usage}
        ended = {"index": index, "delta": {}, "finish_reason": choice.get("finish_reason")}
        yield {**common, "choices": [ended], **usage}
    if is_usage_asked:
        yield {**common, "choices": [], "usage": document.get("usage")}


def _delta(message: object) -> dict[str, Any]:
    """A message as a piece of itself: tool calls of a stream have an index."""
    if type(message) is not dict:
        return {}
    calls = message.get("tool_calls")
    if type(calls) is not list:
        return message
    return message | {"tool_calls": [{"index": at, **call} for at, call in enumerate(calls) if type(call) is dict]}


def _named_event(event: Mapping[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), dumped(event))


def _message_events(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Of a message: its blocks, each whole, then why it ended and what it used."""
    usage, content = document.get("usage"), document.get("content")
    begun_usage = usage | {"output_tokens": 0} if type(usage) is dict else usage
    begun = {**document, "content": [], "stop_reason": None, "stop_sequence": None, "usage": begun_usage}
    yield {"type": "message_start", "message": begun}
    for at, block in enumerate(content if type(content) is list else ()):
        if type(block) is not dict:
            continue
        start, deltas = _taken_apart(block)
        yield {"type": "content_block_start", "index": at, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": at, "delta": delta}
        yield {"type": "content_block_stop", "index": at}
    ended = {"stop_reason": document.get("stop_reason"), "stop_sequence": document.get("stop_sequence")}
    yield {"type": "message_delta", "delta": ended, "usage": usage}
    yield {"type": "message_stop"}


def _taken_apart(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How a block begins, and what is added to it; one of another kind begins whole."""
    kind = block.get("type")
    if kind == "text":
        cited = block.get("citations")
        deltas = [{"type": "text_delta", "text": block.get("text")}]
        deltas += [{"type": "citations_delta", "citation": each} for each in (cited if type(cited) is list else ())]
        return {name: value for name, value in block.items() if name != "citations"} | {"text": ""}, deltas
    if kind == "thinking":
        thought = [{"type": "thinking_delta", "thinking": block.get("thinking")}]
        thought.append({"type": "signature_delta", "signature": block.get("signature")})
        return block | {"thinking": "", "signature": ""}, thought
    if kind in ("tool_use", "server_tool_use"):
        written = dumped(block.get("input")).decode()
        return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": written}]
    return block, []
