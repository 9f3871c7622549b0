"""Cells: the Nodes of the typical run as a table of values and expressions, each of them once.

Where a Node is another's value under a new name, the other's cell is used; where two Nodes say the same of the same
cells, there is one. A value whose arithmetic cannot be written down (the serving model's capacity) is given: the facts
below it are fixed, since changing them in a spreadsheet would change half of what they do.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from breakeven.decision.workbook.expression import evaluate, names_in
from breakeven.decision.workbook.translation import Step, translate
from breakeven.facts.assumption import Assumption
from breakeven.facts.formula import Formula
from breakeven.facts.source import Source
from breakeven.facts.trace import Node
from breakeven.units import unit_of

VOLUME_FORMULA: Final = "breakeven.options.assembly.demand.volume_mtok_per_month"
"""The value that the months move."""
NEVER_LIVE: Final = frozenset({"horizon_months"})
"""Facts that decide how many columns there are."""
TERMS_MAX_COUNT: Final = 50
"""Terms of one sum: a spreadsheet's formula may not be longer than 8,192 characters."""
AGREES_FRACTION: Final = 1e-10
"""An expression that is farther than this from the value that it stands for is not taken."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of the typical run."""

    key: str
    name: str
    unit: str
    value: float | None
    """Today's; None: it belongs to the months alone."""
    expression: str = ""
    """Over the names of `inputs`; empty: the value is given."""
    month_expression: str = ""
    """The same for a month, where it differs from today's."""
    month_values: tuple[float, ...] = ()
    """The months' values where they are given."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Name in the expression -> key of the cell."""
    summary: str = ""
    layer: str = ""
    is_modelled: bool = False
    """True: something computed it that is not written down here."""
    behind: tuple[str, ...] = ()
    """Keys of what a model read."""
    moves: bool = False
    """True: it has a value for each month."""
    owner: str = ""
    """The option that it belongs to; empty: a fact, or what several options may read."""
    step_of: str = ""
    """For a step on the way: key of the cell that it leads to."""
    assumption: Assumption | None = None
    source: Source | None = None


REFERENCES: Final = ("today:", "before:", "after:", "first:", "until:", "sum:")
"""What may stand before a key: another column of the same cell, or several of them."""


@lru_cache(maxsize=8192)
def cell_of(reference: str) -> str:
    """The key that a reference names.

    >>> cell_of("sum:hybrid/cash_usd"), cell_of("hybrid/cash_usd")
    ('hybrid/cash_usd', 'hybrid/cash_usd')
    """
    head, colon, key = reference.partition(":")
    return key if head + colon in REFERENCES else reference


