"""Expressions: arithmetic and nothing else, with Python's meaning."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.decision.workbook.expression import evaluate, names_in, parsed
from breakeven.errors import DocumentError

NAMES = st.sampled_from(["a_usd", "b_count", "c"])
NUMBERS = st.floats(0.1, 50.0).map(lambda each: f"{each!r}")
TREES = st.recursive(
    NAMES | NUMBERS,
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda each: f"({each[0]} {each[1]} {each[2]})")
        | inner.map(lambda each: f"-{each}")
        | st.tuples(st.sampled_from(["max", "min"]), inner, inner).map(lambda each: f"{each[0]}({each[1]}, {each[2]})")
    ),
    max_leaves=12,
)


@given(TREES, st.floats(0.5, 9.0), st.floats(0.5, 9.0), st.floats(0.5, 9.0))
def test_it_means_what_python_means(expression: str, a: float, b: float, c: float) -> None:
    values = {"a_usd": a, "b_count": b, "c": c}
    try:
        wanted = eval(expression, {"max": max, "min": min}, dict(values))
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            evaluate(expression, values)
        return
    assert evaluate(expression, values) == wanted


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("-a ** 2", -9.0),
        ("2 ** a ** 2", 512.0),
        ("a - 1 - 1", 1.0),
        ("ceil(a / 2)", 2.0),
        ("ceil(-a / 2)", -1.0),
        ("floor(-a / 2)", -2.0),
        ("round_half_even(a / 2, 0)", 2.0),
        ("round_half_even(a - 0.5, 0)", 2.0),
        ("where(a >= 3, 1, 2)", 1.0),
        ("log1p(1e-12)", 1e-12),
        ("expm1(1e-12)", 1e-12),
        ("normal_cdf(0)", 0.5),
    ],
)
def test_by_hand(expression: str, wanted: float) -> None:
    assert evaluate(expression, {"a": 3.0}) == pytest.approx(wanted, rel=1e-11)


def test_a_row_of_months() -> None:
    row = (10.0, 20.0, 30.0)
    assert [evaluate("earlier(row, m)", {"row": row, "m": float(m)}) for m in (-1, 0, 1, 3, 4)] == [0, 0, 10, 30, 0]


@pytest.mark.parametrize(
    "hostile",
    [
        "__import__('os').system('id')",
        "open('x')",
        "a.b",
        "a[0]",
        "lambda: 1",
        "[a for a in b]",
        "'text'",
        "True",
        "a if b else c",
        "a and b",
        "1 < a < 2",
        "max(a)",
        "max(a, b, c)",
        "ceil(x=1)",
        "max",
        "a @ b",
        "a // b",
        "a % b",
        "a; b",
        "",
        "(" * 5000,
    ],
)
def test_anything_else_is_refused(hostile: str) -> None:
    with pytest.raises(DocumentError, match="make it again"):
        parsed(hostile)


@pytest.mark.parametrize("tower", ["+".join(["a"] * 5000), "-" * 900 + "a", "(" * 180 + "a" + ")" * 180])
def test_a_document_cannot_take_the_stack_away(tower: str) -> None:
    try:
        assert evaluate(tower, {"a": 1.0}) == 1.0  # brackets alone leave no trace
    except DocumentError as error:
        assert "make it again" in str(error)


def test_names_in_order_without_functions() -> None:
    assert names_in("where(c > 1, max(b, a), c)") == ("c", "b", "a")


def test_an_error_is_pythons_own() -> None:
    with pytest.raises(ZeroDivisionError):
        evaluate("a / 0", {"a": 1.0})
    assert math.isinf(evaluate("1e308 * a", {"a": 10.0}))
