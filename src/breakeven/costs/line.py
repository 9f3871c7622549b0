"""CostLine: one named cost of an Option, USD per month, with everything behind it."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.facts.trace import Node


@dataclass(frozen=True, slots=True)
class CostLine:
    """One named cost. Every dollar and every engineer hour belongs to exactly one line."""

    name: str
    """Stable identifier, e.g. ``engineering_labour``."""
    title: str
    """What a person reads."""
    usd_per_month: Node
    engineer_hours_per_month: Node | None = None
    """The engineer hours that this line pays for; None when it pays for none."""
    raw_rent: bool = False
    """True for the lines that add up to the bare GPU rent."""
    apart: bool = False
    """True for an expected loss that is shown beside the total and not in it."""
    note: str = ""
