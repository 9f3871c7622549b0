"""Replica timing: how long one iteration of a replica's engine takes, and how much it can hold at once.

What a Deployment (model, GPUs, precision, engine) comes down to for anything that plays traffic against it: the
iteration-level simulation, the fluid fixed point, the capacity at a latency target. An engine with continuous batching
(Yu et al., "Orca", OSDI 2022) and chunked prefill (Agrawal et al., "Sarathi-Serve", OSDI 2024) runs one iteration after
the other; each computes one new token for every decoding sequence and up to a budget of prompt tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ReplicaTiming:
    """Times of one iteration of one replica. All figures are of the whole replica, however many GPUs it has.

    An iteration with `b` decoding sequences that hold `k` tokens in cache together, and `p` new prompt tokens that
    look back on `q` (new token, token before it) pairs, takes::

        interp(b + p, step_tokens, step_s) + b * sequence_s + k * cache_read_s_per_token + q * attention_s_per_pair
    """

    step_tokens: NDArray[np.float64]
    """Shape ``(points,)``, increasing, from 1: new tokens of an iteration (decoding sequences plus prompt tokens)."""
    step_s: NDArray[np.float64]
    """Shape ``(points,)``: time of such an iteration without attention to the cache; beyond the last point the last
    slope goes on."""
    sequence_s: float
    """Added for each decoding sequence: sampling, bookkeeping."""
    cache_read_s_per_token: float
    """Added for each cached token that the decoding sequences read."""
    attention_s_per_pair: float
    """Added for each pair of a new prompt token and a token before it."""
    first_token_s: float
    """Added once to the time to first token of every request: tokenising, scheduling, the wire."""
    cache_capacity_tokens: float
    """Tokens that the KV cache holds."""
    sequences_max_count: int
    """Sequences that run at once."""
    step_max_tokens: int
    """Most new tokens of one iteration (vLLM's ``max_num_batched_tokens``): longer prompts are cut in chunks."""

    def iteration_s(
        self, decoding_count: float, cached_tokens: float, prompt_tokens: float = 0.0, pairs_count: float = 0.0
    ) -> float:
        """Time of one iteration, s.

        >>> flat = ReplicaTiming(np.array([1.0, 100.0]), np.array([0.01, 0.01]), 0.0, 1e-6, 0.0, 0.0, 1e6, 64, 8192)
        >>> flat.iteration_s(10, 1000.0)
        0.011
        """
        new = decoding_count + prompt_tokens
        last = float(self.step_tokens[-1])
        base = float(np.interp(min(new, last), self.step_tokens, self.step_s))
        if new > last:
            slope = (self.step_s[-1] - self.step_s[-2]) / (self.step_tokens[-1] - self.step_tokens[-2])
            base += float(slope) * (new - last)
        return (
            base
            + decoding_count * self.sequence_s
            + cached_tokens * self.cache_read_s_per_token
            + pairs_count * self.attention_s_per_pair
        )
