"""Amounts read like a person wrote them, for any number."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.reports import amounts
from breakeven.units import UNIT_BY_SUFFIX

ANY_NUMBER = st.floats(min_value=-1e15, max_value=1e15, allow_nan=False)


@given(ANY_NUMBER)
def test_nothing_is_ever_in_scientific_notation(value: float) -> None:
    written = [
        amounts.number(value),
        amounts.magnitude(value),
        amounts.money(value),
        amounts.money_short(value),
        amounts.ratio(value),
        amounts.fraction(value),
        *(amounts.quantity(value, unit) for unit in {*UNIT_BY_SUFFIX.values(), "usd/success", "widgets"}),
    ]
    for text in written:
        assert not re.search(r"\de[+-]?\d", text), text


@given(st.floats(min_value=1e-6, max_value=1e14))
def test_a_magnitude_keeps_three_digits(value: float) -> None:
    text = amounts.magnitude(value).replace(",", "")
    figure, _, letter = text.partition(" ")
    scale = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}[letter]
    assert float(figure) * scale == pytest.approx(value, rel=0.0051)
    assert letter in {"", "T"} or float(figure) < 1000


@given(st.floats(min_value=0.01, max_value=1e9))
def test_money_is_right_to_one_percent(usd: float) -> None:
    text = amounts.money(usd)
    figure, _, letter = text.removeprefix("$").replace(",", "").partition(" ")
    assert float(figure) * {"": 1.0, "M": 1e6, "B": 1e9}[letter] == pytest.approx(usd, rel=0.0051)


@given(ANY_NUMBER)
def test_a_difference_is_never_a_negative_saving(usd: float) -> None:
    assert "-" not in amounts.difference(usd)
    assert "-" not in amounts.difference_range(min(usd, 0.0), max(usd, 0.0))


def test_certainty_is_said_only_when_every_draw_agrees() -> None:
    assert amounts.odds(16_383 / 16_384) == ">99 of 100"
    assert amounts.odds(1 / 16_384) == "<1 of 100"
    assert (amounts.odds(0.0), amounts.odds(1.0)) == ("0 of 100", "100 of 100")


def test_what_is_not_a_number_is_said_not_to_be_known() -> None:
    for value in (float("nan"), float("inf"), float("-inf")):
        for text in (
            amounts.money(value),
            amounts.money_short(value),
            amounts.magnitude(value),
            amounts.number(value),
            amounts.fraction(value),
            amounts.odds(value),
            amounts.ratio(value),
            amounts.quantity(value, "usd/month"),
            amounts.money_span(value, 1.0),
        ):
            assert text == amounts.NOT_KNOWN


def test_a_range_says_its_unit_once() -> None:
    assert amounts.quantity_range(1.38, 2.65, "usd/hour") == "$1.38 to $2.65/h"
    assert amounts.quantity_spread(0.88, 0.7, 0.95, "fraction") == "88 % (70 to 95)"
    assert amounts.money_span(10_480, 16_630) == "10.5k-16.6k"
    assert amounts.money_span(-50, 900) == "-$50 to $900"


@pytest.mark.parametrize("unit", sorted(set(UNIT_BY_SUFFIX.values())))
def test_every_unit_of_ours_has_words(unit: str) -> None:
    text = amounts.quantity(3.0, unit)
    assert text
    assert unit == "count" or text != "3", f"{unit} is lost"
