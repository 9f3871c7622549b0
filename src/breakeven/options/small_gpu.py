"""Small GPU: a small open model under Ollama on one of the cheapest GPUs to rent; what a prototyper starts with."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.breakdown import CostBreakdown
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.deployment import deployment
from breakeven.options.assembly.fleet import bind_fleet, fleet_facts
from breakeven.options.assembly.fleet_lines import bind_fleet_people, bind_rent, bind_team, rented_lines
from breakeven.options.assembly.offers import gpu_offer
from breakeven.options.assembly.success import bind_open_model_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)
from breakeven.units import BYTES_PER_GB

MARKET = "market"
SEQUENCES_MIN_COUNT = 1.0
"""Ollama serves one request at a time when there is no room for more."""


@formula
def weights_gb(params_count: Draws, quantised_bytes_per_param: Draws) -> Draws:
    """Size of quantised weights (GGUF Q4_K_M: 4.89 bits per weight of an 8B, llama.cpp tools/quantize/README).

    >>> round(float(weights_gb(8.03e9, 0.611)), 2)
    4.91
    """
    return params_count * quantised_bytes_per_param / BYTES_PER_GB


@formula
def capacity_measured_over_model_ratio(
    vllm_capacity_over_model_ratio: Draws, ollama_over_vllm_capacity_ratio: Draws
) -> Draws:
    """How far capacity stands from the model's: as for vLLM, times what Ollama reaches of it.

    >>> float(capacity_measured_over_model_ratio(1.0, 0.5))
    0.5
    """
    return vllm_capacity_over_model_ratio * ollama_over_vllm_capacity_ratio


@dataclass(frozen=True, slots=True)
class SmallGpu:
    """All calls move to a small model on small GPUs rented on demand."""

    name: str = "small_gpu"
    title: str = "Small GPU with Ollama"
    family: Family = "self_hosted"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Size the fleet of small machines, rent it, and staff it."""
        choices = situation.choices
        check_provider(situation, MARKET)
        machine = deployment(situation.catalog, choices.small_model, choices.small_gpu)
        offer = gpu_offer(situation.catalog, choices.small_gpu, "on_demand", situation.scenario)
        binder = binder_for(situation, evaluation, {**machine.facts, **offer})
        self._bind_engine(binder)
        staircase = bind_fleet(
            binder,
            1,
            evaluated_at_own_volume=evaluation.volume_mtok is None,
            sequences_min_count=SEQUENCES_MIN_COUNT,
        )
        bind_rent(binder)
        bind_fleet_people(binder)
        bind_team(binder, choices.team)
        bind_open_model_success(binder, machine.model)
        breakdown = CostBreakdown(rented_lines(binder))
        buys = f"{machine.model.name} Q4_K_M on {machine.gpu.name}, Ollama, on-demand"
        return option_cost(self, binder, breakdown, buys, staircase=staircase, facts=fleet_facts(binder))

    def _bind_engine(self, binder: Binder) -> None:
        """Ollama: 4-bit weights, few requests at once, and no spare machine."""
        binder.evaluate(weights_gb)
        binder.rename("max_batch_count", "ollama_parallel_count", "requests that Ollama answers at once")
        vllm = binder.node("capacity_measured_over_model_ratio")
        binder.derive("vllm_capacity_over_model_ratio", vllm.value, "as for vLLM", vllm)
        binder.evaluate(capacity_measured_over_model_ratio)
        if "replicas_min_count" not in binder.scenario:
            binder.derive("replicas_min_count", 1.0, "one machine, no spare")


OPTIONS = (SmallGpu(),)
