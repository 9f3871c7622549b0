"""The comparison document: the one versioned JSON behind terminal, HTML and every later surface.

Every amount is a range over the draws. USD amounts are per month unless the name says otherwise. The JSON Schema
is published in docs/reference/comparison.schema.json. Minor versions add fields; a major version may remove them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Literal

from breakeven.errors import DocumentError
from breakeven.reports.answers_part import AnswersPart
from breakeven.reports.document_file import read_content, validated
from breakeven.reports.horizon_part import HorizonPart
from breakeven.reports.option_part import Amount, LinePart, OptionPart, OwnershipPart, Part, UnavailablePart
from breakeven.reports.risk_part import RiskPart
from breakeven.reports.stability_part import StabilityPart
from breakeven.reports.workbook_part import WorkbookPart

__all__ = [
    "SCHEMA_VERSION",
    "Amount",
    "AssumptionPart",
    "BreakEvenPart",
    "CrossingPart",
    "CurvePart",
    "DayPart",
    "Document",
    "FooterPart",
    "HourPart",
    "ImportPart",
    "LeverPart",
    "LinePart",
    "ModelUsePart",
    "OptionPart",
    "OwnershipPart",
    "PairPart",
    "PricesAgePart",
    "ShadowedPart",
    "SourcePart",
    "StretchPart",
    "TraceNodePart",
    "UnavailablePart",
    "VerdictPart",
    "WorkloadPart",
    "read_document",
    "to_json",
]

SCHEMA_VERSION: Final = "1.3"


class VerdictPart(Part):
    """The answer."""

    sentence: str
    """The answer in one sentence, with its odds."""
    details: tuple[str, ...]
    """What a reader must know beside it, most important first."""
    recommended: str
    """Name of the recommended option."""
    rival: str | None
    """The option it is compared with: the status quo, or the next best when the status quo is recommended."""
    confidence: Literal["clear", "likely", "open"]
    """clear: cheapest in 90 % of the futures or more; likely: 60 %; open: fewer."""
    odds_fraction: float
    """Share of futures in which the recommended option has the cheapest successful outcome."""
    saves_usd_per_month: Amount | None
    """What the recommended option saves against the rival for equal successful outcomes; negative: it costs more."""
    next_command: str
    """What to run next."""


class ModelUsePart(Part):
    """One model of the log."""

    provider: str
    model: str
    requests_count: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    spend_usd: float | None
    """At the prices of each call's own day; None: unpriced."""


class HourPart(Part):
    """One hour of the week in UTC (0 is Monday 00:00)."""

    hour_of_week: int
    requests_per_hour: float
    tokens_per_hour: float
    """Means over the weeks observed."""


class DayPart(Part):
    """One day of the log, UTC."""

    day: str
    requests_count: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    spend_usd: float
    unpriced_tokens: int
    complete: bool
    """False for a first or last day that the log covers in part."""


class ImportPart(Part):
    """What was read: rows_in = calls + duplicates + rejects."""

    rows_in: int
    calls: int
    duplicates: int
    rejects: int
    rejects_by_reason: dict[str, int]
    reject_file: str | None
    files: tuple[str, ...]
    format: str


class WorkloadPart(Part):
    """The log, summarised."""

    label: str
    synthetic: bool
    """True: generated, not real traffic."""
    first_time: str
    last_time: str
    observed_hours: float
    days_count: int
    extrapolated_from_hours: float | None
    """Monthly figures are this many observed hours stretched to a month; None: a month or more was observed."""
    requests_count: int
    errors_count: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    spend_usd: float | None
    """Of the priced calls, at each day's own prices; None when no call has a price."""
    requests_per_month: float
    tokens_per_month: float
    spend_usd_per_month: float | None
    peak_to_mean_ratio: float | None
    peak_basis: str
    input_tokens_quantiles: dict[str, float]
    """Exact P50, P95, P99 of a request's input."""
    output_tokens_quantiles: dict[str, float]
    models: tuple[ModelUsePart, ...]
    unpriced: tuple[ModelUsePart, ...]
    unpriced_tokens_fraction: float
    """Share of the tokens that belongs to named models without a price."""
    unnamed_tokens_fraction: float
    """Share of the tokens of calls that name no model."""
    days: tuple[DayPart, ...]
    hours_of_week: tuple[HourPart, ...]
    """Empty when the log is shorter than a week."""
    may_conclude: tuple[str, ...]
    may_not_conclude: tuple[str, ...]
    imported: ImportPart | None
    stability: StabilityPart | None = None
    """Is the log steady enough to decide on? None in documents before 1.3."""


class CrossingPart(Part):
    """A volume at which the cheapest option changes, at typical values."""

    mtok_per_month: float
    from_option: str
    to_option: str
    kind: str
    """crossing: two lines meet; step: one of them jumps."""


class StretchPart(Part):
    """A stretch of volumes in which one option is cheapest, at typical values: (from, to]."""

    from_mtok_per_month: float
    to_mtok_per_month: float
    option: str


