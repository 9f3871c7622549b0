"""Fleet request: what somebody asks of a fleet in plain values, as options of a verb or fields of a form hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from breakeven.catalog.load import Catalog
from breakeven.decision.baseline import refuse_embeddings_alone
from breakeven.decision.scenario import Scenario
from breakeven.reports.fleet_answer import FleetAnswer, FleetQuestion, answer_fleet
from breakeven.reports.fleet_document import fleet_document
from breakeven.serving.measured_facts import read_facts
from breakeven.serving.traffic.fleet_bins import LatencyTarget
from breakeven.serving.traffic.fleet_schedule import FleetPolicy
from breakeven.units import MS_PER_S
from breakeven.usage.store import CallStore
from breakeven.workload.arrivals import Arrivals, arrivals_of, calls_of_models


@dataclass(frozen=True, slots=True)
class FleetRequest:
    """A question about a fleet."""

    model: str
    gpu: str
    precision: str | None = None
    gpus_count: int | None = None
    """GPUs of one replica; None: the size that needs fewest in all."""
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    met_fraction: float = 0.95
    replicas_min_count: int = 1
    spare_count: int = 0
    is_autoscaled: bool = False
    cold_start_s: float | None = None
    scales_to_zero: bool = False
    idle_timeout_s: float | None = None
    on_spot: bool = False
    rents_usd: Mapping[str, float] = field(default_factory=dict)
    """Term -> USD per GPU hour, the asker's own."""
    horizon_months: float = 12.0
    measured: Path | None = None
    """File of `breakeven calibrate`."""
    calls_of: tuple[str, ...] = ()
    """Only the log's calls of these models; all when empty."""
    seed: int = 0

    def question(self, catalog: Catalog) -> FleetQuestion:
        """The same with what was left open taken from the catalogue."""
        facts = catalog.assumptions
        policy = FleetPolicy(
            LatencyTarget(_seconds(self.ttft_ms), _seconds(self.tpot_ms), self.met_fraction),
            replicas_min_count=self.replicas_min_count,
            spare_count=self.spare_count,
            is_autoscaled=self.is_autoscaled,
            cold_start_s=facts["cold_start_s"].typical if self.cold_start_s is None else self.cold_start_s,
            scales_to_zero=self.scales_to_zero,
            idle_timeout_s=facts["idle_timeout_s"].typical if self.idle_timeout_s is None else self.idle_timeout_s,
            interruption_events_per_replica_month=(
                facts["spot_interruption_events_per_replica_month"].typical if self.on_spot else 0.0
            ),
            seed=self.seed,
        )
        return FleetQuestion(
            self.model,
            self.gpu,
            policy,
            self.precision,
            self.gpus_count,
            self.rents_usd,
            1.0 if self.on_spot else 0.0,
            self.horizon_months,
            facts["hours_per_month"].typical,
            read_facts(self.measured) if self.measured else None,
        )


@dataclass(frozen=True, slots=True)
class AnsweredFleet:
    """A fleet, and the document about it."""

    answer: FleetAnswer
    document: dict[str, Any]


def fleet_of_calls(
    request: FleetRequest,
    store: CallStore,
    catalog: Catalog,
    *,
    label: str,
    warnings: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> AnsweredFleet:
    """Size the fleet for the calls of a store."""
    question = request.question(catalog)
    arrivals = arrivals_asked(request, store, catalog, say)
    answer = answer_fleet(question, arrivals, catalog, say)
    document = fleet_document(
        answer,
        arrivals,
        label=label,
        as_of=catalog.as_of.isoformat(),
        calls_hash=store.digest(),
        catalog_hash=catalog.digest,
        warnings=tuple(warnings),
    )
    return AnsweredFleet(answer, document)


def arrivals_asked(
    request: FleetRequest, store: CallStore, catalog: Catalog, say: Callable[[str], None] = lambda _: None
) -> Arrivals:
    """The requests that the fleet must carry; raises UsageError where all of them ask for embeddings."""
    say("reading the requests")
    calls = calls_of_models(store.calls(), request.calls_of)
    refuse_embeddings_alone(calls, catalog, Scenario())
    return arrivals_of(calls, seed=request.seed)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / MS_PER_S
