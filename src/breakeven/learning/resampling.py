"""Interval: what a figure would be on other requests of the same kind, by drawing the requests again with replacement.

Paired: every figure of one judgement is taken on the same draws, so that differences between routers keep what they
have in common. All means of all draws are one matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.learning.one_thread import one_thread
from breakeven.outcomes.outcome import Floats, Indexes

RESAMPLES_COUNT: Final = 2000
CONFIDENCE_FRACTION: Final = 0.95
POISSON_ROWS: Final = 1000
"""From so many rows on a Poisson number of draws each."""
_CHUNK: Final = 250
_NONE_FRACTION: Final = 0.025

Weights = npt.NDArray[np.float32]


def _poisson_table() -> Weights:
    """Poisson numbers of mean 1, each as often among 65,536 entries as it is likely (to 1 in 65,536)."""
    chances = np.cumsum([np.exp(-1.0) / math.factorial(k) for k in range(9)])
    return np.searchsorted(chances, (np.arange(65_536) + 0.5) / 65_536).astype(np.float32)


_POISSON: Final = _poisson_table()


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its interval; None with the reason where it cannot be told."""

    value: float | None
    low: float | None = None
    high: float | None = None
    why: str = ""


def untold(why: str) -> Figure:
    """No number, and why."""
    return Figure(None, None, None, why)


def figure(value: float, draws: Floats, why_not: str = "", confidence_fraction: float = CONFIDENCE_FRACTION) -> Figure:
    """A value with the percentile interval of its draws. `why_not` says why it may be undefined (NaN).

    >>> import numpy as np
    >>> figure(0.5, np.linspace(0.0, 1.0, 1001))
    Figure(value=0.5, low=0.025, high=0.975, why='')
    """
    if np.isnan(value):
        return untold(why_not)
    known = draws[~np.isnan(draws)]
    if len(known) < (1.0 - _NONE_FRACTION) * len(draws):
        return Figure(
            float(value), None, None, f"no interval: in {100 * (1 - len(known) / len(draws)):.0f} % of draws {why_not}"
        )
    tail = (1.0 - confidence_fraction) / 2.0
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return Figure(float(value), round(float(low), 12), round(float(high), 12))


def resampled_means(
    columns: Floats | Weights,
    resamples_count: int = RESAMPLES_COUNT,
    seed: int = 0,
    strata: Sequence[str] | None = None,
) -> Floats:
    """Mean of each column in each draw of the rows, shape (resamples, columns).

    With `strata` each is drawn within itself: where the mix of tasks is fixed by design, not sampled.
    """
    values = np.asarray(columns, dtype=np.float32)
    centre = values.mean(axis=0, dtype=np.float64)
    values = values - centre.astype(np.float32)
    with one_thread():
        parts = [
            weights @ values / weights.sum(axis=1, keepdims=True)
            for weights in resampled_weights(len(values), resamples_count, seed, strata)
        ]
    means: Floats = np.concatenate(parts).astype(np.float64) + centre
    return means


def resampled_weights(
    rows: int, resamples_count: int, seed: int, strata: Sequence[str] | None = None
) -> Iterator[Weights]:
    """How often each row is drawn in each resample, in chunks of shape (resamples, rows).

    Many rows are each drawn a Poisson number of times (Hanley and MacGibbon 2006), which is the same but faster: their
    sum then varies, and means are divided by it.
    """
    rng = np.random.default_rng(seed)
    if strata is None and rows >= POISSON_ROWS:
        for start in range(0, resamples_count, _CHUNK):
            size = min(_CHUNK, resamples_count - start)
            yield _POISSON[rng.integers(0, len(_POISSON), (size, rows), dtype=np.uint16)]
        return
    groups = _groups(rows, strata)
    for start in range(0, resamples_count, _CHUNK):
        size = min(_CHUNK, resamples_count - start)
        weights = np.zeros((size, rows), dtype=np.float32)
        for group in groups:
            drawn = rng.integers(0, len(group), (size, len(group)), dtype=np.int32)
            drawn += (np.arange(size, dtype=np.int32) * len(group))[:, None]
            counts = np.bincount(drawn.ravel(), minlength=size * len(group))
            weights[:, group] = counts.reshape(size, len(group))
        yield weights


def _groups(rows: int, strata: Sequence[str] | None) -> list[Indexes]:
    if strata is None:
        return [np.arange(rows)]
    _, of_row = np.unique(np.array(strata, dtype=object).astype(str), return_inverse=True)
    return [np.flatnonzero(of_row == group) for group in range(int(of_row.max()) + 1)] if rows else []
