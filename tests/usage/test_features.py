"""Features of a prompt: equal beginnings have equal hashes, numbers do not count, counts are what a person counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.usage.features import (
    COUNT_NAMES,
    STOP_WORDS,
    TERMS_MAX_COUNT,
    WORDS_MAX_COUNT,
    Features,
    Hasher,
    features,
    term_text,
)
from breakeven.usage.prompts.conversation import conversation


def found(text: str, salt: str = "") -> Features:
    return features(conversation(text), Hasher(salt))


def counts(text: str) -> dict[str, int]:
    return dict(zip(COUNT_NAMES, found(text).prompt_counts, strict=True))


WORDS = st.lists(st.sampled_from(["sum", "this", "Text:", "now", "翻", "译", "42", "né"]), max_size=60)


@given(WORDS, WORDS)
def test_equal_chain_elements_are_equal_beginnings(a: list[str], b: list[str]) -> None:
    chains = [found(" ".join(words)).prompt_words for words in (a, b)]
    common = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    for i, (x, y) in enumerate(zip(*chains, strict=False)):
        assert (x == y) == (i < common)
    assert len(chains[0]) == min(len(a), WORDS_MAX_COUNT)


def test_numbers_dates_and_ids_do_not_tell_prompts_apart() -> None:
    a = found("Refund order ORD-99812 of 2026-11-02 for $1,234.50 (id 5f1c9a7be0d34412) now")
    b = found("Refund order ORD-10473 of 2025-01-31 for $7.00 (id 00aa19ffc0d31111) now")
    assert a.prompt_words == b.prompt_words
    assert a.prompt_terms == b.prompt_terms


def test_terms_are_distinct_lower_case_and_in_the_order_they_appear() -> None:
    hasher = Hasher()
    text = "The Invoice for ACME: invoice total, x1 snake_case Größe."
    terms = ("invoice", "acme", "total", "snake", "case", "größe")
    assert found(text).prompt_terms == tuple(hasher.term(each.encode()) for each in terms)


def test_terms_of_chinese_are_pairs_of_neighbours() -> None:
    hasher = Hasher()
    assert found("翻译成英文。").prompt_terms == tuple(
        hasher.term(each.encode()) for each in ("翻译", "译成", "成英", "英文")
    )


def test_terms_end_after_sixty_four_and_are_looked_for_in_four_hundred_words() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    many = [a + b + "q" for a in letters for b in letters]
    assert len(found(" ".join(many)).prompt_terms) == TERMS_MAX_COUNT
    assert found("1 " * 400 + "late").prompt_terms == ()
    assert len(found("1 " * 399 + "late later").prompt_terms) == 1


def test_a_salt_changes_every_hash() -> None:
    a, b = found("classify this ticket"), found("classify this ticket", "salt")
    assert not set(a.prompt_words) & set(b.prompt_words)
    assert not set(a.prompt_terms) & set(b.prompt_terms)
    assert a.prompt_counts == b.prompt_counts


@given(st.text())
def test_any_text_has_features_in_range(text: str) -> None:
    got = found(text)
    assert all(0 <= each < 1 << 63 for each in (*got.prompt_words, *got.prompt_terms))
    assert len(got.prompt_counts) == len(COUNT_NAMES)
    assert all(each >= 0 for each in got.prompt_counts)


def test_counts() -> None:
    text = 'Fix THIS code?\n```\ndef f(x): return {"a": 12};\n```\n- one\n 2) two\nSay "hi there" 翻译'
    assert counts(text) == {
        "characters": len(text),
        "words": 19,
        "lines": 7,
        "digits": 3,
        "punctuation_marks": 20,
        "question_marks": 1,
        "code_marks": 6,
        "upper_case_words": 1,
        "cjk_characters": 2,
        "list_items": 2,
        "messages": 1,
        "user_messages": 1,
        "images": 0,
        "quoted_characters": 9,
    }


def test_no_prompt_counts_nothing() -> None:
    got = features(conversation(None), Hasher())
    assert (got.prompt_words, got.prompt_terms, got.system_hash, got.schema_hash) == ((), (), None, None)
    assert got.prompt_counts[:10] == (0,) * 10


@pytest.mark.parametrize("word", ["the", "x", "a1", "q" * 31])
def test_what_is_no_term(word: str) -> None:
    assert term_text(word.encode()) is None


def test_stop_words_are_terms_but_for_being_stop_words() -> None:
    assert len(STOP_WORDS) > 150
    assert all(each == each.lower() and each.isalpha() for each in STOP_WORDS)
