"""Per token: what every Option that is billed by the token shares: no GPUs, a little labour, other people's outages."""

from __future__ import annotations

from breakeven.costs import breach_risk
from breakeven.costs.drains import drain_lines
from breakeven.costs.drains.incident_response import api_incident_events_per_month
from breakeven.costs.line import CostLine
from breakeven.facts.trace import Binder


def bind_per_token(binder: Binder, exposure: str) -> None:
    """Bind what the drains and the breach risk ask for; `exposure` names the relative exposure of the provider."""
    nothing = "nothing is rented or owned"
    for name in ("gpus_count", "owned_gpus_count", "gpu_rent_usd_per_month"):
        binder.derive(name, 0.0, nothing)
    binder.derive("busy_fraction", 1.0, nothing)
    binder.rename("engineering_fte_count", "api_engineering_fte_count", "keeping the integration alive")
    binder.rename("monitoring_usd_per_month", "api_observability_usd_per_month", "tracing of API calls")
    events = binder.evaluate(api_incident_events_per_month)
    binder.supply("incident_events_per_month", events.value, "the provider's outages", events)
    binder.rename("incident_hours_per_event", "api_outage_hours_per_event", "engineer hours per outage")
    binder.rename("breach_exposure_ratio", exposure, "exposure relative to an average firm's LLM path")


def per_token_lines(binder: Binder) -> tuple[CostLine, ...]:
    """The six drains and the breach risk."""
    return (*drain_lines(binder), breach_risk.line(binder))
