"""Off-policy check: what a new policy would have brought on calls that another policy routed by known chances.

Where the log keeps the propensity (the probability with which the model was chosen for that call), each logged outcome
stands for the calls that would have gone the same way: inverse propensity scoring (Horvitz and Thompson, JASA 47,
1952), and doubly robust with predicted success (Dudik, Langford and Li, ICML 2011; Robins, Rotnitzky and Zhao, JASA 89,
1994), which is right when either the propensities or the predictions are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import LearningError
from breakeven.outcomes.outcome import OutcomeTable

Floats = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]

EFFECTIVE_MIN_COUNT: Final = 50.0
"""Below so many effective calls the interval is printed and nothing is concluded."""
PROPENSITY_LEAST_FRACTION: Final = 1e-9
"""No log is drawn by a smaller chance: it is a slip, and one call would outweigh all others."""
PROPENSITY_MIN_FRACTION: Final = 1e-3
"""A chance below this makes one call stand for a thousand: such calls are counted and said."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over all calls, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """What the new policy would have brought."""

    success_ips: Estimate
    success_dr: Estimate
    """Doubly robust: the figure to read."""
    cost_usd_ips: Estimate | None
    """USD per call; None where a cost is not known."""
    requests_count: int
    matching_requests_count: int
    """Calls that went where the new policy sends them."""
    effective_requests_count: float
    """(sum of weights)^2 / sum of squared weights (Kish 1965)."""
    unsupported_requests_count: int
    """Calls whose new choice the old policy never, or hardly ever, made: nothing is known of them."""
    caution: str
    """Why the figures may not be trusted; empty when they may."""


@dataclass(frozen=True, slots=True)
class LoggedChoices:
    """One model tried for each request, by lot."""

    chosen: Indexes
    propensity_fraction: Floats
    """Of the chosen model, shape (requests,)."""
    success: Floats
    cost_usd: Floats
    all_propensities: Floats | None = None
    """Of every model, shape (requests, models), NaN where not logged; says which choices were possible."""


def logged_choices(table: OutcomeTable) -> LoggedChoices:
    """The choices of a log with propensities; raises LearningError where a request has none or several."""
    if table.propensity_fraction is None:
        raise LearningError(
            "these outcomes carry no propensity (the probability with which the model was chosen); calls that a "
            "gateway routed by lot do"
        )
    tried = np.isfinite(table.success)
    if (several := int((tried.sum(axis=1) != 1).sum())) > 0:
        raise LearningError(
            f"{several} of {table.requests_count} requests were tried by none or several models; an off-policy check "
            "takes one logged choice for each (outcomes of all models are judged by `breakeven evaluate` directly)"
        )
    chosen = tried.argmax(axis=1)
    rows = np.arange(len(chosen))
    propensity = table.propensity_fraction[rows, chosen]
    if bad := int((~((propensity >= PROPENSITY_LEAST_FRACTION) & (propensity <= 1))).sum()):
        raise LearningError(
            f"{bad} logged choices have no propensity from {PROPENSITY_LEAST_FRACTION:g} to 1; wanted the probability "
            "of the choice"
        )
    return LoggedChoices(
        chosen, propensity, table.success[rows, chosen], table.cost_usd[rows, chosen], table.propensity_fraction
    )


def off_policy(logged: LoggedChoices, target: Indexes, predicted: Floats) -> OffPolicy:
    """Judge the policy that sends request i to model `target[i]`.

    `predicted` (requests, models) is the success that a model fitted on **other** calls predicts; it narrows the doubly
    robust interval and cannot bias it. Errors: t intervals of the mean of the per-call terms,
    corrected for skewness; 95 % were found to hold 95 % of simulated truths at 200 and 500 calls.
    """
    rows = np.arange(len(target))
    weights = np.where(logged.chosen == target, 1 / logged.propensity_fraction, 0.0)
    guess = predicted[rows, target]
    robust = guess + weights * (logged.success - predicted[rows, logged.chosen])
    unsupported = _unsupported(logged, target)
    squared = float((weights**2).sum())
    effective = float(weights.sum()) ** 2 / squared if squared else 0.0
    known = bool(np.isfinite(logged.cost_usd).all())
    return OffPolicy(
        _mean(weights * logged.success),
        _mean(robust),
        _mean(weights * logged.cost_usd) if known else None,
        len(target),
        int((weights > 0).sum()),
        effective,
        unsupported,
        _caution(len(target), effective, unsupported),
    )


def _unsupported(logged: LoggedChoices, target: Indexes) -> int:
    """Calls whose new choice had no chance, as far as the log says."""
    if logged.all_propensities is None:
        return 0
    chance = logged.all_propensities[np.arange(len(target)), target]
    return int((chance < PROPENSITY_MIN_FRACTION).sum())  # NaN: not logged, so not known to be impossible


def _mean(terms: Floats) -> Estimate:
    """Mean with a t interval moved by the skewness of its terms, which weights make large.

    The first term of the Edgeworth series of the t statistic (Johnson, JASA 73, 1978; Hall, The Bootstrap and Edgeworth
    Expansion, 1992, section 3.6).
    """
    from scipy.special import stdtrit

    count, middle = len(terms), float(terms.mean())
    spread = float(terms.std(ddof=1)) if count > 1 else np.inf
    if not 0 < spread < np.inf:
        half = 0.0 if spread == 0 else np.inf
        return Estimate(middle, middle - half, middle + half)
    quantile = float(stdtrit(count - 1, 0.975))
    skewness = float(((terms - middle) ** 3).mean()) / spread**3
    moved = middle + skewness * spread * (1 + 2 * quantile**2) / (6 * count)
    half = quantile * spread / float(np.sqrt(count))
    return Estimate(middle, moved - half, moved + half)


def _caution(requests: int, effective: float, unsupported: int) -> str:
    if unsupported:
        return (
            f"{unsupported} of {requests} calls would go to a model that the log never chose for them: the figures "
            "hold for the others alone; let a share of the traffic go by lot"
        )
    if effective < EFFECTIVE_MIN_COUNT:
        return (
            f"the log says as much as {effective:.0f} calls of the new policy, fewer than {EFFECTIVE_MIN_COUNT:.0f}: "
            "too few to conclude from"
        )
    return ""
