"""Ids of buckets, amounts, days, and results taken out of pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.usage.reading.bucket_rows import (
    BucketIds,
    Counted,
    amount_of,
    context_size,
    in_english,
    key_text,
    results_of,
    shown,
    sum_of_amounts,
    times_alone,
)
from breakeven.usage.reading.delimited import Layout
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit
from breakeven.usage.reading.values import number

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
LOCAL = Head("csv", frozenset(), has_decimal_comma=True, groups_with_dots=True)
TIMES = ("start", "end")


@given(st.lists(ANYTHING, max_size=4), ANYTHING, ANYTHING)
def test_an_id_depends_on_nothing_but_the_key(key: list[Any], start: Any, end: Any) -> None:
    first = BucketIds("x").of(start, end, *key)
    assert first == BucketIds("x").of(start, end, *key)
    assert first.startswith("x-")
    assert len(first) == 2 + 32


@given(st.text(alphabet="ab", max_size=3), st.text(alphabet="ab", max_size=3))
def test_different_keys_have_different_ids(one: str, other: str) -> None:
    swapped_is_equal = BucketIds("x").of(1, 2, one, other) == BucketIds("x").of(1, 2, other, one)
    assert swapped_is_equal == (one == other)


def test_a_bucket_that_comes_again_repeats_its_ids() -> None:
    ids = BucketIds("x")
    twins = [ids.of(1, 2, "a"), ids.of(1, 2, "a")]
    other = ids.of(2, 3, "a")
    again = [ids.of(1, 2, "a"), ids.of(1, 2, "a")]
    assert again == twins
    assert len({*twins, other}) == 3
    ids.restart()
    assert ids.of(1, 2, "a") == twins[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        ("not_available", ""),
        ("NULL", ""),
        (True, "true"),
        (3, "3"),
        (3.0, "3"),
        ("3.00", "3"),
        (" gpt-5 ", "gpt-5"),
        ("12345678901234567890", "12345678901234567890"),
        ("007", "007"),
        ("gpt-4.0", "gpt-4.0"),
    ],
)
def test_the_same_thing_in_another_spelling(value: object, text: str) -> None:
    assert key_text(value) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**9), max_value=10**9))
def test_amounts_are_exact(amount: Decimal) -> None:
    found = amount_of(str(amount), 100)
    assert found is not None
    assert Decimal(found) * 100 == amount


@given(ANYTHING)
def test_nothing_is_an_amount_or_a_number_by_accident(value: Any) -> None:
    found = amount_of(value)
    assert found is None or Decimal(found).is_finite()
    assert number(value) is None or isinstance(value, str | int | float)
    assert len(shown(value)) <= 80


@pytest.mark.parametrize("value", ["NaN", "Infinity", "9e999999999", "1e-999999999", "", "1 000", True, [1], "0x10"])
def test_what_is_no_amount(value: object) -> None:
    assert amount_of(value, 100) is None


def test_sums_keep_what_is_no_amount_for_the_reject() -> None:
    assert sum_of_amounts("0.10", "0.20") == "0.30"
    assert sum_of_amounts("", None) is None
    assert sum_of_amounts("", "0.2") == "0.2"
    assert sum_of_amounts("x", "0.2") == "x"


@pytest.mark.parametrize(
    ("cell", "wanted"), [("1.234,5", "1234.5"), ("0,06", "0.06"), ("1.234", "1234"), ("12.5", "12.5"), ("7", "7")]
)
def test_numbers_of_a_locale(cell: str, wanted: str) -> None:
    assert in_english(cell, LOCAL) == wanted
    assert in_english(cell, Head("csv", frozenset())) == cell


def test_results_and_what_is_none() -> None:
    bucket = {"results": [{"a": 1}, 5, {"b": 2}]}
    found = list(results_of([{"data": [bucket, {"results": []}, None]}, {"results": [{"c": 3}]}, Unfit("bad")]))
    assert found == [
        Counted(bucket, {"a": 1}, True),
        Unfit("not a result", "int 5"),
        Counted(bucket, {"b": 2}, False),
        Counted({"results": []}, None, True),
        Unfit("not a bucket", "NoneType"),
        Counted({"results": [{"c": 3}]}, {"c": 3}, True),
        Unfit("bad"),
    ]


@pytest.mark.parametrize(
    ("raw", "is_empty"),
    [("1793577600,1793664000", True), ("soon,1793664000", False), ("1,2,3", False), ('1,"a\n', False), ("", False)],
)
def test_a_row_of_times_alone(raw: str, is_empty: bool) -> None:
    head = Head("csv", frozenset(), Layout(",", ("start", "end", "tokens")))
    row = Unfit("too short", "", raw)
    assert isinstance(times_alone(row, head, TIMES), dict) == is_empty
    assert times_alone(row, Head("csv", frozenset(), Layout(",", ("end", "start", "tokens"))), TIMES) is row


@pytest.mark.parametrize(
    ("label", "size"),
    [("≤ 200k", "200k"), ("â‰¤ 200k", "200k"), ("≤ 1M", "1m"), (">200k", "over 200k"), (None, ""), ("x", "")],
)
def test_context_sizes(label: str | None, size: str) -> None:
    assert context_size(label) == size
