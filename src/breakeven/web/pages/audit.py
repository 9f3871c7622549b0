"""Audit: which kinds of work the calls are, and what a small model can do of each"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from breakeven.errors import AuditError
from breakeven.web import documents
from breakeven.web.audit import desk as audit_desk
from breakeven.web.audit import label_routes
from breakeven.web.audit.kept_texts import shown_calls
from breakeven.web.jobs import Job
from breakeven.web.marked_words import with_code
from breakeven.web.page import Ask, Page, View
from breakeven.web.replies import api_route, json_reply, page_reply, see_other, wants_json

if TYPE_CHECKING:
    from breakeven.audit.task import Audit, AuditedTask
    from breakeven.web.audit.kept_texts import ShownCall

TASKS_SHOWN_COUNT: Final = 30
WILL_SEE: Final = (
    "which share of your calls and of your spend a small model can do, with its 80 % interval",
    "every task as a box as large as its spend, darker where a small model can do more of it",
    "what each task rests on: outcomes in the log, labels of yours, or a guess that says so",
    "what routing the easy calls would save",
)


def view(ask: Ask) -> View | Job:
    """What the page shows."""
    desk = ask.desk
    state = documents.store_state(desk)
    if not state.has_calls:
        return _nothing(state)
    job = audit_desk.last_run(desk)
    if job is not None and job.state == "running":
        return job
    failed = job.error if job is not None and job.state == "failed" else ""
    audit = _readable(ask)
    context = _settings(ask) | {"failed": failed if not isinstance(audit, AuditError) else ""}
    if isinstance(audit, AuditError):
        return View(
            "audit_empty.html.j2", context | {"damaged": desk.project.without_places(str(audit)), "then": WILL_SEE}
        )
    if audit is None:
        return View("audit_empty.html.j2", context | {"damaged": "", "then": WILL_SEE})
    return View("audit.html.j2", context | _context(ask, audit))


def task_view(ask: Ask) -> View | Job:
    """One task."""
    audit = audit_desk.saved_audit(ask.desk)
    if audit is None:
        raise AuditError("there is no audit in this store yet; run it on the Audit page, or run `breakeven audit`")
    name = ask.query.get("name", "")
    task = audit.named.get(name)
    if task is None:
        raise HTTPException(404, _no_task_words(audit, name))
    return View("audit_task.html.j2", _task_context(ask, audit, task))


def _no_task_words(audit: Audit, name: str) -> str:
    """That no task has this name, and which ones there are."""
    names = [each.name for each in audit.tasks]
    more = f" and {len(names) - TASKS_SHOWN_COUNT} more" if len(names) > TASKS_SHOWN_COUNT else ""
    return f"No task of this audit is named '{name[:80]}'. There are: {', '.join(names[:TASKS_SHOWN_COUNT])}{more}."


async def task_shown(request: Request) -> Response:
    """The page of one task."""
    return await page_reply(request, "audit", task_view)


async def audit_run(request: Request) -> Response:
    """Run the audit with the settings of the form."""
    desk = request.app.state.desk
    form = await request.form()
    model, seed = str(form.get("small_model", "")).strip(), str(form.get("seed", "")).strip() or "0"
    if not (seed.isascii() and seed.isdigit() and int(seed) <= 2**31):
        raise AuditError(f"seed '{seed[:40]}'; wanted a whole number from 0 to {2**31}")
    asked = audit_desk.AuditAsked(small_model=model[:120] or None, seed=int(seed))
    job = await run_in_threadpool(audit_desk.run, desk, asked)
    if wants_json(request):
        from breakeven.web.replies import job_facts

        return json_reply({"job": job_facts(job)}, 202)
    return see_other("/audit")


def _readable(ask: Ask) -> Audit | AuditError | None:
    try:
        return audit_desk.saved_audit(ask.desk)
    except AuditError as error:
        return error


def _settings(ask: Ask) -> dict[str, Any]:
    """The form that runs the audit."""
    return {
        "code": with_code,
        "settings": audit_desk.settings(ask.desk),
        "small_models": audit_desk.small_models(ask.desk),
    }


def _context(ask: Ask, audit: Audit) -> dict[str, Any]:
    from breakeven.reports import amounts, audit_rows, task_map
    from breakeven.reports import audit_wording as wording

    desk = ask.desk
    maps = {kind: task_map.task_map(audit, kind) for kind in ("wide", "narrow")}
    letters = {box.name: box.letter for box in maps["wide"].boxes if box.name}
    rows = audit_rows.task_rows(audit, letters)
    labels = sum(each.suitability.labels_count for each in audit.tasks)
    return {
        "audit": audit,
        "verdict": wording.verdict_sentence(audit),
        "details": wording.verdict_details(audit),
        "figures": audit_rows.figures(audit),
        "maps": maps,
        "steps": tuple(enumerate(task_map.step_words())),
        "rows": rows[:TASKS_SHOWN_COUNT],
        "more_rows": rows[TASKS_SHOWN_COUNT:],
        "savings_lines": wording.savings_lines(audit.commodity.savings),
        "excluded": wording.EXCLUDED if audit.commodity.savings else (),
        "is_stale": audit_desk.is_of_other_calls(desk, audit),
        "labelled_since": audit_desk.labelled_since(desk),
        "labels_count": labels,
        "is_mostly_guess": audit.commodity.resting_on.get("prior", 0.0) > wording.MOSTLY_FRACTION,
        "amounts": amounts,
    }


def _task_context(ask: Ask, audit: Audit, task: AuditedTask) -> dict[str, Any]:
    from breakeven.reports import amounts, audit_rows, task_map

    desk, keeps = ask.desk, audit_desk.keeps_texts(ask.desk)
    calls: tuple[ShownCall, ...] = ()
    looking: Job | None = None
    if keeps:
        found = audit_desk.examples(desk, audit)
        if isinstance(found, Job):
            looking = found
        else:
            calls = tuple(shown_calls(desk, found.of_task.get(task.id, ())).values())
    order = [each.name for each in audit.tasks]
    at = order.index(task.name)
    return {
        "code": with_code,
        "task": task,
        "row": audit_rows.task_rows(audit, {})[at],
        "step": task_map.step_of(task.suitability.can_do.typical),
        "figures": audit_rows.task_figures(task, audit),
        "why": audit_rows.why_lines(audit, task),
        "evidence": audit_rows.evidence_lines(task),
        "lengths": audit_rows.length_rows(task),
        "difficulty": audit_rows.difficulty_rows(task),
        "models": audit_rows.model_rows(task),
        "keeps_texts": keeps,
        "looking": looking,
        "calls": calls,
        "before": order[at - 1] if at else None,
        "after": order[at + 1] if at + 1 < len(order) else None,
        "amounts": amounts,
        "command": "breakeven import YOUR-LOG --prompts redact",
    }


def _nothing(state: documents.StoreState) -> View:
    return View(
        "empty.html.j2",
        {
            "title": "Nothing to audit yet",
            "action_url": "/import",
            "action_label": "Import a log",
            "missing": state.words,
            "commands": [
                (
                    "Import a log of yours; of prompts only hashed features stay, unless you ask for more",
                    state.next_command,
                ),
                ("Then run the audit here, or", "breakeven audit"),
            ],
            "is_in_story": True,
            "then": WILL_SEE,
        },
    )


PAGE = Page(
    "audit",
    "Audit",
    2,
    "which kinds of work the calls are, and what a small model can do of each",
    view,
    (
        Route("/audit/task", task_shown),
        Route("/audit/run", audit_run, methods=["POST"]),
        *label_routes.ROUTES,
        api_route("/api/audit", lambda ask: audit_desk.audit_text(ask.desk)),
    ),
)
