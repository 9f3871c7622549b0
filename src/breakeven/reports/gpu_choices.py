"""GPU choices: one log on every GPU that has a price: replicas at the peak, GPUs in all, rent of an always-on fleet.

For each GPU the size of a replica is chosen and the busiest stretch is simulated; the rest of the log is not, which is
why one such table costs seconds and a plan of each would cost minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from breakeven.catalog.load import Catalog
from breakeven.catalog.names import find_gpu
from breakeven.errors import BreakevenError
from breakeven.reports.fleet_answer import FleetQuestion, chosen_deployment, mean_lengths, rents_of
from breakeven.reports.fleet_wording import TERM_NAMES
from breakeven.serving.prediction.capacity import replica_timing
from breakeven.serving.traffic.fleet_peak import peak_replicas
from breakeven.workload.arrivals import Arrivals

SCHEMA_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class GpuChoice:
    """One GPU for the log."""

    gpu: str
    label: str
    """The deployment; empty where there is none."""
    replicas_count: int | None
    """At the peak, with the least number and the spares asked for; None: it cannot serve the log."""
    gpus_count: int | None
    low_usd_per_month: float | None
    typical_usd_per_month: float | None
    high_usd_per_month: float | None
    basis: str
    """Where the rent comes from."""
    why: str
    """Why it cannot serve the log; else empty."""


def gpu_choices(
    question: FleetQuestion, arrivals: Arrivals, catalog: Catalog, say: Callable[[str], None] = lambda _: None
) -> tuple[GpuChoice, ...]:
    """Every GPU with a price on the usual term, and the one asked for; cheapest first, those that cannot last."""
    asked = find_gpu(catalog, question.gpu).name
    term = "spot" if question.spot_most_fraction > 0 else "on_demand"
    found = []
    for gpu in catalog.gpus:
        said = (question.rents or {}) if gpu == asked else {}
        rents, _ = rents_of(catalog, gpu, said)
        if gpu != asked and all(each.term != term for each in rents):
            continue
        say(f"the busiest stretch on {gpu}")
        found.append(_choice(replace(question, gpu=gpu, rents=said, gpus_count=None), arrivals, catalog, term))
    return tuple(sorted(found, key=_order))


def choices_document(choices: tuple[GpuChoice, ...], question: FleetQuestion) -> dict[str, Any]:
    """The table as plain values."""
    names = GpuChoice.__dataclass_fields__
    term = "spot" if question.spot_most_fraction > 0 else "on_demand"
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "gpu_choices",
        "term": term,
        "term_words": TERM_NAMES[term],
        "choices": [{name: getattr(each, name) for name in names} for each in choices],
    }


def _order(each: GpuChoice) -> tuple[bool, float, float]:
    usd, gpus = each.typical_usd_per_month, each.gpus_count
    unpriced = float("inf")
    return gpus is None, unpriced if usd is None else usd, float(gpus or 0)


def _choice(question: FleetQuestion, arrivals: Arrivals, catalog: Catalog, term: str) -> GpuChoice:
    try:
        deployment = chosen_deployment(question, arrivals, catalog)
        timing = replica_timing(deployment, *mean_lengths(arrivals), measured=question.corrections)
        peak = peak_replicas(timing, arrivals, question.policy)
    except BreakevenError as error:
        return GpuChoice(question.gpu, "", None, None, None, None, None, "", str(error))
    policy = question.policy
    replicas = max(peak, policy.replicas_min_count, 1) + policy.spare_count
    gpus = replicas * deployment.gpus_count
    rents, _ = rents_of(catalog, deployment.gpu.name, question.rents or {})
    rent = next((each for each in rents if each.term == term), None)
    hours = gpus * question.hours_per_month
    return GpuChoice(
        question.gpu,
        deployment.label,
        replicas,
        gpus,
        None if rent is None else rent.low * hours,
        None if rent is None else rent.typical * hours,
        None if rent is None else rent.high * hours,
        "" if rent is None else rent.basis,
        "",
    )