@dataclass(slots=True)
class CellTable:
    """Collects Nodes; `cells` is in an order in which each comes after what it reads."""

    cells: dict[str, Cell] = field(default_factory=dict)
    volumes: dict[str, list[str]] = field(default_factory=dict)
    """Option -> keys of its volumes."""
    fixed: set[str] = field(default_factory=set)
    """Keys of facts that act through a model."""
    leaves: dict[str, str] = field(default_factory=dict)
    """Names that an option was given without saying how, and the cells that they stand for."""
    _keys: dict[int, str] = field(default_factory=dict)
    _kept: list[Node] = field(default_factory=list)
    _known: dict[tuple[object, ...], str] = field(default_factory=dict)

    def add(self, node: Node, owner: str) -> str:
        """Add `node` of the option `owner` with everything below it; returns its key."""
        if id(node) not in self._keys:
            self._kept.append(node)  # keeps id(node) from being reused
            self._keys[id(node)] = self._added(node, owner)
        return self._keys[id(node)]

    def keep(self, cell: Cell, owner: str) -> str:
        """Add a cell that no Node stands for, or find the one that says the same; returns its key."""
        read = tuple(sorted(cell.inputs.items()))
        identity = (cell.name, cell.expression, cell.month_expression, cell.month_values, cell.value, read, owner)
        return self._kept_once(identity, cell, owner)

    def below(self, keys: Iterable[str], owner: str) -> set[str]:
        """Keys of all cells that `keys` follow from, themselves included, as far as they are no other option's."""
        found: set[str] = set()
        todo = list(keys)
        while todo:
            key = todo.pop()
            if key not in found and self.cells[key].owner in ("", owner):
                found.add(key)
                todo += [*(cell_of(each) for each in self.cells[key].inputs.values()), *self.cells[key].behind]
        return found

    def today(self, key: str) -> float:
        """Today's value of a cell that has one."""
        value = self.cells[key].value
        assert value is not None, key
        return value

    def inputs(self) -> tuple[str, ...]:
        """Keys of the facts that may be changed."""
        return tuple(key for key, each in self.cells.items() if each.assumption is not None and key not in self.fixed)

    def _added(self, node: Node, owner: str) -> str:
        if not node.inputs:
            return self._leaf(node, owner)
        keys = tuple(self.add(each, owner) for each in node.inputs)
        if len(keys) == 1 and (node.weights == (1.0,) or (not node.formula and node.value is node.inputs[0].value)):
            return keys[0]
        return self._written(node, owner, keys) or self._modelled(node, owner, keys)

    def _leaf(self, node: Node, owner: str) -> str:
        fact = node.assumption
        if fact is None and node.name in self.leaves:
            return self.leaves[node.name]
        cell = Cell("", node.name, node.unit, _number(node), summary=node.summary, layer=node.layer.value)
        if fact is not None:
            identity: tuple[object, ...] = (fact.name, fact.low, fact.typical, fact.high, fact.source.title, node.layer)
            key = self._kept_once(identity, replace(cell, assumption=fact, source=fact.source), "")
            self.fixed.update({key} if node.name in NEVER_LIVE else ())
            return key
        if node.source is not None:
            return self._kept_once((node.name, cell.value, node.summary), replace(cell, source=node.source), "")
        return self._kept_once((node.name, owner, cell.value, node.summary), cell, owner)

    def _written(self, node: Node, owner: str, keys: tuple[str, ...]) -> str | None:
        """The cell of `node` with its arithmetic, after the cells of its steps; None when it cannot be written down."""
        names, steps = _arithmetic(node)
        if steps is None:
            return None
        known = dict(zip(names, keys, strict=True))
        values = _computed(steps, {name: self.today(key) for name, key in known.items()})
        if values is None or not math.isclose(
            values[steps[-1].name], _number(node), rel_tol=AGREES_FRACTION, abs_tol=1e-300
        ):
            return None
        for step in steps[:-1]:
            cell = Cell(
                "", step.name, unit_of(step.name) or "", values[step.name], summary=f"a step towards {node.name}"
            )
            known[step.name] = self._follows(replace(cell, step_of=node.name), step, known, owner, node)
        cell = Cell("", node.name, node.unit, _number(node), summary=node.summary, source=node.source)
        return self._follows(cell, steps[-1], known, owner, node)

    def _follows(self, cell: Cell, step: Step, known: Mapping[str, str], owner: str, node: Node) -> str:
        """Keep `cell`, which follows from others; where it moves, it is its option's own."""
        read = {name: known[name] for name in names_in(step.expression)}
        is_volume = node.formula == VOLUME_FORMULA
        moves = is_volume or any(self.cells[each].moves for each in read.values())
        owns = owner if moves or any("/" in each for each in read.values()) else ""
        cell = replace(cell, expression=step.expression, inputs=read, moves=moves, layer=node.layer.value)
        key = self._kept_once((cell.name, cell.step_of, step.expression, *sorted(read.items()), owns), cell, owns)
        if is_volume and key not in self.volumes.setdefault(owner, []):
            self.volumes[owner].append(key)
        return key

    def _modelled(self, node: Node, owner: str, keys: tuple[str, ...]) -> str:
        self.fixed.update(each for each in self.below(keys, owner) if self.cells[each].assumption is not None)
        cell = Cell("", node.name, node.unit, _number(node), summary=node.summary, layer=node.layer.value)
        moves = any(self.cells[each].moves for each in keys)
        cell = replace(cell, is_modelled=True, behind=keys, moves=moves, source=node.source)
        return self._kept_once((node.name, cell.value, node.summary, keys), cell, owner if moves else "")

    def _kept_once(self, identity: tuple[object, ...], cell: Cell, owner: str) -> str:
        """The key of `cell`: a new one under its option's name, or the one of a cell that says the same."""
        if identity not in self._known:
            stem = f"{owner}/{cell.name}" if owner else cell.name
            key, number = stem, 2
            while key in self.cells:
                key, number = f"{stem}.{number}", number + 1
            self.cells[key] = replace(cell, key=key, owner=owner)
            self._known[identity] = key
        return self._known[identity]


def _number(node: Node) -> float:
    return float(node.value.flat[0])


def _computed(steps: Iterable[Step], values: dict[str, float]) -> dict[str, float] | None:
    """`values` and those of the steps; None where they come to no number."""
    try:
        for step in steps:
            values[step.name] = evaluate(step.expression, values)
    except (ArithmeticError, ValueError):
        return None
    return values


def _arithmetic(node: Node) -> tuple[tuple[str, ...], tuple[Step, ...] | None]:
    """Names of the inputs of `node`, in order, and what is done with them; None: it cannot be written down."""
    if node.weights:
        names = _distinct(each.name for each in node.inputs)
        return names, _weighted(node.name, names, node.weights)
    formula = _formula_of(node)
    return (formula.parameters, translate(formula)) if formula else ((), None)


def _formula_of(node: Node) -> Formula | None:
    """The Formula that evaluated `node`."""
    module, _, name = node.formula.rpartition(".")
    found = getattr(importlib.import_module(module), name, None) if module else None
    return found if isinstance(found, Formula) else None


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        free, number = name, 2
        while free in found:
            free, number = f"{name}_{number}", number + 1
        found.append(free)
    return tuple(found)


def _weighted(name: str, names: tuple[str, ...], weights: tuple[float, ...]) -> tuple[Step, ...]:
    """A weighted sum; of very many terms, a sum of sums.

    >>> _weighted("total_usd", ("a_usd", "b_usd"), (1.0, 0.25))[0].expression
    'a_usd + b_usd * 0.25'
    """
    terms = [each if weight == 1 else f"{each} * {weight!r}" for each, weight in zip(names, weights, strict=True)]
    if len(terms) <= TERMS_MAX_COUNT:
        return (Step(name, " + ".join(terms)),)
    starts = range(0, len(terms), TERMS_MAX_COUNT)
    parts = [Step(f"part_{at}", " + ".join(terms[start : start + TERMS_MAX_COUNT])) for at, start in enumerate(starts)]
    return (*parts, *_weighted(name, tuple(each.name for each in parts), (1.0,) * len(parts)))
