"""Words of a prompt: against a plain reading, character by character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.routing.words import CAPPED_BYTES_COUNT, capped, hash_of_word, words_of

ANY_TEXT = st.text(alphabet=st.characters(), max_size=300)  # lone surrogates and NUL among them


def plain_words(text: str) -> list[str]:
    """Runs of word characters; each CJK character by itself. Only for texts of the alphabet below."""
    words: list[str] = []
    run = ""
    for character in text.lower():
        cjk = "\u3040" <= character <= "\ud7ff"
        if run and (cjk or not (character.isalnum() or character == "_")):
            words.append(run)
            run = ""
        if cjk:
            words.append(character)
        elif character.isalnum() or character == "_":
            run += character
    return [*words, run] if run else words


@given(st.text(alphabet="ab Z9_.,\n\t\0Éüж日本語ハング한글、。“”…×", max_size=60))
def test_words_are_those_of_a_plain_reading(text: str) -> None:
    read = words_of(capped(text.replace("×", "")))
    expected = plain_words(text.replace("×", ""))
    assert read.hashes.tolist() == [hash_of_word(each) for each in expected]
    assert read.lengths.tolist() == [len(each.encode()) for each in expected]


@given(ANY_TEXT)
def test_any_text_is_read(text: str) -> None:
    read = words_of(capped(text))
    assert read.hashes.size == read.lengths.size == read.words_count
    assert (read.lengths > 0).all()


@given(st.integers(0, 9000), st.sampled_from(["x", "é", "語", "🙂", "a é語🙂"]))
def test_capped_keeps_whole_characters_of_head_and_tail(count: int, unit: str) -> None:
    prompt = (unit * count)[:count]
    found = capped(prompt)
    assert len(found) <= CAPPED_BYTES_COUNT
    text = found.decode("utf-8")  # cut between characters, or this raises
    if len(prompt.encode()) <= CAPPED_BYTES_COUNT:
        assert text == prompt
    else:
        head, _, tail = text.partition("\n")
        assert prompt.startswith(head)
        assert prompt.endswith(tail)
        assert len(found) > CAPPED_BYTES_COUNT - 8


def test_the_middle_of_a_long_prompt_is_not_read() -> None:
    assert capped("a" * 3000 + "secret" + "b" * 3000) == capped("a" * 9000 + "b" * 9000)


@pytest.mark.parametrize(("text", "count"), [("", 0), (" \0\n", 0), ("“no” – yes", 2), ("İstanbul ẞ", 2)])
def test_marks_are_no_words(text: str, count: int) -> None:
    assert words_of(capped(text)).words_count == count
