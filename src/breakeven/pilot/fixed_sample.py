"""Fixed sample: how many pairs (requests) a test needs that is looked at once, at the end, and what that test says.

The yardstick for tests that may be looked at any time, and the design for those who can wait. The statistic is the mean
of x = candidate - margin * baseline over its standard error; the number needed is (z_alpha + z_power)**2 * var(x) /
mean(x)**2 (Farrington and Manning, Statist. Med. 9, 1990, with the variances of the plan). Looked at after every pair
such a test accepts bad candidates again and again (Armitage, McPherson and Rowe, JRSS A 132, 1969); and with a success
near 1 and few pairs it is not normal either, its risk is then not the one stated (`benchmarks/pilot.py` shows both).
"""

from __future__ import annotations

import math

import numpy as np

from breakeven.errors import PilotError
from breakeven.pilot.observations import PairCounts, Pairs
from breakeven.pilot.pair_chances import PairChances, counts_array, gains


def fixed_sample_pairs_count(
    chances: PairChances, margin_ratio: float, alpha_fraction: float = 0.05, power_fraction: float = 0.8
) -> int | None:
    """Pairs for one look at the end; None where the plan does not beat the margin.

    >>> from breakeven.pilot.pair_chances import pair_chances
    >>> [fixed_sample_pairs_count(pair_chances(0.9, ratio, 0.3), 0.95) for ratio in (1.0, 0.98, 0.95)]
    [367, 1104, None]
    """
    mean, variance = _moments(chances, margin_ratio)
    if mean <= 1e-12:
        return None
    return max(1, math.ceil(_z_sum(alpha_fraction, power_fraction) ** 2 * variance / mean**2 - 1e-9))


def fixed_sample_two_arms_count(
    baseline_success_fraction: float,
    candidate_to_baseline_ratio: float,
    margin_ratio: float,
    candidate_share_fraction: float = 0.5,
    alpha_fraction: float = 0.05,
    power_fraction: float = 0.8,
) -> int | None:
    """Requests of both arms together, each answered by one of them; None where the plan does not beat the margin.

    >>> fixed_sample_two_arms_count(0.9, 1.0, 0.95), fixed_sample_two_arms_count(0.9, 1.0, 0.95, 0.05)
    (1046, 5757)
    """
    if not 0 < candidate_share_fraction < 1:
        raise PilotError(f"a share of {candidate_share_fraction:g} for the candidate; wanted one between 0 and 1")
    candidate = min(baseline_success_fraction * candidate_to_baseline_ratio, 1.0)
    difference = candidate - margin_ratio * baseline_success_fraction
    if difference <= 1e-12:
        return None
    variance = candidate * (1 - candidate) / candidate_share_fraction
    variance += (
        margin_ratio**2 * baseline_success_fraction * (1 - baseline_success_fraction) / (1 - candidate_share_fraction)
    )
    return max(2, math.ceil(_z_sum(alpha_fraction, power_fraction) ** 2 * variance / difference**2 - 1e-9))


def fixed_sample_power_fraction(
    chances: PairChances, margin_ratio: float, pairs_count: float, alpha_fraction: float = 0.05
) -> float:
    """Chance that the look at the end accepts, in the normal approximation."""
    from scipy.special import ndtr, ndtri

    mean, variance = _moments(chances, margin_ratio)
    if variance <= 0:
        return 1.0 if mean > 0 else 0.0
    return float(ndtr(mean * math.sqrt(pairs_count / variance) - ndtri(1.0 - alpha_fraction)))


def paired_z_ratio(seen: PairCounts | Pairs, margin_ratio: float) -> float:
    """Mean of x over its standard error; 0 while nothing varies. Only for looks whose number was fixed before.

    >>> round(paired_z_ratio(PairCounts(30, 70, 850, 50), 0.95), 3)
    7.385
    """
    if isinstance(seen, PairCounts):
        chances = counts_array(seen) / max(seen.pairs_count, 1)
        count = seen.pairs_count
        mean = float(chances @ gains(margin_ratio))
        variance = float(chances @ gains(margin_ratio) ** 2) - mean**2
    else:
        gained, count = seen.candidate - margin_ratio * seen.baseline, len(seen.baseline)
        mean, variance = (float(np.mean(gained)), float(np.var(gained))) if count else (0.0, 0.0)
    return mean / math.sqrt(variance / count) if variance > 1e-15 else 0.0


def _moments(chances: PairChances, margin_ratio: float) -> tuple[float, float]:
    """Mean and variance of x."""
    gain = gains(margin_ratio)
    mean = float(chances.array @ gain)
    return mean, float(chances.array @ gain**2) - mean**2


def _z_sum(alpha_fraction: float, power_fraction: float) -> float:
    from scipy.special import ndtri

    if not (0 < alpha_fraction < 1 and 0 < power_fraction < 1):
        raise PilotError(f"alpha {alpha_fraction:g}, power {power_fraction:g}; wanted both between 0 and 1")
    return float(ndtri(1.0 - alpha_fraction) + ndtri(power_fraction))
