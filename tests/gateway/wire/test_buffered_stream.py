"""Buffered streams: what a whole answer says is what its stream says, whatever is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from breakeven.gateway.plan import Refusal, RequestFacts
from breakeven.gateway.wire.buffered_stream import asked_whole, streamed
from breakeven.gateway.wire.chat_stream import ChatStream
from breakeven.gateway.wire.messages_stream import MessagesStream
from breakeven.gateway.wire.request_facts import read_request


def facts(operation: Any = "chat", is_usage_asked: bool = False) -> RequestFacts:
    return RequestFacts(operation, {}, b"{}", "m", False, is_usage_asked, None)


def events(stream: bytes) -> list[Any]:
    """The data of each event."""
    lines = [line.removeprefix("data: ") for line in stream.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"id":12345678901234567890123}'}}
CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m-1",
    "system_fingerprint": "fp",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "héllo", "reasoning_content": "so", "refusal": None},
            "logprobs": {"content": [{"token": "h", "logprob": -0.5}]},
            "finish_reason": "stop",
        },
        {
            "index": 1,
            "message": {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]},
            "finish_reason": "tool_calls",
        },
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10},
}


@pytest.mark.parametrize("is_usage_asked", [False, True])
def test_all_choices_of_a_completion(is_usage_asked: bool) -> None:
    stream = streamed(facts(is_usage_asked=is_usage_asked), json.dumps(CHAT).encode())
    assert stream is not None and stream.endswith(b"data: [DONE]\n\n")
    found = events(stream)
    assert all(each["object"] == "chat.completion.chunk" for each in found)
    assert all((each["id"], each["model"], each["system_fingerprint"]) == ("chatcmpl-1", "m-1", "fp") for each in found)
    said = [choice for each in found for choice in each["choices"]]
    first, second = ([each for each in said if each["index"] == at] for at in (0, 1))
    assert first[0]["delta"] == CHAT["choices"][0]["message"] and first[0]["logprobs"] == CHAT["choices"][0]["logprobs"]
    assert [each["finish_reason"] for each in first] == [None, "stop"]
    assert second[0]["delta"]["tool_calls"] == [{"index": 0, **CALL}, {"index": 1, **CALL}]
    assert [each["finish_reason"] for each in second] == [None, "tool_calls"]
    told = [each.get("usage", "none") for each in found]
    assert told == ([None] * 4 + [CHAT["usage"]] if is_usage_asked else ["none"] * 4)
    reader = ChatStream(strips=False)
    assert reader.feed(stream) + reader.end() == stream
    assert (reader.finish_reason, reader.failure, reader.is_done) == ("stop", None, True)


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "text", "text": "héllo", "citations": [{"type": "char_location", "cited_text": "x"}]},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"id": 12345678901234567890123}},
        {"type": "redacted_thinking", "data": "abc"},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 7, "cache_read_input_tokens": 2},
}


def put_together(found: list[Any]) -> Any:
    """A message out of its events, as Anthropic documents them."""
    message: Any = None
    for each in found:
        if each["type"] == "message_start":
            message = each["message"]
        elif each["type"] == "content_block_start":
            assert each["index"] == len(message["content"])
            message["content"].append(each["content_block"])
        elif each["type"] == "content_block_delta":
            block, delta = message["content"][each["index"]], each["delta"]
            if delta["type"] == "input_json_delta":
                block["input"] = json.loads(delta["partial_json"])
            elif delta["type"] == "citations_delta":
                block.setdefault("citations", []).append(delta["citation"])
            else:
                name = delta["type"].removesuffix("_delta")
                block[name] += delta[name]
        elif each["type"] == "message_delta":
            message |= each["delta"] | {"usage": each["usage"]}
    return message


def test_all_blocks_of_a_message() -> None:
    stream = streamed(facts("messages"), json.dumps(MESSAGE).encode())
    assert stream is not None
    found = events(stream)
    names = [line.removeprefix("event: ") for line in stream.decode().splitlines() if line.startswith("event: ")]
    assert names == [each["type"] for each in found]
    assert found[0]["message"]["usage"]["output_tokens"] == 0, "nobody counts them twice"
    assert put_together(found) == MESSAGE
    reader = MessagesStream()
    assert reader.feed(stream) + reader.end() == stream
    assert (reader.finish_reason, reader.failure) == ("tool_use", None)
    assert reader.tokens is not None and reader.tokens.output_tokens == 7


@pytest.mark.parametrize("operation", ["chat", "messages"])
@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"choices": None, "content": None, "usage": None},
        {"choices": [1, {}, {"message": 1}], "content": [1, {}, {"type": 3}]},
        {"choices": [{"message": {"tool_calls": [1, {}]}}], "content": [{"type": "text", "citations": 1}]},
    ],
)
def test_odd_answers_are_streams_too(operation: str, odd: Any) -> None:
    stream = streamed(facts(operation), json.dumps(odd).encode())
    assert stream is not None and (events(stream) or operation == "chat")


@pytest.mark.parametrize(("operation", "whole"), [("chat", CHAT), ("messages", MESSAGE)])
def test_bytes_that_are_no_letter_do_not_end_a_stream(operation: str, whole: Any) -> None:
    body = json.dumps(whole, ensure_ascii=False).encode().replace("héllo".encode(), b"h\xffllo")
    stream = streamed(facts(operation), body)
    assert stream is not None and "h\ufffdllo" in stream.decode()


def nested(levels_count: int) -> bytes:
    """An object in objects."""
    return b'{"a":' * levels_count + b"1" + b"}" * levels_count


@pytest.mark.parametrize(("operation", "whole"), [("chat", CHAT), ("messages", MESSAGE)])
def test_what_is_nested_too_deeply_to_be_written_is_no_stream(operation: str, whole: Any) -> None:
    body = json.dumps(whole).encode()
    flat, deep = (body[:1] + b'"x":' + nested(count) + b"," + body[1:] for count in (100, 400))
    json.loads(deep)
    assert streamed(facts(operation), flat) is not None
    assert streamed(facts(operation), deep) is None


def test_a_request_that_is_nested_too_deeply_is_refused() -> None:
    body = b'{"model":"m","stream":true,"x":' + nested(1_010) + b"}"
    asked = read_request(b"/v1/chat/completions", body)
    assert isinstance(asked, RequestFacts), "it can be read"
    refusal = asked_whole(asked)
    assert isinstance(refusal, Refusal) and (refusal.http_status, refusal.code) == (400, "invalid_json")


def test_the_request_is_the_same_but_for_the_stream() -> None:
    body = b'{"model":"m", "stream" : true,"seed":12345678901234567890123,"stream_options":{"include_usage":true}}'
    asked = RequestFacts("chat", json.loads(body), body, "m", True, True, 5)
    whole = asked_whole(asked)
    assert isinstance(whole, RequestFacts)
    assert whole.body == b'{"model":"m","seed":12345678901234567890123}'
    assert (whole.is_stream, whole.is_usage_asked, whole.output_tokens_max) == (False, True, 5)
    assert set(whole.document) == {"model", "seed"} and asked.is_stream
