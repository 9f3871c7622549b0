"""Timings: the ReplicaTiming of each point, so that traffic can be played against what the serving model predicts."""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.serving.prediction.columns import Columns, Floats
from breakeven.serving.prediction.parameters import Values
from breakeven.serving.prediction.step_time import (
    attended_tokens,
    attention_s_per_pair,
    by_engine,
    cache_ranks_count,
    cache_s,
    memory,
    overhead_s,
    reduce_s,
    weights_s,
)
from breakeven.serving.traffic.replica_timing import ReplicaTiming

STEP_TOKENS: Final = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384], dtype=np.float64)
STEP_MAX_TOKENS: Final = 8192
"""Prompt tokens that engines read in one step unless told otherwise (vLLM's `max_num_batched_tokens` on large GPUs)."""
SEQUENCES_MAX_COUNT: Final = 1024
"""Sequences that run at once (vLLM's `max_num_seqs` on large GPUs)."""


def replica_timings(
    c: Columns, v: Values, *, slower_ratio: Floats | float = 1.0, sequences_max_count: int = SEQUENCES_MAX_COUNT
) -> list[ReplicaTiming]:
    """One timing per point; every time is multiplied by `slower_ratio` (a measured correction).

    A pipeline works on as many parts of a batch as it has stages: an iteration of the whole takes that of a part.
    """
    slower = np.broadcast_to(np.asarray(slower_ratio, np.float64), (c.points_count,))
    per_sequence = by_engine(v, "sequence", "s", c.engine) / c.attention_ranks_count
    steps = []
    for tokens in STEP_TOKENS:
        new = np.maximum(tokens / c.pipeline_count, 1.0)
        fixed = overhead_s(c, v, new) - new * per_sequence
        steps.append(weights_s(c, v, new) + fixed + reduce_s(c, v, new))
    table = np.maximum.accumulate(np.array(steps), axis=0).T * slower[:, None]
    one = np.ones(c.points_count)
    held = c.input_tokens + c.output_tokens / 2
    per_token = cache_s(c, v, one, held) / held
    pairs = attention_s_per_pair(c, v)
    part = slower / c.pipeline_count
    windowed = attended_tokens(c, c.input_tokens / 2) / np.maximum(c.input_tokens / 2, 1)
    room = memory(c, v)
    room_bytes = room.room_bytes_per_gpu * cache_ranks_count(c) * c.pipeline_count
    capacity = np.maximum(room_bytes * held / room.sequence_bytes, c.input_tokens + c.output_tokens + 1)
    return [
        ReplicaTiming(
            STEP_TOKENS,
            table[i],
            float(per_sequence[i] * part[i]),
            float(per_token[i] * part[i]),
            float(pairs[i] * windowed[i] * part[i]),
            0.0,
            float(capacity[i]),
            sequences_max_count,
            STEP_MAX_TOKENS,
        )
        for i in range(c.points_count)
    ]
