"""Clusters: requests of one unit (a user, a session, a key) that rise and fall together, counted as what they are.

A user who comes back sticks to an arm and has a taste; a hundred of their requests say less than a hundred users do.
Counted as if they were, a candidate too bad is accepted in a third of pilots instead of one in twenty
(`benchmarks/pilot_canary.py`). So the tests add up a unit's rows first (`increments.py`), and this says how many units
there are to go by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.observations import Codes

UNITS_MIN_COUNT: Final = 30.0
"""With fewer effective units nothing can be proven soon: said aloud."""


@dataclass(frozen=True, slots=True)
class UnitsSeen:
    """How the requests spread over units."""

    rows_count: int
    units_count: int
    effective_count: float
    """(sum of sizes)^2 / sum of squared sizes: equal units that would be worth as much (Kish 1965)."""
    largest_fraction: float
    """Of all requests, by the busiest unit."""

    @property
    def are_few(self) -> bool:
        """Whether units come back and too few of them carry the requests."""
        return self.units_count < self.rows_count and self.effective_count < UNITS_MIN_COUNT


def numbered(unit: Codes) -> Codes | None:
    """Units numbered from 0 in order of first appearance; None where no unit comes twice.

    >>> numbered(np.array([7, 3, 7])).tolist(), numbered(np.array([7, 3]))
    ([0, 1, 0], None)
    """
    _, first, place = np.unique(unit, return_index=True, return_inverse=True)
    if len(first) == len(unit):
        return None
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[place])


def in_order(unit: Codes) -> tuple[Codes, Codes | None]:
    """Place of each row's unit among all units, and the same again where units come back (None where none does)."""
    found = numbered(unit)
    return (np.arange(len(unit)) if found is None else found), found


def units_seen(unit: Codes) -> UnitsSeen:
    """Count units.

    >>> seen = units_seen(np.array([1, 1, 1, 2]))
    >>> seen.units_count, seen.effective_count, seen.largest_fraction
    (2, 1.6, 0.75)
    """
    if not len(unit):
        return UnitsSeen(0, 0, 0.0, 0.0)
    sizes = np.unique(unit, return_counts=True)[1].astype(float)
    total = float(sizes.sum())
    return UnitsSeen(len(unit), len(sizes), total**2 / float((sizes**2).sum()), float(sizes.max()) / total)
