"""Quantiles at any time: bounds of a 95th percentile that hold at every look at once.

A value v lies above the quantile when bets that fewer than 5 % of outcomes exceed it have won enough, below it when
bets that more do have; both depend on the count of outcomes above v alone (Howard and Ramdas, Bernoulli 28, 2022, give
such bounds; these are by betting). They suppose that the quantile stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from breakeven.pilot.observations import Floats

TAIL_FRACTION: Final = 0.05
"""Of outcomes above the 95th percentile."""
STAKES_COUNT: Final = 24
STAKE_MIN_FRACTION: Final = 0.01
STAKE_MAX_FRACTION: Final = 0.98


@dataclass(frozen=True, slots=True)
class QuantileBounds:
    """A percentile and its bounds; infinite where nothing bounds it yet."""

    value: float
    low: float
    high: float


def more_than_stakes(tail_fraction: float = TAIL_FRACTION) -> Floats:
    """Stakes on gains of `is_above - tail`, from timid to bold."""
    return np.geomspace(STAKE_MIN_FRACTION, STAKE_MAX_FRACTION, STAKES_COUNT) / tail_fraction


def quantile_bounds(values: Floats, alpha_fraction: float, tail_fraction: float = TAIL_FRACTION) -> QuantileBounds:
    """The percentile that leaves `tail_fraction` above it; each bound fails with chance alpha / 2 at most, ever.

    >>> import numpy as np
    >>> found = quantile_bounds(np.arange(1000.0), 0.05)
    >>> bool(found.low < found.value < found.high < 1000)
    True
    """
    if not len(values):
        return QuantileBounds(np.nan, -np.inf, np.inf)
    ordered = np.sort(values)
    high = upper_bound(ordered, alpha_fraction / 2, tail_fraction)
    above = _first_proven(len(ordered), alpha_fraction / 2, tail_fraction)
    low = -np.inf if above is None else float(ordered[len(ordered) - above])
    return QuantileBounds(float(np.quantile(ordered, 1 - tail_fraction)), low, high)


def upper_bound(ordered: Floats, alpha_fraction: float, tail_fraction: float = TAIL_FRACTION) -> float:
    """A value above the percentile, proven at `alpha_fraction`; infinite while there is none. `ordered` rises."""
    most = _last_proven(len(ordered), alpha_fraction, tail_fraction)
    return np.inf if most is None else float(ordered[len(ordered) - 1 - most])


@lru_cache(maxsize=4096)
def _last_proven(rows: int, alpha_fraction: float, tail_fraction: float) -> int | None:
    """The largest count of outcomes above a value that proves the percentile to lie below it; None: none does."""
    goal = -np.log(alpha_fraction)
    if not rows or _ln_fewer(rows, 0, tail_fraction) < goal:
        return None
    kept, lost = 0, rows
    while lost - kept > 1:
        middle = (kept + lost) // 2
        kept, lost = (middle, lost) if _ln_fewer(rows, middle, tail_fraction) >= goal else (kept, middle)
    return kept


@lru_cache(maxsize=4096)
def _first_proven(rows: int, alpha_fraction: float, tail_fraction: float) -> int | None:
    """The least count of outcomes at or above a value that proves the percentile to lie no lower; None: none does."""
    goal = -np.log(alpha_fraction)
    if _ln_more(rows, rows, tail_fraction) < goal:
        return None
    lost, kept = 0, rows
    while kept - lost > 1:
        middle = (kept + lost) // 2
        lost, kept = (lost, middle) if _ln_more(rows, middle, tail_fraction) >= goal else (middle, kept)
    return kept


def _ln_more(rows: int, above: int, tail: float) -> float:
    stakes = more_than_stakes(tail)
    return _ln_mean(above * np.log1p(stakes * (1 - tail)) + (rows - above) * np.log1p(-stakes * tail))


def _ln_fewer(rows: int, above: int, tail: float) -> float:
    stakes = np.geomspace(STAKE_MIN_FRACTION, STAKE_MAX_FRACTION, STAKES_COUNT) / (1 - tail)
    return _ln_mean(above * np.log1p(-stakes * (1 - tail)) + (rows - above) * np.log1p(stakes * tail))


def _ln_mean(logs: Floats) -> float:
    top = float(logs.max())
    return top + float(np.log(np.exp(logs - top).mean()))
