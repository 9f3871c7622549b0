"""Arithmetic: a claim's own definitions, such as ``saved_usd_per_year: 12 * (a_usd_per_month - b_usd_per_month)``.

Only numbers, names, ``+ - * / **``, brackets, ``min``, ``max``, ``ceil`` and ``sum`` of names; each name carries its
unit, so a sum of unlike things and a result that is not what its name says are refused. Units of the same kind are
converted: USD per hour over tokens per second is USD per Mtok without a constant in sight.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.claims.dimensions import PURE, Dimension, dimension_of, in_usd, unit_of_name
from breakeven.claims.gaps import Gap
from breakeven.errors import ClaimError
from breakeven.facts.distribution import Draws
from breakeven.facts.trace import Layer, Node

Find = Callable[[str], Node | Gap]
_LONGEST_TEXT_COUNT: Final = 1000
_OPERATORS: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_FUNCTIONS: Final = ("min", "max", "ceil")


@dataclass(frozen=True, slots=True)
class _Quantity:
    value: Draws
    """In base units of the dimension."""
    dimension: Dimension


@dataclass(frozen=True, slots=True)
class Definition:
    """One line of a claim's `define`, read and checked."""

    name: str
    text: str
    tree: ast.expr
    where: str = "define"
    """File and line, for error messages."""

    def names(self) -> tuple[str, ...]:
        """The quantities it reads."""
        calls = {id(each.func) for each in ast.walk(self.tree) if isinstance(each, ast.Call)}
        found = [each.id for each in ast.walk(self.tree) if isinstance(each, ast.Name) and id(each) not in calls]
        return tuple(dict.fromkeys(in_usd(each) for each in found))

    def evaluate(self, find: Find) -> Node | Gap:
        """Its value with its Trace; raises ClaimError where units do not fit."""
        nodes: dict[str, Node] = {}
        missing: list[Gap] = []
        for name in self.names():
            found = find(name)
            if isinstance(found, Node):
                nodes[name] = found
            else:
                missing.append(found)
        if missing:
            return Gap(self.name, (tuple(each.name for each in missing),))
        unit = unit_of_name(self.name)
        assert unit is not None
        wanted = dimension_of(unit)
        try:
            result = _evaluate(self.tree, nodes)
        except ClaimError as error:
            raise ClaimError(f"{self.where}: {error}") from None
        if result.dimension.powers != wanted.powers:
            hint = " (hours and months meet in hours_per_month)" if _mixes_calendars(result.dimension, wanted) else ""
            raise ClaimError(
                f"{self.where}: {self.name} is in {unit}, but '{self.text}' gives {result.dimension}{hint}"
            )
        value = np.asarray(result.value / wanted.scale_ratio, dtype=np.float64)
        if np.isnan(value).any():
            return Gap(self.name)
        return Node(
            self.name,
            unit,
            value,
            Layer.DERIVED,
            tuple(nodes.values()),
            formula=self.text,
            summary="the claim's own arithmetic",
        )


