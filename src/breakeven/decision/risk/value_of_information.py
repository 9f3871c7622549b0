"""Value of information: what it is worth to know a number before deciding, in dollars of present cost.

Costs come as a matrix ``(options, draws)``; lower is better. Without more knowledge one takes the option with the
lowest expected cost; who knew everything would take the cheapest of each future (EVPI); who knew one Assumption, the
one with the lowest cost expected given its value (EVPPI). That conditional expectation is a regression of the same
draws on the Assumption's own (Strong, Oakley and Brennan, "Estimating multiparameter partial expected value of perfect
information from a probabilistic sensitivity analysis sample", Medical Decision Making 34(3), 2014); a sample of finite
size pulls it towards its mean (Jalal and Alarid-Escudero, "A Gaussian approximation approach for value of information
analysis", Medical Decision Making 38(2), 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from breakeven.facts.distribution import Draws

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
SPLINE_COUNT: Final = 8
"""Cubic B-splines of the regression."""
POINTS_COUNT: Final = 1001
"""Values of an Assumption at which the expected costs are compared."""
FARTHEST_SCORE: Final = 5.0
"""Normal scores of these values reach so far to either side; 6 in 10 million lie beyond."""
ROUNDING_FRACTION: Final = 1e-12
"""Sums of some ten thousand costs agree to that between builds of the same libraries."""
NOISE_FRACTION: Final = 0.01
"""An EVPPI below this share of the EVPI cannot be told from the noise of the regression."""
TRIFLE_FRACTION: Final = 1e-4
"""An EVPPI below this share of the cost itself is not worth anybody's hour."""
_DEGREE: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """Expected costs given one Assumption."""

    expected_costs: Floats
    """Shape ``(options, values)``, USD."""
    weights: Floats
    """How likely each value is, shape ``(values,)``; they add up to 1."""
    evpi_usd: float

    @property
    def evppi_usd(self) -> float:
        """What it is worth to know the Assumption exactly; between 0 and the EVPI."""
        return min(_gain_usd(self.expected_costs, self.weights), self.evpi_usd)

    @property
    def is_noise(self) -> bool:
        """True when the EVPPI cannot be told from nothing, or is nothing beside what the best option costs."""
        best_usd = abs(float((self.expected_costs @ self.weights).min()))
        too_little_usd = max(NOISE_FRACTION * self.evpi_usd, TRIFLE_FRACTION * best_usd)
        return self.evppi_usd < too_little_usd or self.evpi_usd <= 0

    def evsi_usd(self, samples_count: float, noise_over_prior_ratio: float) -> float:
        """What a sample is worth whose every measurement has so many times the spread of what is known before.

        With n measurements the expected cost moves by the share sqrt(n / (n + ratio^2)) of what it would move if the
        Assumption were known: exact where the Assumption is normal and the costs are linear in it.
        """
        known = samples_count / (samples_count + noise_over_prior_ratio**2)
        means = (self.expected_costs @ self.weights)[:, None]
        seen = means + np.sqrt(known) * (self.expected_costs - means)
        return min(_gain_usd(seen, self.weights), self.evppi_usd)


def evpi_usd(costs: Floats) -> float:
    """Expected value of knowing everything: the lowest mean less the mean of the lowest.

    >>> evpi_usd(np.array([[1.0, 5.0], [2.0, 2.0]]))
    0.5
    """
    return max(float(costs.mean(axis=1).min() - costs.min(axis=0).mean()), 0.0)


def conditional_costs(costs: Floats, u: Draws) -> Conditional:
    """Regress every row of `costs` on the normal score of `u`, the cumulative probabilities of one Assumption.

    Cubic B-splines with knots at equally likely values. On the scale of the normal score a normal Assumption with
    linear costs is met exactly; the same splines over `u` itself are 0.16 % too high there.
    """
    values = np.linspace(-FARTHEST_SCORE, FARTHEST_SCORE, POINTS_COUNT)
    weights = np.exp(-0.5 * values**2)
    scores = np.clip(ndtri(u), -FARTHEST_SCORE, FARTHEST_SCORE)
    design = _design(scores)
    seen = np.asarray(design.T @ np.ascontiguousarray(costs.T))
    fitted, *_ = np.linalg.lstsq((design.T @ design).toarray(), seen, rcond=None)
    return Conditional(np.asarray(_design(values) @ fitted).T, weights / weights.sum(), evpi_usd(costs))


def _gain_usd(costs: Floats, weights: Floats) -> float:
    """What choosing after having seen gains; 0 where it is no more than the rounding of the two sums."""
    before_usd, after_usd = float((costs @ weights).min()), float(costs.min(axis=0) @ weights)
    gain_usd = before_usd - after_usd
    return gain_usd if gain_usd > ROUNDING_FRACTION * abs(before_usd) else 0.0


def _design(scores: Floats) -> csr_array[np.float64, tuple[int, int]]:
    """Values of the splines, shape ``(scores, SPLINE_COUNT)``; four of a row are not 0.

    Sparse: a fifth of the work of a dense product, and no pool of threads that waits for a busy machine.
    """
    from scipy.interpolate import BSpline
    from scipy.sparse import csr_array

    inner = ndtri(np.linspace(0.0, 1.0, SPLINE_COUNT - _DEGREE + 1)[1:-1])
    ends = np.full(_DEGREE + 1, FARTHEST_SCORE)
    return csr_array(BSpline.design_matrix(scores, np.concatenate([-ends, inner, ends]), _DEGREE))
