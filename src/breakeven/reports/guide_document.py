"""The guide document: the guide's claims with our figures and verdicts, as versioned JSON."""

from __future__ import annotations

import json
from typing import Final, Literal

from breakeven.reports.document import TraceNodePart
from breakeven.reports.option_part import Part

SCHEMA_VERSION: Final = "1.0"


class GuideFigurePart(Part):
    """One number of ours; no range where P10 and P90 are the same."""

    key: str
    label: str
    unit: str
    p10: float
    p50: float
    p90: float
    text: str
    """As a person reads it."""
    trace: str
    """Id in `trace`: how it was computed, down to its sources."""


class GuideCellPart(Part):
    """One cell of a table: words, or an amount with its words."""

    text: str
    unit: str = ""
    p10: float | None = None
    p50: float | None = None
    p90: float | None = None


class GuideTablePart(Part):
    """Figures side by side."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[GuideCellPart, ...], ...]


class GuideClaimPart(Part):
    """One claim of the guide, tested."""

    id: str
    words: str
    """What the guide says."""
    says: str
    """Its figure."""
    found: str
    """Ours, in a few words."""
    verdict: Literal["holds", "depends", "does not hold", "not tested"]
    depends_on: str
    because: str
    """Why, in one sentence."""
    details: tuple[str, ...]
    scenario: str
    """What was compared, at what volume."""
    figures: tuple[GuideFigurePart, ...]
    tables: tuple[GuideTablePart, ...]


class GuideDocument(Part):
    """The guide's claims, tested."""

    schema_version: str
    kind: Literal["guide_claims"]
    summary: str
    """How many hold."""
    workload: str
    is_reference: bool
    """True: the traffic is invented; False: it is your log's."""
    as_of: str
    """The catalogue's date: prices and facts of that day."""
    prices_read_from: str | None
    """The earliest and the latest day on which a price behind the figures was read."""
    prices_read_to: str | None
    seed: int
    draws_count: int
    breakeven_version: str
    catalog_hash: str
    scenario_hash: str
    claims: tuple[GuideClaimPart, ...]
    warnings: tuple[str, ...]
    next_command: str
    trace: dict[str, TraceNodePart]


def to_json(document: GuideDocument) -> str:
    """The document as JSON text, two-space indented, ending in a newline."""
    return json.dumps(document.model_dump(mode="json"), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
