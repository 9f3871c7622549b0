"""Fleet: size the replicas of one Deployment for the demand, and say where their cost jumps or bends."""

from __future__ import annotations

import numpy as np

from breakeven.errors import CatalogError
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.staircase import Staircase
from breakeven.serving import autoscale, fleet, memory, roofline
from breakeven.units import SECONDS_PER_HOUR

REPLICA_SIZES = (1, 2, 4, 8)
REPLICAS_MAX_COUNT = 10_000.0
"""A larger fleet than this is a slip in the scenario, not a plan."""
SEQUENCES_MIN_COUNT = 8.0
"""A replica that cannot hold this many average requests at once is too small to be useful."""


def bind_fleet(
    binder: Binder,
    gpus_per_replica_count: int | None,
    *,
    evaluated_at_own_volume: bool,
    sequences_min_count: float = SEQUENCES_MIN_COUNT,
) -> Staircase:
    """Size an always-on fleet for the demand bound in `binder`; returns where its cost jumps (typical values)."""
    _bind_capacity(binder, gpus_per_replica_count, sequences_min_count)
    for each in (fleet.peak_req_per_s, fleet.replicas_count, fleet.gpus_count, fleet.busy_fraction):
        binder.evaluate(each)
    binder.derive("billed_fraction", 1.0, "always on: every hour is paid")
    _refuse_absurd(binder, evaluated_at_own_volume)
    step = binder.evaluate(fleet.replica_step_mtok_per_month)
    fewest = binder.value("replicas_min_count")
    return Staircase(float(step.value.flat[0]), int(np.ceil(fewest.flat[0])))


def bind_scaled_fleet(
    binder: Binder, gpus_per_replica_count: int | None, *, evaluated_at_own_volume: bool
) -> Staircase:
    """The same fleet where replicas come and go with the demand, down to none: only the hours awake are billed."""
    if "replicas_min_count" not in binder.scenario:
        binder.derive("replicas_min_count", 1.0, "no spare replica is kept: the fleet may go to zero")
    stairs = bind_fleet(binder, gpus_per_replica_count, evaluated_at_own_volume=evaluated_at_own_volume)
    for each in (autoscale.requests_within_timeout_ratio, autoscale.awake_fraction, autoscale.billed_fraction):
        binder.evaluate(each)
    binder.evaluate(autoscale.cold_start_events_per_month)
    return Staircase(stairs.step_mtok, stairs.from_count, _kinks(binder))


def fleet_facts(binder: Binder) -> tuple[Node, ...]:
    """What is worth showing about the fleet."""
    names = ["replicas_count", "gpus_count", "busy_fraction", "replica_capacity_req_per_s"]
    names += [name for name in ("billed_fraction", "cold_start_events_per_month") if binder.is_bound("awake_fraction")]
    names += [name for name in ("energy_kwh_per_month", "carbon_kg_per_month") if binder.is_bound(name)]
    return tuple(binder.node(name) for name in names)


def _bind_capacity(binder: Binder, gpus_per_replica_count: int | None, sequences_min_count: float) -> None:
    binder.evaluate(memory.sequence_gb)
    _bind_replica_size(binder, gpus_per_replica_count, sequences_min_count)
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


def _refuse_absurd(binder: Binder, evaluated_at_own_volume: bool) -> None:
    replicas = float(np.median(binder.value("replicas_count")))
    if evaluated_at_own_volume and replicas > REPLICAS_MAX_COUNT:
        raise CatalogError(
            f"would need {replicas:,.0f} replicas, more than {REPLICAS_MAX_COUNT:,.0f}: "
            f"look at replica_capacity_req_per_s and the peak in the scenario"
        )


def _kinks(binder: Binder) -> tuple[float, ...]:
    """Where the billed hours bend, from the typical values bound in `binder`."""
    volume = float(binder.value("volume_mtok_per_month").flat[0])
    timeout_ratio = float(binder.value("requests_within_timeout_ratio").flat[0]) / volume
    seconds = float(binder.value("hours_per_month").flat[0]) * SECONDS_PER_HOUR
    load = float(binder.value("requests_per_month").flat[0]) / volume / seconds
    headroom = float(binder.value("burst_headroom_ratio").flat[0])
    wanted = load * headroom / float(binder.value("replica_capacity_req_per_s").flat[0])
    return autoscale.kinks_mtok(timeout_ratio, wanted)


def _bind_replica_size(binder: Binder, gpus_per_replica_count: int | None, sequences_min_count: float) -> None:
    """Bind the fewest GPUs on which the weights and enough sequences fit, at the low end of the usable memory."""
    sizes = (gpus_per_replica_count,) if gpus_per_replica_count else REPLICA_SIZES
    need = sequences_min_count * float(binder.value("sequence_gb").max())
    weights, each = float(binder.value("weights_gb").max()), float(binder.value("gpu_memory_gb").max())
    usable = binder.node("kv_memory_fraction").assumption
    fraction = usable.low if usable else float(binder.value("kv_memory_fraction").min())
    for size in sizes:
        if float(memory.kv_cache_gb(size, each, fraction, weights)) >= need:
            binder.derive("gpus_per_replica_count", float(size), "the fewest GPUs that hold weights and KV cache")
            return
    raise CatalogError(
        f"does not fit: {weights:.0f} GB of weights and {need:.1f} GB of KV cache (for {sequences_min_count:.0f} "
        f"requests at once) on {sizes[-1]} GPU(s) of {each:.0f} GB; choose a smaller model or precision, or more GPUs"
    )
