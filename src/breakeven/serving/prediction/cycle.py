"""Cycle: one round of a client in a closed loop: it waits for a first token, then gets the others, then asks again.

By Little's law (J. D. C. Little, Operations Research 9(3), 1961) requests in flight = rate x cycle, so throughput, TTFT
and TPOT are not free of each other: in flight x output tokens = throughput x (TTFT + TPOT x (output tokens - 1)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.serving.prediction.columns import Columns, Floats
from breakeven.serving.prediction.corrections import covariates
from breakeven.serving.prediction.deployment import Deployment
from breakeven.serving.prediction.first_token import FIRST_TOKEN_S, first_tokens
from breakeven.serving.prediction.fitted_model import FittedModel
from breakeven.serving.prediction.regime import NEAR_LIMIT_FRACTION
from breakeven.serving.prediction.step_time import Times, memory, times

CACHE_MAX_RATIO: Final = 1.3
"""What engines hold over what we think, at most: up to there TPOT grows with the requests, from there on it stays,
since those in the cache decode at its pace however many wait. Of 28 public runs at 1.2 times what fits and more the
median TPOT is 1.25 times that of a cache that is just full."""
IDLE_MAX_FRACTION: Final = 0.05
"""Share of a cycle in which the replica waits for its clients: more comes from an error of TTFT than from idling."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """Throughput of all replicas and latencies that agree with it; shape ``(points,)``."""

    output_tok_per_s: Floats
    ttft_s: Floats
    tpot_s: Floats
    slower_ratio: Floats
    """Times as measured over times as the roofline has them, where the deployment is known; else 1."""


def cycles(c: Columns, deployments: Sequence[Deployment], fitted: FittedModel) -> Cycle:
    """Predicted cycles: as simulated while the cache is not crowded, then towards a cache that is just full, where TPOT
    is no shorter; of more requests than fit, the surplus waits.
    """
    held = np.maximum(memory(c, fitted.values).sequences_count, 1.0)
    edge = np.maximum(NEAR_LIMIT_FRACTION * held, 1.0)
    crowded = (c.concurrency_count > edge) & ~c.is_offline & ~c.is_static
    plain = _simulated(replace(c, concurrency_count=np.where(crowded, edge, c.concurrency_count)), deployments, fitted)
    if not crowded.any():
        return plain
    where = np.flatnonzero(crowded)
    part = replace(c.rows(where), concurrency_count=held[where])
    full_tpot = plain.tpot_s.copy()
    full_tpot[where] = _simulated(part, [deployments[int(i)] for i in where], fitted).tpot_s
    found = times(c, fitted.values)
    slower = slower_ratio(c, found, deployments, fitted)
    output = np.where(crowded, np.maximum(found.output_tok_per_s / slower, plain.output_tok_per_s), 0.0)
    filled = np.clip((c.concurrency_count - edge) / np.maximum(held - edge, 1e-9), 0, 1)
    tpot = plain.tpot_s + filled * np.maximum(full_tpot - plain.tpot_s, 0)
    tpot = tpot * np.clip(c.concurrency_count / held, 1, CACHE_MAX_RATIO)
    whole = c.concurrency_count * c.replicas_count * c.output_tokens / np.where(crowded, output, 1.0)
    return Cycle(
        np.where(crowded, output, plain.output_tok_per_s),
        np.where(crowded, whole - tpot * (c.output_tokens - 1), plain.ttft_s),
        np.where(crowded, tpot, plain.tpot_s),
        np.where(crowded, slower, plain.slower_ratio),
    )


def slower_ratio(c: Columns, found: Times, deployments: Sequence[Deployment], fitted: FittedModel) -> Floats:
    """Times as measured over times as the roofline has them, where the deployment is known; else 1."""
    x = covariates(found.batch_count, found.prefill_fraction(c.output_tokens))
    return np.asarray(np.exp(-fitted.corrections.log_ratio(deployments, x)))


def _simulated(c: Columns, deployments: Sequence[Deployment], fitted: FittedModel) -> Cycle:
    found = times(c, fitted.values)
    x = covariates(found.batch_count, found.prefill_fraction(c.output_tokens))
    slower = slower_ratio(c, found, deployments, fitted)
    first = first_tokens(c, fitted.values, found, deployments, slower)
    known = fitted.first_token_corrections.log_ratio(deployments, x)
    ttft = first.base_s * np.exp(first.features @ fitted.first_token_weights + known)
    other_stages = found.prompt_s * slower * (1 - 1 / c.pipeline_count)
    return _split(c, found, ttft + other_stages, slower)


def _split(c: Columns, found: Times, ttft_s: Floats, slower_ratio: Floats) -> Cycle:
    """A first token takes a step at least, and so does each other token. Where both together last longer than the
    throughput says, the replica idles a little, and delivers less; the rest is taken off TTFT.
    """
    step, output = found.step_s * slower_ratio, found.output_tok_per_s / slower_ratio
    busy = found.batch_count * c.replicas_count * c.output_tokens / output
    others = c.output_tokens - 1
    first = np.maximum(ttft_s, step)
    idle_max = np.maximum(np.array(FIRST_TOKEN_S)[c.engine], IDLE_MAX_FRACTION * busy)
    idle = np.clip(first + step * others - busy, 0, np.where(c.is_offline | c.is_static, 0.0, idle_max))
    whole = busy + idle
    tpot = np.maximum((whole - first) / np.maximum(others, 1), step)
    return Cycle(output * busy / whole, np.maximum(whole - tpot * others, step), tpot, slower_ratio)
