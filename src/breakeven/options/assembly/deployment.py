"""Deployment: one model on some GPUs under an engine, with its Facts of the offer layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from breakeven.catalog.hardware import Gpu
from breakeven.catalog.load import Catalog
from breakeven.catalog.model import ModelSpec
from breakeven.errors import CatalogError, ServingError
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade, Source
from breakeven.options.assembly.offers import fixed_fact, pick
from breakeven.serving.calibrate import Correction
from breakeven.serving.prediction.columns import BYTES_PER_PARAM
from breakeven.serving.prediction.deployment import Deployment as Replica

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
class EngineUse:
    """How an engine is used: what limits the requests that it answers at once."""

    name: str
    sequences_min_count: float
    """A replica that cannot hold this many average requests at once is too small to be useful."""
    parallel_name: str = ""
    """Fact that limits the requests at once; empty: the latency targets do."""
    speed_name: str = ""
    """Fact: capacity over that of vLLM, which is predicted; empty: it is vLLM."""


VLLM: Final = EngineUse("vLLM", 8.0)
OLLAMA: Final = EngineUse("Ollama", 1.0, "ollama_parallel_count", "ollama_over_vllm_capacity_ratio")
"""Ollama serves one request at a time when there is no room for more."""


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """One model on some GPUs: names for the table and what its capacity follows from. Compared by identity."""

    label: str
    model: ModelSpec
    gpu: Gpu
    precision: str
    facts: Mapping[str, Assumption]
    use: EngineUse = VLLM
    measured: tuple[Correction, ...] = ()
    """The user's own measurements, of this deployment and others."""

    def on(self, gpus_count: int) -> Replica:
        """A replica on so many GPUs; raises CatalogError where the model cannot be split over them."""
        widened = self.use is OLLAMA
        try:
            return Replica(self.model, self.gpu, gpus_count, self.precision, computes_in_16_bit=widened)
        except ServingError as error:
            raise CatalogError(f"{self.label}: {error}") from None


@lru_cache(maxsize=256)
def deployment(
    catalog: Catalog,
    model_name: str,
    gpu_name: str,
    precision: str | None = None,
    measured: tuple[Correction, ...] = (),
) -> Deployment:
    """`model_name` on `gpu_name` under vLLM, in `precision` (the model's own when None)."""
    model, gpu = pick(catalog.models, model_name, "model"), pick(catalog.gpus, gpu_name, "GPU")
    precision = precision or model.native_precision
    if precision not in model.weights_gb_by_precision:
        shipped = ", ".join(sorted(model.weights_gb_by_precision))
        raise CatalogError(f"{model.name} has no weights in '{precision}'; the catalogue knows: {shipped}")
    label = f"{model.name} {precision} on {gpu.name}"
    return Deployment(label, model, gpu, precision, _facts(catalog, model, gpu), VLLM, measured)


@lru_cache(maxsize=64)
def ollama_deployment(catalog: Catalog, model_name: str, gpu_name: str) -> Deployment:
    """`model_name` on `gpu_name` under Ollama, in 4 bits (Q4_K_M)."""
    model, gpu = pick(catalog.models, model_name, "model"), pick(catalog.gpus, gpu_name, "GPU")
    label = f"{model.name} Q4_K_M on {gpu.name}"
    return Deployment(label, _in_4_bits(model), gpu, "fp4", _facts(catalog, model, gpu), OLLAMA)


def _facts(catalog: Catalog, model: ModelSpec, gpu: Gpu) -> Mapping[str, Assumption]:
    facts = (
        fixed_fact("training_peak_tflops", gpu.bf16_tflops, gpu.source),
        _server_power(catalog, gpu),
        fixed_fact("params_count", model.params_count, model.source),
    )
    return {fact.name: fact for fact in facts}


def _in_4_bits(model: ModelSpec) -> ModelSpec:
    """The model with weights of 4 bits, though nobody publishes them: anybody can quantise."""
    if "fp4" in model.weights_gb_by_precision:
        return model
    known = model.native_precision
    smaller = BYTES_PER_PARAM["fp4"] / BYTES_PER_PARAM[known]
    sizes, experts = (
        {**each, "fp4": each[known] * smaller} if each else each
        for each in (model.weights_gb_by_precision, model.expert_weights_gb_by_precision)
    )
    return replace(model, weights_gb_by_precision=sizes, expert_weights_gb_by_precision=experts)


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
