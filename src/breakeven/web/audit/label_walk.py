"""Label walk: the calls that `breakeven audit label` walks through, and the audit that every new label changes at once.

The labels are those of the terminal: one file in the store, read anew for every page. What a walk is made of is kept;
no text of a prompt is in it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from breakeven.audit.judging import AuditBasis, rejudged
from breakeven.audit.labels import Label, counts
from breakeven.audit.task import Audit
from breakeven.web import documents
from breakeven.web.audit import desk as audit_desk
from breakeven.web.jobs import Job, Say
from breakeven.web.page import Desk

if TYPE_CHECKING:
    from breakeven.reports.answer import Question
    from breakeven.web.shelf import Recipe

JUDGED_KEPT_COUNT: Final = 8
_lock = threading.Lock()
_judged: OrderedDict[tuple[str, tuple[tuple[str, str], ...]], Audit] = OrderedDict()
_tasks: dict[str, dict[str, str]] = {}


class WalkCall(BaseModel):
    """One call to judge, as far as the store knows it without its texts."""

    record_id: str
    task: str
    """Id of its task."""
    start_time: str
    model: str
    input_tokens: int
    output_tokens: int
    details: tuple[tuple[str, str], ...]
    terms: tuple[str, ...]


class WalkDocument(BaseModel):
    """A walk: its calls, the audit that chose them, and what is needed to judge again."""

    calls: tuple[WalkCall, ...]
    """Most informative first; none that had a label when they were chosen."""
    audit: Audit
    basis: AuditBasis
    task_of: dict[str, str]
    """Record id -> task, of the labels there were."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk and its name, under which what follows from it is kept."""

    key: str
    document: WalkDocument


def walk(desk: Desk) -> Walk | Job:
    """The walk of the audit in the store, or the job that chooses its calls."""
    asked = recipe(desk)
    found = documents.taken(desk, asked, WalkDocument)
    if isinstance(found, Job):
        return found
    assert not isinstance(asked, Job)
    return Walk(asked.key, found)


def recipe(desk: Desk) -> Recipe | Job:
    """The walk that `breakeven audit label` would begin now, under the settings of the last audit."""
    asked = audit_desk.settings(desk)
    said = audit_desk.scenario(desk, asked)

    def make(question: Question, say: Say) -> str:
        from breakeven.reports.audit_answer import walk_answer

        found = walk_answer(question, asked.small_model, audit_desk.labels(desk), say=say, with_texts=False)
        calls = tuple(
            WalkCall(
                record_id=each.record_id,
                task=each.task.id,
                start_time=each.start_time.isoformat(),
                model=each.model,
                input_tokens=each.input_tokens,
                output_tokens=each.output_tokens,
                details=each.details,
                terms=each.terms,
            )
            for each in found.calls
        )
        audited = found.audited
        return WalkDocument(
            calls=calls, audit=audited.audit, basis=audited.basis, task_of=audited.task_of
        ).model_dump_json()

    return documents.recipe(desk, "audit-walk", "Choosing the calls to judge", make, (repr(asked),), with_scenario=said)


def audit_now(desk: Desk, found: Walk, labels: Sequence[Label]) -> Audit:
    """The audit under the labels as they are now: what `breakeven audit` would say, to the last digit."""
    key = (found.key, tuple((each.record_id, each.judgement) for each in labels))
    with _lock:
        if key in _judged:
            _judged.move_to_end(key)
            return _judged[key]
    from breakeven.catalog.load import load_catalog

    said = documents.scenario(desk)
    catalog = load_catalog(said.as_of or desk.today())
    judged = counts(labels, tasks_of_labels(desk, found, labels))
    made = rejudged(found.document.audit, found.document.basis, judged, len(labels), catalog.assumptions)
    with _lock:
        _judged[key] = made
        while len(_judged) > JUDGED_KEPT_COUNT:
            _judged.popitem(last=False)
    return made


def tasks_of_labels(desk: Desk, found: Walk, labels: Sequence[Label]) -> dict[str, str]:
    """Record id -> task of the labels that are of calls of this store; those given elsewhere are looked up."""
    document = found.document
    known = {**document.task_of, **{each.record_id: each.task for each in document.calls}}
    with _lock:
        looked_up = dict(_tasks.get(found.key, {}))
    missing = [each.record_id for each in labels if each.record_id not in known and each.record_id not in looked_up]
    if missing:
        from breakeven.audit.run import tasks_of
        from breakeven.usage.store import CallStore

        with CallStore(desk.project.store) as store:
            there = tasks_of(store.calls(), document.audit.grouping, missing)
        looked_up |= {record_id: there.get(record_id, "") for record_id in missing}
        with _lock:
            _tasks[found.key] = looked_up
    return {record_id: task for record_id, task in (looked_up | known).items() if task}
