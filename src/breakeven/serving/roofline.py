"""Roofline: prefill limited by arithmetic, decode by memory bandwidth.

S. Williams et al., "Roofline: an insightful visual performance model", CACM 52(4), 2009; R. Pope et al.,
"Efficiently scaling transformer inference", MLSys 2023, sections 2-3. The two efficiencies are Assumptions with
wide ranges: a prior, until the serving capacity of the deployment is measured. No latency target, no queueing.
"""

from __future__ import annotations

import numpy as np

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import FLOP_PER_MULTIPLY_ADD, FLOPS_PER_TFLOPS, MS_PER_S, TOKENS_PER_STEP


@formula
def prefill_tokens_per_request(
    input_tokens_per_request: Draws, cached_input_fraction: Draws, prefix_cache_kept_fraction: Draws
) -> Draws:
    """Input tokens a replica must compute: those that its prefix cache does not hold.

    `cached_input_fraction` is what the log shows as cached at the API; a self-hosted engine keeps a share of it.

    >>> float(prefill_tokens_per_request(4000.0, 0.5, 0.8))
    2400.0
    """
    return input_tokens_per_request * (1 - cached_input_fraction * prefix_cache_kept_fraction)


@formula
def prefill_s_per_request(
    active_params_count: Draws,
    prefill_tokens_per_request: Draws,
    gpus_per_replica_count: Draws,
    gpu_peak_tflops: Draws,
    prefill_mfu_fraction: Draws,
) -> Draws:
    """Time to read one request's input: two FLOP per active parameter and token, at the achieved share of peak.

    >>> round(float(prefill_s_per_request(8.03e9, 1000.0, 1.0, 989.0, 0.5)), 6)
    0.032477
    """
    flop_needed = FLOP_PER_MULTIPLY_ADD * active_params_count * prefill_tokens_per_request
    return flop_needed / (gpus_per_replica_count * gpu_peak_tflops * FLOPS_PER_TFLOPS * prefill_mfu_fraction)


@formula
def weights_read_gb(
    weights_gb: Draws, expert_weights_fraction: Draws, expert_active_fraction: Draws, batch_count: Draws
) -> Draws:
    """Weights one decode step reads, GB: all dense ones and every expert that some sequence of the batch picks.

    With k of E experts per token, a batch of B independent tokens touches 1 - (1 - k/E)^B of them.

    >>> float(weights_read_gb(60.0, 0.95, 4 / 128, 1.0)) < 6 < 50 < float(weights_read_gb(60.0, 0.95, 4 / 128, 64.0))
    True
    """
    touched = 1 - (1 - expert_active_fraction) ** batch_count
    return weights_gb * (1 - expert_weights_fraction + expert_weights_fraction * touched)


@formula
def step_overhead_ms(
    engine_overhead_ms: Draws,
    layer_overhead_ms: Draws,
    layers_count: Draws,
    gpus_per_replica_count: Draws,
    tensor_parallel_overhead_ratio: Draws,
    sequence_overhead_ms: Draws,
    batch_count: Draws,
) -> Draws:
    """Time of a decode step that is neither bandwidth nor arithmetic: engine, layers (more when split), sequences.

    >>> round(float(step_overhead_ms(1.0, 0.041, 32.0, 1.0, 1.5, 0.0075, 32.0)), 3)
    2.552
    """
    split = np.where(gpus_per_replica_count > 1, tensor_parallel_overhead_ratio, 1.0)
    return engine_overhead_ms + layer_overhead_ms * layers_count * split + sequence_overhead_ms * batch_count


@formula
def decode_s_per_token(
    weights_read_gb: Draws,
    batch_count: Draws,
    sequence_gb: Draws,
    gpus_per_replica_count: Draws,
    gpu_bandwidth_gb_per_s: Draws,
    decode_bandwidth_fraction: Draws,
    step_overhead_ms: Draws,
) -> Draws:
    """Time of one decode step, in which each sequence of the batch gains a token: read weights and KV cache, once.

    >>> round(float(decode_s_per_token(16.06, 1.0, 0.1, 1.0, 3350.0, 0.65, 1.0)), 5)
    0.00842
    """
    read = (weights_read_gb + batch_count * sequence_gb) / (
        gpus_per_replica_count * gpu_bandwidth_gb_per_s * decode_bandwidth_fraction
    )
    return (read + step_overhead_ms / MS_PER_S) / TOKENS_PER_STEP


@formula
def decode_s_per_request(decode_s_per_token: Draws, output_tokens_per_request: Draws, batch_count: Draws) -> Draws:
    """Replica time that one request's output takes when `batch_count` requests share each step.

    >>> float(decode_s_per_request(0.01, 200.0, 50.0))
    0.04
    """
    return decode_s_per_token * output_tokens_per_request / batch_count


@formula
def replica_capacity_req_per_s(
    prefill_s_per_request: Draws, decode_s_per_request: Draws, capacity_measured_over_model_ratio: Draws
) -> Draws:
    """Requests per second of one saturated replica that interleaves prefill and decode.

    The last argument is how public measurements spread around this very formula (benchmarks/serving_prior.py).

    >>> float(replica_capacity_req_per_s(0.06, 0.04, 1.0))
    10.0
    """
    return capacity_measured_over_model_ratio / (prefill_s_per_request + decode_s_per_request)
