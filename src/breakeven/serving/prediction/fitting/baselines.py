"""Baselines: what a spreadsheet would do, for the error table: bandwidth alone, a plain roofline of five numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.serving.prediction.columns import Columns, Floats
from breakeven.serving.prediction.fitting.rows import MeasuredRows
from breakeven.serving.prediction.placing import PRIORS
from breakeven.serving.prediction.step_time import attended_tokens, batch_at, memory, touched_fraction

_START: Final = np.log([0.7, 0.5, 1e-3, 40e-6, 8e-6])
"""Share of bandwidth, share of peak, seconds per step, per layer, per sequence."""


def bandwidth_alone_tok_per_s(c: Columns) -> Floats:
    """The rule of thumb: memory bandwidth over the bytes of the active weights, times the requests in flight."""
    active = c.dense_params_count * c.bytes_per_param
    active = active + c.expert_bytes * c.experts_per_token_count / np.maximum(c.experts_count, 1)
    return np.asarray(c.replicas_count * _batch(c) * c.gpus_count * c.bandwidth_bytes_per_s / active)


def fit_plain_roofline(rows: MeasuredRows) -> Floats:
    """Five numbers for every engine and GPU alike, by least squares on logarithms."""
    from scipy.optimize import least_squares

    log_measured = np.log(rows.output_tok_per_s)

    def residuals(x: Floats) -> Floats:
        return np.asarray(np.log(plain_roofline_tok_per_s(rows.columns, x)) - log_measured)

    solved = least_squares(residuals, _START, loss="soft_l1", f_scale=0.15)
    return np.asarray(solved.x)


def plain_roofline_tok_per_s(c: Columns, x: Floats) -> Floats:
    """Weights and cache over bandwidth, arithmetic over peak, overheads per step, layer and sequence."""
    bandwidth, peak, step, layer, sequence = np.exp(x)
    batch = _batch(c)
    read = c.dense_params_count * c.bytes_per_param + c.expert_bytes * touched_fraction(c, batch)
    cached = c.cache_bytes_per_token * attended_tokens(c, c.input_tokens + c.output_tokens / 2)
    moved = (read + batch * cached) / (c.gpus_count * c.bandwidth_bytes_per_s * bandwidth)
    flop = 2 * (c.dense_params_count + c.expert_active_count) / (c.gpus_count * c.peak_flops * peak)
    decode = c.output_tokens * (moved + batch * flop + step + layer * c.layers_count + sequence * batch)
    return np.asarray(c.replicas_count * batch * c.output_tokens / (decode + batch * c.input_tokens * flop))


def _batch(c: Columns) -> Floats:
    return batch_at(c, memory(c, PRIORS))
