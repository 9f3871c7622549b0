"""First token: time to first token in a closed loop: the simulation's, times what its features explain of the rest.

Closed forms fail here, since a first token waits for other prompts, for steps in flight and for room in the cache. The
iteration-level simulation plays ten requests per client; public benchmarks differ from it by engine (scheduling of
prompts, warm-up), which a ridge regression on named features takes up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.serving.prediction.columns import Columns, Floats
from breakeven.serving.prediction.deployment import Deployment
from breakeven.serving.prediction.parameters import ENGINES, Values
from breakeven.serving.prediction.step_time import Times, memory
from breakeven.serving.prediction.timings import replica_timings

FIRST_TOKEN_S: Final = (0.02, 0.08, 0.02, 0.03)
"""By engine: tokenising, scheduling, the wire. A guess, scaled by the regression."""
CLIENTS_MAX_COUNT: Final = 4096.0
REQUESTS_MAX_COUNT: Final = 20_000
WAITING_VERSIONS: Final = frozenset({"1.0.0rc3"})
"""Versions of TensorRT-LLM in whose public runs one of the requests in flight waits for a whole generation at all
times: TTFT grows by the length of an answer over the concurrency."""
FEATURES: Final = (
    "one",
    "ln concurrency",
    "ln input tokens",
    "ln step",
    "share of prefill",
    "ln prompt time",
    "mixture of experts",
    "Blackwell",
    "data-parallel attention",
    "requests beyond the cache",
    "ln GPUs",
    "ln concurrency squared",
    "latent attention",
    "ln median over mean",
)


@dataclass(frozen=True, slots=True)
class FirstTokens:
    """What the simulation says, shape ``(points,)``, and features of what it does not, ``(points, features)``."""

    base_s: Floats
    features: Floats
    """Columns: FEATURES, then again for each of the first three engines, then for versions in which one waits."""


def first_tokens(
    c: Columns, v: Values, found: Times, deployments: Sequence[Deployment], slower_ratio: Floats
) -> FirstTokens:
    """Simulate every point's closed loop."""
    from breakeven.serving.traffic.simulate import closed_loop, default_requests_count

    clients = np.minimum(np.where(c.is_offline, found.batch_count, c.concurrency_count), CLIENTS_MAX_COUNT)
    clients = np.maximum(np.round(clients), 1).astype(np.int64)
    requests = np.minimum(default_requests_count(clients), np.maximum(REQUESTS_MAX_COUNT, clients))
    lengths = [np.maximum(np.round(each), 1).astype(np.int64) for each in (c.input_tokens, c.output_tokens)]
    timings = replica_timings(c, v, slower_ratio=slower_ratio, sequences_max_count=100_000)
    loop = closed_loop(timings, clients, *lengths, requests_count=requests)
    generation = clients * c.output_tokens * c.replicas_count / (found.output_tok_per_s / slower_ratio)
    is_waiting = np.array([each.engine_version in WAITING_VERSIONS for each in deployments], dtype=np.float64)
    waits = is_waiting * generation / clients
    base = loop.ttft_mean_s + np.array(FIRST_TOKEN_S)[c.engine] + waits
    beyond = np.clip(clients / np.maximum(memory(c, v).sequences_count, 1e-3) - 1, 0, 2)
    load = np.log(clients / 32.0)
    plain = np.stack(
        [
            np.ones(c.points_count),
            load,
            np.log(c.input_tokens / 2048),
            np.log(found.step_s * slower_ratio / 0.015),
            found.prefill_fraction(c.output_tokens),
            np.log(found.prompt_s * slower_ratio / 0.05),
            c.is_moe * 1.0,
            c.is_blackwell * 1.0,
            (c.attention_ranks_count > 1) * 1.0,
            beyond,
            np.log(c.gpus_count / 4),
            load**2 / 4,
            c.is_latent * 1.0,
            np.log(np.maximum(loop.ttft_median_s / loop.ttft_mean_s, 1e-3)),
        ],
        axis=1,
    )
    own = [plain * (c.engine == i)[:, None] for i in range(len(ENGINES) - 1)]
    return FirstTokens(base, np.concatenate([plain, *own, plain * is_waiting[:, None]], axis=1))
