"""Frames give what parsing would give."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from breakeven.gateway.wire.frame import learnt
from gateway.wire.samples import chunk, event, streamed

KEY = b'"content":"'
FIRST = event(chunk({"content": "one"}))


def test_another_text_fits_and_is_given_as_the_same_object() -> None:
    frame = learnt(FIRST, KEY, "one", FIRST)
    assert frame is not None
    second = event(chunk({"content": " two"}))
    filled = frame.filled(second)
    assert filled is not None
    assert filled[0] is second
    assert filled[1] == 4


def test_what_differs_around_the_text_does_not_fit() -> None:
    frame = learnt(FIRST, KEY, "one", FIRST)
    assert frame is not None
    for other in (
        chunk({"content": "x"}, "stop"),
        chunk({"content": "x"}, usage={"prompt_tokens": 1}),
        chunk({"content": "x", "tool_calls": []}),
        chunk({"role": "assistant", "content": "x"}),
        chunk({"content": 'a "quoted" word'}),
        chunk({"content": "x"}, index=1),
    ):
        assert frame.filled(event(other)) is None
    assert frame.filled(FIRST + FIRST) is None
    assert frame.filled(FIRST[:-1]) is None


def test_padding_may_differ() -> None:
    def padded(text: str, padding: str) -> bytes:
        return event(chunk({"content": text}, obfuscation=padding))

    first = padded("one", "abc")
    frame = learnt(first, KEY, "one", first)
    assert frame is not None
    assert frame.filled(padded("longer", "x")) == (padded("longer", "x"), 6)
    assert frame.filled(padded("", "")) == (padded("", ""), 0)
    assert frame.filled(event(chunk({"content": "longer"}))) is None


def test_a_text_that_cannot_be_found_for_sure_gives_no_frame() -> None:
    twice = event(chunk({"content": "one"}, extra={"content": "one"}))
    assert learnt(twice, KEY, "one", twice) is None
    escaped = FIRST.replace(b"one", b"\\u006fne")
    assert learnt(escaped, KEY, "one", escaped) is None


@given(st.lists(st.text(max_size=12), min_size=2, max_size=8), st.booleans(), st.booleans())
def test_streams_are_the_same_with_and_without_frames(texts: list[str], is_padded: bool, has_usage: bool) -> None:
    """Chunks in pieces of their own use frames; the bytes of a stream cut within events are parsed each."""
    events = []
    for number, text in enumerate(texts):
        more = {"usage": None} if has_usage else {}
        more |= {"obfuscation": "x" * number} if is_padded else {}
        try:
            events.append(event(chunk({"content": text}, **more)))
        except orjson.JSONEncodeError:
            return
    events += [event(chunk({}, "stop")), b"data: [DONE]\n\n"]
    given_whole, reader = streamed(events)
    stream = b"".join(events)
    given_cut, other = streamed([stream[:1], stream[1:]])
    assert given_whole == given_cut == stream.replace(b',"usage":null', b"")
    assert abs(reader.text_bytes_count - other.text_bytes_count) <= sum(6 * len(text) for text in texts)
    assert reader.finish_reason == other.finish_reason == "stop"
