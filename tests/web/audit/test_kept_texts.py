"""Kept texts are shown harmless, cut, message by message; redacted ones are said to be."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from breakeven.web.audit.kept_texts import HEAD_CHARACTERS, TAIL_CHARACTERS, harmless, shown_calls, shown_text
from web.labelled_project import hostile_project
from web.made_project import desk_of


def test_redacted_texts_say_so(tmp_path: Path) -> None:
    project = hostile_project(tmp_path / "team", "redact", count=6)
    shown = shown_calls(desk_of(project), ["c0"])["c0"]
    assert shown.is_redacted
    assert "jane.doe" not in str(shown.texts[0].head)


@given(st.text(max_size=400))
def test_whatever_a_text_holds_it_steers_nothing(text: str) -> None:
    shown = str(harmless(text))
    assert not set("<>\x1b\x00\x07\u202e\u2066\u200b\r") & set(shown)


@given(st.integers(0, 20_000))
def test_the_ends_of_a_long_text_are_shown_and_the_rest_is_counted(length: int) -> None:
    found = shown_text("Prompt", "x" * length)
    assert len(found.head) + len(found.tail) + found.left_out_count == length
    assert len(found.head) + len(found.tail) <= HEAD_CHARACTERS + TAIL_CHARACTERS