def read_definition(name: str, text: str, where: str = "define") -> Definition:
    """Parse one definition that stands at `where`; raises ClaimError for anything but plain arithmetic.

    >>> read_definition("saved_usd", "a_usd - 2 * b_usd").names()
    ('a_usd', 'b_usd')
    """
    if len(text) > _LONGEST_TEXT_COUNT:
        raise ClaimError(f"{where}: {name} is longer than {_LONGEST_TEXT_COUNT:,} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ClaimError(f"{where}: '{text}' is no arithmetic; wanted e.g. a_usd_per_month * 12") from None
    _check(tree, where)
    return Definition(in_usd(name), text.strip(), tree, where)


def _check(tree: ast.expr, where: str) -> None:
    for each in ast.walk(tree):
        if isinstance(each, ast.Call):
            if not isinstance(each.func, ast.Name) or each.func.id not in _FUNCTIONS or each.keywords or not each.args:
                raise ClaimError(f"{where}: only {', '.join(_FUNCTIONS)} may be called")
        elif isinstance(each, ast.Constant):
            if isinstance(each.value, bool) or not isinstance(each.value, int | float):
                raise ClaimError(f"{where}: wanted numbers and names, saw {each.value!r}")
        elif isinstance(each, ast.BinOp):
            if not isinstance(each.op, _OPERATORS):
                raise ClaimError(f"{where}: only + - * / ** are known")
        elif isinstance(each, ast.UnaryOp):
            if not isinstance(each.op, ast.USub | ast.UAdd):
                raise ClaimError(f"{where}: only + - * / ** are known")
        elif not isinstance(each, ast.Name | ast.expr_context | ast.operator | ast.unaryop):
            raise ClaimError(f"{where}: wanted plain arithmetic, saw {type(each).__name__}")
        if isinstance(each, ast.Name) and each.id not in _FUNCTIONS and unit_of_name(each.id) is None:
            raise ClaimError(f"{where}: '{each.id}' ends in no unit")


def _evaluate(tree: ast.expr, nodes: dict[str, Node]) -> _Quantity:
    if isinstance(tree, ast.Constant):
        assert isinstance(tree.value, int | float)
        return _Quantity(np.array([float(tree.value)]), PURE)
    if isinstance(tree, ast.Name):
        node = nodes[in_usd(tree.id)]
        dimension = dimension_of(node.unit)
        return _Quantity(node.value * dimension.scale_ratio, Dimension(1.0, dimension.powers))
    if isinstance(tree, ast.UnaryOp):
        inside = _evaluate(tree.operand, nodes)
        return _Quantity(-inside.value, inside.dimension) if isinstance(tree.op, ast.USub) else inside
    if isinstance(tree, ast.Call):
        return _called(tree, [_evaluate(each, nodes) for each in tree.args])
    assert isinstance(tree, ast.BinOp)
    return _combined(tree, _evaluate(tree.left, nodes), _evaluate(tree.right, nodes))


def _combined(tree: ast.BinOp, left: _Quantity, right: _Quantity) -> _Quantity:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if isinstance(tree.op, ast.Mult):
            return _Quantity(left.value * right.value, left.dimension * right.dimension)
        if isinstance(tree.op, ast.Div):
            return _Quantity(left.value / right.value, left.dimension / right.dimension)
        if isinstance(tree.op, ast.Pow):
            if left.dimension.powers or right.dimension.powers:
                raise ClaimError(f"a power is taken of pure numbers only; '{ast.unparse(tree)}' has units")
            return _Quantity(np.asarray(left.value**right.value), PURE)
        left, right = _alike(tree, left, right)
        value = left.value + right.value if isinstance(tree.op, ast.Add) else left.value - right.value
        return _Quantity(value, left.dimension)


def _called(tree: ast.Call, values: list[_Quantity]) -> _Quantity:
    assert isinstance(tree.func, ast.Name)
    first, *others = values
    if tree.func.id == "ceil":
        if others or first.dimension.powers:
            raise ClaimError(f"ceil takes one pure number; '{ast.unparse(tree)}' is none")
        return _Quantity(np.ceil(first.value), PURE)
    for other in others:
        one, two = _alike(tree, first, other)
        chosen = np.minimum(one.value, two.value) if tree.func.id == "min" else np.maximum(one.value, two.value)
        first = _Quantity(chosen, one.dimension)
    return first


def _alike(tree: ast.expr, one: _Quantity, two: _Quantity) -> tuple[_Quantity, _Quantity]:
    """Both in the same dimension; a bare zero fits anything."""
    if one.dimension.powers == two.dimension.powers:
        return one, two
    if not one.dimension.powers and not one.value.any():
        return _Quantity(one.value, two.dimension), two
    if not two.dimension.powers and not two.value.any():
        return one, _Quantity(two.value, one.dimension)
    raise ClaimError(f"'{ast.unparse(tree)}' adds or compares {one.dimension} and {two.dimension}")


def _mixes_calendars(one: Dimension, two: Dimension) -> bool:
    strip = [{name: power for name, power in each.powers if name not in ("month", "second")} for each in (one, two)]
    return strip[0] == strip[1]
