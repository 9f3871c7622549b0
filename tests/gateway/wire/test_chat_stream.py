"""Streams of chat completions on their way through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.gateway.attempt import TokenCounts
from gateway.wire.samples import DONE, chunk, cut, data_of, event, facts, streamed, target

ASKED = facts(stream=True, stream_options={"include_usage": True})
USAGE = {"prompt_tokens": 22, "completion_tokens": 16, "total_tokens": 38}
TALK = [
    event(chunk({"role": "assistant", "content": ""})),
    event(chunk({"content": "Hel"})),
    event(chunk({"content": "lo \u2028 é"})),
    event(chunk({}, "stop")),
]


def whole(*last: bytes) -> bytes:
    return b"".join([*TALK, *last])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1_000, 100_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_stream_is_passed_on_byte_for_byte(size: int, end: bytes) -> None:
    stream = whole(b": keep-alive\n\n", event(chunk(usage=USAGE)), DONE).replace(b"\n", end)
    given, reader = streamed(cut(stream, size), ASKED)
    assert given == stream
    assert reader.failure is None
    assert reader.tokens == TokenCounts(22, 16)
    assert (reader.finish_reason, reader.response_model) == ("stop", "model-1")


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.booleans())
def test_any_split_gives_the_same_bytes(sizes: list[int], is_asked: bool) -> None:
    stream = whole(event(chunk(usage=USAGE, service_tier="default")), DONE)
    pieces, at = [], 0
    for size in sizes:
        pieces.append(stream[at : at + size])
        at += size
    pieces.append(stream[at:])
    asked = ASKED if is_asked else facts(stream=True)
    assert streamed(pieces, asked)[0] == streamed([stream], asked)[0]
    assert streamed(pieces, asked)[1].service_tier == "default"


def test_chunks_go_on_as_the_same_object() -> None:
    _, reader = streamed([], ASKED)
    reader.failure = None
    for _ in range(3):
        for piece in TALK:
            assert reader.feed(piece) is piece


def test_events_of_one_piece_are_cut_at_their_ends_only() -> None:
    stream = whole(DONE)
    assert streamed([stream], ASKED)[0] == stream


def test_the_usage_that_only_we_asked_for_is_taken_out() -> None:
    usage = event(chunk(usage=USAGE))
    events = [piece.replace(b"}\n\n", b',"usage":null}\n\n') for piece in TALK]
    given, reader = streamed([*events, usage, DONE])
    assert given == whole(DONE)
    assert reader.tokens == TokenCounts(22, 16)


def test_usage_in_the_finish_chunk_is_taken_out_of_it() -> None:
    given, reader = streamed([*TALK[:-1], event(chunk({}, "stop", usage=USAGE, x=1.5)), DONE])
    assert given == b"".join([*TALK[:-1], event(chunk({}, "stop", x=1.5)), DONE])
    assert reader.tokens == TokenCounts(22, 16)


def test_usage_comes_through_where_the_vendor_sends_it_unasked() -> None:
    stream = whole(event(chunk(usage=USAGE)), DONE)
    assert streamed([stream], facts(stream=True), target(quirks="openrouter"))[0] == stream


def test_a_key_called_usage_elsewhere_stays() -> None:
    odd = event(chunk({"content": "a", "x": {"usage": None, "y": 1}}, usage=None))
    later = event(chunk({"content": "bc", "x": {"usage": None, "y": 1}}, usage=None))
    given, _ = streamed([odd, later, *TALK[-1:], DONE])
    assert data_of(given)[0]["choices"][0]["delta"]["x"] == {"usage": None, "y": 1}
    assert data_of(given)[1]["choices"][0]["delta"] == {"content": "bc", "x": {"usage": None, "y": 1}}
    assert all("usage" not in each for each in data_of(given))


@pytest.mark.parametrize(
    ("last", "failure"),
    [
        ([], "reset"),
        ([b'data: {"id":"chatcmpl-1","choi'], "reset"),
        ([b"data: {oops}\n\n"], "bad_answer"),
        ([b"data: [1]\n\n"], "bad_answer"),
        ([b'data: {"error":{"message":"Overloaded","code":503}}\n\n'], "bad_answer"),
        ([b'data: {"error":{"message":"Overloaded"}}'], "bad_answer"),
        ([b'event: error\ndata: {"message":"Overloaded"}\n\n'], "bad_answer"),
        ([b'data: {"object":"error","message":"Overloaded","code":500}\n\n'], "bad_answer"),
        ([b'data: {"code":50505,"message":"Overloaded","data":null}\n\n'], "bad_answer"),
        ([event(chunk({"content": ""}, "error", error={"code": 502, "message": "Overloaded"}))], "bad_answer"),
        ([event(chunk(error={"message": "Overloaded"}, usage=USAGE))], "bad_answer"),
    ],
)
def test_a_broken_stream_is_no_success(last: list[bytes], failure: str) -> None:
    is_ended = b"".join(last).endswith(b"\n\n")
    given, reader = streamed([*TALK[:-1], *last, *([DONE] if is_ended else [])])
    assert reader.failure == failure
    assert b"".join(TALK[:-1]) == given, "nothing of the error, and no end mark, went to the client"
    assert b"Overloaded" not in given
    assert reader.failure_message
    if b"Overloaded" in b"".join(last):
        assert "Overloaded" in reader.failure_message


@pytest.mark.parametrize(
    "last",
    [
        [event(chunk({}, "stop"))],
        [DONE],
        [DONE.rstrip()],
        [event(chunk({}, "stop")).rstrip()],
        [event(chunk({}, "stop")), b"da"],
        [event(chunk({}, "stop")), b"\n"],
    ],
)
def test_either_mark_ends_a_stream(last: list[bytes]) -> None:
    given, reader = streamed([*TALK[:-1], *last])
    assert reader.failure is None
    assert given == b"".join([*TALK[:-1], *[each for each in last if each != b"da"]])


def test_a_secret_in_an_error_is_hidden() -> None:
    _, reader = streamed([b'data: {"error":{"message":"bad key sk-abcdefghijkl at http://10.0.0.7:8000/v1"}}\n\n'])
    assert reader.failure_message == "bad key [hidden] at [hidden]"


def test_tool_calls_and_reasoning_are_content() -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a"'}}
    _, reader = streamed([event(chunk({"tool_calls": [call]})), event(chunk({}, "tool_calls"))], ASKED)
    assert (reader.has_begun, reader.text_bytes_count, reader.finish_reason) == (True, 5, "tool_calls")
    _, reader = streamed([event(chunk({"reasoning_content": "Hm"})), event(chunk({"reasoning_content": "m."})), DONE])
    assert (reader.has_begun, reader.text_bytes_count) == (True, 4)


def test_roles_and_comments_are_no_content() -> None:
    _, reader = streamed([b": OPENROUTER PROCESSING\n\n", TALK[0]], ASKED)
    assert not reader.has_begun


def test_tokens_of_a_stream_that_was_cut_are_estimated_and_marked() -> None:
    _, reader = streamed([event(chunk({"content": "sixteen letters."})) for _ in range(5)])
    counted = reader.counted(facts(stream=True))
    assert (counted.output_tokens, counted.is_estimated) == (20, True)
    assert counted.input_tokens > 0


def test_several_answers_tell_the_first_ones_reason() -> None:
    ends = [event(chunk({"content": "b"}, "length", 1)), event(chunk({"content": "a"}, "stop", 0)), DONE]
    assert streamed(ends, facts(stream=True, n=2))[1].finish_reason == "stop"


def test_letters_cut_in_two_by_the_upstream_are_passed_on() -> None:
    broken = event(chunk({"content": "X"})).replace(b"X", b"\xe2\x82")
    given, reader = streamed([broken, broken, DONE], ASKED)
    assert given == broken + broken + DONE
    assert reader.failure is None


def test_usage_is_taken_out_of_a_chunk_with_a_broken_letter_too() -> None:
    broken = event(chunk({"content": "X"}, usage=None)).replace(b"X", b"\xe2\x82")
    given, _ = streamed([broken, DONE])
    assert given == event(chunk({"content": "X"})).replace(b"X", b"\xe2\x82") + DONE


def test_a_chunk_nested_too_deeply_is_a_failure_and_no_crash() -> None:
    deep = b"[" * 1_000 + b"]" * 1_000
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null,"x":' + deep + b"}\n\n"
    for asked, to in ((facts(stream=True), target()), (facts(b"/v1/messages", stream=True), target())):
        given, reader = streamed([piece, DONE], asked, to)
        assert reader.failure in (None, "bad_answer")
        assert (given == b"") == (reader.failure is not None)


def test_completions_stream_texts() -> None:
    asked = facts(b"/v1/completions", stream=True, stream_options={"include_usage": True})
    one: dict[str, Any] = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m"}
    pieces = [
        event({**one, "choices": [{"index": 0, "text": text, "finish_reason": None}]}) for text in ("a", "bc", "def")
    ]
    last = event({**one, "choices": [{"index": 0, "text": "", "finish_reason": "length"}]})
    given, reader = streamed([*pieces, last, event({**one, "choices": [], "usage": USAGE}), DONE], asked)
    assert given == b"".join([*pieces, last, event({**one, "choices": [], "usage": USAGE}), DONE])
    assert (reader.text_bytes_count, reader.finish_reason, reader.tokens) == (6, "length", TokenCounts(22, 16))


@given(st.lists(st.binary(max_size=40) | st.sampled_from([*TALK, DONE, b"\n\n", b"data: ", b"{}"]), max_size=12))
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    for asked, to in (
        (ASKED, target()),
        (facts(stream=True), target("anthropic")),
        (facts(b"/v1/messages", stream=True), target()),
        (facts(b"/v1/messages", stream=True), target("anthropic")),
        (facts(b"/v1/responses", stream=True), target()),
    ):
        given, reader = streamed(pieces, asked, to)
        assert isinstance(given, bytes)
        assert reader.failure in (None, "reset", "bad_answer")
        assert reader.counted(asked).input_tokens >= 0
