"""Price watch causes: which values explain the move of an option's cost, found by changing them one at a time.

The traces of the two documents are walked side by side. Where both name the same formula over the same names, the
formula itself is run again; everything else that changed is a cause. The causes are put into the old trace one by one,
the largest first, so that together they give exactly what the new trace gives at its medians.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Final

import numpy as np

from breakeven.facts.formula import Formula
from breakeven.reports.document import Document, TraceNodePart
from breakeven.reports.price_watch_part import CausePart, MedianPart

TOTAL: Final = "total_usd_per_month"
OURS: Final = "breakeven."
"""A document may name only formulas of this package: nothing else is imported."""
RELATIVE_NOISE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Causes:
    """What explains a move."""

    causes: tuple[CausePart, ...]
    rest_usd_per_month: float


@dataclass(frozen=True, slots=True)
class _Pair:
    """A value in both traces, and what it is made of there."""

    key: tuple[str, str]
    formula: Formula | None
    """None with inputs: their sum; None without: a value as it is."""
    inputs: tuple[_Pair, ...]


@dataclass(slots=True)
class _Walk:
    """Two traces side by side."""

    before: Mapping[str, TraceNodePart]
    after: Mapping[str, TraceNodePart]
    pairs: dict[tuple[str, str], _Pair] = field(default_factory=dict)

    def pair(self, old: str, new: str) -> _Pair:
        """The two nodes, with their inputs where both are made the same way."""
        key = (old, new)
        if key not in self.pairs:
            formula = self._formula(old, new)
            deeper = formula is not None or self._is_sum(old, new)
            inputs = zip(self.before[old].inputs, self.after[new].inputs, strict=True) if deeper else ()
            self.pairs[key] = _Pair(key, formula, tuple(self.pair(*each) for each in inputs))
        return self.pairs[key]

    def _formula(self, old: str, new: str) -> Formula | None:
        one, other = self.before[old], self.after[new]
        if one.formula != other.formula or not self._same_inputs(one, other):
            return None
        found = _formula_called(one.formula)
        return found if found is not None and len(found.parameters) == len(one.inputs) else None

    def _is_sum(self, old: str, new: str) -> bool:
        """A total, or a value handed on under another name."""
        one, other = self.before[old], self.after[new]
        if not self._same_inputs(one, other):
            return False
        return one.name == other.name == TOTAL or all(
            len(node.inputs) == 1 and not node.formula and not _differs(node.p50, trace[node.inputs[0]].p50)
            for node, trace in ((one, self.before), (other, self.after))
        )

    def _same_inputs(self, one: TraceNodePart, other: TraceNodePart) -> bool:
        names = [[trace[each].name for each in node.inputs if each in trace]
                 for node, trace in ((one, self.before), (other, self.after))]  # fmt: skip
        return bool(one.inputs) and names[0] == names[1] and len(names[0]) == len(one.inputs) == len(other.inputs)


def causes(before: Document, after: Document, option: str) -> Causes:
    """What explains the move of the monthly bill of `option`, which both documents have."""
    old, new = (next(each for each in document.options if each.name == option) for document in (before, after))
    move = new.usd_per_month.p50 - old.usd_per_month.p50
    if old.total_trace not in before.trace or new.total_trace not in after.trace:
        return Causes((), move)
    walk = _Walk(before.trace, after.trace)
    root = walk.pair(old.total_trace, new.total_trace)
    values = {key: before.trace[key[0]].p50 for key, pair in walk.pairs.items() if not pair.inputs}
    changed = [key for key in values if _differs(before.trace[key[0]].p50, after.trace[key[1]].p50)]
    start = _value(root, values)
    alone = {key: _value(root, values | {key: after.trace[key[1]].p50}) - start for key in changed}
    found, reached = [], start
    for key in sorted(changed, key=lambda each: (-abs(alone[each]), each)):
        values[key] = after.trace[key[1]].p50
        now = _value(root, values)
        if _differs(now, reached):
            found.append(_cause(before.trace[key[0]], after.trace[key[1]], now - reached))
        reached = now
    found.sort(key=lambda each: -abs(each.effect_usd_per_month))
    return Causes(tuple(found), move - (reached - start))


def _value(pair: _Pair, values: Mapping[tuple[str, str], float]) -> float:
    """The value of `pair` when its leaves have `values`; each shared value is calculated once."""
    known: dict[tuple[str, str], float] = dict(values)

    def value(each: _Pair) -> float:
        if each.key not in known:
            inputs = [value(below) for below in each.inputs]
            known[each.key] = sum(inputs) if each.formula is None else _run(each.formula, inputs)
        return known[each.key]

    return value(pair)


def _run(formula: Formula, inputs: list[float]) -> float:
    with np.errstate(all="ignore"):
        return float(np.asarray(formula(*(np.array([each]) for each in inputs))).ravel()[0])


@cache
def _formula_called(name: str) -> Formula | None:
    """The formula of this package called ``module.function``; None when there is none."""
    module, _, function = name.rpartition(".")
    if not name.startswith(OURS):
        return None
    try:
        found = getattr(import_module(module), function, None)
    except ImportError:
        return None
    return found if isinstance(found, Formula) else None


def _differs(one: float, other: float) -> bool:
    return abs(one - other) > RELATIVE_NOISE * max(abs(one), abs(other))


def _cause(old: TraceNodePart, new: TraceNodePart, effect: float) -> CausePart:
    return CausePart(name=new.name, unit=new.unit, before=_median(old), after=_median(new), effect_usd_per_month=effect)


def _median(node: TraceNodePart) -> MedianPart:
    source = node.source
    return MedianPart(value=node.p50, source=source.title if source else "", read=source.read if source else "")
