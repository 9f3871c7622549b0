"""Fleet lines: what every Option that runs its own replicas pays beside the GPUs: people, tools, incidents, risk."""

from __future__ import annotations

from breakeven.costs import breach_risk, energy, failed_answers, fine_tuning, gpu_rental, migration, quality_monitoring
from breakeven.costs.drains import drain_lines
from breakeven.costs.drains.engineering_labour import bind_new_hires, fleet_engineering_fte_count
from breakeven.costs.drains.incident_response import (
    fleet_downtime_hours_per_month,
    fleet_incident_events_per_month,
    incident_hours_per_month,
)
from breakeven.costs.gpu_rental import gpu_rent_usd_per_month
from breakeven.costs.line import CostLine
from breakeven.facts.trace import Binder
from breakeven.options.assembly.retries import check_lines

NEW_HIRES = "new_hires"


def bind_rent(binder: Binder) -> None:
    """Rent the fleet for the hours that are billed."""
    binder.evaluate(gpu_rent_usd_per_month)
    binder.rename("capacity_usd_per_month", "gpu_rent_usd_per_month", "the rent, busy or not")
    binder.derive("owned_gpus_count", 0.0, "the GPUs are rented")


def bind_fleet_people(binder: Binder, *, managed: bool = False) -> None:
    """Bind labour, monitoring, incidents, the move and exposure of a fleet; `managed`: a provider runs the machines."""
    if managed:
        binder.rename("engineering_fte_count", "managed_engineering_fte_count", "the provider keeps the machines")
        binder.derive("storage_network_usd_per_gpu_month", 0.0, "inside the provider's price")
        binder.rename("migration_hours", "managed_migration_hours", "moving to a managed endpoint")
        binder.derive("on_call_usd_per_month", 0.0, "the provider's people are on call")
    else:
        fte = binder.evaluate(fleet_engineering_fte_count)
        binder.supply("engineering_fte_count", fte.value, "people who keep this fleet", fte)
        binder.rename("migration_hours", "fleet_migration_hours", "building and moving to a fleet of one's own")
        binder.rename("on_call_usd_per_month", "fleet_on_call_usd_per_month", "the rota of the fleet")
    binder.rename("monitoring_usd_per_month", "observability_usd_per_month", "observability stack")
    events = binder.evaluate(fleet_incident_events_per_month)
    binder.supply("incident_events_per_month", events.value, "faults and crashes of this fleet", events)
    downtime = binder.evaluate(fleet_downtime_hours_per_month)
    binder.supply("downtime_hours_per_month", downtime.value, "faults and restarts of this fleet", downtime)
    exposure = "managed_breach_exposure_ratio" if managed else "selfhost_breach_exposure_ratio"
    binder.rename("breach_exposure_ratio", exposure, "no way to serve is zero risk")


def bind_team(binder: Binder, team: str) -> None:
    """People who are there give the hours; or people are hired for it. Call it when the incidents are bound."""
    if team == NEW_HIRES and "engineering_fte_count" not in binder.scenario:
        binder.evaluate(incident_hours_per_month)
        bind_new_hires(binder)


def rented_lines(binder: Binder) -> tuple[CostLine, ...]:
    """Busy rent, the six drains (idle rent among them), and what every fleet pays beside."""
    return (gpu_rental.line(binder), *shared_lines(binder))


def shared_lines(binder: Binder) -> tuple[CostLine, ...]:
    """The six drains, another model's quality, the move, training, carbon, and the breach risk beside the total."""
    energy.energy_facts(binder)
    return (
        *drain_lines(binder),
        quality_monitoring.line(binder),
        failed_answers.line(binder),
        *failed_answers.loss_lines(binder),
        *check_lines(binder),
        migration.line(binder),
        *fine_tuning.lines(binder),
        *energy.carbon_lines(binder),
        breach_risk.line(binder),
    )
