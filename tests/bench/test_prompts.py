"""Prompts are as long as wanted and never alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.bench.load import Lengths
from breakeven.bench.prompts import NONCE_WORDS_COUNT, WORDS, PromptMaker, Tokenisation, tokenisation_of


def maker(nonce: str = "n", lengths: Lengths | None = None, tokenisation: Tokenisation | None = None) -> PromptMaker:
    return PromptMaker(0, nonce, lengths or Lengths(100, 10), tokenisation or Tokenisation())


def test_words_are_distinct() -> None:
    assert len(set(WORDS)) == len(WORDS) == 256


@settings(max_examples=30)
@given(st.integers(1, 3000), st.floats(0.3, 6.0), st.floats(0.0, 40.0))
def test_a_prompt_has_the_wanted_tokens(tokens: int, ratio: float, overhead: float) -> None:
    words = maker(tokenisation=Tokenisation(ratio, overhead)).prompt("1", tokens).split()
    assert len(words) == max(round((tokens - overhead) / ratio), 1)
    if len(words) > 1:
        assert overhead + ratio * len(words) == pytest.approx(tokens, abs=ratio / 2 + 1e-9)


def test_no_two_prompts_begin_alike() -> None:
    """Neither within a run nor between two runs of the same seed: a prefix cache finds nothing."""
    makers = [maker(nonce) for nonce in "ab"]
    prompts = [make.prompt(str(number), 100).split() for make in makers for number in range(500)]
    starts = [each[:NONCE_WORDS_COUNT] for each in prompts]
    assert len({tuple(each) for each in starts}) == 1000
    for place in range(NONCE_WORDS_COUNT):
        assert len({each[place] for each in starts}) > 200  # of 256 words


def test_a_shared_prefix_is_shared() -> None:
    make = maker(lengths=Lengths(100, 10, shared_prefix_tokens=60))
    first, second = make.prompt("1", 100).split(), make.prompt("2", 100).split()
    assert len(first) == len(second) == 100
    assert first[:60] == second[:60]
    assert first[60 : 60 + NONCE_WORDS_COUNT] != second[60 : 60 + NONCE_WORDS_COUNT]
    assert maker("other", Lengths(100, 10, shared_prefix_tokens=60)).prompt("1", 100).split()[:60] == first[:60]


def test_lengths_spread_around_the_typical_one() -> None:
    make = maker(lengths=Lengths(1000, 200, 0.5))
    pairs = [make.lengths(number) for number in range(4000)]
    assert pairs == [make.lengths(number) for number in range(4000)]
    for column, typical in zip(zip(*pairs, strict=True), (1000, 200), strict=True):
        assert typical / 2 <= min(column) < typical * 0.52
        assert typical * 1.48 < max(column) <= typical * 1.5
        assert sum(column) / len(column) == pytest.approx(typical, rel=0.02)


def test_tokenisation_that_makes_no_sense_is_none() -> None:
    assert tokenisation_of((10, 10), (15, 15)) is None
    assert tokenisation_of((10, 20), (30, 30)) is None
    assert tokenisation_of((10, 20), (30, 900)) is None
