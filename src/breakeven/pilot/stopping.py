"""Stopping: after how many pairs a test that is looked at all the time comes to its end, by simulation with a seed.

Pairs are drawn with the four chances of a plan, the wealth of every bet is kept, and a run stops when the mixture
reaches its boundary. Up to 200 pairs every pair is a look, later one in so many that sizes are overstated by 1 % at
most. (Counts have no order, so the pairs between two looks are one draw of a multinomial.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.bets import Bets
from breakeven.pilot.noninferiority import ln_mixture, ln_wealths_of_counts
from breakeven.pilot.observations import Floats, PairCounts
from breakeven.pilot.pair_chances import PairChances, counts_array, gains

LOOKS_COUNT: Final = 100
"""Looks are n / 100 pairs apart after n pairs."""
RUNS_COUNT: Final = 1_000


@dataclass(frozen=True, slots=True)
class SizeFigures:
    """How many pairs (requests) a test takes; None: more than the cap."""

    mean_count: float
    """Runs that do not stop counted at the cap."""
    p50_count: float | None
    p80_count: float | None
    """So many are enough in 80 % of the runs: the size at which the test has a power of 80 %."""
    p95_count: float | None
    cap_count: float
    stopped_fraction: float
    """Runs that come to the boundary before the cap: the power at the cap."""


def expected_pairs_count(
    chances: PairChances,
    margin_ratio: float,
    bets: Bets,
    ln_boundary_ratio: float,
    cap_count: int,
    seed: int = 0,
    seen: PairCounts | None = None,
    runs_count: int = RUNS_COUNT,
) -> SizeFigures:
    """How many pairs until the boundary, if pairs fall with these chances; with `seen`, how many more."""
    stops = pairs_until(chances, margin_ratio, bets, ln_boundary_ratio, cap_count, seed, seen, runs_count)
    return size_figures(stops, cap_count)


def size_figures(stops: Floats, cap_count: float) -> SizeFigures:
    """Figures of the lengths of many runs, infinite where the boundary was not reached.

    >>> size_figures(np.array([10.0, 20.0, 30.0, 40.0, np.inf]), 100)
    SizeFigures(mean_count=40.0, p50_count=30.0, p80_count=40.0, p95_count=None, cap_count=100, stopped_fraction=0.8)
    """
    middle, enough, nearly_all = (
        float(each) if np.isfinite(each) else None
        for each in np.quantile(stops, (0.5, 0.8, 0.95), method="inverted_cdf")
    )
    mean = float(np.minimum(stops, cap_count).mean())
    return SizeFigures(mean, middle, enough, nearly_all, cap_count, float(np.isfinite(stops).mean()))


def pairs_until(
    chances: PairChances,
    margin_ratio: float,
    bets: Bets,
    ln_boundary_ratio: float,
    cap_count: int,
    seed: int = 0,
    seen: PairCounts | None = None,
    runs_count: int = RUNS_COUNT,
) -> Floats:
    """Pairs (beyond `seen`) at which each run reaches the boundary, infinite where it has not by the cap; (runs,)."""
    rng = np.random.default_rng(seed)
    stakes = bets.at(margin_ratio)
    boundary = math.exp(ln_boundary_ratio)
    ln_wealth = ln_wealths_of_counts(_start(seen), margin_ratio, stakes)
    if ln_mixture(ln_wealth, bets) >= ln_boundary_ratio:
        return np.zeros(runs_count)
    wealth = bets.weights_fraction * np.exp(ln_wealth)
    stops = np.full(runs_count, np.inf)
    share = np.clip(chances.array, 0.0, None) / np.clip(chances.array, 0.0, None).sum()
    factors = 1.0 + np.outer(gains(margin_ratio), stakes)
    wealths, active, before = np.tile(wealth, (runs_count, 1)), np.arange(runs_count), 0
    for look in look_counts(cap_count):
        wealths *= _grown(rng, share, factors, int(look) - before, len(active))
        before = int(look)
        is_over = wealths.sum(axis=1) >= boundary
        if is_over.any():
            stops[active[is_over]] = look
            wealths, active = wealths[~is_over], active[~is_over]
            if not len(active):
                break
    return stops


def _grown(rng: np.random.Generator, share: Floats, factors: Floats, pairs_count: int, runs_count: int) -> Floats:
    """What so many pairs multiply the wealth of each bet by, in each run: shape (runs, bets)."""
    if pairs_count == 1:
        cell = np.searchsorted(np.cumsum(share)[:3], rng.random(runs_count), side="right")
        return np.asarray(factors[cell])
    drawn = rng.multinomial(pairs_count, share, size=runs_count)
    powers = factors[:, None, :] ** np.arange(pairs_count + 1)[:, None]
    return np.asarray(powers[0, drawn[:, 0]] * powers[2, drawn[:, 2]] * powers[3, drawn[:, 3]])


def _start(seen: PairCounts | None) -> Floats:
    return counts_array(seen) if seen is not None else np.zeros(4)


def look_counts(cap_count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Numbers of pairs at which a run is looked at.

    >>> look_counts(5).tolist(), look_counts(10_000)[-3:].tolist()
    ([1, 2, 3, 4, 5], [9872, 9970, 10000])
    """
    looks, at = [], 0
    while at < cap_count:
        at = min(at + max(1, at // LOOKS_COUNT), cap_count)
        looks.append(at)
    return np.array(looks, dtype=np.int64)
