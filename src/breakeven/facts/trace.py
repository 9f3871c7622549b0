"""Trace: the tree behind one number: formula, inputs, values, Sources, and which layer supplied each of them.

A `Binder` resolves the names of a Formula's parameters in layers (derived by the Option > the user's scenario >
the Offer > the catalogue), evaluates it, and remembers how: every result is a `Node` that knows its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from breakeven.errors import UnknownName, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import Formula
from breakeven.facts.source import Source
from breakeven.units import unit_of


class Layer(StrEnum):
    """Who supplied a value; the first of these that knows the name wins."""

    DERIVED = "derived"
    SCENARIO = "scenario"
    OFFER = "offer"
    CATALOGUE = "catalogue"


@dataclass(frozen=True, slots=True)
class Node:
    """One value with everything behind it."""

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
    _nodes: dict[str, Node] = field(default_factory=dict)

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
        unit = unit_of(name)
        if unit is None:
            raise TypeError(f"'{name}' carries no unit; end it in one of units.UNIT_BY_SUFFIX")
        array = np.asarray(value, dtype=np.float64)
        node = Node(name, unit, array, Layer.DERIVED, inputs, summary=how, source=source, weights=weights)
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
        if name not in self._nodes:
            self._nodes[name] = self._resolve(name)
        return self._nodes[name]

    def is_bound(self, name: str) -> bool:
        """Whether `name` already has a Node."""
        return name in self._nodes

    def value(self, name: str) -> Draws:
        """The draws of `name`."""
        return self.node(name).value

    def evaluate(self, formula: Formula, name: str | None = None) -> Node:
        """Evaluate `formula`, resolving each parameter by name; optionally rename the result."""
        return self.apply(formula, *(self.node(each) for each in formula.parameters), name=name)

    def apply(self, formula: Formula, *inputs: Node, name: str | None = None, how: str = "") -> Node:
        """Evaluate `formula` on these Nodes, in the order of its parameters, whatever their names are.

        For what is made of its own former self (whole servers of the GPUs needed) or of a part of something.
        """
        value = np.asarray(formula(*(each.value for each in inputs)), dtype=np.float64)
        node = Node(
            name or formula.name,
            formula.unit,
            value,
            Layer.DERIVED,
            inputs,
            formula=formula.qualified_name,
            summary=how or formula.summary,
        )
        self._nodes[node.name] = node
        return node

    def _resolve(self, name: str) -> Node:
        layers = (
            (Layer.SCENARIO, self.scenario),
            (Layer.OFFER, self.offer),
            (Layer.CATALOGUE, self.catalogue),
        )
        known = [(layer, facts[name]) for layer, facts in layers if name in facts]
        if known:
            layer, assumption = known[0]
            return Node(
                name,
                assumption.unit,
                self.draw(assumption),
                layer,
                source=assumption.source,
                assumption=assumption,
                shadowed=tuple(known[1:]),
            )
        if name in self.formulas:
            return self.evaluate(self.formulas[name])
        everything = [*self._nodes, *self.scenario, *self.offer, *self.catalogue, *self.formulas]
        raise UnknownName(f"no fact or formula named '{name}'; {nearest(name, everything)}")
