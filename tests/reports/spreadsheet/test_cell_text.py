"""Cell text: names that a spreadsheet takes, and texts that it never runs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.reports.spreadsheet.cell_text import cell_text, defined_names, number_format, sheet_names
from reports.sample_document import HOSTILE

RUNS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r\n=1", " =1", "\u200b=1", '=HYPERLINK("http://x")')


@pytest.mark.parametrize("text", [*RUNS, *HOSTILE])
def test_no_text_is_a_formula(text: str) -> None:
    found = cell_text(text)
    assert not found.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert found == "".join(each for each in found if each.isprintable())


@given(st.lists(st.text(max_size=60), max_size=12), st.lists(st.text(max_size=20), max_size=3))
def test_sheet_names_are_valid_and_apart(titles: list[str], taken: list[str]) -> None:
    found = sheet_names(titles, taken)
    assert len(found) == len(titles)
    folded = [each.casefold() for each in found]
    assert len(set(folded)) == len(folded)
    assert not set(folded) & {each.casefold() for each in taken}
    for each in found:
        assert 1 <= len(each) <= 31
        assert not re.search(r"[\[\]:*?/\\']", each)
        assert each == each.strip()


@given(st.lists(st.text(max_size=30), unique=True, max_size=12))
def test_defined_names_are_valid_and_apart(keys: list[str]) -> None:
    found = defined_names(keys)
    assert list(found) == keys
    assert len({each.casefold() for each in found.values()}) == len(keys)
    for each in found.values():
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", each)
        assert not re.fullmatch(r"(?i)[a-z]{1,3}\d+|r\d*c\d*|r|c", each)


@pytest.mark.parametrize("size", [1e-7, 1e-3, 0.02, 0.7, 3.0, 55.0, 1234.5, 9e9, 3e13, 0.0])
@pytest.mark.parametrize("unit", ["usd/month", "fraction", "count", "token", "ratio"])
def test_a_number_is_neither_hidden_nor_endless(unit: str, size: float) -> None:
    shown = number_format("some_name", unit, [size])
    decimals = len(shown.partition(".")[2].rstrip("%").replace("E+00", ""))
    assert decimals <= 5
    percent = size * 100 if shown.endswith("%") else size
    if "E" not in shown and unit != "fraction":
        assert percent == 0 or percent >= 0.5 * 10**-decimals
