"""Pilot document: the one JSON of a pilot: the answer, money, quality, guards, promises, and what is not claimed.

`breakeven pilot status | verdict | report`, the page for a CFO and every export show this document and nothing else. It
is a pure function of the design and of what was read, which its footer names by hash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite, nan
from pathlib import Path
from typing import Any, Final

import numpy as np

from breakeven.errors import DocumentError
from breakeven.pilot.design import Design
from breakeven.pilot.observations import BASELINE, CANDIDATE, Evidence, Observations
from breakeven.pilot.rollout_watch import TaskWatch
from breakeven.pilot.task_evidence import is_audited_kind
from breakeven.pilot.verdict import ForecastLine, GuardState, HistoryPoint, Quality, Range, Savings, Verdict
from breakeven.reports.document_file import read_content, validated
from breakeven.reports.pilot_parts import (
    SCHEMA_VERSION,
    CountsPart,
    ForecastPart,
    GuardPart,
    HistoryPart,
    HistoryTaskPart,
    JournalPart,
    PilotDocument,
    PilotFooterPart,
    PilotPart,
    PlanPart,
    ProblemPart,
    QualityPart,
    RampPart,
    RangePart,
    SavingsLinePart,
    SavingsPart,
    SeenPart,
    VerdictPart,
    WatchPart,
)

__all__ = ["as_json", "pilot_document", "read_pilot_document", "to_json"]

SECONDS_PER_DAY: Final = 86_400.0


def pilot_document(
    design: Design,
    evidence: Evidence | None,
    verdict: Verdict | None,
    *,
    history: Sequence[HistoryPoint] = (),
    journal: Sequence[Mapping[str, Any]] = (),
    watch: Sequence[TaskWatch] = (),
    design_hash: str = "",
    version: str = "",
) -> PilotDocument:
    """The document; without evidence or verdict, what the design promises is all there is."""
    from breakeven import __version__

    seen = None if evidence is None else _seen(evidence.observations)
    begins_unix_s = nan if evidence is None else _first_unix_s(evidence.observations)
    entries = tuple(_journal(each) for each in journal)
    return PilotDocument(
        schema_version=SCHEMA_VERSION,
        kind="pilot",
        verdict=None if verdict is None else _verdict(verdict),
        savings=None if verdict is None or verdict.savings is None else _savings(verdict.savings),
        tasks=() if verdict is None else tuple(_quality(each) for each in verdict.tasks),
        overall=None if verdict is None or verdict.overall is None else _quality(verdict.overall),
        guards=() if verdict is None else tuple(_guard(each) for each in verdict.guards),
        forecast=() if verdict is None else tuple(_forecast(each) for each in verdict.forecast),
        problems=_problems(evidence, verdict),
        not_claimed=() if verdict is None else verdict.not_claimed,
        design=_design(design),
        seen=seen,
        history=tuple(_point(each, begins_unix_s) for each in history),
        journal=entries,
        watch=tuple(_watch(each) for each in watch),
        footer=PilotFooterPart(
            breakeven_version=version or __version__,
            made_by=design.made_by,
            design_hash=(verdict.design_hash if verdict else "") or design_hash,
            policy_hash=next((each.policy_hash for each in reversed(entries) if each.policy_hash), ""),
            as_of=verdict.as_of if verdict else "",
            seed=design.seed,
            sources=dict(evidence.source_digests) if evidence else {},
        ),
    )


def as_json(document: PilotDocument) -> dict[str, Any]:
    """Plain values, in the order of the fields."""
    return document.model_dump(mode="json")


def to_json(document: PilotDocument) -> str:
    """The document as JSON text, two-space indented, ending in a newline."""
    return json.dumps(as_json(document), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def read_pilot_document(path: Path) -> PilotDocument:
    """Read a document; raises DocumentError when it is missing, damaged, or of a newer major version."""
    writer = "breakeven pilot verdict --json"
    content = read_content(path, writer)
    if not isinstance(content, dict) or content.get("kind") != "pilot":
        raise DocumentError(f"{path} is not the document of a pilot; `{writer}` writes one")
    return validated(path, content, PilotDocument, str(content.get("schema_version")), SCHEMA_VERSION)


def _verdict(verdict: Verdict) -> VerdictPart:
    return VerdictPart(
        answer=verdict.answer,
        sentence=verdict.sentence,
        accepted_tasks=verdict.accepted_tasks,
        stopped_tasks=verdict.stopped_tasks,
        more_days=_finite(verdict.more_days),
        is_design_changed=verdict.is_design_changed,
        as_of=verdict.as_of,
    )


def _design(design: Design) -> PilotPart:
    return PilotPart(
        name=design.name,
        mode=design.mode,
        unit=design.unit,
        created=design.created,
        margin_ratio=design.margin_ratio,
        alpha_fraction=design.alpha_fraction,
        power_fraction=design.power_fraction,
        multiplicity=design.multiplicity,
        share_fraction=design.share_fraction,
        ramp=tuple(
            RampPart(
                share_fraction=each.share_fraction,
                requests_min_count=each.requests_min_count,
                hours_min_hours=each.hours_min_hours,
            )
            for each in (design.ramp if design.mode == "canary" else ())
        ),
        judged_by_checks=tuple(sorted(design.checks_by_task)),
        audit_fraction=design.audit_fraction,
        days_max_days=design.days_max_days,
        outcome_wait_hours=design.outcome_wait_hours,
        inferior_alpha_fraction=design.guards.inferior_alpha_fraction,
        error_rate_max_fraction=design.guards.error_rate_max_fraction,
        latency_p95_max_s=design.guards.latency_p95_max_s,
        latency_p95_max_ratio=design.guards.latency_p95_max_ratio,
        spend_max_usd=design.guards.spend_max_usd,
        migration_usd=design.migration_usd,
        idle_usd_per_month=design.idle_usd_per_month,
        human_correction_usd=design.human_correction_usd,
        label_usd=design.label_usd,
        promised_from=design.promised_from,
        plans=tuple(
            PlanPart(
                task=each.task,
                baseline_model=each.baseline_model,
                candidate_model=each.candidate_model,
                requests_per_hour=each.requests_per_hour,
                baseline_success_fraction=each.baseline_success_fraction,
                candidate_to_baseline_ratio=each.candidate_to_baseline_ratio,
                correlation_fraction=each.correlation_fraction,
                baseline_usd_per_request=each.baseline_usd_per_request,
                candidate_usd_per_request=each.candidate_usd_per_request,
                expected_from=each.expected_from,
            )
            for each in design.tasks
        ),
        expects=_plain(design.expects),
    )


def _seen(rows: Observations) -> SeenPart:
    begins, ends = _first_unix_s(rows), _last_unix_s(rows)
    priced = np.isfinite(rows.cost_usd)
    return SeenPart(
        requests_count=len(set(rows.request_ids)),
        baseline_requests_count=int((rows.arm == BASELINE).sum()),
        candidate_requests_count=int((rows.arm == CANDIDATE).sum()),
        units_count=len(np.unique(rows.unit)),
        first=_iso(begins),
        last=_iso(ends),
        days=max(0.0, (ends - begins) / SECONDS_PER_DAY) if isfinite(begins) else 0.0,
        unknown_outcomes_count=int(np.isnan(rows.success).sum()),
        audited_count=int(rows.is_audited.sum()),
        audited_labelled_count=_labelled_count(rows),
        judged_only_count=int((np.isnan(rows.success) & np.isfinite(rows.judged)).sum()),
        unpriced_count=int((~priced).sum()),
        baseline_usd=float(rows.cost_usd[priced & (rows.arm == BASELINE)].sum()),
        candidate_usd=float(rows.cost_usd[priced & (rows.arm == CANDIDATE)].sum()),
    )


def _labelled_count(rows: Observations) -> int:
    """Answers of the audit that people labelled; none where checks judge all answers, so that nobody was asked."""
    if not is_audited_kind(rows):
        return 0
    return int((rows.is_audited & np.isfinite(rows.success) & ~rows.is_error).sum())


def _quality(each: Quality) -> QualityPart:
    counts = each.counts
    return QualityPart(
        task=each.task,
        is_overall=each.is_overall,
        test=each.test,
        outcomes_count=each.outcomes_count,
        missing_count=each.missing_count,
        counts=None
        if counts is None
        else CountsPart(
            baseline_only_count=counts.baseline_only_count,
            neither_count=counts.neither_count,
            both_count=counts.both_count,
            candidate_only_count=counts.candidate_only_count,
        ),
        ln_e_ratio=_number(each.ln_e_ratio),
        ln_boundary_ratio=_number(each.ln_boundary_ratio),
        ln_inferior_e_ratio=_number(each.ln_inferior_e_ratio),
        ratio=_range(each.ratio, "ratio"),
        baseline_success=_range(each.baseline_success, "fraction"),
        candidate_success=_range(each.candidate_success, "fraction"),
        is_accepted=each.is_accepted,
        is_inferior=each.is_inferior,
        more_outcomes_count=each.more_outcomes_count,
        more_days=_finite(each.more_days),
    )


def _guard(each: GuardState) -> GuardPart:
    return GuardPart(
        task=each.task,
        name=each.name,
        has_fired=each.has_fired,
        words=each.words,
        unit=each.unit,
        seen=None if each.seen is None else _range(each.seen, each.unit),
        allowed=None if each.allowed is None else _range(each.allowed, each.unit),
    )


def _savings(each: Savings) -> SavingsPart:
    return SavingsPart(
        saved_usd_per_request=_range(each.saved_usd_per_request, "usd/request"),
        saved_usd_per_success=_range(each.saved_usd_per_success, "usd/success"),
        saved_fraction=_range(each.saved_fraction, "fraction"),
        saved_usd_per_month=_range(each.saved_usd_per_month, "usd/month"),
        payback_months=_range(each.payback_months, "month"),
        return_ratio=_range(each.return_ratio, "ratio"),
        lines=tuple(
            SavingsLinePart(
                name=str(line.get("name", "")),
                baseline_usd_per_request=_finite(line.get("baseline_usd_per_request")),
                candidate_usd_per_request=_finite(line.get("candidate_usd_per_request")),
                note=str(line.get("note", "")),
            )
            for line in each.lines
        ),
        not_stated=each.not_stated,
    )


def _forecast(each: ForecastLine) -> ForecastPart:
    return ForecastPart(
        name=each.name,
        unit=each.unit,
        promised=_range(each.promised, each.unit),
        happened=_range(each.happened, each.unit),
        error_ratio=_finite(each.error_ratio),
        is_within=each.is_within,
        assumption=each.assumption,
        words=each.words,
    )


def _problems(evidence: Evidence | None, verdict: Verdict | None) -> tuple[ProblemPart, ...]:
    """The verdict's, which hold what was found while reading; before a verdict, those of reading."""
    found = verdict.problems if verdict else evidence.problems if evidence else ()
    return tuple(
        ProblemPart(code=each.code, message=each.message, rows_count=each.rows_count, limits=each.limits)
        for each in found
    )


