"""Hostile names lose what could steer a terminal or reverse a line, and keep what a person wrote."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.reports.safe_text import safe, short, web_link
from reports.sample_document import HOSTILE


@given(st.text())
def test_nothing_that_acts_is_left(text: str) -> None:
    for each in safe(text):
        assert unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text())
def test_safe_is_idempotent(text: str) -> None:
    assert safe(safe(text)) == safe(text)


@given(st.text(), st.integers(min_value=3, max_value=400))
def test_short_is_short(text: str, most: int) -> None:
    assert len(short(text, most)) <= most


@pytest.mark.parametrize(
    ("hostile", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://evil.example\x07click\x1b]8;;\x07", "click"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x9b2Jcleared", "cleared"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\u2066b\u2069\u200b\ufeffc", "abc"),
        ("line\r\nbreak\ttab\u2028sep", "line break tab sep"),
        ("e\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301"),
        ("a\x00b\x07c", "abc"),
        ("模型 ünïcode", "模型 ünïcode"),
        ("", ""),
    ],
)
def test_examples(hostile: str, left: str) -> None:
    assert safe(hostile) == left


def test_markup_is_left_as_text() -> None:
    """Escaping is the surface's task: the text itself stays what it was."""
    assert safe(HOSTILE[0]) == "<script>alert(1)</script>"
    assert safe(HOSTILE[1]) == "[red]rich markup[/red]"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        'https://x/"onload="y',
        "https://x/ y",
        "file:///etc/passwd",
        "",
        "//x",
    ],
)
def test_only_plain_web_addresses_are_links(link: str) -> None:
    assert web_link(link) is None


def test_a_web_address_is_a_link() -> None:
    assert web_link("https://openai.com/api/pricing/?a=1&b=2#c") == "https://openai.com/api/pricing/?a=1&b=2#c"
