"""Canary stopping: what the two-sample test makes of requests that one arm or the other answered, for planning.

The test of `two_sample.py` with predictions that are right from the first request, so that it has four kinds of
outcomes: success or failure of the candidate or the baseline. At a small share a request tells less: what one tells at
share p, next to another share, is the ratio of the variances sigma1^2 / p + margin^2 sigma0^2 / (1 - p).
"""

from __future__ import annotations

import math

import numpy as np

from breakeven.pilot.bets import INFERIOR_BELOW_MARGIN_RATIO
from breakeven.pilot.increments import LARGEST_STAKE_FRACTION, planned_stakes
from breakeven.pilot.observations import Floats
from breakeven.pilot.stopping import Mixture
from breakeven.pilot.two_sample import two_sample_stake_ratio


def canary_chances(
    baseline_success_fraction: float, candidate_to_baseline_ratio: float, share_fraction: float
) -> Floats:
    """Success of the candidate, failure of it, success and failure of the baseline: shape (4,), sum 1."""
    baseline, candidate = _successes(baseline_success_fraction, candidate_to_baseline_ratio)
    share = share_fraction
    return np.array([share * candidate, share * (1 - candidate), (1 - share) * baseline, (1 - share) * (1 - baseline)])


def mixture_of_requests(
    baseline_success_fraction: float,
    candidate_to_baseline_ratio: float,
    margin_ratio: float,
    share_fraction: float,
    ln_boundary_ratio: float,
    plan: tuple[float, float] | None = None,
    is_inferior: bool = False,
) -> Mixture:
    """The test at this share; the bets follow `plan` (baseline's success, ratio), None: the same as the truth."""
    baseline, candidate = _successes(baseline_success_fraction, candidate_to_baseline_ratio)
    share = share_fraction
    idle1, idle0 = share * (1 - share) * candidate, share * (1 - share) * baseline
    increments = np.array(
        [
            idle1 + (1 - share) * (1 - candidate) - margin_ratio * idle0,
            idle1 - (1 - share) * candidate - margin_ratio * idle0,
            idle1 - margin_ratio * (idle0 + share * (1 - baseline)),
            idle1 - margin_ratio * (idle0 - share * baseline),
        ]
    )
    scores = -increments if is_inferior else increments
    success, ratio = plan or (baseline_success_fraction, candidate_to_baseline_ratio)
    if is_inferior:
        ratio = max(margin_ratio - INFERIOR_BELOW_MARGIN_RATIO, 0.0)
    best = two_sample_stake_ratio(success, ratio, margin_ratio)
    stakes = planned_stakes(-best if is_inferior else best)
    sizes = np.minimum(stakes.sizes, LARGEST_STAKE_FRACTION / max(-float(scores.min()), 1e-9))
    return Mixture(1.0 + np.outer(scores, sizes), stakes.weights.astype(float), ln_boundary_ratio)


def told_ratio(
    baseline_success_fraction: float,
    candidate_to_baseline_ratio: float,
    margin_ratio: float,
    share_fraction: float,
    than_share_fraction: float,
) -> float:
    """What a request tells at one share over what one tells at another.

    >>> round(told_ratio(0.9, 1.0, 0.95, 0.01, 0.5), 4)
    0.0377
    """
    baseline, candidate = _successes(baseline_success_fraction, candidate_to_baseline_ratio)

    here, there = (
        candidate * (1 - candidate) / share + margin_ratio**2 * baseline * (1 - baseline) / (1 - share)
        for share in (share_fraction, than_share_fraction)
    )
    return there / here if here > 0 and not math.isclose(there, 0.0) else 1.0


def _successes(baseline_success_fraction: float, candidate_to_baseline_ratio: float) -> tuple[float, float]:
    return baseline_success_fraction, min(baseline_success_fraction * candidate_to_baseline_ratio, 1.0)
