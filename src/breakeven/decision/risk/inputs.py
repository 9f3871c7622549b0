"""Input: one column of draws that the options read, with every Assumption that takes its values from it.

The rent of a GPU on demand and on spot is one name, hence one column: who learns one learns about the other. All of
`decision/risk` moves columns, never single Assumptions, so that whatever hangs together moves together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from breakeven.facts.assumption import Assumption
from breakeven.facts.copula import Column
from breakeven.facts.distribution import Draws, quantile

Draw = Callable[[Assumption], Draws]
Key = str | int
CHANCE: Final = "gpu_rent_shock"
"""How the names of pure chance begin."""


class Evaluate(Protocol):
    """Prices options again: what `decision/risk` needs of a model of costs."""

    def __call__(self, draw: Draw, names: Sequence[str]) -> Mapping[str, Draws]:
        """Present cost of (at least) the options `names`, in the shape of the draws."""
        ...


@dataclass(frozen=True, slots=True)
class Input:
    """One column of draws, and who reads it."""

    facts: tuple[Assumption, ...]
    """What takes its values from it: at least one with a range; those that the most options read come first."""
    read_by: frozenset[str]
    """Names of the options."""

    @property
    def fact(self) -> Assumption:
        """The Assumption that stands for the column."""
        return self.facts[0]

    @property
    def name(self) -> str:
        """Name of that Assumption."""
        return self.fact.name

    @property
    def key(self) -> Key:
        """What a `DrawSet` keeps the column under."""
        return key_of(self.fact)

    @property
    def is_chance(self) -> bool:
        """True when nobody can know it today."""
        return self.name.startswith(CHANCE)


def key_of(fact: Assumption) -> Key:
    """The column of `fact`."""
    return Column(fact.name, fact.dimension).key


def inputs_read(evaluate: Evaluate, names: Sequence[str]) -> tuple[Input, ...]:
    """Every Input that some option of `names` reads, in the order in which they are first read."""
    facts: dict[Key, dict[Assumption, set[str]]] = {}
    for name in names:
        for fact in _read(evaluate, name):
            facts.setdefault(key_of(fact), {}).setdefault(fact, set()).add(name)
    return tuple(
        Input(tuple(sorted(found, key=lambda fact: -len(found[fact]))), frozenset[str]().union(*found.values()))
        for found in facts.values()
    )


def drawn_from(columns: Mapping[Key, Draws], draws_count: int) -> Draw:
    """A way to draw from `columns` of cumulative probabilities; whatever has no column there is typical."""
    drawn: dict[Assumption, Draws] = {}

    def draw(fact: Assumption) -> Draws:
        if fact not in drawn:
            column = None if fact.is_certain else columns.get(key_of(fact))
            drawn[fact] = np.full(draws_count, fact.typical) if column is None else quantile(fact, column)
        return drawn[fact]

    return draw


def _read(evaluate: Evaluate, name: str) -> dict[Assumption, None]:
    """The Assumptions with a range that costing `name` asks for, in order."""
    read: dict[Assumption, None] = {}

    def draw(fact: Assumption) -> Draws:
        if not fact.is_certain:
            read[fact] = None
        return np.asarray([fact.typical])

    evaluate(draw, (name,))
    return read
