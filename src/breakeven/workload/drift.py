"""Drift: how the level of a log wanders from week to week and where it tends to, with how little a log says of both.

Weekly means of the logarithm are a level that takes a random step each week, plus what scatters around it (local level
with drift, Harvey 1989). The share of the steps is not one number but a grid of them, and the usual size of a drift one
of three, each pair weighed by the likelihood of what was seen; so a quiet log of three months still allows for a level
that moves and for growth that chance hides, and a log that plainly grows is not drawn to zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.workload.daily_series import WEEK_DAYS, Floats

STEP_SHARES: Final = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Variance of a week's step over the variance of what scatters around the level."""
STILL_WEIGHT_FRACTION: Final = 0.6
"""Weight of a level that does not wander, before the log is looked at; a guess, checked by coverage."""
DRIFT_SIZES_PER_WEEK: Final = (0.015, 0.05, 0.2)
"""Standard deviations of a drift around zero: the usual 6 % a month, growth, a launch; guesses, checked by coverage."""
DRIFT_SIZE_WEIGHTS: Final = (0.85, 0.1, 0.05)
MIN_WEEKS: Final = 4
"""With fewer weeks the log says nothing of its drift."""
_SMALLEST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Drift:
    """What the weeks of a log allow; arrays have shape ``(shares * sizes,)``."""

    step_variances: Floats
    """Variance of the step of one week, in squared logarithms."""
    drifts_per_week: Floats
    """Middle of the drift, in logarithms."""
    drift_errors_per_week: Floats
    odds: Floats
    freedom_count: int

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
        """Variances of a week's step and drifts of a week, for `count` paths."""
        picked = rng.choice(len(self.odds), count, p=self.odds)
        wider = self.freedom_count / rng.chisquare(self.freedom_count, count)
        drifts = self.drifts_per_week[picked] + self.drift_errors_per_week[picked] * rng.standard_normal(count)
        return self.step_variances[picked] * wider, drifts


def drift_of(logs: Floats, *, stepped: bool) -> Drift:
    """Drift of daily logarithms without the days of their week, odd days drawn in.

    `stepped`: level shifts were found beyond doubt, so that a large drift is no explanation.
    """
    weeks = len(logs) // WEEK_DAYS
    if weeks < MIN_WEEKS:
        return _unseen(float(np.var(logs)) / WEEK_DAYS)
    changes = np.diff(logs[-weeks * WEEK_DAYS :].reshape(weeks, WEEK_DAYS).mean(axis=1))
    sizes, weights = _sizes(usual_only=stepped)
    prior = np.outer(_prior_odds(), weights)
    seen = [_at_share(changes, share) for share in STEP_SHARES]
    steps, drifts, errors, likelihoods = (np.array(each)[:, None] for each in zip(*seen, strict=True))
    spread2 = sizes**2 + errors**2
    scores = likelihoods - 0.5 * (np.log(spread2) + drifts**2 / spread2)
    odds = np.exp(scores - scores.max()) * prior
    kept = sizes**2 / spread2
    return Drift(
        np.broadcast_to(steps, odds.shape).ravel(),
        (drifts * kept).ravel(),
        (errors * np.sqrt(kept)).ravel(),
        (odds / odds.sum()).ravel(),
        len(changes) - 1,
    )


def _sizes(*, usual_only: bool) -> tuple[Floats, Floats]:
    """Sizes of a drift and their weights; the smallest alone where `usual_only`."""
    count = 1 if usual_only else len(DRIFT_SIZES_PER_WEEK)
    weights = np.array(DRIFT_SIZE_WEIGHTS[:count])
    return np.array(DRIFT_SIZES_PER_WEEK[:count]), weights / weights.sum()


def _prior_odds() -> Floats:
    odds = np.full(len(STEP_SHARES), (1 - STILL_WEIGHT_FRACTION) / (len(STEP_SHARES) - 1))
    odds[0] = STILL_WEIGHT_FRACTION
    return odds


def _unseen(scatter: float) -> Drift:
    """Too few weeks: everything as usual elsewhere, steps in shares of what weeks scatter by."""
    nothing, usual = np.zeros(len(STEP_SHARES)), np.full(len(STEP_SHARES), DRIFT_SIZES_PER_WEEK[0])
    return Drift(np.array(STEP_SHARES) * scatter, nothing, usual, _prior_odds(), MIN_WEEKS)


def _at_share(changes: Floats, share: float) -> tuple[float, float, float, float]:
    """Variance of a step, drift, its error, and the log-likelihood, where steps have `share` of the scatter's variance.

    The likelihood has any drift integrated out, as if all were equally likely; their sizes come on top.
    """
    count = len(changes)
    precision = np.linalg.inv((share + 2) * np.eye(count) - np.eye(count, k=1) - np.eye(count, k=-1))
    weight = float(precision.sum())
    drift = float(precision.sum(axis=0) @ changes) / weight
    rest = changes - drift
    squares = max(float(rest @ precision @ rest), _SMALLEST)
    scatter = squares / (count - 1)
    likelihood = 0.5 * (float(np.linalg.slogdet(precision)[1]) - np.log(weight) - (count - 1) * np.log(squares))
    return share * scatter, drift, float(np.sqrt(scatter / weight)), float(likelihood)
