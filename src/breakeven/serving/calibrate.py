"""Calibration: how far a measured deployment stands from its prediction, shrunk towards none: few points move little.

For one deployment and one figure (output tokens per second, time to first token, time per output token)::

    ln(measured / predicted) = level + slope * (ln concurrency - ln centre) + noise

with Gaussian priors on level and slope around 0. That is Bayesian linear regression with a closed form (Bishop,
"Pattern Recognition and Machine Learning", 3.3). One bad point must not drag the others: each point has a weight from
a Student t likelihood of four degrees of freedom, found by expectation-maximisation (Lange, Little and Taylor, JASA
1989), which begins at the plain fit. The noise itself is drawn towards the scatter that is seen. Only plain numbers
come in, so that any tool's results and any prediction can be used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from breakeven.errors import CalibrationError

Figure = Literal["output_tok_per_s", "ttft_ms", "tpot_ms"]
FIGURES: Final[tuple[Figure, ...]] = ("output_tok_per_s", "ttft_ms", "tpot_ms")

LEVEL_SD_RATIO: Final = 0.18
"""Placeholder where the fit of the model says nothing: how far whole deployments stand from the prediction."""
SLOPE_SD_RATIO: Final = 0.05
"""Placeholder: how much that changes when the concurrency grows by a factor of e."""
NOISE_SD_RATIO: Final = 0.06
"""Placeholder: how far single points of one deployment scatter around its line."""
CENTRE_CONCURRENCY_COUNT: Final = 16.0
TAIL_DEGREES_COUNT: Final = 4.0
"""Degrees of freedom of the Student t that outliers are judged by."""
NOISE_WEIGHT_COUNT: Final = 8.0
"""How many points the prior of the noise is worth."""
FAILED_MAX_FRACTION: Final = 0.01
"""A point with more failures than that measured something else."""
_ROUNDS_MAX_COUNT: Final = 200
_CONVERGED: Final = 1e-12


@dataclass(frozen=True, slots=True)
class CorrectionPrior:
    """What is believed before a measurement: standard deviations of natural logarithms of ratios."""

    level_sd_ratio: float = LEVEL_SD_RATIO
    slope_sd_ratio: float = SLOPE_SD_RATIO
    noise_sd_ratio: float = NOISE_SD_RATIO
    centre_concurrency_count: float = CENTRE_CONCURRENCY_COUNT
    tail_degrees_count: float = TAIL_DEGREES_COUNT
    """Infinite: every point counts fully, outlier or not."""
    noise_weight_count: float = NOISE_WEIGHT_COUNT
    """Infinite: the noise is what the prior says."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise CalibrationError(f"prior {name} is {getattr(self, name):g}; wanted a number above 0")


OUTPUT_PRIOR: Final = CorrectionPrior()
TTFT_PRIOR: Final = CorrectionPrior(level_sd_ratio=0.40, slope_sd_ratio=0.10, noise_sd_ratio=0.15)
"""Placeholder: first tokens are predicted worst and measured worst."""
TPOT_PRIOR: Final = CorrectionPrior()
PRIORS: Final[dict[Figure, CorrectionPrior]] = {
    "output_tok_per_s": OUTPUT_PRIOR,
    "ttft_ms": TTFT_PRIOR,
    "tpot_ms": TPOT_PRIOR,
}


@dataclass(frozen=True, slots=True)
class DeploymentKey:
    """Which deployment a correction belongs to, and no other."""

    model: str
    gpu: str
    gpus_count: int
    precision: str
    engine: str = ""

    def __str__(self) -> str:
        return "|".join((self.model, self.gpu, str(self.gpus_count), self.precision, self.engine))


