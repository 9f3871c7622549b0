"""Audit desk: the audit kept in the store, how it is run from the dashboard, and examples of its tasks."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from breakeven.audit.labels import Label, label_file, read_labels
from breakeven.audit.saved import audit_file, load_audit, save_audit
from breakeven.audit.small_model import asked_model
from breakeven.audit.task import Audit
from breakeven.errors import AuditError
from breakeven.web import documents
from breakeven.web.jobs import Job, Say
from breakeven.web.page import Desk

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.answer import Question

JOB: Final = "audit"
EXAMPLES_COUNT: Final = 3
"""Calls shown of a task, where texts are kept."""
_saving = threading.Lock()
_cached: dict[str, tuple[tuple[int, int], Audit]] = {}


@dataclass(frozen=True, slots=True)
class AuditAsked:
    """What is asked of an audit."""

    small_model: str | None = None
    """None: the cheapest small one."""
    seed: int = 0


class Examples(BaseModel):
    """Calls of each task whose texts are kept: record ids by task."""

    of_task: dict[str, tuple[str, ...]]


def saved_audit(desk: Desk) -> Audit | None:
    """The audit in the store; None where there is none. Raises AuditError for one that cannot be read."""
    path = audit_file(desk.project.store)
    try:
        status = path.stat()
    except OSError:
        return None
    stamp = (status.st_mtime_ns, status.st_size)
    known = _cached.get(str(path))
    if known is None or known[0] != stamp:
        found = load_audit(desk.project.store)
        if found is None:
            return None
        known = _cached[str(path)] = (stamp, found)
    return known[1]


def audit_text(desk: Desk) -> str:
    """What `breakeven audit --json` prints: the audit as the store keeps it."""
    try:
        return audit_file(desk.project.store).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AuditError("there is no audit in this store yet; run `breakeven audit`") from None


def is_of_other_calls(desk: Desk, audit: Audit) -> bool:
    """Whether calls were imported since; False where nobody can say at once."""
    digest = documents.look(desk).digest
    return bool(audit.calls_digest and digest and audit.calls_digest != digest)


def labels(desk: Desk) -> tuple[Label, ...]:
    """The labels that stand, oldest first, whoever gave them."""
    return read_labels(label_file(desk.project.store))


def labelled_since(desk: Desk) -> bool:
    """Whether labels were given or taken back after the audit was saved."""
    try:
        given = label_file(desk.project.store).stat().st_mtime_ns
        return given > audit_file(desk.project.store).stat().st_mtime_ns
    except OSError:
        return False


def settings(desk: Desk) -> AuditAsked:
    """What was asked of the audit in the store, wherever it was run."""
    try:
        audit = saved_audit(desk)
    except AuditError:
        audit = None
    if audit is None:
        return AuditAsked()
    savings = audit.commodity.savings
    return AuditAsked(asked_model(savings.small_model, savings.chosen) if savings else None, audit.seed)


def scenario(desk: Desk, asked: AuditAsked) -> Scenario:
    """The project's scenario with the audit's seed, as `breakeven audit --scenario FILE --seed N` takes it."""
    return documents.scenario(desk).model_copy(update={"seed": asked.seed})


def run(desk: Desk, asked: AuditAsked) -> Job:
    """Begin what `breakeven audit` does; the audit that is running already, where one is."""
    check_small_model(desk, asked)
    said = scenario(desk, asked)

    def work(say: Say) -> str:
        from breakeven.reports.audit_answer import audit_answer

        with documents.question_about(desk, said) as question:
            say("reading the calls")
            found = audit_answer(question, asked.small_model, labels(desk), say).audit
        say("saving the audit")
        save(desk, found)
        return "done"

    return desk.jobs.start(JOB, "Auditing the calls", work)


def save(desk: Desk, audit: Audit) -> None:
    """Keep an audit in the store."""
    with _saving:
        save_audit(audit, desk.project.store)


def last_run(desk: Desk) -> Job | None:
    """The audit that runs, or ran last."""
    return desk.jobs.last(JOB)


def check_small_model(desk: Desk, asked: AuditAsked) -> None:
    """Raise UnknownName at once for a model that the catalogue does not know."""
    if asked.small_model is not None:
        from breakeven.catalog.load import load_catalog
        from breakeven.catalog.names import find_model

        find_model(load_catalog(documents.scenario(desk).as_of or desk.today()), asked.small_model)


def small_models(desk: Desk) -> tuple[str, ...]:
    """Names to choose from."""
    from breakeven.audit.small_model import sold_small_models
    from breakeven.catalog.load import load_catalog

    return sold_small_models(load_catalog(documents.scenario(desk).as_of or desk.today()))


def keeps_texts(desk: Desk) -> bool:
    """Whether any prompt was kept on import."""
    from breakeven.usage.store.manifest import read_manifest

    return bool(read_manifest(desk.project.store).texts)


def examples(desk: Desk, audit: Audit) -> Examples | Job:
    """Some calls of each task whose texts are kept."""

    def make(asked: Question, say: Say) -> str:
        say("looking for calls with texts")
        return Examples(of_task=_examples(asked, audit)).model_dump_json()

    made = documents.recipe(desk, "audit-examples", "Looking up examples", make)
    return documents.taken(desk, made, Examples)


def _examples(asked: Question, audit: Audit) -> dict[str, tuple[str, ...]]:
    import ibis

    from breakeven.audit.assignment import TASK, with_tasks
    from breakeven.audit.run import with_work
    from breakeven.audit.sample import order_key

    calls = with_work(asked.store.calls())
    kept = asked.store.texts().select(kept_id="record_id").distinct()
    mine = calls.filter((calls.grain == "request") & (calls.status == "ok"))
    mine = mine.semi_join(kept, mine.record_id == kept.kept_id)
    keyed = with_tasks(mine, audit.grouping)
    keyed = keyed.mutate(of_order=order_key(keyed.record_id, audit.seed))
    place = ibis.row_number().over(group_by=keyed[TASK], order_by=[keyed.of_order, keyed.record_id])
    chosen = keyed.mutate(place=place).filter(lambda each: each.place < EXAMPLES_COUNT)
    found: dict[str, list[str]] = {}
    for row in chosen.select("record_id", TASK, "place").order_by(TASK, "place").to_pyarrow().to_pylist():
        found.setdefault(row[TASK], []).append(row["record_id"])
    return {task: tuple(ids) for task, ids in found.items()}
