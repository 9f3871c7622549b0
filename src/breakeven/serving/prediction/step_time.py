"""Step time: how long a replica takes for a decode step and for a prompt, and how many requests it holds.

A roofline (S. Williams et al., CACM 52(4), 2009) in the form of R. Pope et al., "Efficiently scaling transformer
inference" (MLSys 2023): weights are read once a step, arithmetic is done per token, the cache is read per sequence,
split GPUs agree twice a layer, and an engine adds time per step, layer and sequence. Which share of each peak is
reached is a Parameter. Everything is vectorised over points; `Values` are the parameters by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.serving.prediction.columns import OFFLINE_SEQUENCES_MAX_COUNT, Columns, Flags, Floats
from breakeven.serving.prediction.parameters import ENGINES, Values
from breakeven.units import BYTES_PER_GB
from breakeven.units import FLOP_PER_MULTIPLY_ADD as _FLOP

ROOFLINE_EXPONENT_RATIO: Final = 3.0
"""Memory and arithmetic overlap, not wholly: (memory^3 + arithmetic^3)^(1/3)."""
ENGINE_RESERVE_BYTES: Final = 1.5 * BYTES_PER_GB
"""Activations and CUDA graphs on each GPU."""
LATENT_VALUES_COUNT: Final = 576.0 + 512.0
"""Values of the latent that a query is multiplied with: 576 for the score, 512 for the result (DeepSeek-V2)."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a replica holds; every field has shape ``(points,)``."""

    weights_bytes_per_gpu: Floats
    room_bytes_per_gpu: Floats
    """Left for the cache; negative: the weights do not fit."""
    sequence_bytes: Floats
    """Cache of one sequence, halfway through its output, over all ranks that share it."""
    sequences_count: Floats
    """Sequences that fit at once; below 1: not even one."""


@dataclass(frozen=True, slots=True)
class Times:
    """Times of one replica at its batch; every field has shape ``(points,)``."""

    batch_count: Floats
    """Sequences that decode together."""
    weights_s: Floats
    """Reading weights and doing the arithmetic of a decode step."""
    cache_s: Floats
    """Reading the cache (and attending to it)."""
    overhead_s: Floats
    reduce_s: Floats
    """Agreeing between GPUs."""
    prompt_s: Floats
    """Reading one prompt."""
    overlap_ratio: Floats
    """Time that a prompt takes from the batch over `prompt_s`."""
    output_tok_per_s: Floats
    """Of all replicas, steady state."""

    @property
    def step_s(self) -> Floats:
        """One decode step."""
        return self.weights_s + self.cache_s + self.overhead_s + self.reduce_s

    def prefill_fraction(self, output_tokens: Floats) -> Floats:
        """Share of the replica's time that goes into prompts."""
        prompts = self.batch_count * self.prompt_s * self.overlap_ratio
        return np.asarray(prompts / (output_tokens * self.step_s + prompts))


def by_engine(values: Values, stem: str, unit: str, engine: np.ndarray) -> Floats:
    """A parameter that each engine has its own of."""
    return np.asarray(np.array([values[f"{stem}_{name}_{unit}"] for name in ENGINES])[engine], np.float64)


def memory(c: Columns, v: Values) -> Memory:
    """Memory fit. `memory_bytes` is what nvidia-smi shows, not the marketing figure."""
    shards = c.shards_count * c.pipeline_count
    dense_bytes = c.dense_params_count * dense_bytes_per_param(c, v) + c.embedding_params_count * 2
    weights = dense_bytes / shards + c.expert_bytes / (c.gpus_count)
    room = v["memory_fraction"] * c.memory_bytes - weights - ENGINE_RESERVE_BYTES
    halfway = cached_bytes(c, v, c.input_tokens + c.output_tokens / 2) + c.state_bytes
    full = cached_bytes(c, v, c.input_tokens + c.output_tokens) + c.state_bytes
    shared = cache_ranks_count(c) * c.pipeline_count
    return Memory(weights, room, halfway, room * shared / ((halfway + full) / 2))


def dense_bytes_per_param(c: Columns, v: Values) -> Floats:
    """Bytes per parameter outside experts: a mixture in 4 bits keeps attention wider."""
    four_bit = np.where(c.is_16_bit_dense, 2.0, v["dense_part_fp4_ratio"])
    return np.where(c.is_moe & (c.is_fp4 | c.is_int4), four_bit, c.bytes_per_param)


def cached_bytes(c: Columns, v: Values, tokens: Floats) -> Floats:
    """Cache of one sequence of `tokens`; layers with a window keep no more than the window."""
    trtllm = c.engine == ENGINES.index("trtllm")
    narrow = np.where(trtllm, v["cache_8bit_trtllm_ratio"], v["cache_8bit_ratio"])
    per_token = c.cache_bytes_per_token * np.where(c.is_bf16, 1.0, narrow)
    return np.asarray(per_token * attended_tokens(c, tokens))


