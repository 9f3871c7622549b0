"""Derivation: which names follow from what a claim states, and by which rule each is had best.

Knuth's generalisation of Dijkstra's algorithm ("A generalization of Dijkstra's algorithm", Information Processing
Letters 6(1), 1977): a name costs the weight of its rule and the cost of its inputs, and is settled when it is the
cheapest left. No name is ever had from itself, and the time is that of one walk over the rules.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from breakeven.claims.dimensions import split_period
from breakeven.claims.registry import for_period
from breakeven.claims.rules import Rule


@dataclass(frozen=True, slots=True)
class Chosen:
    """The best rule for a name, and the inputs to use (of a sum: those that are there)."""

    rule: Rule
    inputs: tuple[str, ...]


def derive(
    rules: Mapping[str, tuple[Rule, ...]], stated: Mapping[str, float], zero: Collection[str] = ()
) -> dict[str, Chosen]:
    """The best rule for every name that follows from the stated ones (name -> cost of taking it as stated).

    `zero`: stated amounts of nothing, which no price needs to be known for.
    """
    bases = {split_period(name)[0] for name in stated}
    usable = [rule for each in rules.values() for rule in each if _may_be_used(rule, stated, bases)]
    reachable = _reachable(usable, stated)
    usable = [rule for rule in usable if _can_fire(rule, reachable)]  # most never can; nothing below misses them
    while True:
        reachable = _reachable(usable, stated)
        blocked = [rule for rule in usable if rule.kind == "sum" and _lacks_a_price(rule, reachable, zero)]
        if not blocked:
            break
        gone = set(map(id, blocked))
        usable = [rule for rule in usable if id(rule) not in gone]
    return _Settling(usable, reachable, stated).run()


def _may_be_used(rule: Rule, stated: Mapping[str, float], bases: set[str]) -> bool:
    if rule.target in stated or not all(each in stated for each in rule.given):
        return False
    # a claim that states the whole for one period means it for all: its lines are no other whole
    return not (rule.total is not None and rule.total.name in bases)


def _can_fire(rule: Rule, reachable: set[str]) -> bool:
    """Whether enough of its inputs are there: all, or of a sum any."""
    if rule.kind == "sum":
        return not reachable.isdisjoint(rule.inputs)
    return reachable.issuperset(rule.inputs)


def _reachable(rules: list[Rule], stated: Mapping[str, float]) -> set[str]:
    """Every name that some chain of rules leads to."""
    waiting: dict[str, list[int]] = {}
    missing = []
    for index, rule in enumerate(rules):
        wanted = set(rule.inputs)
        missing.append(1 if rule.kind == "sum" else len(wanted))
        for name in wanted:
            if name in waiting:
                waiting[name].append(index)
            else:
                waiting[name] = [index]
    found, todo = set(stated), list(stated)
    while todo:
        for index in waiting.get(todo.pop(), ()):
            missing[index] -= 1
            target = rules[index].target
            if missing[index] == 0 and target not in found:
                found.add(target)
                todo.append(target)
    return found


def _lacks_a_price(rule: Rule, reachable: set[str], zero: Collection[str]) -> bool:
    """Whether the claim has an amount that a sum should hold, but not what it costs."""
    assert rule.total is not None
    _, period = split_period(rule.target)
    for addend in rule.total.addends:
        amount = for_period(addend.wanted_when, period) if addend.wanted_when else ""
        if amount in reachable and amount not in zero and for_period(addend.name, period) not in reachable:
            return True
    return False


@dataclass(slots=True)
class _Settling:
    """One run of the algorithm."""

    rules: list[Rule]
    reachable: set[str]
    stated: Mapping[str, float]
    cost: dict[str, float] = field(default_factory=dict)
    chosen: dict[str, Chosen] = field(default_factory=dict)

    def run(self) -> dict[str, Chosen]:
        inputs = [tuple(dict.fromkeys(each for each in rule.inputs if each in self.reachable)) for rule in self.rules]
        waiting: dict[str, list[int]] = {}
        missing = []
        for index, rule in enumerate(self.rules):
            ready = rule.kind == "sum" or set(rule.inputs) <= self.reachable
            missing.append(len(inputs[index]) if ready and inputs[index] else -1)
            for name in inputs[index]:
                waiting.setdefault(name, []).append(index)
        heap: list[tuple[float, int, str]] = [(cost, -1, name) for name, cost in self.stated.items()]
        heapq.heapify(heap)
        while heap or self._unlock(missing, inputs, heap):
            cost, index, name = heapq.heappop(heap)
            if name in self.cost:
                continue
            self.cost[name] = cost
            if index >= 0:
                used = tuple(each for each in inputs[index] if each in self.cost)
                self.chosen[name] = Chosen(self.rules[index], used)
            for each in waiting.get(name, ()):
                missing[each] -= 1
                if missing[each] == 0:
                    self._offer(each, inputs[each], heap)
        return self.chosen

    def _offer(self, index: int, inputs: tuple[str, ...], heap: list[tuple[float, int, str]]) -> None:
        rule = self.rules[index]
        cost = rule.weight + sum(self.cost[each] for each in inputs if each in self.cost)
        heapq.heappush(heap, (cost, index, rule.target))

    def _unlock(self, missing: list[int], inputs: list[tuple[str, ...]], heap: list[tuple[float, int, str]]) -> bool:
        """Sums that wait for a part of themselves go on with the addends that are there."""
        for index, rule in enumerate(self.rules):
            there = any(each in self.cost for each in inputs[index])
            if rule.kind == "sum" and missing[index] > 0 and rule.target not in self.cost and there:
                missing[index] = -1
                self._offer(index, inputs[index], heap)
                return True
        return False
