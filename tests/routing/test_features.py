"""Features: one prompt at a time or many, in order; what they count."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.routing.features import (
    SURFACE_COUNT,
    SURFACE_NAMES,
    hashed_terms,
    prompt_features,
    surface_features,
    surface_matrix,
    term_matrix,
)

TEXTS = st.lists(st.text(alphabet=st.characters(), max_size=80), max_size=6)


def surface(prompt: str) -> dict[str, float]:
    return dict(zip(SURFACE_NAMES, surface_features(prompt).tolist(), strict=True))


@given(TEXTS)
def test_many_prompts_are_read_as_one(prompts: list[str]) -> None:
    matrix, terms = surface_matrix(prompts), term_matrix(prompts, 12)
    assert matrix.shape == (len(prompts), SURFACE_COUNT)
    for at, prompt in enumerate(prompts):
        one = prompt_features(prompt, 12)
        row = slice(terms.offsets[at], terms.offsets[at + 1])
        assert np.array_equal(matrix[at], one.surface)
        assert np.array_equal(matrix[at], surface_features(prompt))
        assert np.array_equal(terms.indexes[row], one.terms.indexes)
        assert np.array_equal(terms.counts[row], one.terms.counts)


@given(st.text(alphabet=st.characters(), max_size=400))
def test_features_of_any_text_are_numbers(prompt: str) -> None:
    features = prompt_features(prompt)
    assert np.isfinite(features.surface).all()
    assert (np.diff(features.terms.indexes.astype(np.int64)) > 0).all()
    assert (features.terms.counts >= 1).all()
    fractions = [value for name, value in surface(prompt).items() if name.endswith("_fraction")]
    assert all(0 <= each <= 1 for each in fractions)


@given(st.lists(st.sampled_from(["apple", "pear", "plum", "fig"]), max_size=30))
def test_terms_are_words_and_pairs(words: list[str]) -> None:
    """Counts of distinct terms, with so many columns that these few do not meet in one."""
    terms = hashed_terms(" ".join(words), 22)
    expected = Counter(words) + Counter(pairwise(words))
    assert sorted(terms.counts.tolist()) == sorted(map(float, expected.values()))


def test_word_order_shows_only_in_pairs() -> None:
    one, other = hashed_terms("big dog", 22), hashed_terms("dog big", 22)
    assert len(set(one.indexes.tolist()) & set(other.indexes.tolist())) == 2


def test_chinese_has_characters_and_pairs_of_them() -> None:
    assert hashed_terms("日本語", 22).counts.sum() == 5


@pytest.mark.parametrize(
    ("prompt", "name", "value"),
    [
        ("Which?\nA. one\nB. two\nC. three", "options", 3),
        ("(A) x (B) y (A) z", "options", 2),
        ("A big dog. MAPS: no", "options", 0),
        ("12 and 3.5", "log_numbers", np.log1p(3)),
        ("What is it? Why?", "log_question_words", np.log1p(2)),
        ("What is it? Why?", "log_question_marks", np.log1p(2)),
        ("do not, never", "log_negations", np.log1p(2)),
        ("ab\ncdef\n", "log_longest_line", np.log1p(4)),
        ("ab\ncdef\n", "log_lines", np.log1p(2)),
        ("first\n\nlast", "log_last_paragraph", np.log1p(5)),
        ("日本", "cjk_fraction", 1.0),
        ("aa bb", "word_bytes_mean", 2.0),
        ("no no yes", "distinct_words_fraction", 2 / 3),
        ("AB cd", "capitals_fraction", 2 / 5),
    ],
)
def test_surface(prompt: str, name: str, value: float) -> None:
    assert surface(prompt)[name] == pytest.approx(value)


def test_length_is_of_the_whole_prompt() -> None:
    short, long = surface("word " * 200), surface("word " * 200_000)
    assert long["log_characters"] == pytest.approx(np.log1p(1_000_000))
    assert long["log_words"] == pytest.approx(np.log1p(200_000), rel=1e-3)
    assert short["word_bytes_mean"] == pytest.approx(long["word_bytes_mean"], rel=1e-2)
