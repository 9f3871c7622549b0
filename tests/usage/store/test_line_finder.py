"""Compiled code finds the lines that NumPy finds, and tells the texts apart that differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.usage.reading.lines import FoundLines, found_lines
from breakeven.usage.store import line_finder
from breakeven.usage.store.line_finder import lines_found_fast

PARTS = st.sampled_from([b"\n", b"\x0b", b"\x09", b"a", b" ", b"\x8a", b"\xc3\xa9", b"\n\n", b"word" * 9, b"\0"])


def told(found: FoundLines) -> tuple[list[int], bool, bool, int]:
    return found.offsets.tolist(), found.is_ascii, found.may_be_blank, found.longest_bytes_count


@settings(max_examples=400, deadline=None)
@given(st.lists(PARTS, max_size=60), st.booleans())
def test_the_same_lines(parts: list[bytes], is_array: bool) -> None:
    data = b"".join(parts) + b"\n"
    given_as = np.frombuffer(data, np.uint8) if is_array else data
    assert told(lines_found_fast(given_as)) == told(found_lines(data))


@pytest.mark.parametrize("byte", range(256))
def test_every_byte_at_every_place_of_a_word(byte: int) -> None:
    for place in range(40):
        data = b"A" * place + bytes([byte]) + b"B" * (39 - place) + b"\nC\n"
        assert told(lines_found_fast(data)) == told(found_lines(data))


def test_many_short_lines_go_the_slower_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(line_finder, "found_lines", lambda data: asked.append(len(data)) or found_lines(data))
    data = b"ab\n" * 1000
    assert told(lines_found_fast(data)) == told(found_lines(data))
    assert asked == [3000]
