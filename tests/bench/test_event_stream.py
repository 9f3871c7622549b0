"""Events however the bytes are cut."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.bench.event_stream import DONE, LINE_MAX_BYTES_COUNT, EventParser, Garbage, piece_of

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
endings = st.sampled_from([b"\n", b"\r\n"])


@given(st.lists(texts, max_size=8), endings, st.lists(st.integers(0, 400), max_size=10), st.booleans())
def test_cuts_do_not_matter(said: list[str], ending: bytes, cuts: list[int], with_comments: bool) -> None:
    datas = [json.dumps({"choices": [{"delta": {"content": text}}]}).encode() for text in said]
    comment = b": ping" + ending + ending if with_comments else b""
    stream = b"".join(comment + b"data: " + data + ending + ending for data in datas) + b"data:[DONE]" + ending + ending
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    parser = EventParser()
    found = [data for start, end in pairwise(places) for data in parser.feed(stream[start:end])]
    assert found == [*datas, DONE]
    assert parser.rest() == []


@given(st.binary(max_size=200))
def test_no_bytes_break_it(block: bytes) -> None:
    parser = EventParser()
    try:
        for data in [*parser.feed(block), *parser.rest()]:
            piece_of(data)
    except Garbage:
        pass


def test_data_over_two_lines_is_one_event() -> None:
    assert EventParser().feed(b"event: x\nid: 4\ndata: a\ndata: b\n\n") == [b"a\nb"]


def test_an_endless_line_is_garbage() -> None:
    parser = EventParser()
    with pytest.raises(Garbage, match="a line of more than"):
        for _ in range(LINE_MAX_BYTES_COUNT // 2**16 + 2):
            parser.feed(b"x" * 2**16)


@pytest.mark.parametrize(
    ("event", "has_text"),
    [
        ({"choices": [{"delta": {"content": "a"}}]}, True),
        ({"choices": [{"delta": {"reasoning_content": "a"}}]}, True),
        ({"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}, True),
        ({"choices": [{"text": "a"}]}, True),
        ({"choices": [{"delta": {"content": ""}}]}, False),
        ({"choices": [{"delta": {"content": None, "role": "assistant"}}]}, False),
        ({"choices": [], "prompt_filter_results": []}, False),
    ],
)
def test_text_is_told_from_no_text(event: dict[str, object], has_text: bool) -> None:
    assert piece_of(json.dumps(event).encode()).has_text is has_text


def test_usage_beside_text() -> None:
    """Some servers count in every event, or in the last one with text."""
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    piece = piece_of(json.dumps({"choices": [{"text": "a", "finish_reason": "stop"}], "usage": usage}).encode())
    assert (piece.has_text, piece.finish_reason) == (True, "stop")
    assert (piece.prompt_tokens, piece.completion_tokens, piece.cached_tokens) == (5, 2, 4)


@pytest.mark.parametrize("data", [b"[]", b"1", b'{"a": 1}', b'{"choices": [3]}', b"{", b"", b"\xff", b"[" * 100_000])
def test_garbage(data: bytes) -> None:
    with pytest.raises(Garbage):
        piece_of(data)
