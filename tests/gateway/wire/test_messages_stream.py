"""Anthropic's streams on their way through."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.gateway.attempt import TokenCounts
from gateway.wire.samples import MESSAGES, anthropic_events, cut, facts, streamed, target

ASKED = facts(MESSAGES, stream=True, max_tokens=100)
THERE = target("anthropic", "anthropic")
START_USAGE = {
    "input_tokens": 1,
    "cache_read_input_tokens": 21,
    "cache_creation_input_tokens": 5,
    "cache_creation": {"ephemeral_1h_input_tokens": 2, "ephemeral_5m_input_tokens": 3},
    "output_tokens": 1,
    "service_tier": "standard",
}


def start(**usage: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "model-1", "content": []}
    return {
        "type": "message_start",
        "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage or START_USAGE},
    }


def text(piece: str, index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": piece}}


def ending(reason: str = "end_turn", **usage: Any) -> list[dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_delta", "delta": delta, "usage": usage or {"output_tokens": 8}},
        {"type": "message_stop"},
    ]


def block(index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}


def stop(index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


TALK = [start(), block(), {"type": "ping"}, text("Hel"), text("lo"), text(' "x" '), stop()]


@pytest.mark.parametrize("size", [1, 5, 64, 100_000])
def test_a_stream_is_passed_on_byte_for_byte(size: int) -> None:
    stream = anthropic_events(*TALK, *ending())
    given, reader = streamed(cut(stream, size), ASKED, THERE)
    assert given == stream
    assert reader.failure is None
    assert reader.tokens == TokenCounts(27, 8, 21, 5, 2)
    assert (reader.finish_reason, reader.response_model, reader.service_tier) == ("end_turn", "model-1", "standard")


def test_deltas_go_on_as_the_same_object() -> None:
    reader = streamed([anthropic_events(*TALK)], ASKED, THERE)[1]
    reader.failure = None
    for piece in ("a", "bc", "", "déf"):
        event = anthropic_events(text(piece))
        assert reader.feed(event) is event


def test_cumulative_usage_is_never_added_up() -> None:
    steps = [{"type": "message_delta", "delta": {}, "usage": {"output_tokens": count}} for count in (2, 5, 8)]
    _, reader = streamed([anthropic_events(*TALK, *steps, *ending(output_tokens=9))], ASKED, THERE)
    assert reader.tokens == TokenCounts(27, 9, 21, 5, 2)


def test_input_is_found_where_the_start_says_zero() -> None:
    parts = [start(input_tokens=0, output_tokens=0), *TALK[1:], *ending(input_tokens=30, output_tokens=8)]
    assert streamed([anthropic_events(*parts)], ASKED, THERE)[1].tokens == TokenCounts(30, 8)
    late_zero = [start(input_tokens=30, output_tokens=1), *TALK[1:], *ending(input_tokens=0, output_tokens=8)]
    assert streamed([anthropic_events(*late_zero)], ASKED, THERE)[1].tokens == TokenCounts(30, 8)


def test_an_error_event_is_not_passed_on() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    given, reader = streamed([anthropic_events(*TALK, error)], ASKED, THERE)
    assert given == anthropic_events(*TALK)
    assert (reader.failure, reader.failure_message) == ("bad_answer", "Overloaded")


def test_a_stream_that_was_cut_has_its_input_from_the_start() -> None:
    _, reader = streamed([anthropic_events(*TALK)], ASKED, THERE)
    assert reader.failure == "reset"
    counted = reader.counted(ASKED)
    assert (counted.input_tokens, counted.cache_read_tokens, counted.output_tokens) == (27, 21, 3)
    assert counted.is_estimated


def test_thinking_and_tool_input_count_as_content() -> None:
    thought = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}}
    args = {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'}}
    _, reader = streamed([anthropic_events(start(), thought, thought, args, *ending("tool_use"))], ASKED, THERE)
    assert (reader.text_bytes_count, reader.finish_reason) == (13, "tool_use")
