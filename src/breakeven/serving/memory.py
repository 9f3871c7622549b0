"""Memory fit: do the weights and the KV cache of a model fit on the GPUs of one replica, and how many sequences?"""

from __future__ import annotations

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import BYTES_PER_GB


@formula
def kv_cache_gb(
    gpus_per_replica_count: Draws, gpu_memory_gb: Draws, kv_memory_fraction: Draws, weights_gb: Draws
) -> Draws:
    """Memory of one replica left for the KV cache, GB (negative: the weights do not fit).

    `gpu_memory_gb` is what nvidia-smi shows, not the marketing figure; `kv_memory_fraction` is the share of it that
    the engine may fill (vLLM's ``gpu_memory_utilization``). Shapes ``(draws,)``.

    >>> round(float(kv_cache_gb(2.0, 85.5, 0.9, 141.1)), 6)
    12.8
    """
    return gpus_per_replica_count * gpu_memory_gb * kv_memory_fraction - weights_gb


@formula
def sequence_gb(
    input_tokens_per_request: Draws,
    output_tokens_per_request: Draws,
    kv_bytes_per_token: Draws,
    sliding_window_tokens: Draws,
    sliding_layers_fraction: Draws,
) -> Draws:
    """KV cache that one running request holds on average, GB: its whole input and half of its output.

    Layers that attend to a sliding window keep no more than the window.

    >>> round(float(sequence_gb(1000.0, 500.0, 131072.0, 0.0, 0.0)), 5)
    0.16384
    >>> round(float(sequence_gb(1000.0, 500.0, 131072.0, 125.0, 0.5)), 5)
    0.09011
    """
    tokens = input_tokens_per_request + output_tokens_per_request / 2
    in_window = np.minimum(tokens, sliding_window_tokens)
    held = tokens * (1 - sliding_layers_fraction) + in_window * sliding_layers_fraction
    return held * kv_bytes_per_token / BYTES_PER_GB


@formula
def batch_count(kv_cache_gb: Draws, sequence_gb: Draws, max_batch_count: Draws) -> Draws:
    """Requests that decode together: what the KV cache holds, at most `max_batch_count`, at least one.

    >>> float(batch_count(12.8, 0.16384, 64.0)), float(batch_count(4.0, 0.5, 64.0))
    (64.0, 8.0)
    """
    return np.maximum(np.minimum(kv_cache_gb / sequence_gb, max_batch_count), 1.0)
