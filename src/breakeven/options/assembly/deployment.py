"""Deployment: one model on some GPUs, as Facts of the offer layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from breakeven.catalog.hardware import Gpu
from breakeven.catalog.load import Catalog
from breakeven.catalog.model import ModelSpec
from breakeven.errors import CatalogError
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade, Source
from breakeven.options.assembly.offers import fixed_fact, pick

SERVER_POWER_DIMENSION = 52
SERVER_OVER_GPU_POWER_RATIOS = (1.0, 1.37, 1.82)
"""Wall power of a DGX H100 over the power limits of its eight GPUs: low, typical, maximum."""

_SERVER_POWER_FACTS: Mapping[str, str] = {
    "A100-SXM-80": "a100_server_power_w_per_gpu",
    "A100-40-SXM": "a100_server_power_w_per_gpu",
    "B300-SXM": "b300_server_power_w_per_gpu",
}
"""Servers whose power is known though nobody quotes their price."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One model on some GPUs: names for the table and the figures the serving formulas ask for."""

    label: str
    model: ModelSpec
    gpu: Gpu
    facts: Mapping[str, Assumption]


def deployment(catalog: Catalog, model_name: str, gpu_name: str, precision: str | None = None) -> Deployment:
    """`model_name` on `gpu_name` in `precision` (the model's own when None)."""
    model, gpu = pick(catalog.models, model_name, "model"), pick(catalog.gpus, gpu_name, "GPU")
    precision = precision or model.native_precision
    if precision not in model.weights_gb_by_precision:
        shipped = ", ".join(sorted(model.weights_gb_by_precision))
        raise CatalogError(f"{model.name} has no weights in '{precision}'; the catalogue knows: {shipped}")
    active_share = model.experts_per_token_count / model.experts_count if model.experts_count else 1.0
    peak = {"fp8": gpu.fp8_tflops, "fp4": gpu.fp4_tflops}.get(precision) or gpu.bf16_tflops
    of_gpu, of_model = gpu.source, model.source
    facts = (
        fixed_fact("gpu_memory_gb", gpu.memory_gb, of_gpu),
        fixed_fact("gpu_bandwidth_gb_per_s", gpu.bandwidth_gb_per_s, of_gpu),
        fixed_fact("gpu_peak_tflops", peak, of_gpu),
        fixed_fact("training_peak_tflops", gpu.bf16_tflops, of_gpu),
        _server_power(catalog, gpu),
        fixed_fact("params_count", model.params_count, of_model),
        fixed_fact("weights_gb", model.weights_gb_by_precision[precision], of_model),
        fixed_fact("active_params_count", model.active_params_count, of_model),
        fixed_fact("layers_count", model.layers_count, of_model),
        fixed_fact("kv_bytes_per_token", model.kv_bytes_per_token, of_model),
        fixed_fact("sliding_window_tokens", model.sliding_window_tokens, of_model),
        fixed_fact("sliding_layers_fraction", model.sliding_layers_count / model.layers_count, of_model),
        fixed_fact("expert_weights_fraction", model.expert_weights_fraction(precision), of_model),
        fixed_fact("expert_active_fraction", active_share, of_model),
    )
    label = f"{model.name} {precision} on {gpu.name}"
    return Deployment(label, model, gpu, {fact.name: fact for fact in facts})


def _server_power(catalog: Catalog, gpu: Gpu) -> Assumption:
    """Power of a whole server per GPU: the catalogue's, else the GPU's limit times what a DGX H100 adds to it."""
    name = "server_power_w_per_gpu"
    for offer in catalog.gpu_offers.values():
        if offer.gpu == gpu.name and name in offer.facts:
            return offer.facts[name]
    measured = catalog.assumptions.get(_SERVER_POWER_FACTS.get(gpu.name, ""))
    if measured is not None:
        return replace(measured, name=name, dimension=SERVER_POWER_DIMENSION)
    low, typical, high = (gpu.power_w * ratio for ratio in SERVER_OVER_GPU_POWER_RATIOS)
    source = Source(
        f"{gpu.name}: power limit times the server share of a DGX H100", gpu.source.link, gpu.source.read, Grade.GUESS
    )
    return Assumption(name, "watt", low, typical, high, source, dimension=SERVER_POWER_DIMENSION)
