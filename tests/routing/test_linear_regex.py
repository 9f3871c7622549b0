"""Linear regex: finds what Python's own finds, and takes no longer for a hostile text."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from breakeven.errors import PolicyError
from breakeven.routing.linear_regex import linear_regex

ATOMS = st.one_of(
    st.sampled_from([*"ab.^$1É\n", "[ab]", "[^a]", "[a-c_]", "(a|b)", "(ab|)", "(?:b|c)", "(?P<x>a)"]),
    st.sampled_from([r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", r"\b", r"\B", r"\A", r"\Z"]),
    st.sampled_from(["(?i:a)", "(?i:[^b])", "(?s:.)", "(?m:^)", "(?m:$)", r"(?a:\w)"]),
)
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{1,3}", "*?", "{2}", "{0,2}?"])


@st.composite
def patterns(draw: st.DrawFn) -> str:
    parts = "".join(draw(ATOMS) + draw(REPEATS) for _ in range(draw(st.integers(1, 5))))
    return f"(?:{parts}){draw(REPEATS)}" if draw(st.booleans()) else parts


@settings(max_examples=150, deadline=None)
@given(patterns(), st.lists(st.text("abAcÉé1 \n_-", min_size=1, max_size=8), min_size=1, max_size=4))
def test_finds_what_python_finds(pattern: str, texts: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            oracle = re.compile(pattern)
        except re.error:
            assume(False)
    ours = linear_regex(pattern)
    for text in texts:
        assert ours.search(text) == bool(oracle.search(text))


@pytest.mark.parametrize(
    "pattern", [r"^(a+)+$", r"(a|a)*b", r"(a|aa)+$", r"(.*a){12}$", r"^(\w+\s?)*$", r"a*a*a*a*a*b"]
)
def test_a_hostile_text_takes_few_steps(pattern: str) -> None:
    """Backtracking would need more steps than there are atoms; here the states that were met are few."""
    regex = linear_regex(pattern)
    regex.search("a" * 5000 + "!")
    assert len(regex._remembered) <= 100


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.routing.linear_regex._REMEMBERED_MAX_COUNT", 20)
    regex = linear_regex("[^z]+z$")
    assert regex.search("".join(chr(code) for code in range(0x100, 0x400)) + "z")
    assert len(regex._remembered) <= 20


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(a", "no regular expression"),
        ("a**", "no regular expression"),
        (r"(a)\1", "looks back or ahead"),
        ("(?=a)b", "looks back or ahead"),
        ("(?<!a)b", "looks back or ahead"),
        ("(?>a)b", "looks back or ahead"),
        (r"(\w{50}){100}", "too large"),
        ("(((){2000}){2000}){2000}", "too large"),
        ("a{100000}", "too large"),
    ],
)
def test_what_cannot_be_bounded_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        linear_regex(pattern)
