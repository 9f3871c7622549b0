"""Streams, translated both ways; the SDKs' own accumulators say what they mean."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given as given_that
from hypothesis import strategies as st

from breakeven.gateway.attempt import TokenCounts
from gateway.wire.samples import (
    DONE,
    MESSAGES,
    anthropic_events,
    chunk,
    cut,
    data_of,
    event,
    facts,
    streamed,
    target,
)
from gateway.wire.test_messages_stream import TALK, block, ending, start, stop, text
from gateway.wire.translation.sdk_types import completion_of_stream, message_of_stream

THERE = target("anthropic", "anthropic")
ASKED = facts(stream=True, stream_options={"include_usage": True})
UNASKED = facts(stream=True)
MESSAGE = facts(MESSAGES, stream=True, max_tokens=50)
THINKING = facts(MESSAGES, stream=True, max_tokens=50, thinking={"type": "enabled", "budget_tokens": 1_024})
USAGE = {"prompt_tokens": 27, "completion_tokens": 8, "prompt_tokens_details": {"cached_tokens": 21}}
LAST = [event(chunk({}, "stop")), event(chunk(usage=USAGE)), DONE]


def tool_start(index: int, name: str = "f", **given: Any) -> dict[str, Any]:
    content = {"type": "tool_use", "id": f"t{index}", "name": name, "input": given}
    return {"type": "content_block_start", "index": index, "content_block": content}


def args(index: int, piece: str) -> dict[str, Any]:
    return {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": "input_json_delta", "partial_json": piece},
    }


def call(index: int | None, arguments: str = "", call_id: str | None = None, name: str | None = None) -> bytes:
    function: dict[str, Any] = {"arguments": arguments}
    if name:
        function["name"] = name
    found: dict[str, Any] = {"function": function}
    if index is not None:
        found["index"] = index
    if call_id:
        found |= {"id": call_id, "type": "function"}
    return event(chunk({"tool_calls": [found]}))


# Anthropic's events to chunks.


@pytest.mark.parametrize("size", [3, 100, 100_000])
def test_events_as_chunks(size: int) -> None:
    stream = anthropic_events(*TALK, *ending())
    given, reader = streamed(cut(stream, size), ASKED, THERE)
    found = completion_of_stream(given)
    assert found.choices[0].message.content == 'Hello "x" '
    assert (found.choices[0].finish_reason, found.model, found.created) == ("stop", "model-1", 1_790_000_000)
    assert found.usage is not None
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage.total_tokens) == (27, 8, 35)
    assert reader.tokens == TokenCounts(27, 8, 21, 5, 2)
    assert reader.has_begun


def test_usage_is_told_in_one_last_chunk_and_only_to_who_asked() -> None:
    stream = [anthropic_events(*TALK, *ending())]
    asked = data_of(streamed(stream, ASKED, THERE)[0])
    assert [each["usage"] is not None for each in asked] == [False] * (len(asked) - 1) + [True]
    assert asked[-1]["choices"] == []
    assert all("usage" not in each for each in data_of(streamed(stream, UNASKED, THERE)[0]))


def test_parallel_tools_keep_their_places_also_when_they_interleave() -> None:
    documents = [
        start(),
        *[block(), text("I look."), stop()],
        tool_start(1),
        tool_start(2, "g"),
        *[args(2, '{"b":'), args(1, '{"a":'), args(1, "1}"), args(2, "2}")],
        *[stop(1), stop(2)],
        *ending("tool_use"),
    ]
    found = completion_of_stream(streamed([anthropic_events(*documents)], ASKED, THERE)[0]).choices[0]
    calls = [(each.id, each.function.name, each.function.arguments) for each in found.message.tool_calls or []]
    assert calls == [("t1", "f", '{"a":1}'), ("t2", "g", '{"b":2}')]
    assert found.finish_reason == "tool_calls"


def test_input_that_comes_with_the_start_or_not_at_all() -> None:
    documents = [start(), tool_start(0, a=1), stop(0), tool_start(1), args(1, ""), stop(1), *ending("tool_use")]
    found = completion_of_stream(streamed([anthropic_events(*documents)], UNASKED, THERE)[0]).choices[0]
    assert [each.function.arguments for each in found.message.tool_calls or []] == ['{"a":1}', "{}"]


def test_thinking_and_its_signature_can_be_sent_back() -> None:
    def thought(**delta: Any) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": 0, "delta": delta}

    begun = {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}
    documents = [
        start(),
        begun,
        thought(type="thinking_delta", thinking="Hm"),
        thought(type="thinking_delta", thinking="m."),
        thought(type="thinking_delta", thinking=" So"),
        thought(type="signature_delta", signature="sig"),
        stop(),
        *[block(1), text("Hi", 1), stop(1)],
        *ending(),
    ]
    pieces = [anthropic_events(each) for each in documents]
    deltas = [choice["delta"] for each in data_of(streamed(pieces, UNASKED, THERE)[0]) for choice in each["choices"]]
    assert "".join(each.get("reasoning_content", "") for each in deltas) == "Hmm. So"
    blocks = [each["thinking_blocks"] for each in deltas if "thinking_blocks" in each]
    assert blocks == [[{"type": "thinking", "thinking": "Hmm. So", "signature": "sig"}]]


def test_pings_become_comments_and_errors_failures() -> None:
    given, _ = streamed([anthropic_events(*TALK, *ending())], UNASKED, THERE)
    assert given.count(b": ping\n") == 1
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    given, reader = streamed([anthropic_events(*TALK, error)], UNASKED, THERE)
    assert (reader.failure, reader.failure_message) == ("bad_answer", "Overloaded")
    assert b"Overloaded" not in given
    assert b"[DONE]" not in given


def test_a_cut_stream_has_no_end_mark() -> None:
    given, reader = streamed([anthropic_events(*TALK)], ASKED, THERE)
    assert reader.failure == "reset"
    assert b"[DONE]" not in given


@given_that(st.lists(st.text(max_size=8), min_size=1, max_size=6), st.integers(1, 200))
def test_texts_are_the_same_with_and_without_frames(texts: list[str], size: int) -> None:
    try:
        stream = anthropic_events(start(), block(), *[text(each) for each in texts], stop(), *ending())
    except orjson.JSONEncodeError:
        return
    pieces = [each + b"\n\n" for each in stream.split(b"\n\n") if each]
    framed, _ = streamed(pieces, ASKED, THERE)
    parsed, _ = streamed(cut(stream, size), ASKED, THERE)
    assert framed == parsed
    assert completion_of_stream(framed).choices[0].message.content == "".join(texts)


# Chunks to Anthropic's events.


@pytest.mark.parametrize("size", [3, 100, 100_000])
def test_chunks_as_events(size: int) -> None:
    words = ["Hel", "lo", ' "x" ', "!"]
    stream = b"".join(
        [event(chunk({"role": "assistant", "content": ""})), *[event(chunk({"content": w})) for w in words]]
    )
    given, reader = streamed(cut(stream + b"".join(LAST), size), MESSAGE, target())
    found = message_of_stream(given)
    assert [each.type for each in found.content] == ["text"]
    assert found.content[0].type == "text"
    assert found.content[0].text == 'Hello "x" !'
    assert (found.stop_reason, found.model, found.id) == ("end_turn", "model-1", "msg_chatcmpl-1")
    assert (found.usage.input_tokens, found.usage.cache_read_input_tokens, found.usage.output_tokens) == (6, 21, 8)
    assert reader.tokens == TokenCounts(27, 8, 21)


def test_the_start_carries_an_estimate_and_never_zero() -> None:
    given, _ = streamed([event(chunk({"content": "a"})), *LAST], MESSAGE, target())
    assert data_of(given)[0]["message"]["usage"]["input_tokens"] > 0
    early = event(chunk({"content": "a"}, usage={**USAGE, "completion_tokens": 0}))
    given, _ = streamed([early, *LAST], MESSAGE, target())
    assert data_of(given)[0]["message"]["usage"]["input_tokens"] == 6


def test_calls_beside_each_other_by_index() -> None:
    pieces = [
        event(chunk({"content": "I look."})),
        call(0, "", "c0", "f"),
        call(0, '{"a":'),
        call(0, "1}"),
        call(1, "", "c1", "g"),
        call(1, '{"b":2}'),
        event(chunk({}, "tool_calls")),
        DONE,
    ]
    given, _ = streamed(pieces, MESSAGE, target())
    found = message_of_stream(given)
    uses = [(each.id, each.name, each.input) for each in found.content if each.type == "tool_use"]
    assert uses == [("c0", "f", {"a": 1}), ("c1", "g", {"b": 2})]
    assert found.stop_reason == "tool_use"
    kinds = [each["type"] for each in data_of(given)]
    first_stop = kinds.index("content_block_stop", kinds.index("content_block_stop") + 1)
    assert data_of(given)[first_stop + 1]["type"] == "content_block_start", "a whole call ends before the next begins"


@pytest.mark.parametrize(
    "pieces",
    [
        [call(0, '{"a"', "c0", "f"), call(1, '{"b"', "c1", "g"), call(0, ":1}"), call(1, ":2}")],
        [call(0, '{"a":1}', "c0", "f"), call(0, '{"b":2}', "c1", "g")],
        [call(0, '{"a"', "c0", "f"), call(0, ":1}", "c0"), call(0, '{"b":2}', "c1", "g")],
        [call(None, '{"a"', "c0", "f"), call(None, ":1}"), call(None, '{"b":2}', "c1", "g")],
        [
            call(None, '{"a"', "c0", "f"),
            call(None, '{"b"', "c1", "g"),
            call(None, ":1}", "c0"),
            call(None, ":2}", "c1"),
        ],
        [call(0, "", "c0"), call(0, '{"a"'), call(0, ":1}", None, "f"), call(1, '{"b":2}', "c1", "g")],
        [
            event(
                chunk(
                    {
                        "tool_calls": [
                            {"index": 0, "id": "c0", "function": {"name": "f", "arguments": '{"a":1}'}},
                            {"index": 1, "id": "c1", "function": {"name": "g", "arguments": '{"b":2}'}},
                        ]
                    }
                )
            )
        ],
    ],
)
def test_every_way_to_number_calls(pieces: list[bytes]) -> None:
    given, _ = streamed([*pieces, event(chunk({}, "tool_calls")), DONE], MESSAGE, target())
    uses = [each for each in message_of_stream(given).content if each.type == "tool_use"]
    assert [(each.id, each.name, each.input) for each in uses] == [("c0", "f", {"a": 1}), ("c1", "g", {"b": 2})]


def test_functions_of_old_servers() -> None:
    pieces = [
        event(chunk({"function_call": {"name": "f", "arguments": '{"a"'}})),
        event(chunk({"function_call": {"arguments": ":1}"}})),
        event(chunk({}, "function_call")),
        DONE,
    ]
    found = message_of_stream(streamed(pieces, MESSAGE, target())[0])
    assert found.content[0].type == "tool_use"
    assert found.content[0].input == {"a": 1}
    assert found.stop_reason == "tool_use"


def test_text_after_a_call_is_a_new_block() -> None:
    pieces = [call(0, "{}", "c0", "f"), event(chunk({"content": "Now"})), event(chunk({"content": "."})), *LAST]
    found = message_of_stream(streamed(pieces, MESSAGE, target())[0])
    assert [each.type for each in found.content] == ["tool_use", "text"]


def test_reasoning_goes_to_clients_that_asked_for_thinking() -> None:
    pieces = [
        *[event(chunk({"reasoning_content": piece})) for piece in ("Hm", "m", ".")],
        *[event(chunk({"content": piece})) for piece in ("Hi", "!")],
        *LAST,
    ]
    plain = message_of_stream(streamed(pieces, MESSAGE, target())[0])
    assert [each.type for each in plain.content] == ["text"]
    found = message_of_stream(streamed(pieces, THINKING, target())[0])
    assert [each.type for each in found.content] == ["thinking", "text"]
    assert found.content[0].type == "thinking"
    assert found.content[0].thinking == "Hmm."


@pytest.mark.parametrize(
    "last",
    [
        LAST,
        [event(chunk({}, "stop", usage=USAGE)), DONE],
        [event(chunk({}, "stop")), DONE, event(chunk(usage=USAGE))],
        [event(chunk({}, "stop")), event(chunk(usage=USAGE))],
    ],
)
def test_usage_is_waited_for_wherever_it_comes(last: list[bytes]) -> None:
    given, _ = streamed([event(chunk({"content": "a"})), *last], MESSAGE, target())
    usage = message_of_stream(given).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (6, 21, 8)
    assert [each["type"] for each in data_of(given)].count("message_stop") == 1


def test_comments_become_pings() -> None:
    given, _ = streamed([event(chunk({"content": "a"})), b": keep-alive\n\n", *LAST], MESSAGE, target())
    assert b'event: ping\ndata: {"type":"ping"}\n\n' in given
    message_of_stream(given)


def test_a_cut_stream_has_no_stop() -> None:
    given, reader = streamed([event(chunk({"content": "a"}))], MESSAGE, target())
    assert reader.failure == "reset"
    assert b"message_stop" not in given
    given, reader = streamed(
        [event(chunk({"content": "a"})), event(chunk(error={"message": "busy"}))], MESSAGE, target()
    )
    assert (reader.failure, reader.failure_message) == ("bad_answer", "busy")
    assert b"busy" not in given


def test_an_answer_of_nothing_is_whole() -> None:
    assert message_of_stream(streamed(LAST, MESSAGE, target())[0]).content == []
    assert message_of_stream(streamed([DONE], MESSAGE, target())[0]).content == []


@given_that(st.lists(st.text(max_size=8), min_size=1, max_size=6), st.integers(1, 200), st.booleans())
def test_texts_of_chunks_are_the_same_with_and_without_frames(texts: list[str], size: int, is_thought: bool) -> None:
    name = "reasoning_content" if is_thought else "content"
    try:
        pieces = [event(chunk({name: each})) for each in texts]
    except orjson.JSONEncodeError:
        return
    pieces += [event(chunk({"content": "z"})), *LAST]
    framed, _ = streamed(pieces, THINKING, target())
    parsed, _ = streamed(cut(b"".join(pieces), size), THINKING, target())
    assert framed == parsed
    said = "".join(
        getattr(each, "thinking", "") or getattr(each, "text", "") for each in message_of_stream(framed).content
    )
    assert said == "".join(texts) + "z"


def test_a_streamed_refusal_is_one() -> None:
    stream = [event(chunk({"refusal": "I can't."})), *LAST]
    found = message_of_stream(streamed(stream, MESSAGE)[0])
    assert found.stop_reason == "refusal"


def test_a_call_without_arguments_and_usage_is_estimated_by_its_name() -> None:
    _, reader = streamed([call(0, "", "t", "read_all_files"), event(chunk({}, "tool_calls")), DONE], MESSAGE)
    assert reader.counted(MESSAGE).output_tokens > 0
