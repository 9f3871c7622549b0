"""Drift: on which level a log stands at its end, how that level wanders from day to day, and where it tends to.

Logarithms of days are a level that takes a random step each day (local level with drift, Harvey 1989), with the level
shifts that were found or without them, plus scatter that resembles the day before. Neither the share of the steps nor
the memory, the size of a drift or the shifts is one number: each is a grid, and each cell is weighed by its marginal
likelihood and by how usual it is. So a level that plainly wanders counts from its last days, a steady one from all of
them, and a log of three months still allows for wandering and growth that chance hides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import lgamma, log, pi, sqrt
from typing import Final

import numpy as np

from breakeven.workload.daily_series import WEEK_DAYS, Floats
from breakeven.workload.day_models import MOST_WEEKS

STEP_SHARES: Final = (0.0, 1.0, 3.0, 10.0)
"""Variance of a week's step over the variance of what a week's mean scatters by; 0: the level does not wander."""
STILL_WEIGHT_FRACTION: Final = 0.5
"""Weight of a level that does not wander, before the log is looked at; a guess, checked by coverage."""
MEMORIES: Final = (0.0, 0.2, 0.4, 0.6, 0.75, 0.9)
"""How far the scatter of a day resembles that of the day before; all alike before the log is looked at."""
DRIFT_SIZES_PER_WEEK: Final = (0.0, 0.01, 0.05, 0.2)
"""Standard deviations of a drift around zero: none, the usual 4 % a month, growth, a launch; guesses, checked by
coverage."""
STILL_DRIFT_WEIGHTS: Final = (0.0, 0.3, 0.5, 0.2)
"""Of these sizes, where the level does not wander."""
WANDERING_DRIFT_WEIGHTS: Final = (0.75, 0.0, 0.0, 0.25)
"""Of the same where it does: what grows by and by, a level that wanders does already."""
EVIDENCE_RATIO: Final = 1.5
"""Power of the likelihoods. With 1, intervals hold as asked in the mean of all kinds of logs, but steady ones far more
often and wandering ones less; a kind that the log speaks for counts a little more. Checked by coverage."""
SHIFTS_PER_DAY: Final = 1 / 182
"""A level shift every half a year; a guess."""
SHIFT_SIZE: Final = 0.5
"""Standard deviation of a level shift, in logarithms; a guess."""
MOST_DAYS_COUNT: Final = MOST_WEEKS * WEEK_DAYS
_SMALLEST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Course:
    """Levels to start from and how they go on, one for each path; arrays have shape ``(paths,)``, in logarithms."""

    levels: Floats
    """On the last day of the log."""
    drifts_per_day: Floats
    step_variances: Floats
    """Of the step of one day."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What the days of a log allow; arrays have shape ``(cells,)``, in logarithms of a day."""

    odds: Floats
    step_variances: Floats
    drifts_per_day: Floats
    """Middle of the drift."""
    drift_errors_per_day: Floats
    levels: Floats
    """Middle of the level on the last day, with the middle of the drift."""
    level_slopes_days: Floats
    """How much higher that level is, the higher the drift."""
    level_errors: Floats
    """Of that level, the drift given."""
    freedom_count: int

    def draw(self, rng: np.random.Generator, count: int) -> Course:
        """`count` courses."""
        cell = rng.choice(len(self.odds), count, p=self.odds)
        wider = self.freedom_count / rng.chisquare(self.freedom_count, count)
        off = self.drift_errors_per_day[cell] * np.sqrt(wider) * rng.standard_normal(count)
        chance = self.level_errors[cell] * np.sqrt(wider) * rng.standard_normal(count)
        levels = self.levels[cell] + self.level_slopes_days[cell] * off + chance
        return Course(levels, self.drifts_per_day[cell] + off, self.step_variances[cell] * wider)