@dataclass(frozen=True, slots=True)
class FactorRange:
    """A factor with the interval that a new measurement falls into with the stated confidence."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True, slots=True)
class Correction:
    """What to multiply a prediction of one figure by. At its centre, level and slope are independent of each other."""

    key: DeploymentKey
    figure: Figure
    level_ratio: float
    """ln(measured / predicted) at the centre."""
    level_sd_ratio: float
    slope_ratio: float
    """Change of that per unit of ln(concurrency)."""
    slope_sd_ratio: float
    noise_sd_ratio: float
    """Scatter of single points."""
    centre_concurrency_count: float
    points_count: int
    """Points behind it; 0: the prior alone."""
    low_concurrency_count: float
    """Least concurrency that was measured."""
    high_concurrency_count: float
    measured_on: date
    source_title: str
    weights: tuple[float, ...] = field(default=(), compare=False)
    """Of each point: 1 for one that fits, near 0 for an outlier."""

    def factor(self, concurrency_count: float) -> float:
        """Measured over predicted, as far as is known (the median)."""
        return math.exp(self.level_ratio + self.slope_ratio * self._distance(concurrency_count))

    def interval(self, concurrency_count: float, confidence: float = 0.8) -> FactorRange:
        """Where measured over predicted of a new point falls: knowledge of the line and scatter around it."""
        z = NormalDist().inv_cdf(0.5 + confidence / 2)
        spread = z * math.hypot(self.line_sd_ratio(concurrency_count), self.noise_sd_ratio)
        middle = self.factor(concurrency_count)
        return FactorRange(middle * math.exp(-spread), middle, middle * math.exp(spread))

    def line_sd_ratio(self, concurrency_count: float) -> float:
        """How well the line is known at a concurrency."""
        return math.hypot(self.level_sd_ratio, self.slope_sd_ratio * self._distance(concurrency_count))

    def covers(self, concurrency_count: float) -> bool:
        """True inside the measured range; outside it the interval widens."""
        return self.low_concurrency_count <= concurrency_count <= self.high_concurrency_count

    def _distance(self, concurrency_count: float) -> float:
        if not concurrency_count > 0:
            raise CalibrationError(f"concurrency {concurrency_count:g}; wanted a number above 0")
        return math.log(concurrency_count / self.centre_concurrency_count)


def fit_correction(
    concurrency: Sequence[float],
    measured: Sequence[float],
    predicted: Sequence[float],
    *,
    key: DeploymentKey,
    figure: Figure = "output_tok_per_s",
    measured_on: date,
    source_title: str,
    prior: CorrectionPrior | None = None,
) -> Correction:
    """The correction of one figure from measured points; raises CalibrationError for what cannot be one.

    No points give the prior: factor 1 and its interval.
    """
    chosen = prior or PRIORS[figure]
    x, y = _checked(concurrency, measured, predicted)
    fit = _fit(np.log(x / chosen.centre_concurrency_count), y, chosen)
    shift = _independent_at(fit)
    level = fit.mean[0] + fit.mean[1] * shift
    return Correction(
        key=key,
        figure=figure,
        level_ratio=float(level),
        level_sd_ratio=math.sqrt(fit.covariance[0, 0] + shift * fit.covariance[0, 1]),
        slope_ratio=float(fit.mean[1]),
        slope_sd_ratio=math.sqrt(fit.covariance[1, 1]),
        noise_sd_ratio=fit.noise_sd,
        centre_concurrency_count=chosen.centre_concurrency_count * math.exp(shift),
        points_count=len(x),
        low_concurrency_count=float(x.min()) if len(x) else chosen.centre_concurrency_count,
        high_concurrency_count=float(x.max()) if len(x) else chosen.centre_concurrency_count,
        measured_on=measured_on,
        source_title=source_title,
        weights=tuple(float(each) for each in fit.weights),
    )


def leave_one_out(
    concurrency: Sequence[float],
    measured: Sequence[float],
    predicted: Sequence[float],
    *,
    figure: Figure = "output_tok_per_s",
    prior: CorrectionPrior | None = None,
) -> tuple[FactorRange, ...]:
    """The factor of each point as the *other* points give it: what the correction is worth on a new measurement."""
    found = []
    anonymous = DeploymentKey("", "", 1, "")
    for index in range(len(concurrency)):
        others = [
            tuple(row for place, row in enumerate(rows) if place != index)
            for rows in (concurrency, measured, predicted)
        ]
        correction = fit_correction(
            *others, key=anonymous, figure=figure, measured_on=date.min, source_title="", prior=prior
        )
        found.append(correction.interval(concurrency[index]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Screened:
    """Whether a measured point may be used."""

    is_refused: bool
    reason: str = ""
    """Why it is refused, or what to keep in mind; empty: nothing."""


def screen(
    measured_tok_per_s: float, requests_count: int, failures_count: int, speed_of_light_tok_per_s: float | None = None
) -> Screened:
    """Refuses a point that physics or its failures make worthless; the speed of light is that of the deployment.

    >>> screen(900.0, 100, 0, 800.0).is_refused, screen(700.0, 100, 1, 800.0).is_refused
    (True, False)
    """
    if not 0 < measured_tok_per_s < math.inf:
        return Screened(True, f"{measured_tok_per_s:g} output tok/s is no measurement")
    if speed_of_light_tok_per_s is not None and measured_tok_per_s > speed_of_light_tok_per_s:
        return Screened(
            True,
            f"{measured_tok_per_s:,.0f} output tok/s is more than this hardware can read weights and cache for "
            f"({speed_of_light_tok_per_s:,.0f}): wrong GPUs, precision or model, or answers from a cache",
        )
    sent = requests_count + failures_count
    if failures_count > FAILED_MAX_FRACTION * sent:
        return Screened(True, f"{failures_count} of {sent} requests failed")
    if failures_count:
        return Screened(False, f"{failures_count} of {sent} requests failed")
    return Screened(False)


@dataclass(frozen=True, slots=True)
class _Fit:
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    noise_sd: float
    weights: NDArray[np.float64]


def _fit(x: NDArray[np.float64], y: NDArray[np.float64], prior: CorrectionPrior) -> _Fit:
    """Level, slope, weights and noise by expectation-maximisation, begun at the plain closed form."""
    rows = np.column_stack((np.ones_like(x), x))
    fit = _posterior(rows, y, np.ones_like(x), prior.noise_sd_ratio, prior)
    for _ in range(_ROUNDS_MAX_COUNT if len(x) else 0):
        squares = (y - rows @ fit.mean) ** 2 + np.einsum("ij,jk,ik->i", rows, fit.covariance, rows)
        weights = _weights(squares / fit.noise_sd**2, prior.tail_degrees_count)
        noise_sd = _noise_sd(weights * squares, prior)
        before, fit = fit, _posterior(rows, y, weights, noise_sd, prior)
        if float(np.abs(fit.mean - before.mean).max()) < _CONVERGED and abs(noise_sd - before.noise_sd) < _CONVERGED:
            break
    return fit


def _posterior(
    rows: NDArray[np.float64],
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    noise_sd: float,
    prior: CorrectionPrior,
) -> _Fit:
    """The closed form: precision of the prior plus that of the points."""
    precision = np.diag([prior.level_sd_ratio**-2, prior.slope_sd_ratio**-2])
    scaled = rows * (weights / noise_sd**2)[:, None]
    covariance: NDArray[np.float64] = np.linalg.inv(precision + rows.T @ scaled).astype(np.float64)
    return _Fit(covariance @ (scaled.T @ y), covariance, noise_sd, weights)


def _weights(squares: NDArray[np.float64], tail_degrees_count: float) -> NDArray[np.float64]:
    if math.isinf(tail_degrees_count):
        return np.ones_like(squares)
    return np.minimum((tail_degrees_count + 1) / (tail_degrees_count + squares), 1.0)


def _noise_sd(weighted_squares: NDArray[np.float64], prior: CorrectionPrior) -> float:
    """The scatter that is seen, drawn towards the prior's as if that came from `noise_weight_count` points."""
    if math.isinf(prior.noise_weight_count):
        return prior.noise_sd_ratio
    worth = prior.noise_weight_count
    seen = float(weighted_squares.sum()) / _weighted_square_of_a_normal(prior.tail_degrees_count)
    total = worth * prior.noise_sd_ratio**2 + seen
    return math.sqrt(total / (worth + len(weighted_squares)))


