"""What the SDKs of both vendors make of bytes: the oracle of the translation."""

from __future__ import annotations

from typing import Any

import orjson
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter

from gateway.wire.samples import data_of

_EVENTS: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def message_of(body: bytes) -> Message:
    """A message, strictly validated."""
    return Message.model_validate(orjson.loads(body), strict=True)


def completion_of(body: bytes) -> ChatCompletion:
    """A chat completion, strictly validated."""
    return ChatCompletion.model_validate(orjson.loads(body), strict=True)


def message_of_stream(stream: bytes) -> Message:
    """What Anthropic's client makes of a stream; each event must be one of its types, under its own name."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    open_blocks: set[int] = set()
    for raw in stream.split(b"\n\n"):
        if not raw.strip():
            continue
        name, data = raw.split(b"\n", 1)
        document = orjson.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + document["type"].encode()
        if document["type"] == "ping":
            continue
        event = _EVENTS.validate_python(document, strict=True)
        _check_order(document, open_blocks)
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    assert not open_blocks
    assert document["type"] == "message_stop"
    return Message.model_validate(orjson.loads(snapshot.to_json()))


def _check_order(document: dict[str, Any], open_blocks: set[int]) -> None:
    kind, index = document["type"], document.get("index")
    if kind == "content_block_start":
        open_blocks.add(index)
    elif kind == "content_block_delta":
        assert index in open_blocks
    elif kind == "content_block_stop":
        open_blocks.remove(index)
    elif kind in ("message_delta", "message_stop"):
        assert not open_blocks


def completion_of_stream(stream: bytes) -> ChatCompletion:
    """What OpenAI's client makes of a stream; each chunk must be one of its type."""
    assert stream.endswith(b"data: [DONE]\n\n")
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for document in data_of(stream):
        state.handle_chunk(ChatCompletionChunk.model_validate(document, strict=True))
    return ChatCompletion.model_validate(orjson.loads(state.get_final_completion().to_json()))
