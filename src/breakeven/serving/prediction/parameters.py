"""Parameters: the named, bounded efficiencies and overheads of the serving model, each with the range it may have.

`PARAMETERS` says what each one means, its prior (what an engineer would expect before any measurement) and its bounds;
the fitted values lie in data/coefficients.json, written by `python -m breakeven.serving.prediction.fitting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.units import unit_of

ENGINES: Final = ("vllm", "sglang", "trtllm", "other")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of the serving model. The prior is log-normal."""

    name: str
    typical: float
    """Median of the prior."""
    low: float
    """Least value that the fit may take."""
    high: float
    """Greatest value that the fit may take."""
    prior_sd_ratio: float
    """Standard deviation of its natural logarithm."""
    meaning: str

    @property
    def unit(self) -> str:
        """Unit that the name carries."""
        unit = unit_of(self.name)
        assert unit is not None, self.name
        return unit


def _engines(name: str, prior: tuple[float, ...], low: float, high: float, sd: float, meaning: str) -> list[Parameter]:
    stem, _, unit = name.rpartition("_")
    return [
        Parameter(f"{stem}_{engine}_{unit}", value, low, high, sd, f"{meaning}, {engine}")
        for engine, value in zip(ENGINES, prior, strict=True)
    ]


PARAMETERS: Final[tuple[Parameter, ...]] = (
    Parameter("weight_bandwidth_fraction", 0.80, 0.4, 1.0, 0.15, "memory bandwidth reached when weights are read"),
    Parameter("expert_bandwidth_fraction", 0.75, 0.15, 1.0, 0.30, "the same for routed experts"),
    Parameter("expert_fp4_bandwidth_fraction", 0.75, 0.1, 1.0, 0.30, "the same for experts in 4 bits"),
    Parameter("expert_int4_bandwidth_fraction", 0.45, 0.05, 1.0, 0.40, "the same for experts in 4-bit integers"),
    Parameter("hopper_expert_bandwidth_ratio", 1.0, 0.4, 1.6, 0.25, "experts before Blackwell over experts on it"),
    Parameter("cache_bandwidth_fraction", 0.80, 0.25, 1.2, 0.20, "memory bandwidth reached when the cache is read"),
    Parameter("latent_bandwidth_fraction", 0.70, 0.1, 1.2, 0.30, "the same for a latent cache (MLA)"),
    Parameter("state_bandwidth_fraction", 0.60, 0.1, 1.2, 0.40, "the same for states of linear-attention layers"),
    Parameter("mfu_bf16_fraction", 0.70, 0.3, 0.95, 0.20, "peak arithmetic reached in 16 bit"),
    Parameter("mfu_fp8_fraction", 0.55, 0.2, 0.95, 0.20, "peak arithmetic reached in 8 bit"),
    Parameter("mfu_fp4_fraction", 0.40, 0.08, 0.9, 0.40, "peak arithmetic reached in 4 bit"),
    Parameter("mfu_int4_fraction", 0.60, 0.1, 0.95, 0.40, "peak 16-bit arithmetic reached with widened 4-bit weights"),
    Parameter("block_scaled_mfu_ratio", 0.80, 0.4, 1.2, 0.20, "FP8 with scales per block over FP8 with one scale"),
    Parameter("expert_mfu_ratio", 0.50, 0.1, 1.5, 0.50, "arithmetic of routed experts over that of dense layers"),
    Parameter("attention_mfu_fraction", 0.40, 0.1, 0.9, 0.30, "16-bit peak reached by attention to a prompt"),
    Parameter("latent_mfu_fraction", 0.40, 0.05, 0.9, 0.50, "16-bit peak reached by latent decode attention"),
    *_engines("engine_s", (0.8e-3, 1.0e-3, 0.6e-3, 0.8e-3), 1e-5, 6e-3, 0.7, "time of a step that nothing else takes"),
    *_engines("layer_s", (30e-6,) * 4, 3e-6, 120e-6, 0.5, "time of a step per layer: launching kernels"),
    *_engines("expert_layer_s", (30e-6,) * 4, 1e-6, 200e-6, 0.7, "time of a step per layer with experts: routing"),
    *_engines("sequence_s", (8e-6, 8e-6, 6e-6, 6e-6), 1e-7, 60e-6, 0.7, "time of a step per sequence: sampling"),
    Parameter(
        "blackwell_overhead_trtllm_ratio", 0.9, 0.3, 1.6, 0.2, "overheads of TensorRT-LLM, Blackwell over Hopper"
    ),
    Parameter("sparse_layer_s", 40e-6, 1e-6, 300e-6, 1.0, "time of a step per layer whose indexer picks tokens"),
    Parameter("attention_parallel_layer_s", 20e-6, 1e-6, 300e-6, 1.0, "time per layer of data-parallel attention"),
    Parameter("reduce_nvlink_s", 8e-6, 1e-6, 40e-6, 0.6, "latency of one all-reduce between linked GPUs"),
    Parameter("reduce_pcie_s", 20e-6, 2e-6, 120e-6, 0.6, "latency of one all-reduce over PCIe"),
    Parameter("link_fraction", 0.45, 0.1, 0.95, 0.4, "bandwidth of the links reached"),
    Parameter("cache_8bit_trtllm_ratio", 0.65, 0.5, 1.0, 0.2, "bytes of TensorRT-LLM's cache with 8- or 4-bit weights"),
    Parameter("cache_8bit_ratio", 0.90, 0.5, 1.0, 0.2, "bytes of other engines' cache with 8- or 4-bit weights"),
    Parameter("dense_part_fp4_ratio", 1.4, 0.5, 2.0, 0.3, "bytes per parameter outside experts of a 4-bit mixture"),
    Parameter("expert_halving_count", 60.0, 1.0, 2000.0, 1.0, "width of an expert's shard that halves its bandwidth"),
    Parameter("blackwell_bandwidth_ratio", 1.0, 0.6, 1.3, 0.15, "bandwidth reached on Blackwell over Hopper"),
    Parameter("blackwell_mfu_ratio", 1.0, 0.5, 1.5, 0.2, "arithmetic reached on Blackwell over Hopper"),
    Parameter("ampere_bandwidth_ratio", 1.0, 0.6, 1.3, 0.1, "bandwidth reached on Ampere and older over Hopper"),
    Parameter("ampere_mfu_ratio", 1.0, 0.5, 1.4, 0.15, "arithmetic reached on Ampere and older over Hopper"),
    Parameter("amd_bandwidth_ratio", 0.85, 0.4, 1.2, 0.2, "bandwidth reached on AMD over Hopper"),
    Parameter("amd_mfu_ratio", 0.75, 0.2, 1.2, 0.3, "arithmetic reached on AMD over Hopper"),
    Parameter("prefill_overlap_ratio", 1.0, 0.6, 1.3, 0.1, "time that prefill takes from decoding over its own time"),
    Parameter("prefill_halving_tokens", 60.0, 4.0, 600.0, 0.8, "prompt length that halves the arithmetic reached"),
    Parameter("memory_fraction", 0.92, 0.85, 0.97, 0.03, "memory that weights and cache may fill"),
    Parameter("expert_imbalance_ratio", 0.1, 0.001, 0.6, 0.7, "extra time of the busiest rank that holds experts"),
    Parameter("attention_imbalance_ratio", 0.1, 0.001, 1.2, 0.7, "extra time of the busiest rank of attention"),
)
"""All of them, in the order of the fit."""

Values = dict[str, float]
"""Parameter name -> value."""
