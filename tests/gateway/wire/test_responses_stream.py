"""Streams of responses on their way through."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.gateway.attempt import TokenCounts
from gateway.wire.samples import RESPONSES, anthropic_events, cut, facts, streamed

ASKED = facts(RESPONSES, stream=True, input="Hi")
USAGE = {
    "input_tokens": 22,
    "input_tokens_details": {"cached_tokens": 21},
    "output_tokens": 8,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 30,
}


def response(kind: str, status: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "sequence_number": 0, "response": {"id": "resp_1", "model": "m", "status": status, **more}}


def delta(text: str, number: int) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "sequence_number": number, "item_id": "i", "delta": text}


TALK = [response("response.created", "in_progress", usage=None), *[delta(text, 1) for text in ("Hel", "lo", '"', "!")]]


@pytest.mark.parametrize("size", [1, 9, 333, 100_000])
def test_a_stream_is_passed_on_byte_for_byte(size: int) -> None:
    last = response("response.completed", "completed", usage=USAGE, service_tier="flex")
    stream = anthropic_events(*TALK, last)
    given, reader = streamed(cut(stream, size), ASKED)
    assert given == stream
    assert reader.tokens == TokenCounts(22, 8, 21, reasoning_tokens=3)
    assert (reader.finish_reason, reader.service_tier, reader.response_model) == ("completed", "flex", "m")
    assert reader.text_bytes_count == 7


def test_deltas_go_on_as_the_same_object() -> None:
    reader = streamed([anthropic_events(*TALK)], ASKED)[1]
    reader.failure = None
    before = reader.text_bytes_count
    for number, text in enumerate(("a", "bc", "déf")):
        event = anthropic_events(delta(text, number))
        assert reader.feed(event) is event
    assert reader.text_bytes_count == before + 7


def test_an_incomplete_response_says_why() -> None:
    details = {"reason": "max_output_tokens"}
    last = response("response.incomplete", "incomplete", usage=USAGE, incomplete_details=details)
    _, reader = streamed([anthropic_events(*TALK, last)], ASKED)
    assert (reader.failure, reader.finish_reason) == (None, "max_output_tokens")


@pytest.mark.parametrize(
    "last",
    [
        response("response.failed", "failed", error={"code": "server_error", "message": "It broke."}, usage=USAGE),
        {"type": "error", "code": "server_error", "message": "It broke.", "param": None, "sequence_number": 9},
    ],
)
def test_a_failed_response_is_a_failure(last: dict[str, Any]) -> None:
    given, reader = streamed([anthropic_events(*TALK, last)], ASKED)
    assert given == anthropic_events(*TALK)
    assert (reader.failure, reader.failure_message) == ("bad_answer", "It broke.")


def test_a_stream_without_its_last_event_was_cut() -> None:
    assert streamed([anthropic_events(*TALK)], ASKED)[1].failure == "reset"
