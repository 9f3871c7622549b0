"""Confidence sequence: the ratios that outcomes have not refused yet, an interval that holds at every look at once.

A ratio r is refused when the e-value against "the ratio is r or less" or the one against "r or more" reaches 2 / alpha.
The true ratio is ever refused with chance alpha at most, so one may look after every pair and stop when one likes
(Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon, Ann. Statist. 49, 2021; Waudby-Smith and Ramdas, JRSS B 86, 2024).

The first e-value falls steadily with r and the second one rises (`bets.Bets`), so what is left is an interval, and its
ends are found as roots. `ratio_sequence_on_lattice` asks every thousandth instead: the same answer, rounded inwards,
hundreds of times slower. What is shown everywhere is the root.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from breakeven.errors import PilotError
from breakeven.pilot.bets import Bets, plain_grid, plain_inferior_grid
from breakeven.pilot.noninferiority import counts_of, ln_mixture, ln_wealths
from breakeven.pilot.observations import Floats, PairCounts, Pairs
from breakeven.pilot.verdict import Range

RATIO_MIN_RATIO: Final = 1e-6
RATIO_MAX_RATIO: Final = 1e6
ANY_MARGIN_RATIO: Final = 0.95
"""Of the plain grid, where no bets are given; at other ratios it is the same grid as if made for them."""
FIRST_STEP: Final = 0.02
"""In the logarithm of the ratio; the next ones are twice as long."""
METHOD: Final = "confidence sequence by betting; holds however often one looks"


def ratio_sequence(
    seen: PairCounts | Pairs,
    alpha_fraction: float,
    bets: Bets | None = None,
    inferior_bets: Bets | None = None,
) -> Range:
    """Success of the candidate over that of the baseline, and all ratios not refused; None: the plain grids.

    `high` is None while nothing limits the ratio from above (the baseline has not succeeded often enough).

    >>> found = ratio_sequence(PairCounts(30, 70, 850, 50), 0.05)
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (1.0227, 0.9887, 1.06)
    """
    if not 0 < alpha_fraction < 1:
        raise PilotError(f"an alpha of {alpha_fraction:g}; wanted a chance between 0 and 1, such as 0.05")
    value = _point(seen)
    confidence = 1.0 - alpha_fraction
    if _pairs_count(seen) == 0:
        return Range(None, None, None, confidence, METHOD, "no pair has both outcomes yet")
    binary = counts_of(seen) if isinstance(seen, Pairs) else seen
    exact = seen if binary is None else binary
    low = ratio_at_least(exact, alpha_fraction / 2, bets)
    high = ratio_at_most(exact, alpha_fraction / 2, inferior_bets)
    return Range(value, low, high, confidence, METHOD, "" if value is not None else "the baseline has no success yet")


def ratio_at_least(seen: PairCounts | Pairs, alpha_fraction: float, bets: Bets | None = None) -> float:
    """The lower limit at one-sided risk alpha: it reaches the margin exactly when the e-value reaches 1 / alpha."""
    chosen = bets or plain_grid(ANY_MARGIN_RATIO)
    refused, value = _refusal(seen, chosen, alpha_fraction), _point(seen)
    if value == 0.0:
        return 0.0
    found = _first_root(refused, RATIO_MAX_RATIO if value is None else value, RATIO_MIN_RATIO)
    return 0.0 if found is None else found


def ratio_at_most(seen: PairCounts | Pairs, alpha_fraction: float, inferior_bets: Bets | None = None) -> float | None:
    """The upper limit at one-sided risk alpha; None while there is none."""
    chosen = inferior_bets or plain_inferior_grid(ANY_MARGIN_RATIO)
    refused, value = _refusal(seen, chosen, alpha_fraction), _point(seen)
    return None if value is None else _first_root(refused, max(value, RATIO_MIN_RATIO), RATIO_MAX_RATIO)


def ratio_sequence_on_lattice(
    seen: PairCounts | Pairs,
    alpha_fraction: float,
    step_ratio: float = 0.001,
    highest_ratio: float = 2.0,
    bets: Bets | None = None,
    inferior_bets: Bets | None = None,
) -> Range:
    """The same by asking each ratio of a lattice: for checks, and to see what the roots are roots of.

    >>> found = ratio_sequence_on_lattice(PairCounts(12, 6, 76, 6), 0.05)
    >>> found.low, found.high
    (0.762, 1.116)
    """
    over = _refusal(seen, bets or plain_grid(ANY_MARGIN_RATIO), alpha_fraction / 2)
    under = _refusal(seen, inferior_bets or plain_inferior_grid(ANY_MARGIN_RATIO), alpha_fraction / 2)
    steps = np.arange(1, round(highest_ratio / step_ratio) + 1)
    kept = [int(step) for step in steps if over(float(step) * step_ratio) < 0 and under(float(step) * step_ratio) < 0]
    method = f"{METHOD}; on a lattice of {step_ratio:g}"
    if not kept:
        return Range(_point(seen), None, None, 1.0 - alpha_fraction, method, "no ratio of the lattice is left")
    return Range(
        _point(seen),
        round(kept[0] * step_ratio, 12),
        round(kept[-1] * step_ratio, 12),
        1.0 - alpha_fraction,
        method,
    )


def success_sequence(successes_count: float, outcomes_count: float, alpha_fraction: float) -> Range:
    """The success of one arm with its confidence sequence, outcomes from 0 to 1, `successes_count` their sum.

    The wealth is a beta mixture of likelihood ratios (Ville 1939; Robbins 1970), with the prior of Jeffreys. For
    outcomes of 0 or 1 it is exact; a fraction x counts as x successes and 1 - x failures, which is below what a bet
    would pay (the likelihood ratio is convex in x), so it still holds.

    >>> found = success_sequence(90, 100, 0.05)
    >>> round(found.low, 3), round(found.high, 3)
    (0.772, 0.971)
    """
    from scipy.special import betaln

    confidence = 1.0 - alpha_fraction
    if outcomes_count <= 0:
        return Range(None, None, None, confidence, METHOD, "no outcome yet")
    failures = outcomes_count - successes_count
    if not 0 <= successes_count <= outcomes_count:
        raise PilotError(f"{successes_count:g} successes of {outcomes_count:g} outcomes; wanted successes from 0 to 1")
    ln_prior_mean = float(betaln(successes_count + 0.5, failures + 0.5) - betaln(0.5, 0.5))

    def refused(success_fraction: float) -> float:
        likelihood = successes_count * math.log(success_fraction) + failures * math.log1p(-success_fraction)
        return ln_prior_mean - likelihood + math.log(alpha_fraction)

    value = successes_count / outcomes_count
    tiny = 1e-12
    low = 0.0 if value <= tiny or refused(tiny) < 0 else _root(refused, tiny, min(value, 1 - tiny))
    high = 1.0 if value >= 1 - tiny or refused(1 - tiny) < 0 else _root(refused, max(value, tiny), 1 - tiny)
    return Range(value, low, high, confidence, METHOD)


def _refusal(seen: PairCounts | Pairs, bets: Bets, alpha_fraction: float) -> Callable[[float], float]:
    """By how much the logarithm of the e-value against a ratio passes what refuses it."""
    boundary = -math.log(alpha_fraction)
    return lambda ratio: ln_mixture(ln_wealths(seen, ratio, bets), bets) - boundary


def _first_root(refused: Callable[[float], float], start_ratio: float, end_ratio: float) -> float | None:
    """Where the refusal begins, from a ratio that is kept towards one that may not be; None: all are kept."""
    way = math.copysign(1.0, end_ratio - start_ratio)
    kept, step, last = math.log(start_ratio), FIRST_STEP, math.log(end_ratio)
    if refused(start_ratio) >= 0:
        return start_ratio
    while way * (last - kept) > 0:
        further = way * min(way * kept + step, way * last)
        if refused(math.exp(further)) >= 0:
            return math.exp(_root(lambda ln: refused(math.exp(ln)), kept, further))
        kept, step = further, 2.0 * step
    return None


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-10))


def _point(seen: PairCounts | Pairs) -> float | None:
    if isinstance(seen, PairCounts):
        baseline = float(seen.baseline_only_count + seen.both_count)
        candidate = float(seen.candidate_only_count + seen.both_count)
    else:
        baseline, candidate = _sum(seen.baseline), _sum(seen.candidate)
    return candidate / baseline if baseline > 0 else None


def _pairs_count(seen: PairCounts | Pairs) -> int:
    return seen.pairs_count if isinstance(seen, PairCounts) else len(seen.baseline)


def _sum(values: Floats) -> float:
    return math.fsum(values.tolist())
