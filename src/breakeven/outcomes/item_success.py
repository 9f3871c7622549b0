"""Item success: how far requests differ in how easy they are, from repeated tries of the same requests.

Each request has a success rate of its own, drawn from Beta(alpha, beta); tries of one request are independent given
it, so across requests they are correlated by 1 / (alpha + beta + 1). Fitted by maximum likelihood of the beta-binomial;
the range of the correlation is its posterior under a flat prior, with the mean averaged out. Tries that stop at the
first success need no other formula: what decided to go on was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import OutcomeError
from breakeven.facts.assumption import HIGH_QUANTILE, LOW_QUANTILE, TYPICAL_QUANTILE

PRECISION_MIN_COUNT: Final = 1e-3
PRECISION_MAX_COUNT: Final = 1e4
"""Bounds of alpha + beta: tries all alike, tries as good as independent."""

_DECIMALS: Final = 2


@dataclass(frozen=True, slots=True)
class CorrelationRange:
    """Correlation between two tries of one request: median and 90 % interval."""

    low_fraction: float
    typical_fraction: float
    high_fraction: float


@dataclass(frozen=True, slots=True)
class ItemSuccess:
    """Beta(alpha, beta) of the success rates of requests."""

    alpha_count: float
    beta_count: float
    repeated_count: int
    """Requests tried at least twice; with few of them the correlation is a guess."""
    correlation: CorrelationRange | None = None
    """What is known of it; None where no request was tried twice."""

    @property
    def success_fraction(self) -> float:
        """Success of one try of a request that nobody knows."""
        return self.alpha_count / (self.alpha_count + self.beta_count)

    @property
    def correlation_fraction(self) -> float:
        """Correlation between two tries of one request: 0 for independent ones, 1 where another try changes nothing."""
        return 1 / (self.alpha_count + self.beta_count + 1)

    def all_fail_fraction(self, tries_count: int) -> float:
        """Probability that `tries_count` tries of one request all fail.

        >>> round(ItemSuccess(1.2, 0.8, 10).all_fail_fraction(3), 3)
        0.168
        """
        steps = np.arange(tries_count)
        return float(np.prod((self.beta_count + steps) / (self.alpha_count + self.beta_count + steps)))


def fit_item_success(tries: npt.ArrayLike, successes: npt.ArrayLike) -> ItemSuccess:
    """The likeliest Beta of the requests' success rates; arrays of shape (requests,), `successes` may be fractions.

    Requests that were not tried are left out. Where none was tried twice nothing tells how alike tries are: the
    correlation is that of the two bounds' geometric middle, and `repeated_count` is 0.

    >>> found = fit_item_success([4, 4, 4, 4], [4, 4, 0, 0])
    >>> round(found.success_fraction, 2), found.correlation_fraction > 0.9
    (0.5, True)
    """
    n, s = np.asarray(tries, dtype=np.float64), np.asarray(successes, dtype=np.float64)
    if n.shape != s.shape or n.ndim != 1:
        raise OutcomeError(f"tries and successes must be two lists of one length; they are {n.shape} and {s.shape}")
    tried = n > 0
    n, s = n[tried], s[tried]
    if not len(n) or not (np.isfinite(n).all() and np.isfinite(s).all()) or (s < 0).any() or (s > n).any():
        raise OutcomeError("wanted at least one request that was tried, and from 0 to `tries` successes of each")
    repeated = int((n > 1).sum())
    if repeated == 0:
        precision = float(np.sqrt(PRECISION_MIN_COUNT * PRECISION_MAX_COUNT))
        mean = _inside((s.sum() + 0.5) / (len(n) + 1))
        return ItemSuccess(mean * precision, (1 - mean) * precision, 0)
    mean, precision = _likeliest(n, s)
    return ItemSuccess(mean * precision, (1 - mean) * precision, repeated, _correlation(n, s))


def _correlation(n: npt.NDArray[np.float64], s: npt.NDArray[np.float64]) -> CorrelationRange:
    """Quantiles of the correlation over all Betas, by how likely they make the counts."""
    from breakeven.outcomes.pooling import likely_betas

    counted = np.round(s, _DECIMALS)  # so that fractions of a success make no more kinds of request than matter
    alpha, beta, weight = likely_betas(n, counted, 1.0)
    correlations, at = np.unique(1 / (alpha + beta + 1), return_inverse=True)
    likely = np.bincount(at.ravel(), weight)
    until = np.cumsum(likely) - likely / 2
    low, typical, high = np.interp([LOW_QUANTILE, TYPICAL_QUANTILE, HIGH_QUANTILE], until, correlations)
    return CorrelationRange(float(low), float(typical), float(high))


def _likeliest(n: npt.NDArray[np.float64], s: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean and precision of the likeliest Beta, inside the bounds."""
    from scipy.optimize import minimize
    from scipy.special import betaln, logit

    pairs, counts = np.unique(np.stack([n, s]), axis=1, return_counts=True)

    def loss(at: npt.NDArray[np.float64]) -> float:
        mean = 1 / (1 + np.exp(-at[0]))
        alpha, beta = mean * np.exp(at[1]), (1 - mean) * np.exp(at[1])
        return -float(counts @ (betaln(alpha + pairs[1], beta + pairs[0] - pairs[1]) - betaln(alpha, beta)))

    start_mean = float(logit(_inside(s.sum() / n.sum())))
    bounds = [(float(logit(1e-4)), float(logit(1 - 1e-4))), (np.log(PRECISION_MIN_COUNT), np.log(PRECISION_MAX_COUNT))]
    found = [
        minimize(loss, np.array([start_mean, np.log(precision)]), bounds=bounds, method="L-BFGS-B")
        for precision in (0.3, 3.0, 100.0)
    ]
    best = min(found, key=lambda each: float(each.fun))
    return float(1 / (1 + np.exp(-best.x[0]))), float(np.exp(best.x[1]))


def _inside(share: float) -> float:
    return float(np.clip(share, 1e-4, 1 - 1e-4))
