"""What a cell says, in whatever form; and token counts with their parts inside."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.usage.reading.nested import first_of
from breakeven.usage.reading.values import (
    epoch_s,
    flag,
    known_cost,
    mapping,
    number,
    said,
    seconds_between,
    sequence,
    whole_counts,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner))


@given(ANYTHING)
def test_nothing_ever_fails(value: object) -> None:
    found = number(value)
    assert found is None or isinstance(found, int | float)
    assert isinstance(mapping(value), dict)
    assert isinstance(sequence(value), list)
    assert flag(value) in (True, False, None)
    assert epoch_s(value) is None or isinstance(epoch_s(value), float)
    json.dumps(said({"a": value}), allow_nan=True)
    assert known_cost(value, [1]) is None or known_cost(value, [1]) is value
    assert len(whole_counts((value, (value,)), (value, ()), value, holds_parts=True)) == 2


COUNT = st.integers(0, 10**7)


@given(COUNT, COUNT, COUNT, COUNT, st.booleans(), st.booleans(), st.booleans())
def test_the_total_tells_whether_parts_are_inside(
    rest: int, part: int, more: int, thought: int, is_inside: bool, is_thought_inside: bool, rule: bool
) -> None:
    """Whatever the rule of the format: a total that adds up in one way only decides."""
    sent, got = rest + part, more + thought
    told_sent, told_got = sent if is_inside else rest, got if is_thought_inside else more
    total = sent + got
    readings = {
        (into, out)
        for into in {told_sent, told_sent + part}
        for out in {told_got, told_got + thought}
        if into + out == total and into >= part and out >= thought
    }
    found = whole_counts((told_sent, [part]), (told_got, [thought]), total, holds_parts=rule)
    assert found in readings
    if len(readings) == 1:
        assert found == (sent, got)


@pytest.mark.parametrize(
    ("counted", "parts", "other", "total", "rule", "wanted"),
    [
        (100, [30, None], 5, None, True, 100),
        (100, ["30"], 5, None, False, 130),
        (31, [1253, 0], 467, None, True, 1284),
        ("31", ["1253"], "467", "498", True, 1284),
        (100, [30], 5, 999, True, 100),
        (100, [], None, None, False, 100),
        ("many", [3], 1, 4, True, "many"),
        (None, [3], 1, 4, True, None),
        (-5, [300], 1, None, True, -5),
    ],
)
def test_parts_inside(
    counted: object, parts: list[object], other: object, total: object, rule: bool, wanted: object
) -> None:
    assert whole_counts((counted, parts), (other, []), total, holds_parts=rule) == (wanted, other)


def test_texts_of_maps() -> None:
    assert mapping('{"a": {"b": 1}}') == {"a": {"b": 1}}
    assert mapping([("a", 1), ("b", 2)]) == {"a": 1, "b": 2}
    assert mapping("{'it\\'s':'x','n':2.5}") == {"it\\'s": "x", "n": "2.5"}
    assert mapping('{"a": ') == {}
    assert mapping([1, 2]) == {}


def test_times() -> None:
    at = 1_793_613_600.25
    for told in (at, str(at), at * 1e3, at * 1e6, int(at * 1e9), "2026-11-02T10:00:00.25Z", "2026-11-02 10:00:00.250"):
        assert epoch_s(told) == pytest.approx(at, abs=1e-6)
    assert epoch_s("2026-11-02 11:00:00.25+01") == at
    assert seconds_between("2026-11-02 10:00:00", "2026-11-02 10:00:02.5") == 2.5
    assert seconds_between("2026-11-02 10:00:02", "2026-11-02 10:00:00") is None
    assert epoch_s(-5) is None
    assert epoch_s("9999-99-99") is None


def test_first_and_known_cost() -> None:
    assert first_of({"a": None, "b": "", "c": False}, "a", "b", "c") is False
    assert known_cost(0.0, [0, None]) == 0.0
    assert known_cost("0", ["5"]) is None


def test_what_is_nested_too_deeply_says_nothing() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    assert said({"a": deep, "b": [1]}) == {"b": "[1]"}
