"""Lines: the costs of self-hosting that breakeven knows, and which of them a claim counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from breakeven.claims.resolver import Resolver
from breakeven.facts.trace import Node

Deployment = Literal["owned", "rented"]


@dataclass(frozen=True, slots=True)
class Line:
    """One cost of self-hosting."""

    name: str
    title: str
    quantity: str
    """USD a month, as the cost model calls it; empty: nothing can size it without the traffic."""
    counted_by: tuple[str, ...]
    """Amounts that show that a claim counts it."""
    owned_only: bool = False
    apart: bool = False
    """An expected loss, shown beside the total and not in it."""


IDLE: Final = "idle_capacity"
LINES: Final = (
    Line("engineering_labour", "Engineering labour", "engineering_labour_usd_per_month", ("engineering_labour_usd",)),
    Line(
        "mlops_infrastructure",
        "MLOps infrastructure",
        "mlops_infrastructure_usd_per_month",
        ("mlops_infrastructure_usd", "monitoring_usd", "storage_usd", "network_usd", "software_usd"),
    ),
    Line("incident_response", "Incident response", "incident_response_usd_per_month", ("incident_response_usd",)),
    Line("opportunity_cost", "Opportunity cost", "opportunity_cost_usd_per_month", ("opportunity_cost_usd",)),
    Line("quality_monitoring", "Monitoring quality", "quality_monitoring_usd_per_month", ("quality_monitoring_usd",)),
    Line("failed_answers", "Correcting failed answers", "failed_answers_usd_per_month", ("failed_answers_usd",)),
    Line("migration", "Migration", "migration_usd_per_month", ("migration_usd",)),
    Line(IDLE, "Idle capacity", "", ()),
    Line("hardware_decay", "Hardware decay", "hardware_decay_usd_per_month", ("hardware_decay_usd",), owned_only=True),
    Line("electricity", "Electricity", "electricity_usd_per_month", ("electricity_usd",), owned_only=True),
    Line("colocation", "Colocation", "colocation_usd_per_month", ("colocation_usd",), owned_only=True),
    Line("cost_of_capital", "Cost of capital", "cost_of_capital_usd_per_month", ("annuity_usd",), owned_only=True),
    Line("breach_risk", "Breach risk", "breach_risk_usd_per_month", ("breach_risk_usd",), apart=True),
)


def deployment_of(resolver: Resolver) -> Deployment | None:
    """Whether a claim speaks of GPUs bought, of GPUs rented, or of none."""
    if _has(resolver, "capex_usd") or _has_any_period(resolver, "capital_usd"):
        return "owned"
    if _has_any_period(resolver, "gpu_rent_usd") or _has(resolver, "gpus_count") or _has(resolver, "fleet_tok_per_s"):
        return "rented"
    return None


def counted(line: Line, resolver: Resolver) -> Node | None:
    """What a claim counts for a line, USD a month where it can be had; None when it leaves the line out."""
    for base in line.counted_by:
        for period in ("month", "hour", "day", "year", ""):
            found = resolver.node(f"{base}_per_{period}" if period else base)
            if found is not None and not _is_never_idle(found):
                return found
    return None


def counted_usd_per_month(line: Line, resolver: Resolver) -> float | None:
    """The claim's own figure for all that belongs to a line; None where it gives none."""
    nodes = [resolver.node(f"{base}_per_month") for base in line.counted_by if base.endswith("_usd")]
    values = [float(each.value.mean()) for each in nodes if each is not None]
    return sum(values) if values else None


def assumes_never_idle(node: Node) -> bool:
    """Whether a figure rests on a fleet that works in every paid second."""
    return _is_never_idle(node) or any(assumes_never_idle(each) for each in node.inputs)


def _is_never_idle(node: Node) -> bool:
    return node.formula.endswith((".never_idle_tokens", ".never_idle_output_tokens")) or any(
        _is_never_idle(each) for each in node.inputs
    )


def _has(resolver: Resolver, name: str) -> bool:
    return resolver.node(name) is not None


def _has_any_period(resolver: Resolver, base: str) -> bool:
    return any(_has(resolver, f"{base}{each}") for each in ("_per_month", "_per_hour", "_per_day", "_per_year", ""))
