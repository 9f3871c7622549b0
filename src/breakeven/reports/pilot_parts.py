"""Pilot parts: the shape of a pilot's document: every figure with its interval, its unit and how that was made."""

from __future__ import annotations

from typing import Any, Final, Literal

from breakeven.reports.option_part import Part

SCHEMA_VERSION: Final = "1.0"


class RangePart(Part):
    """A figure with its interval."""

    value: float | None
    """None: nobody can say, and `why_not` says why; or it is endless."""
    low: float | None
    high: float | None
    is_value_endless: bool = False
    """True: more than any number (a payback that never comes)."""
    is_high_endless: bool = False
    """True: the interval has no upper end."""
    unit: str
    confidence_fraction: float
    method: str
    """How the interval was made, and whether it holds however often one looks."""
    why_not: str


class VerdictPart(Part):
    """The answer."""

    answer: Literal["yes", "no", "not_yet"]
    sentence: str
    accepted_tasks: tuple[str, ...]
    stopped_tasks: tuple[str, ...]
    more_days: float | None
    """Until it is probably decided, where the answer is "not yet"."""
    is_design_changed: bool
    """True: what was promised is not what is judged."""
    as_of: str


class CountsPart(Part):
    """Paired outcomes, counted: all that the paired test needs."""

    baseline_only_count: int
    neither_count: int
    both_count: int
    candidate_only_count: int


class QualityPart(Part):
    """What the outcomes say of one task, or of all."""

    task: str
    is_overall: bool
    test: Literal["paired", "two-sample", "audited"]
    outcomes_count: int
    missing_count: int
    counts: CountsPart | None
    ln_e_ratio: float
    """Natural logarithm of the e-value against "the candidate loses more than the margin"."""
    ln_boundary_ratio: float
    """What it must reach, other tasks counted in."""
    ln_inferior_e_ratio: float
    """The same against "the candidate keeps the margin"."""
    ratio: RangePart
    baseline_success: RangePart
    candidate_success: RangePart
    is_accepted: bool
    is_inferior: bool
    more_outcomes_count: int | None
    more_days: float | None


class GuardPart(Part):
    """One guardrail."""

    task: str
    name: str
    has_fired: bool
    words: str
    unit: str
    seen: RangePart | None
    allowed: RangePart | None


class SavingsLinePart(Part):
    """One cost that the savings are made of."""

    name: str
    baseline_usd_per_request: float | None
    candidate_usd_per_request: float | None
    note: str


class SavingsPart(Part):
    """What the candidate's requests save; negative figures are lost."""

    saved_usd_per_request: RangePart
    saved_usd_per_success: RangePart
    saved_fraction: RangePart
    saved_usd_per_month: RangePart
    payback_months: RangePart
    return_ratio: RangePart
    lines: tuple[SavingsLinePart, ...]
    not_stated: tuple[str, ...]


class ForecastPart(Part):
    """One promise of `compare`, and what happened."""

    name: str
    unit: str
    promised: RangePart
    happened: RangePart
    error_ratio: float | None
    is_within: bool | None
    assumption: str
    words: str


class ProblemPart(Part):
    """Something about the input, and what is not claimed because of it."""

    code: str
    message: str
    rows_count: int
    limits: str


class PlanPart(Part):
    """One task under trial, and what was expected of it."""

    task: str
    baseline_model: str
    candidate_model: str
    requests_per_hour: float | None
    baseline_success_fraction: float
    candidate_to_baseline_ratio: float
    correlation_fraction: float
    baseline_usd_per_request: float | None
    candidate_usd_per_request: float | None
    expected_from: str


class RampPart(Part):
    """A share of the units, and what must be seen before the next one."""

    share_fraction: float
    requests_min_count: int
    hours_min_hours: float


class PilotPart(Part):
    """What was promised before it started."""

    name: str
    mode: Literal["shadow", "canary", "offline"]
    unit: str
    created: str
    margin_ratio: float
    alpha_fraction: float
    power_fraction: float
    multiplicity: Literal["e-bh", "bonferroni"]
    share_fraction: float
    ramp: tuple[RampPart, ...]
    judged_by_checks: tuple[str, ...]
    """Tasks whose answers declared checks judge."""
    audit_fraction: float
    days_max_days: float
    outcome_wait_hours: float
    inferior_alpha_fraction: float
    error_rate_max_fraction: float | None
    latency_p95_max_s: float | None
    latency_p95_max_ratio: float | None
    spend_max_usd: float | None
    migration_usd: float | None
    idle_usd_per_month: float | None
    human_correction_usd: float | None
    label_usd: float | None
    promised_from: str
    plans: tuple[PlanPart, ...]
    expects: dict[str, Any]
    """Figures computed when it was designed: sizes, days, power, own cost."""


class SeenPart(Part):
    """What was read so far."""

    requests_count: int
    baseline_requests_count: int
    candidate_requests_count: int
    units_count: int
    first: str
    last: str
    days: float
    unknown_outcomes_count: int
    """Answers of which no true source has spoken."""
    audited_count: int
    audited_labelled_count: int
    judged_only_count: int
    """Answers that only a judge model has seen."""
    unpriced_count: int
    baseline_usd: float
    candidate_usd: float


class HistoryTaskPart(Part):
    """One task at one point of the history."""

    task: str
    is_overall: bool
    outcomes_count: int
    ln_e_ratio: float
    ln_boundary_ratio: float
    ln_inferior_e_ratio: float
    ratio: float | None
    low_ratio: float | None
    """Low end of the ratio's interval."""
    high_ratio: float | None


class HistoryPart(Part):
    """How things stood after some of the requests, with the outcomes known today."""

    at: str
    days: float
    """Since the first request."""
    requests_count: int
    tasks: tuple[HistoryTaskPart, ...]


class JournalPart(Part):
    """One thing that happened to the pilot."""

    at: str
    event: str
    words: str
    policy_hash: str
    share_fraction: float | None


class WatchPart(Part):
    """One task after its candidate was promoted: whether its success still keeps the floor."""

    task: str
    floor_fraction: float
    outcomes_count: int
    success_fraction: float | None
    is_alarm: bool
    false_alarm_fraction: float
    """Chance of an alarm without a fall, over the whole rollout."""
    words: str


class PilotFooterPart(Part):
    """What reproduces the document: it is a pure function of these."""

    breakeven_version: str
    made_by: str
    design_hash: str
    policy_hash: str
    """Of the policy that the pilot wrote last."""
    as_of: str
    seed: int
    sources: dict[str, str]
    """File or folder -> hash of what was read of it."""


class PilotDocument(Part):
    """A pilot."""

    schema_version: str
    kind: Literal["pilot"]
    verdict: VerdictPart | None
    """None: nothing has been judged yet."""
    savings: SavingsPart | None
    tasks: tuple[QualityPart, ...]
    overall: QualityPart | None
    guards: tuple[GuardPart, ...]
    forecast: tuple[ForecastPart, ...]
    problems: tuple[ProblemPart, ...]
    not_claimed: tuple[str, ...]
    design: PilotPart
    seen: SeenPart | None
    history: tuple[HistoryPart, ...]
    journal: tuple[JournalPart, ...]
    watch: tuple[WatchPart, ...] = ()
    """Empty before a promotion."""
    footer: PilotFooterPart
