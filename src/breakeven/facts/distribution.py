"""Distribution: the quantile function that passes exactly through low, typical and high.

A two-piece normal on the scale the unit asks for (logarithm for positive amounts, logit for shares strictly
between 0 and 1, the number itself otherwise), with its own standard deviation on each side of the median.
Wallis, "The two-piece normal, binormal, or double Gaussian distribution", Statistical Science 29(1), 2014,
treats the density; here the quantile function is split at the median, so that a range that is not symmetric is
still honoured: P5 = low, P50 = typical, P95 = high, to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from breakeven.facts.assumption import HIGH_QUANTILE, Assumption
from breakeven.facts.memory import recalled

Draws = NDArray[np.float64]
"""One value per draw (shape ``(draws,)``); the typical-value run uses shape ``(1,)`` or a grid of volumes."""

Scale = Literal["certain", "log", "logit", "linear"]
_Z_HIGH = float(ndtri(HIGH_QUANTILE))


def scale_of(assumption: Assumption) -> Scale:
    """The scale on which the range of `assumption` is normal on each side of its median."""
    if assumption.is_certain:
        return "certain"
    if assumption.unit == "fraction":
        return "logit" if assumption.low > 0 and assumption.high < 1 else "linear"
    return "log" if assumption.low > 0 else "linear"


def median_of(draws: Draws) -> float:
    """The middle of the draws, from memory where somebody remembers."""
    return float(recalled(np.median, draws))


def sum_in_order(values: Iterable[Draws]) -> Draws:
    """Sum of arrays of any shapes, one after the other; shape ``(1,)`` at least. The running sum is written over.

    >>> sum_in_order([np.ones(2), np.ones((2, 1)), np.ones(1)]).tolist(), sum_in_order([]).tolist()
    ([[3.0, 3.0], [3.0, 3.0]], [0.0])
    """
    total: Draws = np.zeros(1)
    for each in values:
        fits = total.shape == np.broadcast_shapes(total.shape, np.shape(each))
        total = np.add(total, each, out=total if fits else None)
    return total


def quantile(assumption: Assumption, u: Draws) -> Draws:
    """Values of `assumption` at the cumulative probabilities `u` (any shape, inside (0, 1)).

    A linear scale is clipped at 0 when low >= 0, and at 1 for a share: clipping is monotone, so the three
    quantiles still hold.
    """
    scale = scale_of(assumption)
    if scale == "certain":
        return np.full(np.shape(u), assumption.typical)
    points = np.array([assumption.low, assumption.typical, assumption.high])
    low, typical, high = np.log(points) if scale == "log" else logit(points) if scale == "logit" else points
    z = ndtri(u)
    y = typical + np.where(z < 0, (typical - low) * z, (high - typical) * z) / _Z_HIGH
    if scale == "log":
        return np.asarray(np.exp(y))
    if scale == "logit":
        return np.asarray(expit(y))
    if assumption.low >= 0:
        y = np.maximum(y, 0.0)
    if assumption.unit == "fraction":
        y = np.minimum(y, 1.0)
    return np.asarray(y)