def attended_tokens(c: Columns, tokens: Floats) -> Floats:
    """Tokens that a layer keeps on average, over layers with and without a window."""
    windowed = np.minimum(tokens, np.maximum(c.window_tokens, 1))
    return np.asarray((1 - c.window_fraction) * tokens + c.window_fraction * windowed)


def cache_ranks_count(c: Columns) -> Floats:
    """Ranks among which the cache is split: heads can be split, a latent cannot."""
    split = np.where(c.is_latent, 1.0, np.minimum(c.shards_count, c.kv_heads_count))
    return np.asarray(split * c.attention_ranks_count)


def times(c: Columns, v: Values, batch_count: Floats | None = None) -> Times:
    """Times at the batch that the load and the memory allow, or at `batch_count`.

    A pipeline's stages each work on another part of the batch, so a step takes all of them one after the other with a
    part of the batch in each.
    """
    batch = batch_at(c, memory(c, v)) if batch_count is None else batch_count
    in_stage = np.maximum(batch / c.pipeline_count, np.minimum(batch, 1.0))
    step_weights = weights_s(c, v, in_stage)
    cache = cache_s(c, v, in_stage, c.input_tokens + c.output_tokens / 2)
    overhead = overhead_s(c, v, in_stage)
    reduce = reduce_s(c, v, in_stage)
    prompt = prompt_s(c, v)
    overlap = np.where(c.is_static, 1.0, v["prefill_overlap_ratio"]) * in_stage / batch
    decode = c.output_tokens * (step_weights + cache + overhead + reduce)
    output = c.latency_bound_ratio * c.replicas_count * batch * c.output_tokens / (decode + batch * prompt * overlap)
    return Times(batch, step_weights, cache, overhead, reduce, prompt, overlap, output)


def batch_at(c: Columns, held: Memory) -> Floats:
    """Sequences that decode together: the load's, at most those that fit, at least one."""
    most = np.where(c.is_offline, OFFLINE_SEQUENCES_MAX_COUNT, np.inf)
    return np.asarray(np.minimum(np.minimum(c.concurrency_count, most), np.maximum(held.sequences_count, 1.0)))


def weights_s(c: Columns, v: Values, tokens: Floats) -> Floats:
    """Time to push `tokens` new tokens through all weights: read them, multiply, whichever takes longer."""
    imbalance = _imbalance_ratio(c, v)
    bandwidth = c.bandwidth_bytes_per_s * _generation(c, v, "bandwidth_ratio")
    dense = c.dense_params_count * dense_bytes_per_param(c, v) / c.shards_count
    experts = c.expert_bytes * touched_fraction(c, tokens) / c.stage_gpus_count * imbalance
    read = dense / (bandwidth * v["weight_bandwidth_fraction"]) + experts / (bandwidth * _expert_bandwidth(c, v))
    exponent = ROOFLINE_EXPONENT_RATIO
    both: Floats = (read**exponent + arithmetic_s(c, v, tokens) ** exponent) ** (1 / exponent)
    return both


def arithmetic_s(c: Columns, v: Values, tokens: Floats) -> Floats:
    """Arithmetic of `tokens` new tokens in all matrices, at the share of the peak that is reached."""
    imbalance = _imbalance_ratio(c, v)
    reached = c.peak_flops * mfu_fraction(c, v)
    dense = _FLOP * c.dense_params_count * tokens / c.attention_ranks_count / c.shards_count / reached
    experts = _FLOP * c.expert_active_count * tokens / c.stage_gpus_count / (reached * v["expert_mfu_ratio"])
    experts = experts * imbalance
    return np.asarray(dense + experts)


def mfu_fraction(c: Columns, v: Values) -> Floats:
    """Share of the peak arithmetic that dense matrices reach."""
    kinds = ((c.is_bf16, "bf16"), (c.is_fp8, "fp8"), ((c.is_fp4 & ~c.is_widened), "fp4"), (c.is_widened, "int4"))
    base = sum((np.where(flags, v[f"mfu_{name}_fraction"], 0.0) for flags, name in kinds), np.zeros(c.points_count))
    blocks = np.where(c.is_block_scaled, v["block_scaled_mfu_ratio"], 1.0)
    return np.asarray(base * blocks * _generation(c, v, "mfu_ratio"))


def touched_fraction(c: Columns, tokens: Floats) -> Floats:
    """Share of the experts that some token picks: 1 - (1 - k/E)^tokens for independent tokens."""
    missed = 1 - c.experts_per_token_count / np.maximum(c.experts_count, 1)
    return np.asarray(1 - missed ** np.maximum(tokens, 1))


def cache_s(c: Columns, v: Values, batch: Floats, tokens: Floats) -> Floats:
    """Time to attend to the caches of `batch` sequences of `tokens` each, and to turn over their states."""
    bandwidth = c.bandwidth_bytes_per_s * _generation(c, v, "bandwidth_ratio")
    reached = np.where(c.is_latent, v["latent_bandwidth_fraction"], v["cache_bandwidth_fraction"])
    looked = np.where(c.is_sparse, np.minimum(tokens, np.maximum(c.sparse_tokens, 1)), tokens)
    read = batch * cached_bytes(c, v, looked) / (cache_ranks_count(c) * bandwidth * reached)
    own = batch / c.attention_ranks_count
    latent_flop = own * looked * c.growing_layers_count * c.heads_count / c.shards_count * _FLOP * LATENT_VALUES_COUNT
    peak = c.bf16_flops * _generation(c, v, "mfu_ratio") * v["latent_mfu_fraction"]
    states = 2 * own * c.state_bytes / c.shards_count / (bandwidth * v["state_bandwidth_fraction"])
    return np.asarray(np.maximum(read, np.where(c.is_latent, latent_flop / peak, 0.0)) + states)