class PairPart(Part):
    """Where an option and the status quo cross."""

    option: str
    crossings_mtok_per_month: tuple[float, ...]
    first_mtok_per_month: float | None
    """Smallest volume from which the option is cheaper at least for a while; None: never on the axis."""
    always_above_mtok_per_month: float | None
    """The option is cheaper at every larger volume; None: not shown."""
    proven_beyond_axis: bool
    """True: holds for every volume however large; False: up to the end of the axis."""
    sentence: str


class CurvePart(Part):
    """Cost of one option against volume, USD per month for equal successful outcomes."""

    option: str
    volumes_mtok_per_month: tuple[float, ...]
    p10_usd_per_month: tuple[float, ...]
    """Of the futures at each volume; empty, as the next two and the odds, where only typical values were looked at."""
    p50_usd_per_month: tuple[float, ...]
    p90_usd_per_month: tuple[float, ...]
    typical_usd_per_month: tuple[float, ...]
    """Every assumption at its typical value: the curve on which the crossings lie."""
    probability_cheapest_fraction: tuple[float, ...]
    exact_volumes_mtok_per_month: tuple[float, ...]
    """Corner points of the typical curve around the user's volume, both sides of each jump."""
    exact_usd_per_month: tuple[float, ...]


class BreakEvenPart(Part):
    """Break-even volumes, exact at typical values."""

    volume_mtok_per_month: float
    """You are here."""
    axis_low_mtok_per_month: float
    axis_high_mtok_per_month: float
    stretches: tuple[StretchPart, ...]
    crossings: tuple[CrossingPart, ...]
    pairs: tuple[PairPart, ...]
    curves: tuple[CurvePart, ...]


class LeverPart(Part):
    """One assumption moved alone from its low to its high."""

    name: str
    unit: str
    low: float
    high: float
    gap_at_low_usd_per_month: float
    """Rival minus recommended, at the low end; negative: the rival is cheaper."""
    gap_at_high_usd_per_month: float
    gap_usd_per_month: float
    flips: bool
    """True: the answer changes inside the range."""
    grade: str


class SourcePart(Part):
    """Where a number comes from."""

    title: str
    link: str
    read: str
    grade: str
    age_days: int


class AssumptionPart(Part):
    """One Fact that the comparison read."""

    name: str
    unit: str
    low: float
    typical: float
    high: float
    layer: str
    source: SourcePart
    note: str
    used_by: tuple[str, ...]
    """Options that read it."""
    stale: bool
    """True: older than its kind of Fact should be."""


class ShadowedPart(Part):
    """A layer that knew the name and lost."""

    layer: str
    low: float
    typical: float
    high: float


class TraceNodePart(Part):
    """One value and what it was made of."""

    name: str
    unit: str
    layer: str
    p10: float
    p50: float
    p90: float
    formula: str
    summary: str
    source: SourcePart | None
    shadowed: tuple[ShadowedPart, ...]
    inputs: tuple[str, ...]
    """Ids of the nodes it was made of."""


class PricesAgePart(Part):
    """How long before the document's date the prices that it read were read, in days; the scenario's own left out."""

    count: int
    """Price rows read."""
    newest_days: int
    median_days: float
    oldest_days: int
    oldest: str
    """The oldest one: what it prices, and its source."""


class FooterPart(Part):
    """What reproduces this document: it is a pure function of these."""

    breakeven_version: str
    calls_hash: str
    catalog_hash: str
    scenario_hash: str
    prices_version: str
    """Version of the genai-prices package."""
    as_of: str
    seed: int
    draws_count: int
    hours_per_month: float
    prices_age: PricesAgePart | None = None
    """None: no list price was read, or the document is older than this field."""


class Document(Part):
    """A comparison."""

    schema_version: str
    kind: Literal["comparison"]
    verdict: VerdictPart
    workload: WorkloadPart
    options: tuple[OptionPart, ...]
    """Cheapest successful outcome first."""
    unavailable: tuple[UnavailablePart, ...]
    breakeven: BreakEvenPart
    levers: tuple[LeverPart, ...]
    assumptions: tuple[AssumptionPart, ...]
    included: tuple[str, ...]
    excluded: tuple[str, ...]
    warnings: tuple[str, ...]
    trace: dict[str, TraceNodePart]
    footer: FooterPart
    horizon: HorizonPart | None = None
    """The months to come; None: the document is older than this part."""
    risk: RiskPart | None = None
    """What doubt costs; None: the document is older than this part."""
    answers: AnswersPart | None = None
    """The guide's questions; None: the document is older than this part."""
    workbook: WorkbookPart | None = None
    """What the spreadsheet calculates; None: the document is older than this part."""


def read_document(path: Path) -> Document:
    """Read a document; raises DocumentError when it is missing, damaged, or of a newer major version."""
    content = read_content(path, "breakeven compare --json")
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, str):
        raise DocumentError(f"{path} has no schema_version; wanted a comparison from `breakeven compare --json`")
    return validated(path, content, Document, version, SCHEMA_VERSION)


def to_json(document: Document) -> str:
    """The document as JSON text, two-space indented, ending in a newline."""
    return json.dumps(document.model_dump(mode="json"), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
