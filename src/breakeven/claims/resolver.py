"""Resolver: works out a quantity from what a claim gives, and nothing else, keeping the Trace of how.

Unlike a `Binder` it knows several ways to one quantity and takes the best of those that what is given allows; and where
there is none, it can say what would have been enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from breakeven.claims.derivation import Chosen, derive
from breakeven.claims.dimensions import factor, split_period, stem_of, unit_of_name
from breakeven.claims.gaps import Gap
from breakeven.claims.registry import AMOUNT_UNITS, for_period
from breakeven.claims.rules import WHOLE_PERIODS, Rule, rules_with
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.trace import Layer, Node

if TYPE_CHECKING:
    from breakeven.claims.arithmetic import Definition

BY_DEFINITION: Final = {
    "hours_per_hour": 1.0,
    "hours_per_day": 24.0,
    "requests_per_request": 1.0,
    "tokens_per_mtok": 1e6,
    "mtok_per_mtok": 1.0,
}
USUAL_HOURS_PER_MONTH: Final = 730.0
_DEFINITION_COST: Final = 1.0
_UNIT_COST: Final = 0.5
_PARTS_COST: Final = 100.0


@dataclass(slots=True)
class Plan:
    """The best rule for every name; the same for all resolvers with the same given names."""

    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    """What needs no rule: given, so by definition, defined, or had from the parts together."""
    chosen: Mapping[str, Chosen] | None = None


@dataclass(slots=True)
class Resolver:
    """Quantities of one claim, or of one of its parts."""

    given: Mapping[str, Assumption]
    draw: Callable[[Assumption], Draws]
    unpriced: frozenset[str] = frozenset()
    """Prices of which the claim says that nobody knows them."""
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    """Names that a part gives itself, not inherited."""
    parts: tuple[Resolver, ...] = ()
    beside: Node | None = None
    """Lines, USD per month, to count beside those of the claim."""
    plan: Plan = field(default_factory=Plan)
    _nodes: dict[str, Node | None] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def find(self, name: str) -> Node | Gap:
        """The quantity `name` with its Trace, or why it cannot be had."""
        return self.node(name) or self._gap(name)

    def node(self, name: str) -> Node | None:
        """The quantity `name` with its Trace; None where it cannot be had."""
        if name not in self._nodes:
            self._solve(name)
            node = self._stated(name)
            if node is None and name in self._choices:
                node = self._by_rule(name, self._choices[name])
            node = node and self._with_lines_beside(node, name)
            self._nodes[name] = node or self._parts_together(name)
        return self._nodes[name]

    @property
    def _choices(self) -> Mapping[str, Chosen]:
        return self.plan.chosen or {}

    def _solve(self, name: str) -> None:
        """Find the best rule for every name, once; again when a name is asked for that no rule knows."""
        plan = self.plan
        if plan.chosen is not None and (name in plan.rules or name in plan.known):
            return
        plan.rules = rules_with({name, *plan.rules, *self.given, *self.definitions})
        plan.rules = plan.rules if name in plan.rules else {**plan.rules, name: ()}
        plan.chosen = {}
        stated = dict.fromkeys((*self.given, *BY_DEFINITION), 0.0)
        for each in plan.rules:
            if each not in stated and self._in_another_unit(each) is not None:
                stated[each] = _UNIT_COST
        stated |= {each: _DEFINITION_COST for each in self.definitions if each not in stated}
        stated |= dict.fromkeys(self._amounts_of_parts(stated), _PARTS_COST)
        stated = {each: cost for each, cost in stated.items() if each not in self.unpriced}
        plan.known = frozenset(stated)
        zero = {each for each, fact in self.given.items() if fact.high == 0}
        plan.chosen = derive(plan.rules, stated, zero)

    def _amounts_of_parts(self, stated: Mapping[str, float]) -> list[str]:
        """Amounts that only the parts can give, and that add up."""
        if not self.parts:
            return []
        return [each for each in self.plan.rules if each not in stated and self._parts_together(each) is not None]

    def _stated(self, name: str) -> Node | None:
        """Given, so by definition, defined, or given in another unit."""
        if name in self.unpriced:
            return None
        if name in self.given:
            return self._fact(name)
        if name in BY_DEFINITION:
            return _derived(name, np.array([BY_DEFINITION[name]]), "by definition")
        if name in self.definitions:
            return self._defined(name)
        return self._in_another_unit(name)

    def _defined(self, name: str) -> Node | None:
        if name in self._open:
            return None
        self._open.append(name)
        try:
            found = self.definitions[name].evaluate(self.find)
        finally:
            self._open.pop()
        return found if isinstance(found, Node) else None

    def _in_another_unit(self, name: str) -> Node | None:
        stem, unit = stem_of(name), unit_of_name(name)
        if stem is None or unit is None:
            return None
        for other in self.given:
            times = factor(self.given[other].unit, unit) if stem_of(other) == stem else None
            if times is not None:
                node = self._fact(other)
                return _derived(name, node.value * times, "the same in another unit", node)
        return None

    def _fact(self, name: str) -> Node:
        fact = self.given[name]
        return Node(name, fact.unit, self.draw(fact), Layer.SCENARIO, source=fact.source, assumption=fact)

    def _by_rule(self, name: str, chosen: Chosen) -> Node | None:
        inputs = [self.node(each) for each in (chosen.inputs if chosen.rule.kind == "sum" else chosen.rule.inputs)]
        nodes = [each for each in inputs if each is not None]
        if len(nodes) < len(inputs):
            return None
        values = [each.value for each in nodes]
        rule = chosen.rule
        with np.errstate(divide="ignore", invalid="ignore"):
            if rule.way is not None:
                value = np.asarray(rule.way.formula(*values), dtype=np.float64)
            elif rule.kind == "sum":
                value = np.asarray(np.sum(np.broadcast_arrays(*values), axis=0))
            elif rule.kind == "unit":
                value = values[0] * rule.times_ratio
            else:
                value = values[0] * values[1] if rule.kind == "product" else values[0] / values[1]
        if np.isnan(value).any():
            return None
        formula = rule.way.formula.qualified_name if rule.way else ""
        return Node(
            name, unit_of_name(name) or "", value, Layer.DERIVED, tuple(nodes), formula=formula, summary=_summary(rule)
        )

    def _parts_together(self, name: str) -> Node | None:
        """The parts' amounts added up; a part counts only with something of its own, so that nothing counts twice."""
        base, period = split_period(name)
        if not self.parts or unit_of_name(base) not in AMOUNT_UNITS | {"count"} or period not in WHOLE_PERIODS:
            return None
        found = [part.node(name) for part in self.parts]
        nodes = [each for each in found if each is not None]
        if len(nodes) < len(found) or not all(map(_counts_once, self.parts, nodes)):
            return None
        value: Draws = np.sum(np.broadcast_arrays(*(each.value for each in nodes)), axis=0)
        return _derived(name, value, "all parts of the claim together", *nodes)

    def _with_lines_beside(self, node: Node, name: str) -> Node:
        """The running cost with the lines that the claim left out, where they are to be counted."""
        base, period = split_period(name)
        if self.beside is None or period not in WHOLE_PERIODS or node.formula.endswith(".stated_running_usd"):
            return node
        chosen = self._choices.get(name)
        is_first = chosen is None or chosen.rule.kind in ("formula", "sum")
        if not is_first or (base != "running_usd" and not (base == "host_usd" and chosen is None)):
            return node
        added = self._lines_for(period)
        if added is None:
            return node
        return _derived(name, node.value + added, "with the lines that the claim leaves out", node, self.beside)

    def _lines_for(self, period: str) -> Draws | None:
        assert self.beside is not None
        monthly = self.beside.value
        if period in ("month", "year"):
            return monthly * (12.0 if period == "year" else 1.0)
        month, span = self.node("hours_per_month"), self.node(for_period("hours", period))
        length = month.value if month else USUAL_HOURS_PER_MONTH
        return monthly / length * span.value if span else None

    def _gap(self, name: str) -> Gap:
        """What is missing, by the rules that would lead there; and the unknown prices, where only those are."""
        unpriced: tuple[str, ...] = ()
        if self.unpriced:
            zeros = {each: _placeholder(each) for each in self.unpriced}
            priced = Resolver({**self.given, **zeros}, _one, definitions=self.definitions, parts=self.parts)
            found = priced.node(name)
            if found is not None:
                unpriced = tuple(each for each in sorted(self.unpriced) if each in found.leaves())
        ways = [way for rule in self.plan.rules.get(name, ()) for way in self._lacks(rule)]
        if name in self.definitions:
            ways = [tuple(each for each in self.definitions[name].names() if not self._has(each))]
        return Gap(name, tuple(dict.fromkeys(ways)), unpriced)

    def _lacks(self, rule: Rule) -> list[tuple[str, ...]]:
        """The inputs that a rule lacks; of a sum any of its addends would do, but an amount of its needs its price."""
        missing = tuple(each for each in rule.inputs if not self._has(each))
        if rule.kind == "formula":
            return [missing]
        if rule.total is None:
            return []
        _, period = split_period(rule.target)
        for addend in rule.total.addends:
            name = for_period(addend.name, period)
            if addend.wanted_when and self._has(for_period(addend.wanted_when, period)) and not self._has(name):
                return [way for each in self.plan.rules.get(name, ()) for way in self._lacks(each)]
        return [(each,) for each in missing]

    def _has(self, name: str) -> bool:
        return name in self.plan.known or name in self._choices


def _counts_once(part: Resolver, node: Node) -> bool:
    """Whether an amount of a part rests on something of its own and on no amount that all parts share."""
    leaves = set(node.leaves())
    shared = {split_period(each)[0] for each in leaves - part.own - set(BY_DEFINITION)}
    return bool(leaves & part.own) and not any(unit_of_name(each) in AMOUNT_UNITS - {"hour"} for each in shared)


def _summary(rule: Rule) -> str:
    if rule.way is not None:
        return rule.way.formula.summary
    if rule.total is not None:
        return rule.total.summary
    if rule.kind == "unit":
        return "the same in another unit"
    return f"{rule.inputs[0]} {'times' if rule.kind == 'product' else 'over'} {rule.inputs[1]}"


def _derived(name: str, value: Draws, how: str, *inputs: Node) -> Node:
    return Node(name, unit_of_name(name) or "", value, Layer.DERIVED, inputs, summary=how)


def _placeholder(name: str) -> Assumption:
    from datetime import date

    from breakeven.facts.source import Grade, Source

    return Assumption(name, unit_of_name(name) or "", 1.0, 1.0, 1.0, Source("unpriced", "", date.min, Grade.GUESS))


def _one(fact: Assumption) -> Draws:
    return np.array([fact.typical])
