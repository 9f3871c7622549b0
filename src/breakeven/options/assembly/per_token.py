"""Per token: what every Option that is billed by the token shares: no GPUs, a little labour, other people's outages."""

from __future__ import annotations

from breakeven.costs import breach_risk, failed_answers, migration, quality_monitoring, tokens
from breakeven.costs.drains import drain_lines
from breakeven.costs.drains.incident_response import api_downtime_hours_per_month, api_incident_events_per_month
from breakeven.costs.line import CostLine
from breakeven.facts.trace import Binder
from breakeven.options.assembly.retries import bind_tried_tokens, check_lines


def bind_per_token(binder: Binder, exposure: str) -> None:
    """Bind what the drains and the breach risk ask for; `exposure` names the relative exposure of the provider."""
    nothing = "nothing is rented or owned"
    for name in ("gpus_count", "owned_gpus_count", "capacity_usd_per_month"):
        binder.derive(name, 0.0, nothing)
    for name in ("busy_fraction", "billed_fraction"):
        binder.derive(name, 1.0, nothing)
    binder.rename("engineering_fte_count", "api_engineering_fte_count", "keeping the integration alive")
    binder.rename("monitoring_usd_per_month", "api_observability_usd_per_month", "tracing of API calls")
    events = binder.evaluate(api_incident_events_per_month)
    binder.supply("incident_events_per_month", events.value, "the provider's outages", events)
    binder.rename("incident_hours_per_event", "api_outage_hours_per_event", "engineer hours per outage")
    binder.derive("on_call_usd_per_month", 0.0, "the provider's people are on call")
    downtime = binder.evaluate(api_downtime_hours_per_month)
    binder.supply("downtime_hours_per_month", downtime.value, "the provider's downtime", downtime)
    binder.rename("breach_exposure_ratio", exposure, "exposure relative to an average firm's LLM path")


def token_line(binder: Binder) -> CostLine:
    """The token bill, of every try; needs `token_usd_per_mtok` and `success_fraction`."""
    bind_tried_tokens(binder)
    return tokens.line(binder)


def per_token_lines(binder: Binder, *, moves: bool = True, watched: bool = True) -> tuple[CostLine, ...]:
    """The six drains, failed answers and the breach risk; a model or provider that is new is moved to and watched.

    Needs `success_fraction`. `moves`: False for the status quo, which changes nothing. `watched`: False where the
    models stay those of today, so that no new one's quality is watched.
    """
    drains = drain_lines(binder)
    beside = [failed_answers.line(binder), *failed_answers.loss_lines(binder), *check_lines(binder)]
    if moves and watched:
        beside.append(quality_monitoring.line(binder))
    if moves:
        binder.rename("migration_hours", "api_migration_hours", "another model or provider behind the same kind of API")
        beside.append(migration.line(binder))
    return (*drains, *beside, breach_risk.line(binder))