def _point(each: HistoryPoint, begins_unix_s: float) -> HistoryPart:
    qualities = (*each.tasks, *((each.overall,) if each.overall else ()))
    known = isfinite(begins_unix_s)
    return HistoryPart(
        at=_iso(each.at_unix_s if known else nan),
        days=max(0.0, (each.at_unix_s - begins_unix_s) / SECONDS_PER_DAY) if known else 0.0,
        requests_count=each.requests_count,
        tasks=tuple(
            HistoryTaskPart(
                task=one.task,
                is_overall=one.is_overall,
                outcomes_count=one.outcomes_count,
                ln_e_ratio=_number(one.ln_e_ratio),
                ln_boundary_ratio=_number(one.ln_boundary_ratio),
                ln_inferior_e_ratio=_number(one.ln_inferior_e_ratio),
                ratio=_finite(one.ratio.value),
                low_ratio=_finite(one.ratio.low),
                high_ratio=_finite(one.ratio.high),
            )
            for one in qualities
        ),
    )


def _journal(entry: Mapping[str, Any]) -> JournalPart:
    return JournalPart(
        at=str(entry.get("at", "")),
        event=str(entry.get("event", "")),
        words=str(entry.get("words", "")),
        policy_hash=str(entry.get("policy_hash") or ""),
        share_fraction=_finite(entry.get("share_fraction")),
    )


