"""A streamed answer's tokens equal the buffered answer's, whatever the shape of the final chunk."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.plan import RequestFacts
from gateway.wire.samples import DONE, MESSAGES, buffered, chunk, cut, data_of, event, facts, streamed, target
from gateway.wire.test_messages_stream import ending as anthropic_ending
from gateway.wire.test_messages_stream import start as anthropic_start

PLAIN = {"prompt_tokens": 1_000, "completion_tokens": 90, "total_tokens": 1_090}
DETAILED = {
    **PLAIN,
    "prompt_tokens_details": {"cached_tokens": 640, "audio_tokens": 7},
    "completion_tokens_details": {"reasoning_tokens": 64, "audio_tokens": 3},
}
USAGES: dict[str, dict[str, Any]] = {
    "plain": PLAIN,
    "detailed": DETAILED,
    "null details": {**PLAIN, "prompt_tokens_details": None, "completion_tokens_details": None},
    "deepseek": {**PLAIN, "prompt_cache_hit_tokens": 640, "prompt_cache_miss_tokens": 360},
    "moonshot": {**PLAIN, "cached_tokens": 640},
    "anthropic behind a proxy": {**PLAIN, "cache_read_input_tokens": 5_000, "cache_creation_input_tokens": 20},
    "reasoning beside output": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 500},
    "reasoning beside output, detailed": {**PLAIN, "completion_tokens_details": {"reasoning_tokens": 400}},
    "cache writes": {**PLAIN, "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 300}},
    "other names": {"input_tokens": 5, "output_tokens": 6},
    "floats": {"prompt_tokens": 1000.0, "completion_tokens": 90.0, "total_tokens": 1090.0},
    "cost beside": {**PLAIN, "cost": 0.0012, "is_byok": False},
}
WANTED: dict[str, TokenCounts] = {
    "plain": TokenCounts(1_000, 90),
    "detailed": TokenCounts(1_000, 90, 640, 0, 0, 64, 7, 3),
    "null details": TokenCounts(1_000, 90),
    "deepseek": TokenCounts(1_000, 90, 640),
    "moonshot": TokenCounts(1_000, 90, 640),
    "anthropic behind a proxy": TokenCounts(6_020, 90, 5_000, 20),
    "reasoning beside output": TokenCounts(20, 480),
    "reasoning beside output, detailed": TokenCounts(1_000, 490, 0, 0, 0, 400),
    "cache writes": TokenCounts(1_000, 90, 600, 300),
    "other names": TokenCounts(5, 6),
    "floats": TokenCounts(1_000, 90),
    "cost beside": TokenCounts(1_000, 90),
}
TEXT = [event(chunk({"role": "assistant", "content": ""}))] + [event(chunk({"content": word})) for word in "abcdef"]
STOP = event(chunk({}, "stop"))


def shapes(usage: dict[str, Any]) -> dict[str, list[bytes]]:
    """Every way in which a stream was seen to tell its usage."""
    own = event(chunk(usage=usage))
    with_null = [event(chunk({"content": word}, usage=None)) for word in "abc"]
    partial = {
        name: value for name, value in usage.items() if name not in ("total_tokens", "completion_tokens_details")
    }
    growing = [event(chunk({"content": w}, usage={**partial, "completion_tokens": n})) for n, w in enumerate("ab", 1)]
    return {
        "own chunk": [*TEXT, STOP, own, DONE],
        "own chunk, null before": [*with_null, event(chunk({}, "stop", usage=None)), own, DONE],
        "finish chunk": [*TEXT, event(chunk({}, "stop", usage=usage)), DONE],
        "finish chunk and own": [*TEXT, event(chunk({}, "stop", usage=usage)), own, DONE],
        "last chunk, with choices": [*TEXT, STOP, event(chunk({"content": ""}, usage=usage)), DONE],
        "own chunk before the finish": [*TEXT, own, STOP, DONE],
        "every chunk": [*growing, event(chunk({}, "stop", usage=usage)), DONE],
        "choices null": [*TEXT, STOP, event(chunk(usage=usage) | {"choices": None}), DONE],
        "no choices": [*TEXT, STOP, event({"id": "x", "usage": usage}), DONE],
        "groq": [*TEXT, event(chunk({}, "stop", x_groq={"id": "r", "usage": usage})), DONE],
        "in the choice": [
            *TEXT,
            event(chunk() | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage}]}),
            DONE,
        ],
        "after the end mark": [*TEXT, STOP, DONE, own],
        "no end mark": [*TEXT, STOP, own],
        "no last newline": [*TEXT, STOP, own.rstrip()],
        "zeros after it": [
            *TEXT,
            STOP,
            own,
            event(chunk(usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})),
            DONE,
        ],
        "null after it": [*TEXT, STOP, own, event(chunk(usage=None)), DONE],
        "timings beside": [*TEXT, STOP, event(chunk(usage=usage, timings={"prompt_n": 1, "predicted_n": 2})), DONE],
        "comments between": [*TEXT, b": PROCESSING\n\n", STOP, own, b": PROCESSING\n\n", DONE],
    }


SHAPES = sorted(shapes(PLAIN))


def texts_of(stream: bytes) -> list[object]:
    """The texts of all choices of all chunks."""
    choices = [choice for each in data_of(stream) for choice in each.get("choices") or []]
    return [choice["delta"].get("content") for choice in choices]


def completion(usage: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "abcdef"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "model-1"}
    return {**head, "choices": [choice], **({"usage": usage} if usage else {}), **more}


@pytest.mark.parametrize("name", sorted(USAGES))
@pytest.mark.parametrize("shape", SHAPES)
def test_streamed_equals_buffered(name: str, shape: str) -> None:
    plain = buffered(completion(USAGES[name]))[1].tokens
    assert plain == WANTED[name]
    events = shapes(USAGES[name])[shape]
    for asked in (facts(stream=True), facts(stream=True, stream_options={"include_usage": True})):
        stream = b"".join(events)
        for pieces in (events, [stream], cut(stream, 7), cut(stream.replace(b"\n", b"\r\n"), 11)):
            _, reader = streamed(pieces, asked)
            assert reader.failure is None
            assert reader.tokens == plain


@pytest.mark.parametrize("shape", SHAPES)
def test_a_client_that_did_not_ask_sees_no_usage(shape: str) -> None:
    events = shapes(DETAILED)[shape]
    given, _ = streamed(events)
    assert all("usage" not in each for each in data_of(given))
    assert texts_of(given) == texts_of(b"".join(events))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_client_that_asked_gets_every_byte(shape: str) -> None:
    stream = b"".join(shapes(DETAILED)[shape])
    asked = facts(stream=True, stream_options={"include_usage": True})
    assert streamed(cut(stream, 13), asked)[0] == stream


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["plain", "detailed", "deepseek", "cache writes"])
def test_translated_streams_tell_the_same(shape: str, name: str) -> None:
    _, reader = streamed(shapes(USAGES[name])[shape], facts(MESSAGES, stream=True), target())
    assert reader.failure is None
    assert reader.tokens == WANTED[name]


def test_llama_cpp_without_usage_tells_by_its_timings() -> None:
    timings = {"cache_n": 21, "prompt_n": 1, "prompt_ms": 5.0, "predicted_n": 8, "predicted_ms": 9.0}
    plain = buffered(completion(None, timings=timings))[1].tokens
    assert plain == TokenCounts(22, 8, 21)
    for last in ([event(chunk({}, "stop", timings=timings))], [STOP, event(chunk(timings=timings))]):
        assert streamed([*TEXT, *last, DONE])[1].tokens == plain


@pytest.mark.parametrize("usage", [None, {}, "many", [1], {"prompt_tokens": None}, {"cost": 1}])
def test_what_is_no_usage_is_not_reported(usage: Any) -> None:
    events = [*TEXT, event(chunk({}, "stop", usage=usage)), DONE]
    _, reader = streamed(events)
    assert reader.tokens is None
    assert buffered({**completion(None), "usage": usage})[1].tokens is None
    assert reader.counted(facts(stream=True)).is_estimated


@pytest.mark.parametrize("usage", [{"prompt_tokens": -5, "completion_tokens": "7"}, {"prompt_tokens": 1e30}])
def test_absurd_counts_are_no_counts(usage: dict[str, Any]) -> None:
    plain = buffered(completion(usage))[1].tokens
    assert plain == streamed([*TEXT, event(chunk({}, "stop", usage=usage)), DONE])[1].tokens == TokenCounts()
    huge = buffered(completion({"prompt_tokens": 10**15, "completion_tokens": True}))[1].tokens
    assert huge == TokenCounts(100_000_000)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ({"input_tokens": 9, "cache_read_input_tokens": 50, "output_tokens": 1}, {"output_tokens": 8}),
        (
            {"input_tokens": 0, "output_tokens": 0},
            {"input_tokens": 9, "cache_read_input_tokens": 50, "output_tokens": 8},
        ),
        (
            {"input_tokens": 9, "cache_read_input_tokens": 50, "output_tokens": 1},
            {"input_tokens": 9, "cache_read_input_tokens": 50, "output_tokens": 8},
        ),
        (
            {"input_tokens": 9, "output_tokens": 1},
            {"input_tokens": None, "cache_read_input_tokens": 50, "output_tokens": 8},
        ),
    ],
)
def test_anthropic_streamed_equals_buffered(first: dict[str, Any], last: dict[str, Any]) -> None:
    usage = {"input_tokens": 9, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 0, "output_tokens": 8}
    asked: RequestFacts = facts(MESSAGES, stream=True)
    there = target("anthropic")
    message = {"type": "message", "content": [], "stop_reason": "end_turn", "usage": usage}
    plain = buffered(message, facts(MESSAGES), there)[1].tokens
    assert plain == TokenCounts(59, 8, 50)
    documents = [anthropic_start(**first), *anthropic_ending(**last)]
    stream = b"".join(event(each, each["type"]) for each in documents)
    assert streamed([stream], asked, there)[1].tokens == plain
    _, translated = streamed([stream], facts(stream=True), there)
    assert translated.tokens == plain
    given, _ = streamed([stream], facts(stream=True, stream_options={"include_usage": True}), there)
    told = orjson.loads(given.rstrip().split(b"\n")[-3][6:])["usage"]
    assert (told["prompt_tokens"], told["completion_tokens"], told["total_tokens"]) == (59, 8, 67)
    assert told["prompt_tokens_details"]["cached_tokens"] == 50