def drift_of(logs: Floats, starts: Sequence[int] = ()) -> Drift:
    """Drift of daily logarithms without the days of their week, odd days drawn in; of a week of days at least.

    `starts`: first days of the levels that were found, after the first; they are weighed against a level without.
    """
    gone = max(len(logs) - MOST_DAYS_COUNT, 0)
    latter = logs[gone:]
    kept = [each - gone for each in starts if 0 < each - gone < len(latter)]
    cells = [_cells(latter, [])] + ([_cells(latter, kept)] if kept else [])
    likelihoods, steps, levels, drifts, level_variances, covariances, drift_variances = (
        np.concatenate(each)[:, None] for each in zip(*cells, strict=True)
    )
    sizes = np.array(DRIFT_SIZES_PER_WEEK) / WEEK_DAYS
    spread = sizes**2 + drift_variances
    scores = likelihoods - 0.5 * (np.log(spread) + drifts**2 / spread)
    usual = np.tile(_prior_odds(), (len(cells), 1))
    odds = np.exp(EVIDENCE_RATIO * (scores - scores.max())) * usual
    kept_fraction = sizes**2 / spread
    middles = drifts * kept_fraction
    slopes = np.broadcast_to(covariances / drift_variances, odds.shape)
    unexplained = np.maximum(level_variances - covariances**2 / drift_variances, 0.0)
    return Drift(
        (odds / odds.sum()).ravel(),
        np.broadcast_to(steps, odds.shape).ravel(),
        middles.ravel(),
        np.sqrt(drift_variances * kept_fraction).ravel(),
        (levels + slopes * (middles - drifts)).ravel(),
        slopes.ravel(),
        np.broadcast_to(np.sqrt(unexplained), odds.shape).ravel(),
        max(len(latter) - 2, 1),
    )


def _prior_odds() -> Floats:
    """Of each memory, share and size of a drift before the log is looked at; shape ``(memories * shares, sizes)``."""
    wandering = (1 - STILL_WEIGHT_FRACTION) / (len(STEP_SHARES) - 1) * np.array(WANDERING_DRIFT_WEIGHTS)
    still = STILL_WEIGHT_FRACTION * np.array(STILL_DRIFT_WEIGHTS)
    of_shares = np.stack([wandering if share else still for share in STEP_SHARES])
    return np.tile(of_shares / len(MEMORIES), (len(MEMORIES), 1))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Precisions of a number of days for each memory and share, in units of the variance of a day's scatter."""

    precisions: Floats
    """Shape ``(cells, days, days)``."""
    log_determinants: Floats
    """Of the covariances."""
    step_ratios: Floats
    """Variance of a day's step over that of a day's scatter."""


@lru_cache(maxsize=4)
def _grid(days_count: int) -> _Grid:
    days = np.arange(days_count)
    since_end = np.minimum.outer(days[::-1], days[::-1]).astype(np.float64)
    covariances, ratios = [], []
    for memory in MEMORIES:
        scatter = memory ** np.abs(np.subtract.outer(days, days)).astype(np.float64)
        of_week = float(scatter[:WEEK_DAYS, :WEEK_DAYS].mean())
        for share in STEP_SHARES:
            ratios.append(share * of_week / WEEK_DAYS)
            covariances.append(scatter + ratios[-1] * since_end)
    stacked = np.stack(covariances)
    precisions = np.asarray(np.linalg.inv(stacked), np.float64)
    return _Grid(precisions, np.asarray(np.linalg.slogdet(stacked)[1]), np.array(ratios))


def _cells(logs: Floats, starts: list[int]) -> tuple[Floats, ...]:
    """Log-likelihood, variance of a step, level at the end, drift, and the variances and covariance of these two.

    Generalised least squares from the last day backwards. Level, drift and shifts are integrated out as if all were
    equally likely, the variance as if all its sizes were; how usual a shift is comes on top, how usual a drift, later.
    """
    count = len(logs)
    grid, days, mean = _grid(count), np.arange(count), float(logs.mean())
    before = [-(days < each).astype(np.float64) for each in starts]
    known = np.stack([np.ones(count), days - (count - 1.0), *before, logs - mean], axis=1)
    products = known.T @ grid.precisions @ known
    variances = np.linalg.inv(products[:, :-1, :-1])
    found = (variances @ products[:, :-1, -1:])[:, :, 0]
    squares = np.maximum(products[:, -1, -1] - (found * products[:, :-1, -1]).sum(axis=1), _SMALLEST)
    freedom = count - 2 - len(starts)
    scatter = squares / freedom
    likelihood = 0.5 * (np.linalg.slogdet(variances)[1] - grid.log_determinants - freedom * np.log(pi * squares))
    usual = log(SHIFTS_PER_DAY) - log(SHIFT_SIZE * sqrt(2 * pi)) - 0.5 * (found[:, 2:] / SHIFT_SIZE) ** 2
    errors = scatter[:, None, None] * variances[:, :2, :2]
    return (
        np.asarray(likelihood + lgamma(freedom / 2) + usual.sum(axis=1)),
        scatter * grid.step_ratios,
        mean + found[:, 0],
        found[:, 1],
        errors[:, 0, 0],
        errors[:, 0, 1],
        errors[:, 1, 1],
    )