def _watch(each: TaskWatch) -> WatchPart:
    return WatchPart(
        task=each.task,
        floor_fraction=each.floor_fraction,
        outcomes_count=each.outcomes_count,
        success_fraction=each.success_fraction,
        is_alarm=each.is_alarm,
        false_alarm_fraction=each.false_alarm_fraction,
        words=each.words,
    )


def _range(each: Range, unit: str) -> RangePart:
    """JSON knows no infinity: an end without bound is None, and said to be open."""
    return RangePart(
        value=_finite(each.value),
        low=_finite(each.low),
        high=_finite(each.high),
        is_value_endless=_is_endless(each.value),
        is_high_endless=_is_endless(each.high),
        unit=unit,
        confidence_fraction=each.confidence_fraction,
        method=each.method,
        why_not=each.why_not,
    )


def _is_endless(value: float | None) -> bool:
    return value is not None and value > 0 and not isfinite(value)


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def _number(value: float) -> float:
    """A logarithm that may be endless, as one that JSON can hold."""
    return float(np.nan_to_num(value, nan=0.0, posinf=1e6, neginf=-1e6))


def _plain(value: Any) -> Any:
    """Plain JSON values out of whatever a design expects."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bool | str | int) or value is None:
        return value
    return _finite(float(value))


def _first_unix_s(rows: Observations) -> float:
    known = rows.start_unix_s[np.isfinite(rows.start_unix_s)]
    return float(known.min()) if len(known) else nan


def _last_unix_s(rows: Observations) -> float:
    known = rows.start_unix_s[np.isfinite(rows.start_unix_s)]
    return float(known.max()) if len(known) else nan


def _iso(unix_s: float) -> str:
    """Empty where no time is known."""
    if not isfinite(unix_s) or unix_s <= 0:
        return ""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")
