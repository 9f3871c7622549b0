"""Good answers of every API, their tokens a function of the request alone, so that streamed and buffered must agree."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from gateway.parts.scripted_upstream import Asked, Step

WORDS = ("Straße ", "naïve ", "東京 ", "🦊 ", "plain ", "tea ")
"""Characters of one to four bytes: any cut lands in the middle of one sooner or later."""
DONE = b"data: [DONE]\n\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def compact(document: Any) -> bytes:
    """JSON as servers write it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def plain(document: Any, status: str = "200 OK", headers: bytes = b"") -> bytes:
    """A whole answer that is no stream."""
    body = document if isinstance(document, bytes) else compact(document)
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n".encode()
    return head + headers + b"\r\n" + body


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(document: Any, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + compact(document) + b"\n\n"


def stream(events: Iterable[bytes], pause_s: float = 0.0) -> Iterator[Step]:
    """A whole stream."""
    yield STREAM_HEAD
    for each in events:
        yield chunk(each)
        if pause_s:
            yield float(pause_s)
    yield b"0\r\n\r\n"


def words(count: int) -> list[str]:
    """What the model says."""
    return [WORDS[index % len(WORDS)] for index in range(count)]


def prompt_tokens(document: dict[str, Any]) -> int:
    """Of any request: one per 4 characters of what was said, and 3."""
    said = document.get("messages") or document.get("input") or document.get("prompt") or ""
    return 3 + len(json.dumps(said, ensure_ascii=False)) // 4


def wants_usage(asked: Asked) -> bool:
    """Whether a stream shall end with usage."""
    options = asked.document.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def count_of(n: Any) -> int:
    """How many answers are wanted; nonsense is one."""
    return min(n, 128) if type(n) is int and n > 0 else 1


def bill(asked: Asked, output_tokens: int) -> tuple[int, int]:
    """Write down what this answer costs."""
    asked.input_tokens, asked.output_tokens = prompt_tokens(asked.document), output_tokens
    return asked.input_tokens, output_tokens


def good(asked: Asked, count: int = 12, pause_s: float = 0.0) -> Iterator[Step]:
    """The answer that the path asks for."""
    api = asked.path.split("?")[0].removeprefix("/v1/")
    if api == "models":
        yield plain({"object": "list", "data": []})
    elif api == "messages/count_tokens":
        bill(asked, 0)
        asked.output_tokens = 0
        yield plain({"input_tokens": asked.input_tokens})
    elif api == "embeddings":
        yield plain(_embeddings(asked))
    else:
        makers = {
            "chat/completions": chat_events if asked.is_stream else chat_answer,
            "completions": completion_events if asked.is_stream else completion_answer,
            "messages": message_events if asked.is_stream else message_answer,
            "responses": response_events if asked.is_stream else response_answer,
        }
        made: Any = makers[api](asked, count)
        if asked.is_stream:
            yield from stream(made, pause_s)
        else:
            if pause_s:
                yield float(pause_s)
            yield plain(made)


def usage(asked: Asked, count: int) -> dict[str, Any]:
    """OpenAI's usage, prompts that include what was cached."""
    asked_for, said = bill(asked, count)
    return {
        "prompt_tokens": asked_for,
        "completion_tokens": said,
        "total_tokens": asked_for + said,
        "prompt_tokens_details": {"cached_tokens": asked_for // 2},
        "completion_tokens_details": {"reasoning_tokens": said // 3},
    }


def chat_answer(asked: Asked, count: int) -> dict[str, Any]:
    """A chat completion."""
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": "".join(words(count)), "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
        for index in range(count_of(asked.document.get("n")))
    ]
    document = {"id": f"chatcmpl-{asked.number}", "object": "chat.completion", "created": 1_790_000_000}
    return document | {"model": f"{asked.model}-2026", "choices": choices, "usage": usage(asked, count)}


def chat_chunk(asked: Asked, delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of a chat completion."""
    document = {"id": f"chatcmpl-{asked.number}", "object": "chat.completion.chunk", "created": 1_790_000_000}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return document | {"model": f"{asked.model}-2026", "choices": [choice]} | more


def chat_events(asked: Asked, count: int) -> list[bytes]:
    """A chat completion as OpenAI streams it: usage in a chunk of its own, only where it was asked for."""
    counted = usage(asked, count)
    is_asked = wants_usage(asked)
    more: dict[str, Any] = {"usage": None} if is_asked else {}
    events = [event(chat_chunk(asked, {"role": "assistant", "content": ""}, **more))]
    events += [event(chat_chunk(asked, {"content": word}, **more)) for word in words(count)]
    events.append(event(chat_chunk(asked, {}, "stop", **more)))
    if is_asked:
        events.append(event(chat_chunk(asked, {}) | {"choices": [], "usage": counted}))
    return [*events, DONE]


def completion_answer(asked: Asked, count: int) -> dict[str, Any]:
    """A completion of the old kind."""
    choice = {"index": 0, "text": "".join(words(count)), "logprobs": None, "finish_reason": "length"}
    document = {"id": f"cmpl-{asked.number}", "object": "text_completion", "created": 1_790_000_000}
    return document | {"model": asked.model, "choices": [choice], "usage": usage(asked, count)}


def completion_events(asked: Asked, count: int) -> list[bytes]:
    """The same, streamed."""
    document = {"id": f"cmpl-{asked.number}", "object": "text_completion", "created": 1, "model": asked.model}
    events = [
        event(document | {"choices": [{"index": 0, "text": word, "logprobs": None, "finish_reason": None}]})
        for word in words(count)
    ]
    events.append(
        event(document | {"choices": [{"index": 0, "text": "", "logprobs": None, "finish_reason": "length"}]})
    )
    counted = usage(asked, count)
    if wants_usage(asked):
        events.append(event(document | {"choices": [], "usage": counted}))
    return [*events, DONE]


def _embeddings(asked: Asked) -> dict[str, Any]:
    given = asked.document.get("input")
    texts = given if isinstance(given, list) else [given]
    bill(asked, 0)
    data = [{"object": "embedding", "index": index, "embedding": [0.25, -0.5, 1.0]} for index in range(len(texts))]
    counted = {"prompt_tokens": asked.input_tokens, "total_tokens": asked.input_tokens}
    return {"object": "list", "data": data, "model": asked.model, "usage": counted}


def message_usage(asked: Asked, count: int) -> dict[str, Any]:
    """Anthropic's usage: input without what was read from or written to the cache."""
    asked_for, said = bill(asked, count)
    read, written = asked_for // 2, asked_for // 5
    return {
        "input_tokens": asked_for - read - written,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": said,
    }


def message_answer(asked: Asked, count: int) -> dict[str, Any]:
    """A message of Anthropic's."""
    return {
        "id": f"msg_{asked.number}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [{"type": "text", "text": "".join(words(count))}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": message_usage(asked, count),
    }


def message_events(asked: Asked, count: int) -> list[bytes]:
    """The same, streamed; the usage of the last delta is cumulative."""
    whole = message_answer(asked, count)
    counted = whole["usage"]
    start = whole | {"content": [], "stop_reason": None, "usage": counted | {"output_tokens": 1}}
    deltas = [{"type": "text_delta", "text": word} for word in words(count)]
    return [
        event({"type": "message_start", "message": start}, "message_start"),
        event(
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            "content_block_start",
        ),
        event({"type": "ping"}, "ping"),
        *(
            event({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")
            for delta in deltas
        ),
        event({"type": "content_block_stop", "index": 0}, "content_block_stop"),
        event(
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": counted["output_tokens"]},
            },
            "message_delta",
        ),
        event({"type": "message_stop"}, "message_stop"),
    ]


def response_answer(asked: Asked, count: int, status: str = "completed") -> dict[str, Any]:
    """A response of OpenAI's newer API."""
    asked_for, said = bill(asked, count)
    text = {"type": "output_text", "text": "".join(words(count)), "annotations": []}
    return {
        "id": f"resp_{asked.number}",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "model": asked.model,
        "output": [
            {"type": "message", "id": "msg_1", "status": status, "role": "assistant", "content": [text]},
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": asked_for,
            "input_tokens_details": {"cached_tokens": asked_for // 2},
            "output_tokens": said,
            "output_tokens_details": {"reasoning_tokens": said // 3},
            "total_tokens": asked_for + said,
        },
    }


def response_events(asked: Asked, count: int) -> list[bytes]:
    """The same, streamed: no [DONE], the whole response last."""
    whole = response_answer(asked, count)
    started = whole | {"status": "in_progress", "output": [], "usage": None}
    item = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    message = whole["output"][0] | {"status": "in_progress", "content": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": started},
        {"type": "response.in_progress", "response": started},
        {"type": "response.output_item.added", "output_index": 0, "item": message},
        {"type": "response.content_part.added", "part": {"type": "output_text", "text": "", "annotations": []}} | item,
        *({"type": "response.output_text.delta", "delta": word, "logprobs": []} | item for word in words(count)),
        {"type": "response.output_text.done", "text": "".join(words(count)), "logprobs": []} | item,
        {"type": "response.output_item.done", "output_index": 0, "item": whole["output"][0]},
        {"type": "response.completed", "response": whole},
    ]
    return [event(each | {"sequence_number": number}, each["type"]) for number, each in enumerate(events)]
