"""Model: everything that is fitted, together: parameters, first tokens, corrections; and what it predicts of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.serving.prediction.columns import Floats
from breakeven.serving.prediction.corrections import Corrections, covariates
from breakeven.serving.prediction.cycle import cycles
from breakeven.serving.prediction.first_token import FirstTokens, first_tokens
from breakeven.serving.prediction.fitted_model import FittedModel
from breakeven.serving.prediction.fitting.fit import fit
from breakeven.serving.prediction.fitting.rows import MeasuredRows
from breakeven.serving.prediction.fitting.shrinkage import shrink
from breakeven.serving.prediction.parameters import Values
from breakeven.serving.prediction.step_time import Times, memory, times

RIDGE_PENALTY: Final = 3.0
FIRST_TOKEN_SCALE: Final = 3.0
"""First tokens of deployments differ that much more than throughputs."""
_HUBER: Final = 0.15


@dataclass(frozen=True, slots=True)
class RowPredictions:
    """What a fitted model says of rows; shape ``(rows,)``; NaN where the model does not fit the memory."""

    output_tok_per_s: Floats
    ttft_s: Floats
    tpot_s: Floats
    sequences_count: Floats
    """That fit at once."""


def fit_model(rows: MeasuredRows) -> FittedModel:
    """Fit everything on `rows`."""
    values = fit(rows)
    found = times(rows.columns, values)
    x = covariates(found.batch_count, found.prefill_fraction(rows.columns.output_tokens))
    fits = memory(rows.columns, values).sequences_count >= 1
    corrections = _shrunk(rows, np.log(rows.output_tok_per_s / found.output_tok_per_s), x, fits)
    first = _first_tokens(rows, values, found, corrections, x)
    known = fits & np.isfinite(rows.ttft_s) & (rows.ttft_s > 0)
    rest = np.log(np.where(known, rows.ttft_s, 1.0) / first.base_s)
    weights = _ridge(first.features[known], rest[known])
    rest = rest - first.features @ weights
    return FittedModel(values, corrections, weights, _shrunk(rows, rest, x, known, FIRST_TOKEN_SCALE))


def predict_rows(model: FittedModel, rows: MeasuredRows) -> RowPredictions:
    """Throughput, TTFT and TPOT of rows, whether they were fitted or not."""
    c = rows.columns
    held = memory(c, model.values).sequences_count
    loop = cycles(c, [row.point.deployment for row in rows.rows], model)
    fits = np.where(held >= 1, 1.0, np.nan)
    return RowPredictions(loop.output_tok_per_s * fits, loop.ttft_s * fits, loop.tpot_s * fits, held)


def _first_tokens(rows: MeasuredRows, values: Values, found: Times, corrections: Corrections, x: Floats) -> FirstTokens:
    deployments = [row.point.deployment for row in rows.rows]
    return first_tokens(rows.columns, values, found, deployments, np.exp(-corrections.log_ratio(deployments, x)))


def _shrunk(rows: MeasuredRows, log_ratio: Floats, x: Floats, use: np.ndarray, scale: float = 1.0) -> Corrections:
    versions, deployments = rows.labels("model_version"), rows.labels("deployment")
    return shrink(log_ratio[use], x[use], versions[use], deployments[use], scale)


def _ridge(features: Floats, target: Floats) -> Floats:
    """Ridge regression with Huber weights."""
    weights = np.ones(target.size)
    solution: Floats = np.zeros(features.shape[1])
    for _ in range(6):
        gram = features.T @ (features * weights[:, None]) + RIDGE_PENALTY * np.eye(features.shape[1])
        solution = np.asarray(np.linalg.solve(gram, features.T @ (weights * target)), np.float64)
        weights = 1 / np.maximum(np.abs(target - features @ solution) / _HUBER, 1)
    return solution
