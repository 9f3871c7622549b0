"""Judging: from what was measured of each task, and what outcomes and people say of it, to the shares of an audit.

Quick enough to be done after every label: the calls are not looked at again, and what comes out is what an audit of
all calls with these labels would say, to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.audit.commodity import Moving, saving_by_task, simulate, total
from breakeven.audit.labels import Judgement
from breakeven.audit.outcomes_seen import OutcomeEvidence
from breakeven.audit.suitability import (
    LABELS_LIKE_PRIOR_COUNT,
    TaskEvidence,
    interval,
    posterior,
    priors,
    weights_of,
)
from breakeven.audit.task import Audit, CommodityShare, Evidence, Interval, KindGuess, Suitability
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade

CORRELATION: Final = "task_suitability_correlation_fraction"
HARD_CALL_COST: Final = "hard_call_cost_ratio"
GRADES: Final[dict[Evidence, Grade]] = {
    "measured outcomes": Grade.MEASURED,
    "labels": Grade.EXPERT,
    "prior": Grade.GUESS,
}
Judged = Mapping[str, Mapping[Judgement, int]]
"""Labels by task and judgement."""


@dataclass(frozen=True, slots=True)
class TaskBasis:
    """What labels change nothing of, for one task."""

    task: str
    kind: KindGuess
    calls_count: float
    """Weighted."""
    spend_usd: float | None
    outcome: OutcomeEvidence | None


@dataclass(frozen=True, slots=True)
class AuditBasis:
    """What labels change nothing of: enough to judge anew without the calls."""

    tasks: tuple[TaskBasis, ...]
    already_small_fraction: float
    moving: Moving | None
    seed: int
    notes_before: tuple[str, ...]
    """Notes of the audit, before and after the one about labels."""
    notes_after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgements:
    """What a small model can do of each task, and of all."""

    suitable: tuple[Suitability, ...]
    saves_usd_per_month: tuple[Interval | None, ...]
    commodity: CommodityShare


def judge(basis: AuditBasis, judged: Judged, facts: Mapping[str, Assumption]) -> Judgements:
    """Judge every task of `basis` under the labels `judged`."""
    evidence = [_evidence(each.kind, judged.get(each.task), each.outcome) for each in basis.tasks]
    draws = posterior(evidence, priors(facts), facts[CORRELATION].typical, basis.seed)
    suitable = tuple(
        _suitability(draws[:, at], judged.get(each.task), each.outcome) for at, each in enumerate(basis.tasks)
    )
    simulated = simulate(draws, facts[HARD_CALL_COST], basis.seed)
    commodity = total(
        np.array([each.calls_count for each in basis.tasks]),
        np.array([each.spend_usd or 0.0 for each in basis.tasks]),
        basis.already_small_fraction,
        simulated,
        [weights_of(each) for each in suitable],
        basis.moving,
    )
    return Judgements(suitable, saving_by_task(simulated, basis.moving, len(basis.tasks)), commodity)


def rejudged(
    audit: Audit, basis: AuditBasis, judged: Judged, labels_count: int, facts: Mapping[str, Assumption]
) -> Audit:
    """`audit` as it is with the labels `judged`, which are those of `labels_count` that are of its calls."""
    found = judge(basis, judged, facts)
    suitable = {each.task: one for each, one in zip(basis.tasks, found.suitable, strict=True)}
    saves = {each.task: one for each, one in zip(basis.tasks, found.saves_usd_per_month, strict=True)}
    return replace(
        audit,
        tasks=tuple(
            replace(each, suitability=suitable[each.id], saves_usd_per_month=saves[each.id]) for each in audit.tasks
        ),
        commodity=found.commodity,
        notes=notes_of(basis, judged, labels_count),
    )


def notes_of(basis: AuditBasis, judged: Judged, labels_count: int) -> tuple[str, ...]:
    """The notes of an audit, with that on labels of calls that are not here."""
    lost = labels_count - sum(sum(each.values()) for each in judged.values())
    said = [f"{lost:,} of {labels_count:,} labels are of calls that are not here: left out"] if lost else []
    return (*basis.notes_before, *said, *basis.notes_after)


def _evidence(kind: KindGuess, judged: Mapping[Judgement, int] | None, outcome: OutcomeEvidence | None) -> TaskEvidence:
    can, cannot = (judged["can"], judged["cannot"]) if judged else (0, 0)
    more, less = (outcome.can_count, outcome.cannot_count) if outcome else (0.0, 0.0)
    return TaskEvidence(kind.kind, kind.confidence_fraction, can + more, cannot + less)


def _suitability(
    draws: np.ndarray, judged: Mapping[Judgement, int] | None, outcome: OutcomeEvidence | None
) -> Suitability:
    labels_count = judged["can"] + judged["cannot"] if judged else 0
    evidence: list[Evidence] = []
    if outcome is not None:
        evidence.append("measured outcomes")
    if labels_count >= LABELS_LIKE_PRIOR_COUNT:
        evidence += ["labels", "prior"]
    else:
        evidence += ["prior", "labels"] if labels_count else ["prior"]
    note = "; ".join(
        part
        for part in (
            outcome.note if outcome else "",
            f"{judged['can']} of {labels_count} labelled calls can" if judged and labels_count else "",
            f"{judged['unsure']} labelled calls could not be told" if judged and judged["unsure"] else "",
        )
        if part
    )
    small = outcome.small_calls_count if outcome else 0
    return Suitability(interval(draws), tuple(evidence), GRADES[evidence[0]], labels_count, small, note)
