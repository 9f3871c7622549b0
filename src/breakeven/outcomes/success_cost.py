"""Success cost: what one success of a single try costs, from calls whose costs and outcomes are both known.

Mean cost of a call over the share that succeeds. The interval holds both uncertainties: that of the share (Jeffreys)
and that of the mean cost (its standard error, on a log scale), correlated as cost and success are from call to call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.facts.assumption import HIGH_QUANTILE, LOW_QUANTILE
from breakeven.outcomes.counted import JEFFREYS_COUNT, counted_cost, rate_draws
from breakeven.outcomes.outcome import Floats

DRAWS_COUNT: Final = 1024


@dataclass(frozen=True, slots=True)
class SuccessCost:
    """Of one model in one group; None where no call has a price."""

    usd_per_request: float | None
    """Mean over the calls whose cost is known."""
    priced_count: int
    usd_per_success: float | None
    """None, too, where nothing succeeded: it costs `low_usd_per_success` or more."""
    low_usd_per_success: float | None
    high_usd_per_success: float | None


UNPRICED: Final = SuccessCost(None, 0, None, None, None)


def success_cost(
    cost_usd: Floats, success: Floats, seed: int = 0, pooled_counts: tuple[float, float] | None = None
) -> SuccessCost:
    """Cost of a success; arrays of shape (calls,), NaN where not known. All judged calls tell the share.

    With `pooled_counts`, alpha and beta, the share is that Beta instead, as where it is pooled over groups.

    >>> found = success_cost(np.full(50, 0.01), np.r_[np.ones(45), np.zeros(5)])
    >>> round(found.usd_per_success, 6), round(found.low_usd_per_success, 6), round(found.high_usd_per_success, 6)
    (0.011111, 0.010491, 0.012291)
    """
    costs, judged = cost_usd[~np.isnan(cost_usd)], success[~np.isnan(success)]
    if not len(costs):
        return UNPRICED
    mean = float(costs.mean())
    if not len(judged):
        return SuccessCost(mean, len(costs), None, None, None)
    successes = float(judged.sum())
    failures = len(judged) - successes
    share = successes / len(judged)
    if pooled_counts is not None:
        successes, failures = (each - JEFFREYS_COUNT for each in pooled_counts)
        share = pooled_counts[0] / sum(pooled_counts)
    error = float(costs.std(ddof=1)) / np.sqrt(len(costs)) / mean if len(costs) > 1 and mean > 0 else 0.0
    if error < 1e-9:
        exact = counted_cost(mean, successes, successes + failures)
        low, high = exact.low_usd_per_success, exact.high_usd_per_success
    else:
        low, high = _range(mean, float(error), _correlation(cost_usd, success), successes, failures, seed)
    if share <= 0:
        return SuccessCost(mean, len(costs), None, low, None)
    return SuccessCost(mean, len(costs), mean / share, low, high)


def _range(
    mean: float, error: float, correlation: float, successes: float, failures: float, seed: int
) -> tuple[float, float]:
    """Quantiles of mean cost over share; the share's quantiles are stratified, so they carry no noise of their own."""
    from scipy.special import ndtri

    rng = np.random.default_rng([seed, 7])
    probabilities = (np.arange(DRAWS_COUNT) + 0.5) / DRAWS_COUNT
    of_cost = ndtri(rng.permutation(probabilities))
    mixed = correlation * ndtri(probabilities) + np.sqrt(1 - correlation**2) * of_cost
    draws = mean * np.exp(error * mixed - error**2 / 2) / rate_draws(successes, failures, probabilities)
    low, high = np.quantile(draws, [LOW_QUANTILE, HIGH_QUANTILE])
    return float(low), float(high)


def _correlation(cost_usd: Floats, success: Floats) -> float:
    """Of cost and success from call to call; 0 where either does not vary."""
    both = ~np.isnan(cost_usd) & ~np.isnan(success)
    costs, judged = cost_usd[both], success[both]
    if len(costs) < 3 or np.ptp(costs) == 0 or np.ptp(judged) == 0:
        return 0.0
    return float(np.clip(np.corrcoef(costs, judged)[0, 1], -0.99, 0.99))
