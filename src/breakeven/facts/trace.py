"""Trace: the tree behind one number: formula, inputs, values, Sources, and which layer supplied each of them.

A `Binder` resolves the names of a Formula's parameters in layers (derived by the Option > the user's scenario >
the Offer > the catalogue), evaluates it, and remembers how: every result is a `Node` that knows its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np

from breakeven.errors import UnknownName, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import Formula
from breakeven.facts.memory import Memory, active_memory
from breakeven.facts.source import Source
from breakeven.units import unit_of


class Layer(StrEnum):
    """Who supplied a value; the first of these that knows the name wins."""

    DERIVED = "derived"
    SCENARIO = "scenario"
    OFFER = "offer"
    CATALOGUE = "catalogue"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value with everything behind it; equal to itself alone."""

    name: str
    unit: str
    value: Draws
    layer: Layer
    inputs: tuple[Node, ...] = field(default=(), repr=False)
    """Not in the repr: a shared input would be printed once for each path to it."""
    formula: str = ""
    """``module.function`` of the Formula, or what derived the value."""
    summary: str = ""
    source: Source | None = None
    assumption: Assumption | None = None
    shadowed: tuple[tuple[Layer, Assumption], ...] = ()
    """The layers that also knew this name and lost."""
    weights: tuple[float, ...] = ()
    """One for each input where the value is their weighted sum; empty: it is something else."""

    def leaves(self) -> dict[str, Node]:
        """Every input without inputs of its own, by name."""
        if not self.inputs:
            return {self.name: self}
        found: dict[str, Node] = {}
        for each in self.inputs:
            found.update(each.leaves())
        return found


