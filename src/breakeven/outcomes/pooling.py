"""Pooling: rates of groups with few tries, drawn towards what groups of the same kind do, with honest intervals.

Beta-binomial: each group's rate comes from one Beta over the groups. Its mean and its intraclass correlation are not
taken as known: they are averaged over a grid, weighted by how likely they make all counts (flat priors on the mean
and, from 0 to a half, on the correlation). So the interval is wider than the naive empirical Bayes one, and covers;
where groups are all or nothing, which that prior does not expect, it covers a little less often than it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

GROUPS_MIN_COUNT: Final = 3
"""Of fewer groups nobody can tell how alike groups are: their rates stay their own."""
CORRELATION_MAX_FRACTION: Final = 0.5
"""Of two answers in one group. With more, a Beta piles up at 0 and at 1: one success would speak for a whole group."""
_MEANS_COUNT: Final = 48
_CORRELATIONS_COUNT: Final = 32
_NEGLIGIBLE: Final = 1e-7


@dataclass(frozen=True, slots=True)
class PooledRates:
    """Rates of groups; arrays have shape (groups,)."""

    success_fractions: Floats
    low_fractions: Floats
    high_fractions: Floats
    alpha_counts: Floats
    """With `beta_counts`: the Beta that each rate is known as."""
    beta_counts: Floats


def pooled_rates(
    tries: npt.ArrayLike, successes: npt.ArrayLike, low_quantile_fraction: float, high_quantile_fraction: float
) -> PooledRates:
    """Posterior mean and quantiles of each group's rate; a group without tries gets what is known of its kind.

    >>> found = pooled_rates([100, 100, 100, 100, 2], [91, 90, 89, 90, 1], 0.05, 0.95)
    >>> bool(0.7 < found.success_fractions[-1] < 0.9)
    True
    """
    from scipy.special import betaincinv

    n, s = np.asarray(tries, dtype=np.float64), np.asarray(successes, dtype=np.float64)
    if int((n > 0).sum()) < GROUPS_MIN_COUNT:
        alpha, beta = s + 0.5, n - s + 0.5
    else:
        alpha, beta = _matched(n, s)
    low, high = betaincinv(alpha, beta, low_quantile_fraction), betaincinv(alpha, beta, high_quantile_fraction)
    return PooledRates(alpha / (alpha + beta), np.asarray(low), np.asarray(high), alpha, beta)


def _matched(n: Floats, s: Floats) -> tuple[Floats, Floats]:
    """The Beta with the mean and variance of each group's posterior, which is a mixture over the grid."""
    alpha, beta, weight = likely_betas(n, s)
    total = alpha[:, None] + beta[:, None] + n
    means = (alpha[:, None] + s) / total
    mean = weight @ means
    variance = weight @ (means * (1 - means) / (total + 1)) + weight @ (means - mean) ** 2
    precision = np.maximum(mean * (1 - mean) / variance - 1, 1e-3)
    return mean * precision, (1 - mean) * precision


def likely_betas(
    n: Floats, s: Floats, correlation_max_fraction: float = CORRELATION_MAX_FRACTION
) -> tuple[Floats, Floats, Floats]:
    """Alpha, beta and weight at the points that matter: a coarse grid finds where, a fine one is used."""
    angles, correlations = (0.0, np.pi / 2), (-6.0, 6.0)
    for _ in range(2):
        angle = _middles(*angles, _MEANS_COUNT)
        steps = _middles(*correlations, _CORRELATIONS_COUNT)
        at_angle, at_step = (each.ravel() for each in np.meshgrid(angle, steps, indexing="ij"))
        share = 1 / (1 + np.exp(-at_step))
        correlation = correlation_max_fraction * share
        mean, precision = np.sin(at_angle) ** 2, 1 / correlation - 1
        alpha, beta = mean * precision, (1 - mean) * precision
        spacing = np.log(share * (1 - share)) + np.log(mean * (1 - mean)) / 2  # of points that are to be flat
        weight = _likelihood(alpha, beta, n, s, spacing)
        by_angle = weight.reshape(_MEANS_COUNT, -1)
        angles = _span(angle, by_angle.sum(axis=1), angles)
        correlations = _span(steps, by_angle.sum(axis=0), correlations)
    kept = weight > _NEGLIGIBLE * weight.max()
    return alpha[kept], beta[kept], weight[kept] / weight[kept].sum()


def _likelihood(alpha: Floats, beta: Floats, n: Floats, s: Floats, log_prior: Floats) -> Floats:
    from scipy.special import betaln

    pairs, counts = np.unique(np.stack([n, s]), axis=1, return_counts=True)
    a, b = alpha[:, None], beta[:, None]
    log_weight = (betaln(a + pairs[1], b + pairs[0] - pairs[1]) - betaln(a, b)) @ counts + log_prior
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum())


def _middles(start: float, end: float, count: int) -> Floats:
    return start + (end - start) * (np.arange(count) + 0.5) / count


def _span(points: Floats, weights: Floats, within: tuple[float, float]) -> tuple[float, float]:
    """From one point before the first that matters to one behind the last."""
    matters = np.flatnonzero(weights > _NEGLIGIBLE * weights.max())
    step = float(points[1] - points[0])
    return max(float(points[matters[0]]) - 1.5 * step, within[0]), min(
        float(points[matters[-1]]) + 1.5 * step, within[1]
    )
