"""Mean sequence: intervals of means, differences and ratios of money that hold however often one looks.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (arXiv 2103.06476, theorem 2.2):
with t units and standard error s the figure lies, at every look at once, within c(t) s, where

    c(t) = sqrt(2 (t q + 1) / (t q) x ln(sqrt(t q + 1) / alpha)),   q = (ln(1 - 2 ln alpha) - 2 ln alpha) / planned

Costs have heavy tails: their mean is mostly below the truth and, when it is, its standard error is small too. Plain
ends then miss in 15 to 30 % of pilots instead of 5. So the ends go through Hall's cubic transformation
(JRSS B 54, 1992), which takes the skewness g of the sum of the units' scores out:

    t + g t^2 / 3 + g^2 t^3 / 27 + g / 6   instead of   t = (mean - truth) / s

It is monotone, has a closed inverse, and g falls to 0 as units come in, so the sequence stays the same one in the
limit. `benchmarks/pilot_savings.py` measures the coverage.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import isfinite, log, sqrt
from typing import Final

import numpy as np

from breakeven.pilot.estimate import Estimate
from breakeven.pilot.observations import Floats
from breakeven.pilot.verdict import Range

UNITS_MIN_COUNT: Final = 50
"""With fewer units nothing is said of the error of money: a variance of heavy tails is not known by then."""
PLANNED_UNITS_COUNT: Final = 2000
"""Where the sequence is narrowest; a larger number widens the first looks, at which heavy tails mislead most."""
CONFIDENCE_FRACTION: Final = 0.95
METHOD: Final = "holds however often one looks (asymptotic confidence sequence by unit, skewness taken out)"
BLOCKS_MAX_COUNT: Final = 1000
RESAMPLES_COUNT: Final = 1999


def any_time_range(
    estimate: Estimate | None, confidence_fraction: float = CONFIDENCE_FRACTION, why_not: str = ""
) -> Range:
    """The figure with its interval; without one, saying why, where there are too few units."""
    if estimate is None or not isfinite(estimate.value):
        return Range(None, None, None, confidence_fraction, why_not=why_not or "nothing was seen of it")
    if estimate.units_count < UNITS_MIN_COUNT:
        few = f"{estimate.units_count} units of one arm; an interval takes {UNITS_MIN_COUNT}"
        return Range(estimate.value, None, None, confidence_fraction, why_not=few)
    error, skewness = _error(estimate)
    limit = critical_ratio(estimate.units_count, 1.0 - confidence_fraction)
    low = estimate.value - error * _untransformed(limit, skewness)
    high = estimate.value - error * _untransformed(-limit, skewness)
    return Range(estimate.value, low, high, confidence_fraction, METHOD)


def critical_ratio(units_count: int, alpha_fraction: float, planned_units_count: int = PLANNED_UNITS_COUNT) -> float:
    """Standard errors to either side, at every number of units at once.

    >>> round(critical_ratio(2000, 0.05), 3), round(critical_ratio(100, 0.05), 3)
    (3.035, 4.719)
    """
    risk = log(alpha_fraction)
    grown = units_count * (log(1.0 - 2.0 * risk) - 2.0 * risk) / planned_units_count
    return sqrt(2.0 * (grown + 1.0) / grown * (0.5 * np.log1p(grown) - risk))


@dataclass(frozen=True, slots=True)
class OneLook:
    """What two textbook intervals say, if this look is the only one: a check of the sequence, narrower than it."""

    t: Range
    bca: Range


def one_look(estimate: Estimate, seed: int, confidence_fraction: float = CONFIDENCE_FRACTION) -> OneLook | None:
    """Student's t and the bias-corrected accelerated bootstrap (scipy) of the units' scores; None with too few units.

    More than 1,000 units are bootstrapped in blocks: the sum's variance and skewness are those of the units.
    """
    if estimate.units_count < UNITS_MIN_COUNT or not np.any(estimate.scores):
        return None
    from scipy.stats import bootstrap, t

    error, _ = _error(estimate)
    reach = float(t.ppf(0.5 + confidence_fraction / 2, estimate.units_count - 1)) * error
    by_t = Range(estimate.value, estimate.value - reach, estimate.value + reach, confidence_fraction, "t, one look")
    draws = np.random.default_rng(seed)
    scale = float(np.max(np.abs(estimate.scores)))
    blocks = _in_blocks(estimate.scores[estimate.scores != 0] / scale, draws)
    if len(blocks) < 2 or np.ptp(blocks) == 0:
        return None
    with warnings.catch_warnings(action="ignore"):  # scipy warns, and says nan, where the jackknife does not move
        found = bootstrap(
            (blocks,),
            np.mean,
            confidence_level=confidence_fraction,
            n_resamples=RESAMPLES_COUNT,
            method="BCa",
            rng=draws,
        ).confidence_interval
    low, high = (estimate.value + len(blocks) * scale * float(end) for end in (found.low, found.high))
    if not (isfinite(low) and isfinite(high)):
        return None
    return OneLook(by_t, Range(estimate.value, low, high, confidence_fraction, "BCa bootstrap, one look"))


def _error(estimate: Estimate) -> tuple[float, float]:
    """Standard error, and skewness of the sum of scores."""
    scale = float(np.max(np.abs(estimate.scores), initial=0.0))
    if scale == 0.0:
        return 0.0, 0.0
    scores = estimate.scores / scale
    squares = float(np.dot(scores, scores))
    skewness = float(np.sum(scores**3)) / squares**1.5
    return scale * sqrt(squares * estimate.units_count / (estimate.units_count - 1)), skewness


def _untransformed(limit: float, skewness: float) -> float:
    """The t whose transformed value is `limit`."""
    if abs(skewness) < _NO_SKEWNESS:
        return limit
    inner = 1.0 + skewness * (limit - skewness / 6.0)
    return 3.0 / skewness * (float(np.cbrt(inner)) - 1.0)


_NO_SKEWNESS: Final = 1e-7
"""Below it the cube root loses more digits than the skewness moves."""


def _in_blocks(scores: Floats, draws: np.random.Generator) -> Floats:
    """Scores added up in at most `BLOCKS_MAX_COUNT` blocks of random units."""
    if len(scores) <= BLOCKS_MAX_COUNT:
        return scores
    block = draws.permutation(len(scores)) % BLOCKS_MAX_COUNT
    return np.asarray(np.bincount(block, scores, minlength=BLOCKS_MAX_COUNT), dtype=np.float64)
