"""Isotonic calibration: steps from a scorer's score to the share that succeeded, where that predicts better.

Pool adjacent violators (Ayer and others 1955): of all functions that never fall, the one nearest to the outcomes. Each
pool of requests becomes a knot at its mean score, and between knots the function is linear (Oron and Flournoy 2017), so
that requests of one pool keep their order. Fitted on predictions that did not see their outcomes. A model's steps are
used only where they lower its log loss beyond doubt on folds that the steps did not see, and its Brier score as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.learning.loss_gain import loss_gain
from breakeven.outcomes.outcome import Floats, Indexes
from breakeven.routing.heads import SMALLEST_FRACTION
from breakeven.routing.scorer import Calibration

POOL_MIN_COUNT: Final = 20
"""Requests of one pool; smaller ones join their neighbour."""


@dataclass(frozen=True, slots=True)
class StepsTrial:
    """What steps do to one model's scores, on folds that they were not fitted on."""

    model: str
    used: bool
    log_loss_before_ratio: float
    """Mean over the requests, in nats."""
    log_loss_after_ratio: float
    gain_error_ratio: float
    """Standard error of the difference."""
    brier_before_ratio: float
    brier_after_ratio: float


@dataclass(frozen=True, slots=True)
class CalibratedScores:
    """A scorer's predictions of the requests learnt from, after calibration where it pays."""

    scores: Floats
    """Each fold's by steps that did not see it; shape (requests, models)."""
    calibration: Calibration | None
    """Of all of them, for new requests; None where no model's scores gain."""
    trials: tuple[StepsTrial, ...]


def calibrated(scores: Floats, success: Floats, fold_of: Indexes, models: tuple[str, ...]) -> CalibratedScores:
    """Try steps on out-of-fold predictions `scores` of `success` (requests, models), fold by fold."""
    new, trials, steps = scores.copy(), [], []
    for at, model in enumerate(models):
        tried = cross_stepped(scores[:, at], success[:, at], fold_of)
        trial = _trial(model, scores[:, at], tried, success[:, at])
        trials.append(trial)
        if trial.used:
            new[:, at] = tried
        steps.append(fit_steps(scores[:, at], success[:, at]) if trial.used else _AS_IT_IS)
    used = any(each.used for each in trials)
    return CalibratedScores(new, _joined(steps) if used else None, tuple(trials))


def cross_stepped(scores: Floats, success: Floats, fold_of: Indexes) -> Floats:
    """Scores of one model, each fold's put through the steps of the other folds; shape (requests,)."""
    found = scores.copy()
    for fold in np.unique(fold_of):
        mine = fold_of == fold
        x, y = fit_steps(scores[~mine], success[~mine])
        found[mine] = _within(np.interp(scores[mine], x, y))
    return found


def fit_steps(scores: Floats, success: Floats, pool_min_count: int = POOL_MIN_COUNT) -> tuple[Floats, Floats]:
    """Knots: mean score and mean success of each pool, both ascending. Unknown outcomes are left out.

    >>> x, y = fit_steps(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1.0, 0.0, 1.0]), 1)
    >>> x.round(2).tolist(), y.tolist()
    ([0.1, 0.25, 0.4], [0.25, 0.5, 0.75])
    """
    known = np.isfinite(success)
    if not known.any():
        return _AS_IT_IS
    sums, wins, counts = _pools(scores[known], success[known])
    sums, wins, counts = _large_enough(sums, wins, counts, pool_min_count)
    edge = 0.5 / (counts + 1)  # a pool in which all succeed, or none, is not certain to go on like that
    share = np.clip(wins / counts, edge, 1 - edge)
    return sums / counts, np.maximum.accumulate(np.clip(share, SMALLEST_FRACTION, 1 - SMALLEST_FRACTION))


_AS_IT_IS: Final = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def _pools(scores: Floats, success: Floats) -> tuple[Floats, Floats, Floats]:
    """Sum of scores, successes and requests of each pool; requests of one score are one."""
    values, of_row, counts = np.unique(scores, return_inverse=True, return_counts=True)
    won = np.bincount(of_row.ravel(), success, len(values))
    pools: list[list[float]] = []
    for value, wins, count in zip(values.tolist(), won.tolist(), counts.tolist(), strict=True):
        pools.append([value * count, wins, float(count)])
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    sums, wins_of, counts_of = np.array(pools).T
    return sums, wins_of, counts_of


def _large_enough(sums: Floats, wins: Floats, counts: Floats, least: int) -> tuple[Floats, Floats, Floats]:
    """Pools from left to right joined until each has requests enough; what is left over joins the last."""
    joined: list[list[float]] = []
    for each in zip(sums.tolist(), wins.tolist(), counts.tolist(), strict=True):
        if joined and joined[-1][2] < least:
            joined[-1] = [a + b for a, b in zip(joined[-1], each, strict=True)]
        else:
            joined.append(list(each))
    if len(joined) > 1 and joined[-1][2] < least:
        last = joined.pop()
        joined[-1] = [a + b for a, b in zip(joined[-1], last, strict=True)]
    found = np.array(joined).T
    return found[0], found[1], found[2]


def _trial(model: str, before: Floats, after: Floats, success: Floats) -> StepsTrial:
    gain = loss_gain(before, after, success)
    before_ratio = gain.log_loss_before_ratio
    briers = (gain.brier_before_ratio, gain.brier_after_ratio)
    return StepsTrial(model, gain.pays, before_ratio, before_ratio - gain.gain_ratio, gain.error_ratio, *briers)


def _within(scores: Floats) -> Floats:
    return np.clip(scores, SMALLEST_FRACTION, 1 - SMALLEST_FRACTION)


def _joined(steps: list[tuple[Floats, Floats]]) -> Calibration:
    """One table for all models: those with fewer knots repeat their last."""
    most = max(len(x) for x, _ in steps)
    x = np.stack([np.r_[x, np.full(most - len(x), x[-1])] for x, _ in steps])
    y = np.stack([np.r_[y, np.full(most - len(y), y[-1])] for _, y in steps])
    return Calibration(x, y)