@lru_cache(maxsize=8)
def _weighted_square_of_a_normal(tail_degrees_count: float) -> float:
    """Mean of weight x square for normal scatter, from whose tails the weights take something too."""
    z = np.linspace(-8.0, 8.0, 3201)
    density = np.exp(-(z**2) / 2)
    return float((_weights(z**2, tail_degrees_count) * z**2 * density).sum() / density.sum())


def _independent_at(fit: _Fit) -> float:
    """How far from the centre level and slope are uncorrelated: there, two numbers and their spreads say it all."""
    return float(-fit.covariance[0, 1] / fit.covariance[1, 1])


def _checked(
    concurrency: Sequence[float], measured: Sequence[float], predicted: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Concurrency and ln(measured / predicted)."""
    columns = {"concurrency": concurrency, "measured": measured, "predicted": predicted}
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    if len({len(each) for each in arrays.values()}) != 1:
        sizes = ", ".join(f"{len(each)} {name}" for name, each in arrays.items())
        raise CalibrationError(f"{sizes}; wanted one of each per point")
    for name, array in arrays.items():
        odd = array[~(np.isfinite(array) & (array > 0))]
        if len(odd):
            raise CalibrationError(f"{name} holds {odd[0]:g}; wanted finite numbers above 0")
    return arrays["concurrency"], np.log(arrays["measured"] / arrays["predicted"])
