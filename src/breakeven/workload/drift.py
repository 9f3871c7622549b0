"""Drift: how the level of a log wanders from week to week and where it tends to, with how little a log says of both.

Weekly means of the logarithm are a level that takes a random step each week, plus what scatters around it (local level
with drift, Harvey 1989). The share of the steps is not one number but a grid of them, each weighed by the likelihood of
what was seen with the drift integrated out; so a quiet log of three months still allows for a level that moves.
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
USUAL_DRIFT_PER_WEEK_RATIO: Final = 0.01
"""Usual size of a drift, around zero: 4 % a month; a guess, checked by coverage."""
MIN_WEEKS: Final = 4
"""With fewer weeks the log says nothing of its drift."""
_SMALLEST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Drift:
    """What the weeks of a log allow; arrays have shape ``(shares,)``."""

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

    `stepped`: level shifts were found beyond doubt, so that a large drift is no more likely than usual.
    """
    from scipy.special import stdtrit

    weeks = len(logs) // WEEK_DAYS
    if weeks < MIN_WEEKS:
        return _unseen(float(np.var(logs)) / WEEK_DAYS)
    changes = np.diff(logs[-weeks * WEEK_DAYS :].reshape(weeks, WEEK_DAYS).mean(axis=1))
    beyond_chance = float(stdtrit(len(changes) - 1, 0.975))
    found = np.array([_at_share(changes, share, np.inf if stepped else beyond_chance) for share in STEP_SHARES])
    odds = np.exp(found[:, 0] - found[:, 0].max()) * _prior_odds()
    return Drift(found[:, 1], found[:, 2], found[:, 3], odds / odds.sum(), len(changes) - 1)


def _prior_odds() -> Floats:
    odds = np.full(len(STEP_SHARES), (1 - STILL_WEIGHT_FRACTION) / (len(STEP_SHARES) - 1))
    odds[0] = STILL_WEIGHT_FRACTION
    return odds


def _unseen(scatter: float) -> Drift:
    """Too few weeks: everything as usual elsewhere, steps in shares of what weeks scatter by."""
    nothing, usual = np.zeros(len(STEP_SHARES)), np.full(len(STEP_SHARES), USUAL_DRIFT_PER_WEEK_RATIO)
    return Drift(np.array(STEP_SHARES) * scatter, nothing, usual, _prior_odds(), MIN_WEEKS)


def _at_share(changes: Floats, share: float, beyond_chance: float) -> tuple[float, float, float, float]:
    """Log-likelihood, variance of a step, drift and its error, where steps have `share` of the scatter's variance.

    The drift is drawn to zero as drifts of the usual size are; only one that stands out of chance is left as it is.
    """
    count = len(changes)
    precision = np.linalg.inv((share + 2) * np.eye(count) - np.eye(count, k=1) - np.eye(count, k=-1))
    weight = float(precision.sum())
    drift = float(precision.sum(axis=0) @ changes) / weight
    rest = changes - drift
    squares = max(float(rest @ precision @ rest), _SMALLEST)
    scatter = squares / (count - 1)
    likelihood = 0.5 * (float(np.linalg.slogdet(precision)[1]) - np.log(weight) - (count - 1) * np.log(squares))
    error2 = scatter / weight
    usual2 = USUAL_DRIFT_PER_WEEK_RATIO**2
    usual_only = drift**2 <= error2 * beyond_chance**2
    spread2 = usual2 if usual_only else max(usual2, drift**2 - error2)
    kept = spread2 / (spread2 + error2)
    return float(likelihood), share * scatter, drift * kept, float(np.sqrt(error2 * kept))