@dataclass(slots=True)
class Binder:
    """Resolves names to Nodes for one Option. `draw` turns an Assumption into draws (or its typical value)."""

    draw: Callable[[Assumption], Draws]
    catalogue: Mapping[str, Assumption]
    offer: Mapping[str, Assumption] = field(default_factory=dict)
    scenario: Mapping[str, Assumption] = field(default_factory=dict)
    formulas: dict[str, Formula] = field(default_factory=dict)
    """Formulas that may be asked for by name, so that a Formula's parameter may be another Formula."""
    lines_only: bool = False
    """Nobody reads what is for show: see `Evaluation`."""
    shown: dict[str, tuple[float, str, Source | None]] = field(default_factory=dict)
    """Value, how it came about, and Source of what a log shows: derived when somebody asks for it, unless the scenario
    sets the name itself. An Option that asks for none of it hangs on none of it."""
    _nodes: dict[str, Node] = field(default_factory=dict)
    _memory: Memory | None = field(default_factory=active_memory)
    """Where a Node that was made before, of the same things, is taken from."""
    _leaves: dict[str, tuple[Any, ...]] | None = None

    def derive(
        self,
        name: str,
        value: Draws | float,
        how: str,
        *inputs: Node,
        source: Source | None = None,
        weights: tuple[float, ...] = (),
    ) -> Node:
        """Bind `name` to a value that the Option computed itself; `weights`: as the weighted sum of `inputs`."""
        memory = self._memory
        if memory is None:
            node = _derived(name, np.asarray(value, dtype=np.float64), how, inputs, source, weights)
        else:
            array: Draws | None = None
            content: object = value
            if type(value) is not float or not value:  # a zero may have either sign
                array = memory.canonical(np.asarray(value, dtype=np.float64))
                content = (id(array),)
            key = (name, how, weights, content, id(source), inputs)
            known: Node | None = memory.thing(key)
            if known is None:
                array = memory.canonical(np.asarray(value, dtype=np.float64)) if array is None else array
                known = _derived(name, array, how, inputs, source, weights)
                memory.keep_thing(key, known, (source, array, *inputs), array.nbytes)
            node = known
        self._nodes[name] = node
        return node

    def supply(self, name: str, value: Draws | float, how: str, *inputs: Node) -> Node:
        """Like `derive`, but a scenario that sets `name` itself wins."""
        return self.node(name) if name in self.scenario else self.derive(name, value, how, *inputs)

    def rename(self, name: str, original: str, how: str) -> Node:
        """Bind `name` to the value of `original`, keeping its Trace; a scenario that sets `name` itself wins."""
        if name in self.scenario:
            return self.node(name)
        node = self.node(original)
        return self.derive(name, node.value, how, node)

    def node(self, name: str) -> Node:
        """The Node of `name`: a bound value, a Formula of that name, or the winning Assumption."""
        found = self._nodes.get(name)
        if found is None:
            found = self._nodes[name] = self._resolve(name)
        return found

    def is_bound(self, name: str) -> bool:
        """Whether `name` already has a Node."""
        return name in self._nodes

    def value(self, name: str) -> Draws:
        """The draws of `name`."""
        return self.node(name).value

    def evaluate(self, formula: Formula, name: str | None = None) -> Node:
        """Evaluate `formula`, resolving each parameter by name; optionally rename the result."""
        known = self._nodes
        inputs = tuple([known.get(each) or self.node(each) for each in formula.parameters])
        return self._evaluated(formula, inputs, name, "")

    def apply(self, formula: Formula, *inputs: Node, name: str | None = None, how: str = "") -> Node:
        """Evaluate `formula` on these Nodes, in the order of its parameters, whatever their names are.

        For what is made of its own former self (whole servers of the GPUs needed) or of a part of something.
        """
        return self._evaluated(formula, inputs, name, how)

    def _evaluated(self, formula: Formula, inputs: tuple[Node, ...], name: str | None, how: str) -> Node:
        memory = self._memory
        if memory is None:
            node = _applied(formula, inputs, name, how)
        else:
            key = (formula, name, how, inputs)
            known: Node | None = memory.thing(key)
            if known is None:
                known = _applied(formula, inputs, name, how, memory)
                memory.keep_thing(key, known, inputs, known.value.nbytes)
            node = known
        self._nodes[node.name] = node
        return node

    def _resolve(self, name: str) -> Node:
        said = self.scenario.get(name)
        if said is None and name in self.shown:
            value, how, source = self.shown[name]
            return self.derive(name, value, how, source=source)
        offered, listed = self.offer.get(name), self.catalogue.get(name)
        if said is not None or offered is not None or listed is not None:
            return self._fact(name, said, offered, listed)
        if name in self.formulas:
            return self.evaluate(self.formulas[name])
        everything = [*self._nodes, *self.shown, *self.scenario, *self.offer, *self.catalogue, *self.formulas]
        raise UnknownName(f"no fact or formula named '{name}'; {nearest(name, everything)}")

    def _fact(self, name: str, said: Assumption | None, offered: Assumption | None, listed: Assumption | None) -> Node:
        """The Node of the winning Assumption: the first that is there, of scenario, offer and catalogue."""
        by_layer, memory = (said, offered, listed), self._memory
        if memory is None:
            return _leaf(name, self.draw, by_layer)
        if self._leaves is None:
            self._leaves = memory.leaves(self.draw)
        last = self._leaves.get(name)
        if last is not None and last[0] is said and last[1] is offered and last[2] is listed:
            found: Node = last[3]
            return found
        key = (name, self.draw, tuple(map(id, by_layer)))
        known: Node | None = memory.thing(key)
        if known is None:
            known = _leaf(name, lambda each: memory.canonical(self.draw(each)), by_layer)
            memory.keep_thing(key, known, by_layer, known.value.nbytes)
        self._leaves[name] = (said, offered, listed, known)
        return known


_LAYERS: Final = (Layer.SCENARIO, Layer.OFFER, Layer.CATALOGUE)


def _leaf(name: str, draw: Callable[[Assumption], Draws], by_layer: Sequence[Assumption | None]) -> Node:
    known = [(layer, fact) for layer, fact in zip(_LAYERS, by_layer, strict=True) if fact is not None]
    (layer, assumption), *shadowed = known
    value = draw(assumption)
    return Node(
        name, assumption.unit, value, layer, source=assumption.source, assumption=assumption, shadowed=tuple(shadowed)
    )


def _derived(
    name: str, value: Draws, how: str, inputs: tuple[Node, ...], source: Source | None, weights: tuple[float, ...]
) -> Node:
    unit = unit_of(name)
    if unit is None:
        raise TypeError(f"'{name}' carries no unit; end it in one of units.UNIT_BY_SUFFIX")
    return Node(name, unit, value, Layer.DERIVED, inputs, summary=how, source=source, weights=weights)


def _applied(
    formula: Formula, inputs: tuple[Node, ...], name: str | None, how: str, memory: Memory | None = None
) -> Node:
    values = [each.value for each in inputs]
    found = formula(*values) if memory is None else memory.recall_known(formula.way, *values)
    value = np.asarray(found, dtype=np.float64)
    return Node(
        name or formula.name,
        formula.unit,
        value if memory is None else memory.canonical(value),
        Layer.DERIVED,
        inputs,
        formula=formula.qualified_name,
        summary=how or formula.summary,
    )
