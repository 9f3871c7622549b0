"""Increments: what each request adds to the evidence: a score whose mean is not above zero unless the margin is kept.

A row is (what it says of the candidate) - ratio * (what it says of the baseline), bounded from both sides by numbers
that were known before its outcome. A gambler stakes a fraction of the wealth on each: wealth * (1 + stake * score). If
the scores' means, given the past, are not above zero, the wealth of any mixture of such gamblers is a test
supermartingale: it ever reaches 1 / alpha with probability alpha at most (Ville 1939; Waudby-Smith and Ramdas, JRSS B
86, 2024). Each stake is cut to what the row's worst outcome leaves.

Rows of one unit (a user, a session) are not independent, so with `unit` the gamblers bet on the **sum** of a unit's
rows. At any one look that is an exact e-value, if units are independent. Over many looks a unit's sum goes on growing,
which no supermartingale covers; in the normal limit, looks at such sums cross no more often than looks at independent
ones, as a unit's later rows are correlated with its earlier ones positively or not at all (Slepian, Bell Syst. Tech. J.
41, 1962). That step is asymptotic; `benchmarks/pilot_canary.py` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.pilot.bets import SHARES_BY_MULTIPLE
from breakeven.pilot.clusters import numbered
from breakeven.pilot.observations import Codes, Flags, Floats

LARGEST_STAKE_FRACTION: Final = 0.98
"""Of the wealth that the worst outcome of a row may take."""
GRID_COUNT: Final = 24
RATIO_MAX_RATIO: Final = 4.0
"""Intervals of a ratio are looked for up to here."""
_STEPS_COUNT: Final = 24
"""Halvings of that range: ends are exact to 3e-7."""


@dataclass(frozen=True, slots=True)
class Increments:
    """One row for each request (or pair), in order; bounds have the shape (rows, cases): one case must come true."""

    candidate: Floats
    """What the row says of the candidate."""
    baseline: Floats
    """What it says of the baseline."""
    candidate_low: Floats
    candidate_high: Floats
    baseline_low: Floats
    baseline_high: Floats
    rows_count: Floats
    """How many equal rows stand here."""
    unit: Codes | None = None
    """Unit of each row, numbered from 0 in order of first appearance; None: every row is its own."""

    @property
    def units_count(self) -> int:
        """Units, or rows where each is its own."""
        if self.unit is None:
            return int(self.rows_count.sum())
        return int(self.unit.max()) + 1 if len(self.unit) else 0

    def at(self, rows: Flags | slice) -> Increments:
        """Some of the rows; `slice(n)` is how things stood after n of them."""
        found = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return Increments(**found, unit=None if self.unit is None else numbered(self.unit[rows]))

    def scores(self, ratio: float) -> Floats:
        """Candidate less `ratio` times baseline, by unit."""
        return self._by_unit(self.candidate - ratio * self.baseline)

    def lowest(self, ratio: float) -> Floats:
        """The least that each score could have been."""
        return self._by_unit((self.candidate_low - ratio * self.baseline_high).min(axis=1))

    def highest(self, ratio: float) -> Floats:
        """The most that each score could have been."""
        return self._by_unit((self.candidate_high - ratio * self.baseline_low).max(axis=1))

    def _by_unit(self, values: Floats) -> Floats:
        return values if self.unit is None else _sums(self.unit, values)


@dataclass(frozen=True, slots=True)
class Stakes:
    """Stakes per unit of score, and the share of wealth behind each."""

    sizes: Floats
    weights: Floats
    scale_ratio: float = 1.0
    """Of the grid among them: below 1 for increments that are wide."""


def grid_stakes(scale_ratio: float = 1.0) -> Stakes:
    """From timid to bold, equal shares: nothing is known beforehand."""
    sizes = np.geomspace(0.005, 4.0, GRID_COUNT) * scale_ratio
    return Stakes(sizes, np.full(GRID_COUNT, 1.0 / GRID_COUNT), scale_ratio)


def planned_stakes(planned_size_ratio: float, scale_ratio: float = 1.0) -> Stakes:
    """Most on the stake that a plan calls best, some around it and on the grid, shared as the bets on pairs are.

    >>> planned_stakes(0.5).weights.sum().round(12), planned_stakes(0.0).sizes.shape
    (np.float64(1.0), (24,))
    """
    grid = grid_stakes(scale_ratio)
    if not planned_size_ratio > 0:
        return grid
    multiples, shares = np.array(SHARES_BY_MULTIPLE).T
    sizes = np.concatenate([multiples * planned_size_ratio, grid.sizes])
    return Stakes(sizes, np.concatenate([shares, (1.0 - shares.sum()) * grid.weights]), scale_ratio)


def ln_e_value(increments: Increments, ratio: float, stakes: Stakes, is_inferior: bool = False) -> float:
    """Logarithm of the e-value against "the candidate's success is at most `ratio` times the baseline's".

    With `is_inferior`, against "it is at least that".
    """
    return ln_mixture(ln_wealths(increments, ratio, stakes, is_inferior), stakes.weights)


def ln_wealths(increments: Increments, ratio: float, stakes: Stakes, is_inferior: bool = False) -> Floats:
    """Logarithm of the wealth of each stake, shape (stakes,)."""
    gains, worst = _gains(increments, ratio, is_inferior)
    most, times = _largest(worst), _weights(increments)
    return np.array([float(times @ np.log1p(np.minimum(size, most) * gains)) for size in stakes.sizes])


def ln_e_path(increments: Increments, ratio: float, stakes: Stakes, is_inferior: bool = False) -> Floats:
    """The same after every row, shape (rows,); of rows that are their own units and stand for one each."""
    gains, worst = _gains(increments, ratio, is_inferior)
    most = _largest(worst)
    logs = np.log1p(np.minimum(stakes.sizes, most[:, None]) * gains[:, None]).cumsum(axis=0) + np.log(stakes.weights)
    top = logs.max(axis=1)
    return np.asarray(top + np.log(np.exp(logs - top[:, None]).sum(axis=1)))


def stakes_by_row(
    increments: Increments, ratio: float, sizes: Floats, is_inferior: bool = False
) -> tuple[Floats, Floats]:
    """Gains (rows,) and the stakes that each row's worst outcome allows (rows, stakes)."""
    gains, worst = _gains(increments, ratio, is_inferior)
    return gains, np.minimum(sizes, _largest(worst)[:, None])