def overhead_s(c: Columns, v: Values, batch: Floats) -> Floats:
    """Time of a step that is neither reading nor arithmetic: engine, layers, sequences."""
    layer = by_engine(v, "layer", "s", c.engine)
    layer = layer + np.where(c.is_moe, by_engine(v, "expert_layer", "s", c.engine), 0.0)
    faster = c.is_blackwell & (c.engine == ENGINES.index("trtllm"))
    layer = layer * np.where(faster, v["blackwell_overhead_trtllm_ratio"], 1.0)
    layer = layer + np.where(c.is_sparse, v["sparse_layer_s"], 0.0)
    layer = layer + np.where(c.attention_ranks_count > 1, v["attention_parallel_layer_s"], 0.0)
    sequences = batch / c.attention_ranks_count * by_engine(v, "sequence", "s", c.engine)
    return np.asarray(by_engine(v, "engine", "s", c.engine) + c.layers_count * layer + sequences)


def reduce_s(c: Columns, v: Values, tokens: Floats) -> Floats:
    """Time for the GPUs of a replica to agree: two all-reduces a layer, or the exchange of tokens between experts."""
    latency = np.where(c.is_linked, v["reduce_nvlink_s"], v["reduce_pcie_s"])
    hops = 1 + np.log2(np.maximum(c.stage_gpus_count, 2)) / 3
    link = c.link_bytes_per_s * v["link_fraction"]
    reduced = tokens / c.attention_ranks_count * c.hidden_count * 2 * 2 * (c.shards_count - 1) / c.shards_count
    exchanged = tokens / c.stage_gpus_count * c.hidden_count * 2 * c.experts_per_token_count
    per_layer = 2 * latency * hops + 2 * reduced / link
    per_layer = per_layer + np.where(c.attention_ranks_count > 1, exchanged / link, 0.0)
    return np.where(c.stage_gpus_count > 1, c.layers_count * per_layer, 0.0)


def prompt_s(c: Columns, v: Values) -> Floats:
    """Time of one prompt's prefill on a replica that decodes beside it: arithmetic, attention, agreement."""
    halving = 1 + v["prefill_halving_tokens"] / c.input_tokens
    pairs = c.input_tokens * attended_tokens(c, c.input_tokens / 2)
    attention = pairs * attention_s_per_pair(c, v)
    return np.asarray(arithmetic_s(c, v, c.input_tokens) * halving + attention + 0.5 * reduce_s(c, v, c.input_tokens))


def attention_s_per_pair(c: Columns, v: Values) -> Floats:
    """Time of one (new prompt token, token before it) pair over all layers that attend."""
    flop = 2 * _FLOP * c.heads_count * c.head_dim_count * c.growing_layers_count
    return np.asarray(flop / (c.stage_gpus_count * c.bf16_flops * v["attention_mfu_fraction"]))


def _imbalance_ratio(c: Columns, v: Values) -> Floats:
    """Time of the busiest rank over that of the mean one."""
    experts = np.where(c.expert_ranks_count > 1, v["expert_imbalance_ratio"], 0.0)
    attention = np.where(c.attention_ranks_count > 1, v["attention_imbalance_ratio"], 0.0)
    return np.asarray(1 + experts + attention)


def _expert_bandwidth(c: Columns, v: Values) -> Floats:
    """Share of the bandwidth reached when experts are read: less for narrow shards."""
    base = np.where(c.is_fp4, v["expert_fp4_bandwidth_fraction"], v["expert_bandwidth_fraction"])
    base = np.where(c.is_int4, v["expert_int4_bandwidth_fraction"], base)
    older = np.where(c.is_blackwell, 1.0, v["hopper_expert_bandwidth_ratio"])
    ranks = np.minimum(c.expert_ranks_count, c.stage_gpus_count)
    cut = np.where(ranks > 1, c.stage_gpus_count / ranks, c.stage_gpus_count)
    width = np.maximum(c.expert_size_count / cut, 1e-9)
    return np.where(c.is_moe, base * older * width / (width + v["expert_halving_count"]), 1.0)


def _generation(c: Columns, v: Values, name: str) -> Floats:
    """What a generation of GPUs reaches beside Hopper."""
    found = np.ones(c.points_count)
    kinds: tuple[tuple[Flags, str], ...] = (
        (c.is_blackwell, "blackwell"),
        (c.is_ampere, "ampere"),
        (c.is_amd, "amd"),
    )
    for flags, generation in kinds:
        found = np.where(flags, v[f"{generation}_{name}"], found)
    return found
