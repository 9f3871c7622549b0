"""Shrinkage: corrections of single deployments from their residuals, as far as the evidence carries.

Best linear unbiased prediction of nested random effects (Henderson, Biometrics 31(2), 1975): level and two slopes for
each model and engine version, and again for each deployment of it. Rows that do not fit count less (Huber weights).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.serving.prediction.columns import Floats
from breakeven.serving.prediction.corrections import Corrections

VERSION_SD_RATIOS: Final = (0.10, 0.06, 0.06)
"""Standard deviations of level and slopes between engine versions of one model."""
DEPLOYMENT_SD_RATIOS: Final = (0.08, 0.05, 0.05)
NOISE_SD_RATIO: Final = 0.05
HUBER_RATIO: Final = 2.5
"""Noise standard deviations from which a row counts less."""
_ROUNDS: Final = 3
Labels = NDArray[np.str_]


def shrink(
    log_ratio: Floats, x: Floats, versions: Labels, deployments: Labels, scale_ratio: float = 1.0
) -> Corrections:
    """Effects from ln(measured / predicted) at covariates `x`; `scale_ratio` multiplies every standard deviation."""
    sds = [scale_ratio * np.array(each) for each in (VERSION_SD_RATIOS, DEPLOYMENT_SD_RATIOS)]
    noise = scale_ratio * NOISE_SD_RATIO
    groups = [np.unique(each, return_inverse=True) for each in (versions, deployments)]
    covariance = np.zeros((log_ratio.size, log_ratio.size))
    for (_, index), sd in zip(groups, sds, strict=True):
        covariance += (index[:, None] == index[None, :]) * ((x * sd**2) @ x.T)
    weights = np.ones(log_ratio.size)
    for _ in range(_ROUNDS):
        pull = np.linalg.solve(covariance + np.diag(noise**2 / weights), log_ratio)
        rest = np.abs(log_ratio - covariance @ pull)
        weights = np.clip(HUBER_RATIO * noise / np.maximum(rest, 1e-9), 0.02, 1.0)
    effects = []
    for (names, index), sd in zip(groups, sds, strict=True):
        sums = np.zeros((names.size, x.shape[1]))
        np.add.at(sums, index, x * pull[:, None])
        effects.append({str(name): tuple(row) for name, row in zip(names, (sums * sd**2).tolist(), strict=True)})
    return Corrections(*effects)