def ratio_bounds(increments: Increments, alpha_fraction: float, stakes: Stakes) -> tuple[float, float]:
    """Confidence sequence of the ratio: those that neither side's bets refute at alpha / 2; `inf` where no end is told.

    Each end is found by halving, between a ratio that is refuted and one that is not.
    """
    if not increments.units_count:
        return 0.0, np.inf
    told = folded(increments)
    goal = float(np.log(2.0 / alpha_fraction))
    low = _edge(told, goal, stakes, is_inferior=False)
    high = _edge(told, goal, stakes, is_inferior=True)
    return low, max(low, high)


def folded(increments: Increments) -> Increments:
    """Equal rows as one with a count; the evidence does not depend on their order."""
    if increments.unit is not None or len(increments.candidate) < 2:
        return increments
    columns = [getattr(increments, name) for name in _ARRAYS[:-1]]
    table = np.column_stack([each.reshape(len(each), -1) for each in columns])
    _, first, place = np.unique(_keys(table), return_index=True, return_inverse=True)
    if not np.array_equal(table, table[first][place]):
        return increments
    counts = _sums(place, increments.rows_count)
    return replace(increments, rows_count=counts, **{name: getattr(increments, name)[first] for name in _ARRAYS[:-1]})


def _keys(table: Floats) -> Floats:
    """A number for each row, the same for equal rows (and, but for an accident, for no others)."""
    keys = np.zeros(len(table))
    for column, weight in enumerate(np.sqrt(np.arange(2, 2 + table.shape[1]) + np.pi)):
        keys += weight * table[:, column]
    return keys


def of_one_mean(values: Floats, low: Floats, high: Floats, unit: Codes | None = None) -> Increments:
    """Rows whose "ratio" is their mean: for the confidence sequence of a success rate."""
    ones = np.ones((len(values), 1))
    return Increments(values, ones[:, 0], low[:, None], high[:, None], ones, ones, ones[:, 0], unit)


def ln_mixture(logs: Floats, weights: Floats) -> float:
    """Logarithm of the weighted mean of wealths given by their logarithms."""
    top = float(logs.max())
    return top + float(np.log((weights * np.exp(logs - top)).sum()))


def _sums(place: Codes, values: Floats) -> Floats:
    return np.bincount(place, values).astype(np.float64)


def _weights(increments: Increments) -> Floats:
    """How often each score counts."""
    return increments.rows_count if increments.unit is None else np.ones(increments.units_count)


def _gains(increments: Increments, ratio: float, is_inferior: bool) -> tuple[Floats, Floats]:
    """What a stake of one would win, and the least that it could have."""
    if is_inferior:
        return -increments.scores(ratio), -increments.highest(ratio)
    return increments.scores(ratio), increments.lowest(ratio)


def _largest(worst: Floats) -> Floats:
    return LARGEST_STAKE_FRACTION / np.maximum(-worst, 1e-9)


def _edge(increments: Increments, goal: float, stakes: Stakes, is_inferior: bool) -> float:
    refuted, open_ = (RATIO_MAX_RATIO, 0.0) if is_inferior else (0.0, RATIO_MAX_RATIO)
    if ln_e_value(increments, refuted, stakes, is_inferior) < goal:
        return np.inf if is_inferior else 0.0
    for _ in range(_STEPS_COUNT):
        middle = (refuted + open_) / 2
        if ln_e_value(increments, middle, stakes, is_inferior) >= goal:
            refuted = middle
        else:
            open_ = middle
    return refuted


_ARRAYS: Final = (
    "candidate",
    "baseline",
    "candidate_low",
    "candidate_high",
    "baseline_low",
    "baseline_high",
    "rows_count",
)
