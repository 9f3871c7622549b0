"""Loss gain: whether other predictions of the same outcomes are better beyond doubt.

They are where they lower the log loss by more than chance, request by request, and the Brier score as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.outcomes.outcome import Floats
from breakeven.routing.heads import SMALLEST_FRACTION

ERRORS: Final = 1.645
"""Standard errors by which the log loss must fall: 95 %, one-sided."""


@dataclass(frozen=True, slots=True)
class LossGain:
    """Losses of the predictions before and after."""

    log_loss_before_ratio: float
    """Mean over the outcomes, in nats."""
    gain_ratio: float
    """By how much the mean log loss falls."""
    error_ratio: float
    """Standard error of that."""
    brier_before_ratio: float
    brier_after_ratio: float

    @property
    def pays(self) -> bool:
        """Whether the predictions after are better."""
        return self.gain_ratio > ERRORS * self.error_ratio and self.brier_after_ratio < self.brier_before_ratio


def loss_gain(before: Floats, after: Floats, success: Floats) -> LossGain:
    """Compare two predictions of `success`, all of one shape; unknown outcomes are left out."""
    known = np.isfinite(success)
    losses = _log_loss(before[known], success[known])
    gains = losses - _log_loss(after[known], success[known])
    briers = [float(np.square(each[known] - success[known]).mean()) for each in (before, after)]
    error = float(gains.std() / np.sqrt(max(len(gains), 1)))
    return LossGain(float(losses.mean()), float(gains.mean()), error, *briers)


def _log_loss(scores: Floats, success: Floats) -> Floats:
    chance = np.clip(scores, SMALLEST_FRACTION, 1 - SMALLEST_FRACTION)
    return np.asarray(-success * np.log(chance) - (1 - success) * np.log1p(-chance))
