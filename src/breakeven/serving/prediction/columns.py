"""Columns: Points as arrays, one value per point, for a model of serving that is vectorised over points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.catalog.hardware import Gpu
from breakeven.serving.prediction.deployment import Deployment, Point
from breakeven.serving.prediction.parameters import ENGINES
from breakeven.units import BYTES_PER_GB, FLOPS_PER_TFLOPS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
BYTES_PER_PARAM = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625}
"""4 bits and an 8-bit scale per 16 values."""
MANY_SEQUENCES_COUNT = 1e9
"""Stands for: as many as fit."""
OFFLINE_SEQUENCES_MAX_COUNT = 2048.0
"""Sequences that an engine tuned for offline work runs at once (TensorRT-LLM's default `max_batch_size`)."""
FAST_LINK_GB_PER_S = 100.0
"""From here on GPUs are linked to each other, below they talk over PCIe."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One value per point in every field, shape ``(points,)``."""

    # the model
    layers_count: Floats
    growing_layers_count: Floats
    hidden_count: Floats
    heads_count: Floats
    kv_heads_count: Floats
    head_dim_count: Floats
    dense_params_count: Floats
    """Parameters outside routed experts and the input embedding, which is only looked up."""
    embedding_params_count: Floats
    expert_bytes: Floats
    """Weights of all routed experts as stored."""
    expert_active_count: Floats
    """Parameters of the experts that one token picks."""
    experts_count: Floats
    experts_per_token_count: Floats
    expert_size_count: Floats
    cache_bytes_per_token: Floats
    """16-bit cache of one token over all layers that grow."""
    window_tokens: Floats
    window_fraction: Floats
    """Share of the cache that keeps only the window."""
    state_bytes: Floats
    is_moe: Flags
    is_latent: Flags
    is_sparse: Flags
    sparse_tokens: Floats
    # the GPU
    bandwidth_bytes_per_s: Floats
    memory_bytes: Floats
    link_bytes_per_s: Floats
    bf16_flops: Floats
    peak_flops: Floats
    """In the precision of the arithmetic."""
    is_linked: Flags
    is_blackwell: Flags
    is_ampere: Flags
    is_amd: Flags
    # the deployment
    gpus_count: Floats
    """Of one replica."""
    shards_count: Floats
    pipeline_count: Floats
    expert_ranks_count: Floats
    attention_ranks_count: Floats
    bytes_per_param: Floats
    is_bf16: Flags
    is_fp8: Flags
    is_fp4: Flags
    is_int4: Flags
    is_widened: Flags
    """4-bit weights that are widened to 16 bit before they are multiplied."""
    is_16_bit_dense: Flags
    """Everything but the experts stays in 16 bit (MXFP4 as OpenAI publishes it)."""
    is_block_scaled: Flags
    engine: NDArray[np.int64]
    """Index into ENGINES."""
    # the load, of one replica
    input_tokens: Floats
    output_tokens: Floats
    concurrency_count: Floats
    """Of one replica; MANY_SEQUENCES_COUNT for offline work."""
    is_offline: Flags
    is_static: Flags
    replicas_count: Floats
    latency_bound_ratio: Floats

    @property
    def stage_gpus_count(self) -> Floats:
        """GPUs that share each layer: those of one stage of the pipeline."""
        return self.gpus_count / self.pipeline_count

    def rows(self, index: NDArray[Any]) -> Columns:
        """The points of an index or a mask."""
        return Columns(**{each.name: getattr(self, each.name)[index] for each in fields(self)})

    @property
    def points_count(self) -> int:
        """Number of points."""
        return int(self.input_tokens.size)


def columns(points: Sequence[Point]) -> Columns:
    """The points as arrays."""

    def floats(of: Callable[[Point], float]) -> Floats:
        return np.array([of(point) for point in points], dtype=np.float64)

    def flags(of: Callable[[Point], bool]) -> Flags:
        return np.array([of(point) for point in points], dtype=np.bool_)

    def model(name: str) -> Floats:
        return floats(lambda point: float(getattr(point.deployment.model, name)))

    def stored(name: str) -> Flags:
        return flags(lambda point: point.deployment.kind == name)

    embedding = model("vocab_count") * model("hidden_size_count")
    expert_bytes = floats(lambda point: _expert_gb(point.deployment) * BYTES_PER_GB)
    expert_params = floats(lambda point: _expert_params_count(point.deployment))
    dense = np.maximum(model("params_count") - expert_params - embedding, 0.01 * model("params_count"))
    layers = model("layers_count")
    return Columns(
        layers_count=layers,
        growing_layers_count=layers - model("state_layers_count"),
        hidden_count=model("hidden_size_count"),
        heads_count=model("heads_count"),
        kv_heads_count=model("kv_heads_count"),
        head_dim_count=model("head_dim_count"),
        dense_params_count=dense,
        embedding_params_count=embedding,
        expert_bytes=expert_bytes,
        expert_active_count=expert_params * model("experts_per_token_count") / np.maximum(model("experts_count"), 1),
        experts_count=model("experts_count"),
        experts_per_token_count=model("experts_per_token_count"),
        expert_size_count=model("expert_size_count"),
        cache_bytes_per_token=model("kv_bytes_per_token"),
        window_tokens=model("sliding_window_tokens"),
        window_fraction=np.where(
            model("sliding_window_tokens") > 0,
            model("sliding_layers_count") / np.maximum(layers - model("state_layers_count"), 1),
            0.0,
        ),
        state_bytes=model("state_gb") * BYTES_PER_GB,
        is_moe=model("experts_count") > 0,
        is_latent=model("latent_attention") > 0,
        is_sparse=model("sparse_attention_tokens") > 0,
        sparse_tokens=model("sparse_attention_tokens"),
        bandwidth_bytes_per_s=floats(lambda point: point.deployment.gpu.bandwidth_gb_per_s * BYTES_PER_GB),
        memory_bytes=floats(lambda point: point.deployment.gpu.memory_gb * BYTES_PER_GB),
        link_bytes_per_s=floats(lambda point: point.deployment.gpu.link_gb_per_s * BYTES_PER_GB),
        bf16_flops=floats(lambda point: point.deployment.gpu.bf16_tflops * FLOPS_PER_TFLOPS),
        peak_flops=floats(lambda point: peak_tflops(point.deployment) * FLOPS_PER_TFLOPS),
        is_linked=flags(lambda point: point.deployment.gpu.link_gb_per_s > FAST_LINK_GB_PER_S),
        is_blackwell=flags(lambda point: _generation(point.deployment.gpu) == "blackwell"),
        is_ampere=flags(lambda point: _generation(point.deployment.gpu) == "ampere"),
        is_amd=flags(lambda point: point.deployment.gpu.vendor == "amd"),
        gpus_count=floats(lambda point: point.deployment.gpus_count),
        shards_count=floats(lambda point: point.deployment.shards_count),
        pipeline_count=floats(lambda point: point.deployment.pipeline_parallel_count),
        expert_ranks_count=floats(lambda point: point.deployment.expert_parallel_count),
        attention_ranks_count=floats(lambda point: point.deployment.attention_parallel_count),
        bytes_per_param=floats(lambda point: BYTES_PER_PARAM[point.deployment.precision]),
        is_bf16=stored("bf16"),
        is_fp8=stored("fp8"),
        is_fp4=stored("fp4"),
        is_int4=stored("int4"),
        is_widened=flags(lambda point: point.deployment.is_widened),
        is_16_bit_dense=flags(lambda point: _keeps_dense_in_16_bit(point.deployment)),
        is_block_scaled=flags(lambda point: _multiplies_in_blocks(point.deployment)),
        engine=np.array([ENGINES.index(point.deployment.engine) for point in points], dtype=np.int64),
        input_tokens=floats(lambda point: point.input_tokens),
        output_tokens=floats(lambda point: point.output_tokens),
        concurrency_count=floats(_concurrency),
        is_offline=flags(lambda point: point.concurrency_count is None),
        is_static=flags(lambda point: point.is_static_batch),
        replicas_count=floats(lambda point: point.replicas_count),
        latency_bound_ratio=floats(lambda point: point.latency_bound_ratio),
    )


def peak_tflops(deployment: Deployment) -> float:
    """Peak arithmetic of one GPU in the precision that the engine computes in."""
    gpu = deployment.gpu
    by_kind = {"fp8": gpu.fp8_tflops, "fp4": gpu.fp4_tflops}
    kind = "bf16" if deployment.is_widened else deployment.precision
    return by_kind.get(kind) or gpu.bf16_tflops


def _generation(gpu: Gpu) -> str:
    """By what the tensor cores compute in: 4 bit since Blackwell, 8 bit since Ada and Hopper."""
    if gpu.vendor != "nvidia":
        return gpu.vendor
    return "blackwell" if gpu.fp4_tflops else "hopper" if gpu.fp8_tflops else "ampere"


def _expert_gb(deployment: Deployment) -> float:
    return deployment.model.expert_weights_gb_by_precision.get(deployment.precision, 0.0)


def _expert_params_count(deployment: Deployment) -> float:
    """Parameters in routed experts, from the bytes of their weights."""
    model, stored_bytes = deployment.model, _expert_gb(deployment) * BYTES_PER_GB
    if _keeps_dense_in_16_bit(deployment):
        outside_bytes = model.weights_gb_by_precision["fp4"] * BYTES_PER_GB - stored_bytes
        return model.params_count - outside_bytes / BYTES_PER_PARAM["bf16"]
    return stored_bytes / BYTES_PER_PARAM[deployment.precision]


def _keeps_dense_in_16_bit(deployment: Deployment) -> bool:
    """A mixture published in 4 bits only: its experts have 4, everything else has 16 (gpt-oss, Kimi-K2.5)."""
    model = deployment.model
    return model.is_moe and set(model.weights_gb_by_precision) == {"fp4"}


def _multiplies_in_blocks(deployment: Deployment) -> bool:
    """A GPU without 8-bit arithmetic widens the weights first, whatever their scales."""
    in_8_bit = deployment.precision == "fp8" and deployment.gpu.fp8_tflops is not None
    return in_8_bit and deployment.model.fp8_block_scaled


def _concurrency(point: Point) -> float:
    if point.concurrency_count is None:
        return MANY_SEQUENCES_COUNT
    return max(point.concurrency_count / point.replicas_count, 1.0)
