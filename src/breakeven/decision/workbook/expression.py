"""Expression: arithmetic over names in a small part of Python's syntax: documents hold it, spreadsheets compute it.

Numbers, names, ``+ - * / **``, one comparison at a time, and the functions of `FUNCTIONS`. Nothing else is read, so an
expression from somebody else's document can do nothing but arithmetic.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from breakeven.errors import DocumentError

_TWO_SIDED: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
_COMPARED: Final[Mapping[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _where(condition: bool, then: float, otherwise: float) -> float:
    return then if condition else otherwise


def _round_half_even(value: float, digits: float) -> float:
    """As NumPy rounds: the scaled number, to its even neighbour where it is a half."""
    scale = math.pow(10.0, digits)
    return round(value * scale) / scale


def _normal_cdf(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def _earlier(row: Sequence[float], month: float) -> float:
    return row[int(month) - 1] if 1 <= month <= len(row) else 0.0


FUNCTIONS: Final[Mapping[str, tuple[int, Callable[..., float]]]] = {
    "max": (2, max),
    "min": (2, min),
    "where": (3, _where),
    "ceil": (1, math.ceil),
    "floor": (1, math.floor),
    "exp": (1, math.exp),
    "expm1": (1, math.expm1),
    "log": (1, math.log),
    "log1p": (1, math.log1p),
    "normal_cdf": (1, _normal_cdf),
    "round_half_even": (2, _round_half_even),
    "earlier": (2, _earlier),
}
"""Name -> number of arguments and meaning. ``earlier(row, m)``: the value of month m in a row of months; 0 before."""
DEPTH_MAX_COUNT: Final = 150
"""Brackets within brackets, and terms of one sum."""
Value = float | Sequence[float]
"""What a name stands for: a number, or a row of months."""
Meaning = Callable[[Mapping[str, Any]], Any]


@lru_cache(maxsize=4096)
def parsed(expression: str) -> ast.expr:
    """The syntax tree of `expression`; raises DocumentError when it is anything but arithmetic."""
    try:
        tree = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise DocumentError(f"'{expression[:80]}' is no arithmetic: the document is damaged; make it again") from None
    _check(tree, expression, DEPTH_MAX_COUNT)
    return tree


@lru_cache(maxsize=4096)
def names_in(expression: str) -> tuple[str, ...]:
    """The names that `expression` reads, each once, in order of appearance.

    >>> names_in("max(b, a) * b")
    ('b', 'a')
    """
    called = {id(each.func) for each in ast.walk(parsed(expression)) if isinstance(each, ast.Call)}
    found = [each for each in ast.walk(parsed(expression)) if isinstance(each, ast.Name) and id(each) not in called]
    found.sort(key=lambda each: each.col_offset)
    return tuple(dict.fromkeys(each.id for each in found))


def evaluate(expression: str, values: Mapping[str, Value]) -> float:
    """The value of `expression` where its names have these `values`.

    >>> evaluate("where(a > 1, ceil(a / 2), 0)", {"a": 3.0})
    2.0
    """
    return float(_meaning_of(expression)(values))


@lru_cache(maxsize=4096)
def _meaning_of(expression: str) -> Meaning:
    return _meaning(parsed(expression))


def _meaning(node: ast.expr) -> Meaning:
    """What `node` comes to, given the values of the names."""
    if isinstance(node, ast.Constant):
        number = float(node.value)  # type: ignore[arg-type]  # `_check` lets int and float through alone
        return lambda _: number
    if isinstance(node, ast.Name):
        name = node.id
        return lambda values: values[name]
    if isinstance(node, ast.UnaryOp):
        operand = _meaning(node.operand)
        return lambda values: -operand(values)
    if isinstance(node, ast.BinOp):
        return _joined(_TWO_SIDED[type(node.op)], _meaning(node.left), _meaning(node.right))
    if isinstance(node, ast.Compare):
        return _joined(_COMPARED[type(node.ops[0])], _meaning(node.left), _meaning(node.comparators[0]))
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    function, arguments = FUNCTIONS[node.func.id][1], [_meaning(each) for each in node.args]
    return lambda values: function(*(each(values) for each in arguments))


def _joined(operation: Callable[[float, float], float], left: Meaning, right: Meaning) -> Meaning:
    return lambda values: operation(left(values), right(values))


def _check(node: ast.expr, whole: str, depth_count: int) -> None:
    """Raise DocumentError when `node` is not of the language, or goes deeper than anybody writes."""
    if not depth_count:
        raise DocumentError(f"'{whole[:80]}' goes too deep: the document is damaged; make it again")
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return
    if isinstance(node, ast.Name) and node.id not in FUNCTIONS:
        return
    for each in _parts(node, whole):
        _check(each, whole, depth_count - 1)


def _parts(node: ast.expr, whole: str) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and type(node.op) in _TWO_SIDED:
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [node.operand]
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
        return [node.left, *node.comparators]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        known = FUNCTIONS.get(node.func.id)
        if known is not None and len(node.args) == known[0]:
            return node.args
    raise DocumentError(f"'{whole[:80]}' holds more than arithmetic: the document is damaged; make it again")
