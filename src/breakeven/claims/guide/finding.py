"""Finding: what testing one claim of the guide gave: figures with a Trace, a verdict, and why, in plain words.

Texts are templates: ``{key}`` is the median of the Figure of that key with its unit, ``{key:range}`` its P50 with P10
and P90. A saving reads ``43 % less`` or ``12 % more`` (``{key:plain}`` leaves it a share), odds ``97 of 100``. So no
sentence holds a number of ours that is not a Figure with a Trace; reports/ fills them in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from breakeven.claims.guide.bench import Bench
from breakeven.decision.comparison import Range, range_of
from breakeven.facts.formula import Formula
from breakeven.facts.trace import Layer, Node
from breakeven.units import unit_of

Verdict = Literal["holds", "depends", "does not hold", "not tested"]
ODDS: Final = "odds_fraction"
CLEAR_FROM_FRACTION, CLEAR_UP_TO_FRACTION = 0.9, 0.1
"""Odds, or a share of the cases looked at, from which a claim holds and up to which it does not."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of ours, with how it was computed."""

    key: str
    """By this the texts of the Finding name it."""
    label: str
    node: Node

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return self.node.unit

    @property
    def range(self) -> Range:
        """P10, P50, P90 and mean over the draws."""
        return range_of(np.atleast_1d(self.node.value))


@dataclass(frozen=True, slots=True)
class Table:
    """Figures side by side; a cell without a figure says why in words."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Figure | str, ...], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What testing one claim gave."""

    verdict: Verdict
    depends_on: str
    """On what, when it depends; else empty."""
    found: str
    """Our figure in a few words, for the table."""
    because: str
    """Why, in one plain sentence."""
    details: tuple[str, ...]
    """What else a reader must know, one sentence each."""
    scenario: str
    """What was compared, at what volume."""
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class GuideClaim:
    """One claim of the guide."""

    id: str
    order: int
    """Place in the list."""
    words: str
    """What the guide says."""
    says: str
    """Its figure with its unit, for the table."""
    test: Callable[[Bench], Finding]


def traced(formula: Formula, *inputs: Node) -> Node:
    """The result of `formula` on the values of `inputs`, in the order of its parameters."""
    value = np.asarray(formula(*(each.value for each in inputs)), dtype=np.float64)
    return Node(
        formula.name,
        formula.unit,
        value,
        Layer.DERIVED,
        inputs,
        formula=formula.qualified_name,
        summary=formula.summary,
    )


def stated(name: str, value: float, how: str = "as the guide states it") -> Node:
    """A number that somebody states; `name` carries its unit."""
    unit = unit_of(name)
    assert unit is not None, name
    return Node(name, unit, np.asarray([value]), Layer.DERIVED, summary=how)


def listed(name: str, value: object, how: str, *inputs: Node) -> Node:
    """A value that no Formula gives: a sum of lines, a volume found on a curve."""
    unit = unit_of(name)
    assert unit is not None, name
    return Node(name, unit, np.atleast_1d(np.asarray(value, dtype=np.float64)), Layer.DERIVED, inputs, summary=how)


def odds_of(is_so: NDArray[np.bool_], *inputs: Node) -> Node:
    """In what share of the futures something is so; `is_so` holds one yes or no per draw."""
    return listed(ODDS, np.mean(is_so), "share of the futures (draws)", *inputs)


def by_share(inside_fraction: float) -> Verdict:
    """The verdict when a claim is true in this share of the cases or futures.

    >>> by_share(1.0), by_share(0.5), by_share(0.0)
    ('holds', 'depends', 'does not hold')
    """
    if inside_fraction >= CLEAR_FROM_FRACTION:
        return "holds"
    return "does not hold" if inside_fraction <= CLEAR_UP_TO_FRACTION else "depends"


def by_cases(odds_fraction: Sequence[float]) -> Verdict:
    """The verdict over several cases, each with the odds that the claim is true in it: all must be clear alike.

    >>> by_cases([0.95, 1.0]), by_cases([0.0, 0.98]), by_cases([0.0, 0.02])
    ('holds', 'depends', 'does not hold')
    """
    low, high = by_share(min(odds_fraction)), by_share(max(odds_fraction))
    return low if low == high else "depends"
