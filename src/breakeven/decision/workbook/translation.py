"""Translation: the source of a Formula as a few expressions, so that a spreadsheet computes what the product computes.

What a Formula is written in is a small language already: local names, arithmetic, NumPy's maximum, where, ceil and the
like, constants of its module, other Formulas and private helpers. It is read once from the source. A name that is used
more than once becomes a step of its own, as a careful person would give it a helper cell; the others stand where they
are used. A Formula that does anything else has no translation.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import FunctionType
from typing import Any, Final

from breakeven.facts.formula import Formula

_SAME_MEANING: Final[Mapping[str, str]] = {
    "maximum": "max",
    "minimum": "min",
    "where": "where",
    "ceil": "ceil",
    "floor": "floor",
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log1p": "log1p",
    "ndtr": "normal_cdf",
}
"""NumPy's and SciPy's functions -> the language's."""
_READ_SEVERAL_TIMES: Final = {
    "round": "unrounded",
    "log1p": "rate",
    "expm1": "exponent",
    "sinh": "exponent",
    "abs": "signed",
}
"""Functions that a spreadsheet has to put together from others, and the name of the step that they read."""
INSIDE_MAX_CHARACTERS: Final = 80
"""A local name whose value is longer than this has a step of its own: nobody reads a formula of three lines."""
_COMPUTE: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One value on the way to a Formula's result."""

    name: str
    """A local name of the Formula, or its own name for the last step."""
    expression: str
    """Over the Formula's parameters and the names of earlier steps."""


@lru_cache(maxsize=1024)
def translate(formula: Formula) -> tuple[Step, ...] | None:
    """The steps of `formula`, the last one its result; None when its source does more than the language can say."""
    try:
        reader = _Reader(taken=set(formula.parameters))
        arguments: dict[str, ast.expr] = {each: ast.Name(each) for each in formula.parameters}
        result = reader.call(formula.function, arguments)
    except (_Untranslatable, OSError):
        return None
    return (*reader.steps, Step(formula.name, ast.unparse(result)))


class _Untranslatable(Exception):
    pass


@dataclass(slots=True)
class _Reader:
    """Reads functions into steps."""

    taken: set[str]
    """Names that a new step may not have."""
    steps: list[Step] = field(default_factory=list)

    def call(self, function: Callable[..., Any], arguments: Mapping[str, ast.expr]) -> ast.expr:
        """What `function` returns for these `arguments`, after its steps."""
        if not isinstance(function, FunctionType):
            raise _Untranslatable
        body = _body(function)
        local = {name: self._named(name, value, _uses(name, body)) for name, value in arguments.items()}
        for at, statement in enumerate(body):
            if isinstance(statement, ast.Return) and statement.value is not None:
                return self._read(statement.value, local, function.__globals__)
            name, value = _assigned(statement)
            read = self._read(value, local, function.__globals__)
            local[name] = self._named(name, read, _uses(name, body[at + 1 :]))
        raise _Untranslatable

    def _named(self, name: str, value: ast.expr, uses_count: int) -> ast.expr:
        """`value` where it stands, or the name of a step when it is used more than once, or long; a yes is no value."""
        short = uses_count <= 1 and len(ast.unparse(value)) <= INSIDE_MAX_CHARACTERS
        if short or isinstance(value, ast.Name | ast.Constant | ast.Compare):
            return value
        return self._step(name, value)

    def _step(self, name: str, value: ast.expr) -> ast.expr:
        free, number = name.lstrip("_"), 2
        while free in self.taken:
            free, number = f"{name.lstrip('_')}_{number}", number + 1
        self.taken.add(free)
        self.steps.append(Step(free, ast.unparse(value)))
        return ast.Name(free)

    def _read(self, node: ast.expr, local: Mapping[str, ast.expr], known: Mapping[str, Any]) -> ast.expr:
        if isinstance(node, ast.Name):
            return local[node.id] if node.id in local else _number(known.get(node.id))
        if isinstance(node, ast.Constant):
            return _number(node.value)
        if isinstance(node, ast.BinOp):
            return _folded(self._read(node.left, local, known), node.op, self._read(node.right, local, known))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return ast.UnaryOp(ast.USub(), self._read(node.operand, local, known))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            right = self._read(node.comparators[0], local, known)
            return ast.Compare(self._read(node.left, local, known), node.ops, [right])
        if isinstance(node, ast.Call):
            return self._read_call(node, local, known)
        raise _Untranslatable

    def _read_call(self, node: ast.Call, local: Mapping[str, ast.expr], known: Mapping[str, Any]) -> ast.expr:
        name = _called(node.func)
        if name == "interp":
            return self._read_interpolation(node, local, known)
        given = [self._read(each, local, known) for each in node.args]
        if name == "asarray" and len(given) == 1:
            return given[0]
        if name == "clip" and len(given) == 3:
            return _call("min", _call("max", given[0], given[1]), given[2])
        if name in _READ_SEVERAL_TIMES and not isinstance(given[0], ast.Name | ast.Constant):
            given[0] = self._step(_READ_SEVERAL_TIMES[name], given[0])
        if name in _PUT_TOGETHER and len(given) == 1:
            return _PUT_TOGETHER[name](given[0])
        if name == "round" and len(given) == 2:
            return _call("round_half_even", *given)
        if name in _SAME_MEANING and not node.keywords:
            return _call(_SAME_MEANING[name], *given)
        target = known.get(name)
        function = target.function if isinstance(target, Formula) else target
        if not isinstance(function, FunctionType):
            raise _Untranslatable
        named = {each.arg: self._read(each.value, local, known) for each in node.keywords if each.arg}
        return self.call(function, {**dict(zip(inspect.signature(function).parameters, given, strict=False)), **named})

    def _read_interpolation(self, node: ast.Call, local: Mapping[str, ast.expr], known: Mapping[str, Any]) -> ast.expr:
        """``np.interp`` between constant points: the height at the first, and the rise over each piece reached."""
        at, *tables = node.args
        knots, heights = (_points(known.get(each.id)) if isinstance(each, ast.Name) else () for each in tables)
        place = self._read(at, local, known)
        place = place if isinstance(place, ast.Name) else self._step("place", place)
        found: ast.expr = _number(heights[0])
        for left, right, low, high in zip(knots[:-1], knots[1:], heights[:-1], heights[1:], strict=True):
            inside = _call("min", _call("max", place, _number(left)), _number(right))
            run = ast.BinOp(inside, ast.Sub(), _number(left)) if left else inside
            rise = ast.BinOp(run, ast.Mult(), _number((high - low) / (right - left)))
            found = rise if _is_number(found, 0) else ast.BinOp(found, ast.Add(), rise)
        return found


