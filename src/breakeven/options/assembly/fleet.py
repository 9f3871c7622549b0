"""Fleet: size the replicas of one Deployment for the demand, and say where their cost jumps or bends."""

from __future__ import annotations

from dataclasses import replace

from breakeven.errors import CatalogError
from breakeven.facts.distribution import median_of
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.capacity import CAPACITY, RATIO, bind_capacity
from breakeven.options.assembly.deployment import Deployment
from breakeven.options.assembly.retries import retries, tried_capacity_req_per_s
from breakeven.options.assembly.staircase import Staircase
from breakeven.serving import autoscale, fleet
from breakeven.units import SECONDS_PER_HOUR

FEWEST = "replicas_min_count"
REPLICAS_MAX_COUNT = 10_000.0
"""A larger fleet than this is a slip in the scenario, not a plan."""


def bind_fleet(
    binder: Binder, machine: Deployment, gpus_per_replica_count: int | None, *, evaluated_at_own_volume: bool
) -> Staircase:
    """Size an always-on fleet for the demand bound in `binder`; returns where its cost jumps (typical values).

    Needs `success_fraction`: what fails is tried again where the scenario says so.
    """
    bind_capacity(binder, machine, gpus_per_replica_count)
    if retries(binder):
        capacity, tries = binder.node(CAPACITY), binder.node("expected_tries_count")
        binder.apply(tried_capacity_req_per_s, capacity, tries, name=CAPACITY)
    for each in (fleet.peak_req_per_s, fleet.replicas_count, fleet.gpus_count, fleet.busy_fraction):
        binder.evaluate(each)
    binder.derive("billed_fraction", 1.0, "always on: every hour is paid")
    _refuse_absurd(binder, evaluated_at_own_volume)
    step = binder.evaluate(fleet.replica_step_mtok_per_month)
    return Staircase.of_draws(step.value, binder.value(FEWEST), FEWEST)


def bind_scaled_fleet(
    binder: Binder, machine: Deployment, gpus_per_replica_count: int | None, *, evaluated_at_own_volume: bool
) -> Staircase:
    """The same fleet where replicas come and go with the demand, down to none: only the hours awake are billed."""
    if FEWEST not in binder.scenario:
        binder.derive(FEWEST, 1.0, "no spare replica is kept: the fleet may go to zero")
    stairs = bind_fleet(binder, machine, gpus_per_replica_count, evaluated_at_own_volume=evaluated_at_own_volume)
    for each in (autoscale.requests_within_timeout_ratio, autoscale.awake_fraction, autoscale.billed_fraction):
        binder.evaluate(each)
    binder.evaluate(autoscale.cold_start_events_per_month)
    return replace(stairs, kinks_mtok=_kinks(binder))


def fleet_facts(binder: Binder) -> tuple[Node, ...]:
    """What is worth showing about the fleet."""
    names = ["replicas_count", "gpus_count", "busy_fraction", CAPACITY]
    names += [RATIO] if binder.is_bound(RATIO) else []
    names += [name for name in ("billed_fraction", "cold_start_events_per_month") if binder.is_bound("awake_fraction")]
    names += [name for name in ("energy_kwh_per_month", "carbon_kg_per_month") if binder.is_bound(name)]
    return tuple(binder.node(name) for name in names)


def _refuse_absurd(binder: Binder, evaluated_at_own_volume: bool) -> None:
    replicas = median_of(binder.value("replicas_count")) if evaluated_at_own_volume else 0.0
    if replicas > REPLICAS_MAX_COUNT:
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
