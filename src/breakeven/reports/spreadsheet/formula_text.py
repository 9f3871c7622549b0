"""Formula text: an expression as the text of a spreadsheet formula, with the meaning that Python gives it.

Spreadsheets differ from Python in places that change results, and each of them is written out here:

- a minus sign binds tighter than ``^``, and ``^`` groups from the left: powers stand in brackets;
- ROUNDUP rounds away from zero and CEILING wants signs to agree: the next whole number is ``-INT(-x)``, since INT goes
  down whatever the sign;
- ROUND takes a half away from zero, Python to the even neighbour;
- there is no log1p and no expm1: near zero three terms of their series keep ten digits, where ``LN(1+x)`` loses them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from breakeven.decision.workbook.expression import names_in, parsed

_SAME_CALL: Final[Mapping[str, str]] = {
    "max": "MAX",
    "min": "MIN",
    "where": "IF",
    "exp": "EXP",
    "log": "LN",
    "normal_cdf": "NORMSDIST",
}
_SIGNS: Final[Mapping[type[ast.AST], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(6)
"""How tightly a piece of text holds together."""
NEAR_ZERO: Final = "0.0001"
"""Below this a series is closer than the functions of a spreadsheet."""

Text = tuple[str, int]
"""A piece of a formula and how tightly it holds together."""


def formula_text(expression: str, reference: Mapping[str, str]) -> str:
    """`expression` as a formula, with its leading ``=``; `reference` gives the cell or name behind each of its names.

    >>> formula_text("ceil(peak / capacity) ** 2 - -gap", {"peak": "C5", "capacity": "C6", "gap": "gap_usd"})
    '=(-INT(-(C5/C6)))^2-(-gap_usd)'
    """
    if "" in reference.values():  # a row of months that has none yet changes the text around it
        return f"={_text(parsed(expression), reference)[0]}"
    return _template(expression).format_map(reference)


@lru_cache(maxsize=4096)
def _template(expression: str) -> str:
    """The formula with ``{name}`` where it reads a name."""
    text, _ = _text(parsed(expression), {name: f"{{{name}}}" for name in names_in(expression)})
    return f"={text}"


def _text(node: ast.expr, reference: Mapping[str, str]) -> Text:
    if isinstance(node, ast.Constant):
        return _number_text(node.value), _ATOM
    if isinstance(node, ast.Name):
        return reference[node.id], _ATOM
    if isinstance(node, ast.UnaryOp):
        return f"-{_held(_text(node.operand, reference), _ATOM)}", _SIGN
    if isinstance(node, ast.Compare):
        left, right = _text(node.left, reference), _text(node.comparators[0], reference)
        return f"{_held(left, _SUM)}{_SIGNS[type(node.ops[0])]}{_held(right, _SUM)}", _COMPARISON
    if isinstance(node, ast.BinOp):
        return _two_sided(node.op, _text(node.left, reference), _text(node.right, reference))
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return _call(node.func.id, [_text(each, reference) for each in node.args])


def _two_sided(sign: ast.operator, left: Text, right: Text) -> Text:
    if isinstance(sign, ast.Pow):
        return f"{_held(left, _ATOM)}^{_held(right, _ATOM)}", _POWER
    level = _SUM if isinstance(sign, ast.Add | ast.Sub) else _PRODUCT
    second = _bracketed(right) if right[1] == _SIGN else _held(right, level + 1)
    return f"{_held(left, level)}{_SIGNS[type(sign)]}{second}", level


def _call(name: str, arguments: list[Text]) -> Text:
    if name in _SAME_CALL:
        return f"{_SAME_CALL[name]}({','.join(text for text, _ in arguments)})", _ATOM
    return _WRITTEN_OUT[name](*arguments)


def _ceil(value: Text) -> Text:
    return f"-INT(-{_held(value, _ATOM)})", _SIGN


def _floor(value: Text) -> Text:
    return f"INT({value[0]})", _ATOM


def _log1p(value: Text) -> Text:
    x = _held(value, _ATOM)
    return f"IF(ABS({value[0]})<{NEAR_ZERO},{x}-{x}^2/2+{x}^3/3,LN(1+{x}))", _ATOM


def _expm1(value: Text) -> Text:
    x = _held(value, _ATOM)
    return f"IF(ABS({value[0]})<{NEAR_ZERO},{x}+{x}^2/2+{x}^3/6,EXP({value[0]})-1)", _ATOM


def _earlier(row: Text, month: Text) -> Text:
    """The value of a month in the row of the months before; nothing where there is no such month."""
    return (f"IF({month[0]}<1,0,INDEX({row[0]},1,{month[0]}))", _ATOM) if row[0] else ("0", _ATOM)


def _round_half_even(value: Text, digits: Text) -> Text:
    """Halves to the even neighbour: twice the rounded half, where what is rounded is a half."""
    scale = f"10^{digits[0]}"
    x = f"{_held(value, _PRODUCT)}*{scale}"
    return f"IF(ABS({x}-TRUNC({x}))=0.5,2*ROUND({x}/2,0),ROUND({x},0))/{scale}", _PRODUCT


_WRITTEN_OUT: Final[Mapping[str, Callable[..., Text]]] = {
    "ceil": _ceil,
    "floor": _floor,
    "log1p": _log1p,
    "expm1": _expm1,
    "round_half_even": _round_half_even,
    "earlier": _earlier,
}


def _held(piece: Text, level: int) -> str:
    """The text of `piece`, in brackets unless it holds together at least as tightly as `level`."""
    return piece[0] if piece[1] >= level else _bracketed(piece)


def _bracketed(piece: Text) -> str:
    return f"({piece[0]})"


def _number_text(value: object) -> str:
    return repr(value).upper()
