"""Audit answer: the audit of a store's calls with its labels, and the calls to judge next, for every surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from breakeven.audit.label_choice import LABELS_COUNT, CallToLabel, choose
from breakeven.audit.labels import Label
from breakeven.audit.run import Audited, AuditSettings, audited
from breakeven.reports.answer import Question

if TYPE_CHECKING:
    from breakeven.audit.mining import Embedder

__all__ = ["LABELS_COUNT", "Walking", "audit_answer", "walk_answer"]
_SILENT: Final = lambda _: None  # noqa: E731


@dataclass(frozen=True, slots=True)
class Walking:
    """An audit, and the calls that narrow it most."""

    audited: Audited
    calls: tuple[CallToLabel, ...]
    """Most informative first; none that has a label."""


def audit_answer(
    question: Question,
    small_model: str | None,
    labels: tuple[Label, ...],
    say: Callable[[str], None] = _SILENT,
    embed: Embedder | None = None,
) -> Audited:
    """What `breakeven audit` finds; its audit says of which calls it is."""
    scenario = question.scenario
    settings = AuditSettings(tuple(scenario.contract()), small_model, question.hours_per_month, scenario.seed)
    found = audited(
        question.store.calls(),
        catalog=question.catalog,
        vocabulary=question.store.vocabulary(),
        labels=labels,
        settings=settings,
        say=say,
        embed=embed,
    )
    return replace(found, audit=replace(found.audit, calls_digest=question.store.digest()))


def walk_answer(
    question: Question,
    small_model: str | None,
    labels: tuple[Label, ...],
    labels_count: int = LABELS_COUNT,
    say: Callable[[str], None] = _SILENT,
    *,
    with_texts: bool = True,
) -> Walking:
    """The calls that `breakeven audit label` walks through."""
    found = audit_answer(question, small_model, labels, say)
    say("choosing the calls to judge")
    calls = choose(
        question.store.calls(),
        found.audit,
        labelled={each.record_id for each in labels},
        labels_count=labels_count,
        vocabulary=question.store.vocabulary(),
        texts=question.store.texts() if with_texts else None,
    )
    return Walking(found, tuple(calls))
