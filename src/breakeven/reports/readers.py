"""Readers: which formulas take a fact as a parameter, and which modules of the cost model name it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import breakeven
from breakeven.facts.formula import Formula

ROOMS: Final = ("serving", "outcomes", "costs", "options", "decision")
"""Where facts are read."""


@cache
def all_formulas() -> tuple[Formula, ...]:
    """Every Formula of the cost model, by qualified name."""
    found: dict[str, Formula] = {}
    for module in _modules():
        for value in vars(importlib.import_module(module)).values():
            if isinstance(value, Formula):
                found[value.qualified_name] = value
    return tuple(found[name] for name in sorted(found))


def formulas_reading(fact: str) -> tuple[Formula, ...]:
    """The Formulas that have `fact` as a parameter.

    >>> formulas_reading("no_such_fact_usd")
    ()
    """
    return tuple(each for each in all_formulas() if fact in each.parameters)


def modules_naming(name: str) -> tuple[str, ...]:
    """Modules whose code holds `name` as a text: they bind the fact under another name, or choose the offer."""
    return tuple(module for module in _modules() if name in _texts(module))


def _modules() -> Iterator[str]:
    for module in pkgutil.walk_packages(breakeven.__path__, "breakeven."):
        if module.name.split(".")[1] in ROOMS:
            yield module.name


@cache
def _texts(module: str) -> frozenset[str]:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return frozenset()
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return frozenset(
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
