"""Fit: parameters by penalised least squares on logarithms, robust against rows that do not belong.

The residuals of neighbouring concurrencies of one deployment are near copies, so that thousands of rows weigh like a
few hundred: `EVIDENCE_RATIO` says what a row weighs beside the priors. The loss grows linearly for large residuals
(soft L1), and every parameter keeps its bounds.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.serving.prediction.fitting.rows import MeasuredRows
from breakeven.serving.prediction.parameters import PARAMETERS, Values
from breakeven.serving.prediction.step_time import memory, times

EVIDENCE_RATIO: Final = 0.8
"""Standard deviations that a residual of 1 (a factor e) counts as."""
SOFT_FROM_RATIO: Final = 0.15
"""Residual from which the loss turns linear."""
TPOT_WEIGHT_RATIO: Final = 0.5
LOAD_WEIGHT_RATIO: Final = 0.4
"""Weight of offline and static rows: other tools, other tuning."""
_STEPS_MAX_COUNT: Final = 40


def fit(rows: MeasuredRows) -> Values:
    """Parameters that explain the measurements."""
    from scipy.optimize import least_squares

    start = np.log([each.typical for each in PARAMETERS])
    spread = np.array([each.prior_sd_ratio for each in PARAMETERS])
    bounds = (np.log([each.low for each in PARAMETERS]), np.log([each.high for each in PARAMETERS]))
    closed = rows.labels("load") == "closed_loop"
    weights = np.where(closed, 1.0, LOAD_WEIGHT_RATIO)
    with_tpot = np.isfinite(rows.tpot_s)
    log_output, log_tpot = np.log(rows.output_tok_per_s), np.log(np.where(with_tpot, rows.tpot_s, 1.0))
    c = rows.columns

    def residuals(x: np.ndarray) -> np.ndarray:
        v = as_values(x)
        found = times(c, v)
        fits = memory(c, v).room_bytes_per_gpu > 0
        output = (np.log(found.output_tok_per_s) - log_output) * weights * fits
        waiting = np.maximum(found.batch_count - 1, 0) * found.prompt_s * found.overlap_ratio / c.output_tokens
        tpot = (np.log(found.step_s + waiting) - log_tpot) * TPOT_WEIGHT_RATIO * with_tpot * fits
        return np.concatenate([np.concatenate([output, tpot]) * EVIDENCE_RATIO, (x - start) / spread])

    loss_scale = SOFT_FROM_RATIO * EVIDENCE_RATIO
    solved = least_squares(
        residuals, start, bounds=bounds, loss="soft_l1", f_scale=loss_scale, max_nfev=_STEPS_MAX_COUNT
    )
    return as_values(solved.x)


def as_values(x: np.ndarray) -> Values:
    """Parameters by name, from their logarithms."""
    return {each.name: float(np.exp(value)) for each, value in zip(PARAMETERS, x, strict=True)}
