"""Estimate: a figure computed from what units did, with what each unit adds to its error.

A mean over rows is off by the sum of its units' scores, `sum over a unit's rows of weight x (value - mean) / weights`.
Sums, products and ratios of means carry scores along to first order (the delta method), so that a figure made of
several means, also of both arms, knows its variance with everything that moves together in a unit: the two answers of
one request, the requests of one user. A unit, not a request, is what is independent of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.observations import Codes, Flags, Floats


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its error."""

    value: float
    scores: Floats
    """What each unit adds to the error; estimates that are combined have the same units in the same places."""
    units_count: int
    """Units behind it: of the arm with fewer of them."""

    def __add__(self, other: Estimate | float) -> Estimate:
        if not isinstance(other, Estimate):
            return Estimate(self.value + other, self.scores, self.units_count)
        return Estimate(self.value + other.value, self.scores + other.scores, self._units(other))

    def __neg__(self) -> Estimate:
        return Estimate(-self.value, -self.scores, self.units_count)

    def __sub__(self, other: Estimate | float) -> Estimate:
        return self + (-other)

    def __mul__(self, other: Estimate | float) -> Estimate:
        if not isinstance(other, Estimate):
            return Estimate(self.value * other, self.scores * other, self.units_count)
        scores = self.scores * other.value + other.scores * self.value
        return Estimate(self.value * other.value, scores, self._units(other))

    def __truediv__(self, other: Estimate | float) -> Estimate:
        if not isinstance(other, Estimate):
            return self * (1.0 / other)
        ratio = self.value / other.value
        return Estimate(ratio, (self.scores - other.scores * ratio) / other.value, self._units(other))

    def log(self) -> Estimate:
        """Natural logarithm; of a positive figure."""
        return Estimate(float(np.log(self.value)), self.scores / self.value, self.units_count)

    def _units(self, other: Estimate) -> int:
        return min(self.units_count, other.units_count)


def mean_of(values: Floats, rows: Flags, units: Codes, weights: Floats) -> Estimate | None:
    """Weighted mean over the `rows` whose value is known, with the scores of all units; None without such rows.

    The scores end in `PRIORS_COUNT` places that only successes use, so that both may be combined.

    >>> units = np.array([0, 0, 1, 2])
    >>> found = mean_of(np.array([1.0, 3.0, 2.0, 9.0]), units < 2, units, np.ones(4))
    >>> found.value, found.units_count, found.scores[:3].tolist()
    (2.0, 2, [0.0, 0.0, 0.0])
    """
    known = rows & np.isfinite(values) & (weights > 0)
    if not known.any():
        return None
    weight, seen = weights[known], values[known]
    total = float(weight.sum())
    value = float(np.dot(weight, seen)) / total
    size = int(units.max()) + 1 + PRIORS_COUNT
    scores = np.bincount(units[known], weight * (seen - value) / total, minlength=size)
    return Estimate(value, np.asarray(scores, dtype=np.float64), int(np.count_nonzero(np.bincount(units[known]))))


def success_of(success: Floats, rows: Flags, units: Codes, weights: Floats, arm: int) -> Estimate | None:
    """A mean of successes whose error, not its value, has two rows more: one success, one failure.

    Sixty successes of sixty are not sure to go on for ever.
    """
    found = mean_of(success, rows, units, weights)
    if found is None:
        return None
    count = float(np.sum(rows & np.isfinite(success) & (weights > 0))) + 2.0
    middle = (found.value * (count - 2.0) + 1.0) / count
    scores = found.scores.copy()
    at = len(scores) - PRIORS_COUNT + 2 * arm
    scores[at : at + 2] = (1.0 - middle) / count, -middle / count
    return Estimate(found.value, scores, found.units_count)


PRIORS_COUNT: Final = 4
"""Two rows for each arm."""
