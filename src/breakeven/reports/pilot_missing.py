"""Pilot missing: what a pilot still lacks for its answer: outcomes, labels, prices, one arm; and who brings them."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.reports import amounts
from breakeven.reports import pilot_wording as told
from breakeven.reports.pilot_parts import PilotDocument, QualityPart, SeenPart
from breakeven.reports.safe_text import safe


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing."""

    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm."""

    arm: str
    models: str
    requests: str
    spent: str


@dataclass(frozen=True, slots=True)
class TimeRow:
    """How much a task still needs."""

    task: str
    outcomes: str
    days: str


def arm_rows(document: PilotDocument) -> tuple[ArmRow, ...]:
    """Both arms with what they answered and cost; empty before anything was read."""
    seen = document.seen
    if seen is None or not seen.requests_count:
        return ()
    plans = document.design.plans
    baseline = ", ".join(dict.fromkeys(safe(each.baseline_model) for each in plans))
    candidate = ", ".join(dict.fromkeys(safe(each.candidate_model) for each in plans))
    copies = " (copies that nobody sees)" if document.design.mode == "shadow" else ""
    return (
        ArmRow("Baseline", baseline, f"{seen.baseline_requests_count:,}", amounts.money(seen.baseline_usd)),
        ArmRow(
            f"Candidate{copies}", candidate, f"{seen.candidate_requests_count:,}", amounts.money(seen.candidate_usd)
        ),
    )


def missing_lines(document: PilotDocument) -> tuple[Missing, ...]:
    """What is missing, the most pressing first; nothing where nothing is."""
    seen = document.seen
    if seen is None or document.verdict is None:
        return ()
    found = [*_arms(document, seen), *_labels(document, seen), *_outcomes(document, seen), *_prices(seen)]
    return tuple(found)


def time_rows(document: PilotDocument) -> tuple[TimeRow, ...]:
    """How much each open task probably still needs, at the pace so far."""
    alone = len(document.tasks) == 1
    return tuple(
        TimeRow(
            told.task_name(each.task, alone=alone),
            amounts.NOT_KNOWN if each.more_outcomes_count is None else told.about(each.more_outcomes_count),
            told.days_words(each.more_days) or amounts.NOT_KNOWN,
        )
        for each in document.tasks
        if _is_open(each, document)
    )


def _is_open(each: QualityPart, document: PilotDocument) -> bool:
    return not (each.is_accepted or each.is_inferior or told.is_stopped(each, document))


def _arms(document: PilotDocument, seen: SeenPart) -> list[Missing]:
    if document.design.mode == "offline" or (seen.candidate_requests_count and seen.baseline_requests_count):
        return []
    if not seen.requests_count:
        return [
            Missing(
                "No request of the trial has been read yet.",
                "Look whether the gateway runs, serves this policy folder and gets requests of these tasks.",
            )
        ]
    arm = "candidate" if not seen.candidate_requests_count else "baseline"
    return [Missing(f"The {arm} has not answered a request yet.", "Wait for traffic, or look at the gateway's log.")]


def _labels(document: PilotDocument, seen: SeenPart) -> list[Missing]:
    lacking = seen.audited_count - seen.audited_labelled_count
    if not seen.judged_only_count and not (seen.unknown_outcomes_count and lacking > 0):
        return []
    if lacking <= 0:
        return []
    return [
        Missing(
            f"{amounts.counted(lacking, 'answer')} of {seen.audited_count:,} drawn for people to judge have no label.",
            f"Label them here, or with `breakeven pilot label {safe(document.design.name)}`.",
        )
    ]


def _outcomes(document: PilotDocument, seen: SeenPart) -> list[Missing]:
    if not seen.unknown_outcomes_count:
        return []
    wait = amounts.hours(document.design.outcome_wait_hours)
    late = f" After {wait} an outcome counts as missing." if document.design.outcome_wait_hours else ""
    return [
        Missing(
            f"{amounts.counted(seen.unknown_outcomes_count, 'answer')} have no outcome of a true source yet."
            if seen.unknown_outcomes_count != 1
            else "1 answer has no outcome of a true source yet.",
            f"Checks in the design, labels, or outcomes by request id bring them.{late}",
        )
    ]


def _prices(seen: SeenPart) -> list[Missing]:
    if not seen.unpriced_count:
        return []
    calls = amounts.counted(seen.unpriced_count, "answer")
    return [
        Missing(
            f"UNPRICED: {calls} cost money that nobody counted, so savings are not claimed of them.",
            "Give the model a price in gateway.yaml, or `--price MODEL=IN/OUT`.",
        )
    ]
