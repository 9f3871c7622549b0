"""Pair chances: how likely each of four paired outcomes is: success of the baseline only, of neither, both, the other.

Two models fail on the same hard requests, so the four are not the product of two rates. A plan states the correlation
(phi) of the two outcomes; phi cannot be anything: with very different rates one model's successes cannot all lie within
the other's failures, so it is cut to what is possible (the bounds of Frechet 1951).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from breakeven.errors import PilotError
from breakeven.pilot.observations import Floats, PairCounts


@dataclass(frozen=True, slots=True)
class PairChances:
    """Chances of the four outcomes of one pair; they add up to 1."""

    baseline_only_fraction: float
    neither_fraction: float
    both_fraction: float
    candidate_only_fraction: float

    @property
    def array(self) -> Floats:
        """Baseline only, neither, both, candidate only: shape (4,)."""
        return np.array(
            [self.baseline_only_fraction, self.neither_fraction, self.both_fraction, self.candidate_only_fraction]
        )

    @property
    def baseline_success_fraction(self) -> float:
        """Of all requests."""
        return self.baseline_only_fraction + self.both_fraction

    @property
    def candidate_success_fraction(self) -> float:
        """Of all requests."""
        return self.candidate_only_fraction + self.both_fraction

    @property
    def correlation_fraction(self) -> float:
        """Phi of the two outcomes; 0 where one of them is certain."""
        baseline, candidate = self.baseline_success_fraction, self.candidate_success_fraction
        spread = math.sqrt(max(baseline * (1 - baseline) * candidate * (1 - candidate), 0.0))
        return (self.both_fraction - baseline * candidate) / spread if spread > 0 else 0.0


def pair_chances(
    baseline_success_fraction: float, candidate_to_baseline_ratio: float, correlation_fraction: float = 0.0
) -> PairChances:
    """The four chances of two models with these rates; a correlation that cannot be is cut to the nearest that can.

    >>> chances = pair_chances(0.9, 1.0, 0.3)
    >>> [round(float(each), 4) for each in chances.array]
    [0.063, 0.037, 0.837, 0.063]
    >>> round(pair_chances(0.99, 0.95, 0.6).correlation_fraction, 4)
    0.3996
    """
    baseline, ratio = baseline_success_fraction, candidate_to_baseline_ratio
    if not 0 < baseline <= 1 or not ratio >= 0:
        raise PilotError(
            f"a baseline that succeeds in {baseline:g} of requests and a candidate of {ratio:g} times that; "
            "wanted a success above 0 and at most 1 and a ratio of 0 or more: correct the plan of the task"
        )
    if not -1 <= correlation_fraction <= 1:
        raise PilotError(f"a correlation of {correlation_fraction:g} of the two outcomes; wanted one from -1 to 1")
    candidate = min(baseline * ratio, 1.0)
    covariance = correlation_fraction * math.sqrt(baseline * (1 - baseline) * candidate * (1 - candidate))
    least, most = max(baseline + candidate - 1.0, 0.0), min(baseline, candidate)
    both = min(max(baseline * candidate + covariance, least), most)
    neither = max(1.0 - baseline - candidate + both, 0.0)
    return PairChances(baseline - both, neither, both, candidate - both)


def chances_of(counts: PairCounts, plan: PairChances, plan_pairs_count: float = 30.0) -> PairChances:
    """The four chances as the pairs so far tell them, the plan worth so many pairs."""
    seen = counts_array(counts)
    shares = (seen + plan_pairs_count * plan.array) / (seen.sum() + plan_pairs_count)
    return PairChances(*(float(each) for each in shares))


def counts_array(counts: PairCounts) -> Floats:
    """Baseline only, neither, both, candidate only: shape (4,)."""
    return np.array(
        [counts.baseline_only_count, counts.neither_count, counts.both_count, counts.candidate_only_count], dtype=float
    )


def gains(margin_ratio: float) -> Floats:
    """What each of the four outcomes adds to "the candidate keeps the margin": success less margin times baseline's.

    >>> gains(0.95).round(2).tolist()
    [-0.95, 0.0, 0.05, 1.0]
    """
    return np.array([-margin_ratio, 0.0, 1.0 - margin_ratio, 1.0])
