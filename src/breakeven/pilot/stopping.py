"""Stopping: after how many outcomes a test that is looked at all the time comes to its end, by simulation with a seed.

Outcomes are drawn with the chances of a plan, the wealth of every bet is kept, and a run stops when the mixture of one
of the tests reaches its boundary. Up to 200 outcomes each one is a look, later one in so many that sizes are overstated
by 1 % at most. (Counts have no order, so the outcomes between two looks are one draw of a multinomial.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.pilot.bets import Bets
from breakeven.pilot.noninferiority import ln_mixture, ln_wealths_of_counts
from breakeven.pilot.observations import Codes, Floats, PairCounts
from breakeven.pilot.pair_chances import PairChances, chances_of, counts_array, gains

LOOKS_COUNT: Final = 100
"""Looks are n / 100 outcomes apart after n outcomes."""
RUNS_COUNT: Final = 1_000
MORE_RUNS_COUNT: Final = 200
NEGLIGIBLE_WEALTH: Final = 1e-200
POWERS_MAX_COUNT: Final = 64
"""Powers of factors are tabled up to here, and computed by logarithms beyond."""
LN_GROWN_MAX_RATIO: Final = 600.0
"""More growth between two looks is as much as this: far beyond any boundary."""


@dataclass(frozen=True, slots=True)
class SizeFigures:
    """How many outcomes (pairs, or requests of both arms) a test takes; None: more than the cap."""

    mean_count: float
    """Runs that do not stop counted at the cap."""
    p5_count: float | None
    p50_count: float | None
    p80_count: float | None
    """So many are enough in 80 % of the runs: the size at which the test has a power of 80 %."""
    p95_count: float | None
    cap_count: float
    stopped_fraction: float
    """Runs that come to the boundary before the cap: the power at the cap."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """One test: what each kind of outcome multiplies each bet by, what lies on each bet, and where it ends."""

    factors: Floats
    """Shape (kinds, bets)."""
    wealth: Floats
    """At the start; shape (bets,)."""
    ln_boundary_ratio: float


@dataclass(frozen=True, slots=True)
class Ends:
    """How each run ended; shape (runs,)."""

    stops: Floats
    """Outcomes until then, infinite where no test reached its boundary by the cap."""
    winner: Codes
    """Which test did; -1 where none."""


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
    test = mixture_of_pairs(margin_ratio, bets, ln_boundary_ratio, seen)
    return size_figures(race(chances.array, (test,), cap_count, seed, runs_count).stops, cap_count)


def more_pairs_count(
    counts: PairCounts,
    plan: PairChances,
    margin_ratio: float,
    bets: Bets,
    ln_boundary_ratio: float,
    cap_count: int = 100_000,
    seed: int = 0,
) -> SizeFigures:
    """How many more pairs, if they go on falling as they did so far (the plan counts for 30 pairs)."""
    chances = chances_of(counts, plan)
    return expected_pairs_count(
        chances, margin_ratio, bets, ln_boundary_ratio, cap_count, seed, counts, MORE_RUNS_COUNT
    )


def mixture_of_pairs(
    margin_ratio: float, bets: Bets, ln_boundary_ratio: float, seen: PairCounts | None = None
) -> Mixture:
    """The test of paired outcomes; kinds are those of `PairChances`."""
    stakes = bets.at(margin_ratio)
    start = counts_array(seen) if seen is not None else np.zeros(4)
    ln_wealth = ln_wealths_of_counts(start, margin_ratio, stakes)
    is_over = ln_mixture(ln_wealth, bets) >= ln_boundary_ratio
    wealth = np.full(len(stakes), np.inf) if is_over else bets.weights_fraction * np.exp(ln_wealth)
    return Mixture(1.0 + np.outer(gains(margin_ratio), stakes), wealth, ln_boundary_ratio)


def size_figures(stops: Floats, cap_count: float) -> SizeFigures:
    """Figures of the lengths of many runs, infinite where the boundary was not reached.

    >>> found = size_figures(np.array([10.0, 20.0, 30.0, 40.0, np.inf]), 100)
    >>> found.mean_count, found.p50_count, found.p80_count, found.p95_count, found.stopped_fraction
    (40.0, 30.0, 40.0, None, 0.8)
    """
    few, middle, enough, nearly_all = (
        float(each) if np.isfinite(each) else None
        for each in np.quantile(stops, (0.05, 0.5, 0.8, 0.95), method="inverted_cdf")
    )
    mean = float(np.minimum(stops, cap_count).mean())
    return SizeFigures(mean, few, middle, enough, nearly_all, cap_count, float(np.isfinite(stops).mean()))


def race(
    chances: Floats,
    tests: tuple[Mixture, ...],
    cap_count: int,
    seed: int = 0,
    runs_count: int = RUNS_COUNT,
    looks_count: int = LOOKS_COUNT,
) -> Ends:
    """Run the tests side by side on the same outcomes until the first of them ends; `chances` has shape (kinds,).

    Looks are n / `looks_count` outcomes apart.
    """
    rng = np.random.default_rng(seed)
    share = np.clip(chances, 0.0, None) / np.clip(chances, 0.0, None).sum()
    factors = np.hstack([each.factors for each in tests])
    edges = np.cumsum([0, *(each.factors.shape[1] for each in tests)])
    boundaries = [math.exp(each.ln_boundary_ratio) for each in tests]
    ends = Ends(np.full(runs_count, np.inf), np.full(runs_count, -1, dtype=np.intp))
    wealths = np.tile(np.concatenate([each.wealth for each in tests]), (runs_count, 1))
    active, before = np.arange(runs_count), 0
    for look in (0, *look_counts(cap_count, looks_count)):
        if look:
            wealths *= _grown(rng, share, factors, look - before, len(active))
            before = look
        is_over = np.zeros(len(active), dtype=bool)
        for at, boundary in enumerate(boundaries):
            wins = ~is_over & (wealths[:, edges[at] : edges[at + 1]].sum(axis=1) >= boundary)
            ends.stops[active[wins]] = look
            ends.winner[active[wins]] = at
            is_over |= wins
        if is_over.any():
            wealths, active = wealths[~is_over], active[~is_over]
            if not len(active):
                break
        if look % looks_count == 0:
            wealths[wealths < NEGLIGIBLE_WEALTH] = 0.0
    return ends


def look_counts(cap_count: int, looks_count: int = LOOKS_COUNT) -> tuple[int, ...]:
    """Numbers of outcomes at which a run is looked at.

    >>> look_counts(5), look_counts(10_000)[-3:]
    ((1, 2, 3, 4, 5), (9872, 9970, 10000))
    """
    looks, at = [], 0
    while at < cap_count:
        at = min(at + max(1, at // looks_count), cap_count)
        looks.append(at)
    return tuple(looks)


def _grown(rng: np.random.Generator, share: Floats, factors: Floats, outcomes_count: int, runs_count: int) -> Floats:
    """What so many outcomes multiply the wealth of each bet by, in each run: shape (runs, bets)."""
    if outcomes_count == 1:
        return np.asarray(factors[np.searchsorted(np.cumsum(share)[:-1], rng.random(runs_count), side="right")])
    drawn = rng.multinomial(outcomes_count, share, size=runs_count)
    if outcomes_count > POWERS_MAX_COUNT:
        return np.asarray(np.exp(np.minimum(drawn @ np.log(factors), LN_GROWN_MAX_RATIO)))
    each = np.broadcast_to(factors[:, None, :], (len(share), outcomes_count, factors.shape[1]))
    powers = np.cumprod(np.concatenate([np.ones_like(factors)[:, None, :], each], axis=1), axis=1)
    grown = powers[0, drawn[:, 0]]
    for kind in range(1, len(share)):
        if not (factors[kind] == 1.0).all():
            grown *= powers[kind, drawn[:, kind]]
    return np.asarray(grown)