def _body(function: FunctionType) -> list[ast.stmt]:
    """The statements of `function` without its docstring."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if not isinstance(definition, ast.FunctionDef):
        raise _Untranslatable
    return [
        each for each in definition.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    ]


def _assigned(statement: ast.stmt) -> tuple[str, ast.expr]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
    else:
        raise _Untranslatable
    if not isinstance(target, ast.Name):
        raise _Untranslatable
    return target.id, value


def _uses(name: str, body: list[ast.stmt]) -> int:
    every = (each for statement in body for each in ast.walk(statement))
    return sum(isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load) for each in every)


def _points(value: object) -> tuple[float, ...]:
    if not isinstance(value, tuple):
        raise _Untranslatable
    return value


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "np":
        return function.attr
    if isinstance(function, ast.Name):
        return function.id
    raise _Untranslatable


def _number(value: object) -> ast.expr:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Untranslatable
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return ast.Constant(int(value) if whole else value)


def _folded(left: ast.expr, operation: ast.operator, right: ast.expr) -> ast.expr:
    """Two constants are one, and a factor of one is none."""
    compute = _COMPUTE.get(type(operation))
    if compute is None:
        raise _Untranslatable
    if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        return _number(compute(float(left.value), float(right.value)))  # type: ignore[arg-type]
    if isinstance(operation, ast.Mult | ast.Div) and _is_number(right, 1):
        return left
    return ast.BinOp(left, operation, right)


def _is_number(node: ast.expr, number: int) -> bool:
    return isinstance(node, ast.Constant) and node.value == number


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name), list(arguments), [])


def _magnitude(value: ast.expr) -> ast.expr:
    return _call("max", value, ast.UnaryOp(ast.USub(), value))


def _sinh(value: ast.expr) -> ast.expr:
    """Of two functions that lose no digits near zero, where ``exp(x) - exp(-x)`` does."""
    falls = _call("expm1", ast.UnaryOp(ast.USub(), value))
    return ast.BinOp(ast.BinOp(_call("expm1", value), ast.Sub(), falls), ast.Div(), ast.Constant(2))


_PUT_TOGETHER: Final[Mapping[str, Callable[[ast.expr], ast.expr]]] = {"abs": _magnitude, "sinh": _sinh}
"""Functions that the language puts together from others."""
