"""The six drains: costs that a per-token price hides. One file each; Options take the folder's lines."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from breakeven.costs.line import CostLine
from breakeven.facts.formula import Formula
from breakeven.facts.trace import Binder


class Drain(Protocol):
    """A module in this folder."""

    @staticmethod
    def line(binder: Binder) -> CostLine:
        """The drain's line for the Option behind `binder`."""
        ...


@cache
def drain_names() -> tuple[str, ...]:
    """Names of the drains, in alphabetical order: the folder is the registry."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


@cache
def _drains() -> tuple[tuple[Drain, ...], dict[str, Formula]]:
    """The drains, and all their formulas by name."""
    modules = [import_module(f"{__name__}.{name}") for name in drain_names()]
    formulas = {name: each for module in modules for name, each in vars(module).items() if isinstance(each, Formula)}
    return tuple(cast(Drain, module) for module in modules), formulas


def drain_lines(binder: Binder) -> tuple[CostLine, ...]:
    """One line per drain; a drain may ask for another's formula by name, whatever the order."""
    drains, formulas = _drains()
    binder.formulas.update(formulas)
    return tuple(drain.line(binder) for drain in drains)
