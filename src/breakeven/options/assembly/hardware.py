"""Capital: hardware of one's own: what was paid for it, and which equal payments stand in the lines in its place."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.facts.trace import Node


@dataclass(frozen=True, slots=True)
class Capital:
    """Hardware of one's own: what was paid for it, and what stands in the lines in its place."""

    capex_usd: Node
    """Price at the start: of new hardware, or what one's own would bring today."""
    annuity_usd_per_month: Node
    """The equal payments that the lines hold instead."""
    lifetime_months: Node
    age_months: Node | None = None
    """Age at the start; None: new."""
    bought_together_count: float = 1.0
    """Replicas whose GPUs are bought together, as one server."""
