"""Formula text: brackets where a spreadsheet needs them, and functions that it does not have."""

from __future__ import annotations

import pytest

from breakeven.reports.spreadsheet.formula_text import formula_text

REFERENCE = {"a": "A1", "b": "price_usd", "c": "'My sheet'!$C$3", "row": "$E5:G5", "none": ""}


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("a + b - c", "=A1+price_usd-'My sheet'!$C$3"),
        ("a - (b - c)", "=A1-(price_usd-'My sheet'!$C$3)"),
        ("a * (b + 1)", "=A1*(price_usd+1)"),
        ("a / b / 2", "=A1/price_usd/2"),
        ("a / (b / 2)", "=A1/(price_usd/2)"),
        ("-a ** 2", "=-(A1^2)"),
        ("(-a) ** 2", "=(-A1)^2"),
        ("2 ** a ** b", "=2^(A1^price_usd)"),
        ("a * -b", "=A1*(-price_usd)"),
        ("1e-09 * a", "=1E-09*A1"),
        ("max(a, min(b, 2.5))", "=MAX(A1,MIN(price_usd,2.5))"),
        ("where(a <= b, 1, 0)", "=IF(A1<=price_usd,1,0)"),
        ("ceil(a / b)", "=-INT(-(A1/price_usd))"),
        ("ceil(max(a, b)) * 8", "=-INT(-MAX(A1,price_usd))*8"),
        ("floor(a / 12) * 12", "=INT(A1/12)*12"),
        ("exp(a) * log(b)", "=EXP(A1)*LN(price_usd)"),
        ("normal_cdf(a)", "=NORMSDIST(A1)"),
        ("log1p(a)", "=IF(ABS(A1)<0.0001,A1-A1^2/2+A1^3/3,LN(1+A1))"),
        ("expm1(a)", "=IF(ABS(A1)<0.0001,A1+A1^2/2+A1^3/6,EXP(A1)-1)"),
        ("round_half_even(a, 2)", "=IF(ABS(A1*10^2-TRUNC(A1*10^2))=0.5,2*ROUND(A1*10^2/2,0),ROUND(A1*10^2,0))/10^2"),
        ("earlier(row, a - 3)", "=IF(A1-3<1,0,INDEX($E5:G5,1,A1-3))"),
        ("earlier(none, a)", "=0"),
    ],
)
def test_by_hand(expression: str, wanted: str) -> None:
    assert formula_text(expression, REFERENCE) == wanted
