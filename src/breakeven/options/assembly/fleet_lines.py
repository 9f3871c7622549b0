"""Fleet lines: what every Option that runs its own replicas shares: size the fleet, then rent, drains and risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from breakeven.catalog.load import Catalog
from breakeven.costs import breach_risk, gpu_rental
from breakeven.costs.drains import drain_lines
from breakeven.costs.drains.engineering_labour import fleet_engineering_fte_count
from breakeven.costs.drains.incident_response import fleet_incident_events_per_month
from breakeven.costs.line import CostLine
from breakeven.errors import CatalogError
from breakeven.facts.assumption import Assumption
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.choices import Choices
from breakeven.options.assembly.offers import fixed_fact, pick
from breakeven.options.assembly.staircase import Staircase
from breakeven.serving import fleet, memory, roofline

REPLICA_SIZES = (1, 2, 4, 8)
REPLICAS_MAX_COUNT = 10_000.0
"""A larger fleet than this is a slip in the scenario, not a plan."""
SEQUENCES_MIN_COUNT = 8.0
"""A replica that cannot hold this many average requests at once is too small to be useful."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One model on some GPUs: names for the table and the figures the serving formulas ask for."""

    label: str
    facts: Mapping[str, Assumption]


def deployment(catalog: Catalog, choices: Choices) -> Deployment:
    """The chosen model, GPU and precision as Facts of the offer layer."""
    model, gpu = pick(catalog.models, choices.open_model, "model"), pick(catalog.gpus, choices.gpu, "GPU")
    precision = choices.precision or model.native_precision
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
        fixed_fact("weights_gb", model.weights_gb_by_precision[precision], of_model),
        fixed_fact("active_params_count", model.active_params_count, of_model),
        fixed_fact("layers_count", model.layers_count, of_model),
        fixed_fact("kv_bytes_per_token", model.kv_bytes_per_token, of_model),
        fixed_fact("sliding_window_tokens", model.sliding_window_tokens, of_model),
        fixed_fact("sliding_layers_fraction", model.sliding_layers_count / model.layers_count, of_model),
        fixed_fact("expert_weights_fraction", model.expert_weights_fraction(precision), of_model),
        fixed_fact("expert_active_fraction", active_share, of_model),
    )
    return Deployment(f"{model.name} {precision} on {gpu.name}", {fact.name: fact for fact in facts})


def bind_fleet(binder: Binder, choices: Choices, *, evaluated_at_own_volume: bool) -> Staircase:
    """Size the fleet for the demand bound in `binder`; returns where its cost jumps (typical values)."""
    binder.evaluate(memory.sequence_gb)
    _bind_replica_size(binder, choices)
    for each in (
        memory.kv_cache_gb,
        memory.batch_count,
        roofline.prefill_tokens_per_request,
        roofline.prefill_s_per_request,
        roofline.weights_read_gb,
        roofline.step_overhead_ms,
        roofline.decode_s_per_token,
        roofline.decode_s_per_request,
    ):
        binder.evaluate(each)
    if "replica_capacity_req_per_s" not in binder.scenario:  # a user who measured it knows better
        binder.evaluate(roofline.replica_capacity_req_per_s)
    for each in (
        fleet.peak_req_per_s,
        fleet.replicas_count,
        fleet.gpus_count,
        fleet.busy_fraction,
        gpu_rental.gpu_rent_usd_per_month,
    ):
        binder.evaluate(each)
    replicas = float(np.median(binder.value("replicas_count")))
    if evaluated_at_own_volume and replicas > REPLICAS_MAX_COUNT:
        raise CatalogError(
            f"would need {replicas:,.0f} replicas, more than {REPLICAS_MAX_COUNT:,.0f}: "
            f"look at replica_capacity_req_per_s and the peak in the scenario"
        )
    step = binder.evaluate(fleet.replica_step_mtok_per_month)
    fewest = binder.value("replicas_min_count")
    return Staircase(float(step.value.flat[0]), int(np.ceil(fewest.flat[0])))


def bind_fleet_people(binder: Binder) -> None:
    """Bind labour, monitoring, incidents and exposure of a fleet."""
    fte = binder.evaluate(fleet_engineering_fte_count)
    binder.supply("engineering_fte_count", fte.value, "people who keep this fleet", fte)
    binder.rename("monitoring_usd_per_month", "observability_usd_per_month", "observability stack")
    binder.derive("owned_gpus_count", 0.0, "the GPUs are rented")
    events = binder.evaluate(fleet_incident_events_per_month)
    binder.supply("incident_events_per_month", events.value, "faults and crashes of this fleet", events)
    binder.rename("breach_exposure_ratio", "selfhost_breach_exposure_ratio", "self-hosting is not zero risk")


def fleet_lines(binder: Binder) -> tuple[CostLine, ...]:
    """Busy rent, the six drains (idle rent among them) and the breach risk."""
    return (gpu_rental.line(binder), *drain_lines(binder), breach_risk.line(binder))


def fleet_facts(binder: Binder) -> tuple[Node, ...]:
    """What is worth showing about the fleet."""
    names = ("replicas_count", "gpus_count", "busy_fraction", "replica_capacity_req_per_s")
    return tuple(binder.node(name) for name in names)


def _bind_replica_size(binder: Binder, choices: Choices) -> None:
    """Bind the fewest GPUs on which the weights and enough sequences fit, at the low end of the usable memory."""
    sizes = (choices.gpus_per_replica_count,) if choices.gpus_per_replica_count else REPLICA_SIZES
    need = SEQUENCES_MIN_COUNT * float(binder.value("sequence_gb").max())
    weights, each = float(binder.value("weights_gb").max()), float(binder.value("gpu_memory_gb").max())
    usable = binder.node("kv_memory_fraction").assumption
    fraction = usable.low if usable else float(binder.value("kv_memory_fraction").min())
    for size in sizes:
        if float(memory.kv_cache_gb(size, each, fraction, weights)) >= need:
            binder.derive("gpus_per_replica_count", float(size), "the fewest GPUs that hold weights and KV cache")
            return
    raise CatalogError(
        f"does not fit: {weights:.0f} GB of weights and {need:.1f} GB of KV cache (for {SEQUENCES_MIN_COUNT:.0f} "
        f"requests at once) on {sizes[-1]} GPU(s) of {each:.0f} GB; choose a smaller model or precision, or more GPUs"
    )
