"""Regression: least squares for days that resemble the day before, with errors that say so.

Prais and Winsten (Cowles Commission Discussion Paper 383, 1954): each day less what the one before explains of it. How
far a day resembles the one before (memory) is corrected for what fitting takes away, which matters in short logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_MEMORY_FRACTION: Final = 0.95
_ROUNDING: Final = 1e-9
"""Residuals (of logarithms) no larger than this are the rounding of equal days, which has no memory."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients of a regression."""

    coefficients: Floats
    covariance: Floats
    """Of the coefficients; shape ``(coefficients, coefficients)``."""
    freedom_count: int
    """Days less coefficients less one for the memory; at least 1."""
    memory_fraction: float

    def half_width(self, weights: Floats, quantile_fraction: float) -> float:
        """Of an interval for the sum of coefficients times `weights`, by Student's t."""
        from scipy.special import stdtrit

        error = np.sqrt(max(float(weights @ self.covariance @ weights), 0.0))
        return float(error * stdtrit(self.freedom_count, quantile_fraction))


def fit(design: Floats, values: Floats, memory_fraction: float | None = None) -> Fit:
    """Regress `values` on the columns of `design`; the memory is read from the residuals unless it is given."""
    if memory_fraction is None:
        coefficients, *_ = np.linalg.lstsq(design, values, rcond=None)
        memory_fraction = memory(values - design @ coefficients, design.shape[1])
    x, y = whitened(design, memory_fraction), whitened(values, memory_fraction)
    coefficients, *_ = np.linalg.lstsq(x, y, rcond=None)
    residuals = y - x @ coefficients
    freedom = max(len(y) - x.shape[1] - 1, 1)
    variance = max(float(np.dot(residuals, residuals)), 0.0) / freedom
    return Fit(np.asarray(coefficients, np.float64), variance * np.linalg.pinv(x.T @ x), freedom, memory_fraction)


def memory(residuals: Floats, parameters_count: int) -> float:
    """How far a day resembles the one before, 0 to 0.95."""
    spread = float(np.dot(residuals, residuals))
    if spread <= len(residuals) * _ROUNDING**2:
        return 0.0
    seen = float(np.dot(residuals[1:], residuals[:-1])) / spread
    lost = (1 + parameters_count * (1 + seen) / 2) / len(residuals)
    return float(np.clip(seen + lost, 0.0, MOST_MEMORY_FRACTION))


def whitened(values: Floats, memory_fraction: float) -> Floats:
    """Each row less `memory_fraction` of the row before; the first one scaled to the same variance.

    >>> whitened(np.array([1.0, 1.0, 2.0]), 0.6).round(12).tolist()
    [0.8, 0.4, 1.4]
    """
    first = np.sqrt(1 - memory_fraction**2) * values[:1]
    return np.concatenate([first, values[1:] - memory_fraction * values[:-1]])
