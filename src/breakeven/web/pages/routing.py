"""Routing: which task goes to which model, and what is guaranteed"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from breakeven.web.jobs import Job, Say
from breakeven.web.marked_words import with_code
from breakeven.web.page import Ask, Desk, Page, View
from breakeven.web.plans import policy_desk
from breakeven.web.plans.learn_form import FIELDS, form_values, learn_request
from breakeven.web.plans.policy_desk import LEARN_JOB, PolicyState, policy_state
from breakeven.web.replies import Document, api_route, json_reply, page_reply, see_other, wants_json
from breakeven.web.shelf import Recipe

if TYPE_CHECKING:
    from pathlib import Path

    from breakeven.reports.routing_document import LearnDocument
    from breakeven.routing.policy import Decision

PATH: Final = "/routing"
PROMPT_MAX_CHARACTERS: Final = 100_000
PROMPTS_FILE_MAX_BYTES: Final = 64 * 2**20
WILL_SEE: Final = (
    "one sentence: what share of the requests to send where, what it saves, and what is promised of quality",
    "the curve of cost against success, beside every simpler way to choose",
    "each task with its model, its success with an interval, and why",
    "a box to try: a prompt in, the model that would take it out",
)


def view(ask: Ask) -> View | Job:
    """What the page shows."""
    return View("routing.html.j2", _context(ask))


def _context(ask: Ask) -> dict[str, Any]:
    from breakeven.reports import amounts
    from breakeven.reports.learn_answer import what_is_missing

    desk, state = ask.desk, policy_state(ask.desk.project.policy)
    files = policy_desk.outcome_files(desk.project)
    job = desk.jobs.last(LEARN_JOB)
    return {
        "state": state,
        "state_error": desk.project.without_places(state.error),
        "report_words": desk.project.without_places(state.report_words),
        **_files(state, files),
        "then": WILL_SEE,
        "learning_missing": what_is_missing(),
        "learn_job": job if job is not None and job.state != "done" else None,
        "learn_values": form_values(job, state.report),
        "amounts": amounts,
        "code": with_code,
        **dict.fromkeys(("tried", "report", "policy")),
        "said": {},
        "groups": (),
        "level_values": {},
        **_staged(desk),
        **(_policy(ask, state) if state.loaded else {}),
        **_evaluated(ask, state, files),
    }


def _files(state: PolicyState, files: Mapping[str, Path]) -> dict[str, Any]:
    """The files to learn from, the one that the policy was learnt from first; to evaluate on, that one last."""
    learnt = str(state.loaded.document.evidence.get("outcomes", "")) if state.loaded else ""
    known = [name for name in files if name in learnt]
    others = [name for name in files if name not in learnt]
    return {"files": (*known, *others), "evaluate_files": (*others, *known)}


def _policy(ask: Ask, state: PolicyState) -> dict[str, Any]:
    """What the policy file says, and its report where there is one."""
    from breakeven.reports import routing_page, routing_rows

    assert state.loaded is not None
    policy, report = state.loaded.document, state.report
    found: dict[str, Any] = {
        "policy": policy,
        "hash": state.loaded.hash,
        "kind_words": routing_rows.kind_words(state.loaded.kind, policy),
        "guarantee": tuple(routing_page.guarantee_lines(policy.guarantee, report)),
        "prices": routing_page.price_rows(policy, ask.desk.today(), report),
        "report": report,
        "level_values": _level_values(state),
        "evidence_verdict": str(policy.evidence.get("verdict", "")),
        "groups": [each for each in policy.groups if len(each.path) == len(policy.levels)],
        "charts": {},
        "charts_job": None,
    }
    if report is None:
        return found
    return {
        **found,
        "headline": routing_page.headline(report),
        "figures": tuple(routing_page.figures(report)),
        "routes": report.policy.kind != "single",
        "tasks": routing_page.task_rows(report),
        "savings": routing_page.saving_rows(report.evaluation),
        "not_charged": routing_page.not_charged(report.evaluation),
        "details": tuple(routing_rows.details(report)),
        "ways": routing_rows.way_rows(report.evaluation, _own_name(report)),
        "cost_heading": routing_rows.cost_heading(report.evaluation),
        "curve_lines": tuple(routing_rows.curve_words(report.evaluation)),
        "bins": [(each, *routing_page.calibration_words(each)) for each in report.calibration],
        "steps": tuple(routing_rows.steps_words(report)),
        **_charts(ask.desk, report),
        "looks": _looks(report),
        "prompts": _prompts(ask, report),
    }


def _own_name(report: LearnDocument) -> str:
    return "this policy" if report.policy.kind != "single" else "router tried, not used"


def _looks(report: LearnDocument) -> tuple[Any, ...]:
    from breakeven.reports.routing_curves import model_looks

    return model_looks(report)


def _charts(desk: Desk, report: LearnDocument) -> dict[str, Any]:
    """The charts, or the job that draws them: drawing takes longer than everything else here."""
    from breakeven.reports.charts import Chart
    from breakeven.reports.page_frame import chart_markup

    def make(say: Say) -> str:
        from breakeven.reports.routing_curves import calibration_chart, cost_quality_chart

        say("drawing")
        drawn = (cost_quality_chart(report), calibration_chart(report))
        return json.dumps({each.name: asdict(each) for each in drawn if each is not None})

    found = desk.shelf.take(Recipe("routing-charts", "Drawing the curves", (report.model_dump_json(),), make))
    if isinstance(found, Job):
        if found.state != "done":
            return {"charts": {}, "charts_job": found}
        found = str(found.result)
    return {"charts": {name: chart_markup(Chart(**each)) for name, each in json.loads(found).items()}}


def _level_values(state: PolicyState) -> dict[str, tuple[str, ...]]:
    """Level -> its known values, to choose from."""
    assert state.loaded is not None
    policy = state.loaded.document
    return {
        level: tuple(sorted({each.path[at] for each in policy.groups if len(each.path) > at and each.path[at]}))
        for at, level in enumerate(policy.levels)
    }


def _prompts(ask: Ask, report: LearnDocument) -> dict[str, str] | None:
    """Request id -> end of its prompt, read from the outcomes for this one answer; None where nobody asked."""
    from breakeven.learning.examples import shown_prompt
    from breakeven.outcomes.reading import read_outcomes

    if ask.query.get("examples") != "prompts":
        return None
    files = policy_desk.outcome_files(ask.desk.project)
    source = next((path for name, path in files.items() if name in report.outcomes), None)
    if source is None or source.stat().st_size > PROMPTS_FILE_MAX_BYTES:
        return {}
    table = read_outcomes(source).table
    wanted = {each.request_id for each in report.examples}
    return {
        name: shown_prompt(prompt)
        for name, prompt in zip(table.request_ids, table.prompts, strict=True)
        if name in wanted and prompt
    }


def _staged(desk: Desk) -> dict[str, Any]:
    """A policy that was learnt and is not in use, and whether there is one to go back to."""
    from breakeven.reports import routing_page

    staged = policy_state(policy_desk.staged_folder(desk.project))
    former = policy_state(policy_desk.former_folder(desk.project))
    words = ""
    if staged.report is not None:
        words = routing_page.headline(staged.report)
    elif staged.loaded is not None:
        words = str(staged.loaded.document.evidence.get("verdict", ""))
    return {
        "staged": staged if staged.loaded else None,
        "staged_words": words,
        "former": former if former.kind != "none" else None,
    }


def _evaluated(ask: Ask, state: PolicyState, files: Mapping[str, Path]) -> dict[str, Any]:
    """The policy on a file that somebody chose."""
    name = ask.query.get("evaluate", "")
    nothing = {"evaluation": None, "evaluation_job": None, "evaluation_error": "", "evaluate": name}
    if not name or state.loaded is None:
        return nothing
    if name not in files:
        return {**nothing, "evaluation_error": f"there is no file of outcomes called '{name}' in this project"}
    found = _evaluation_text(ask.desk, state, files[name])
    if isinstance(found, Job):
        return {**nothing, "evaluation_job": found}
    return {**nothing, "evaluation": _evaluation_words(json.loads(found))}


def _evaluation_text(desk: Desk, state: PolicyState, path: Path) -> str | Job:
    """What `breakeven evaluate --json` prints."""
    assert state.loaded is not None
    loaded, status = state.loaded, path.stat()

    def make(say: Say) -> str:
        from breakeven.catalog.load import load_catalog
        from breakeven.outcomes.reading import read_outcomes
        from breakeven.reports.evaluation_answer import evaluate_outcomes

        say("outcomes")
        read = read_outcomes([path])
        done = evaluate_outcomes(loaded, read, load_catalog(desk.today()), say=say)
        rejected = (f"{len(read.rejects):,} rows are no outcomes and are left out",) if read.rejects else ()
        return done.found.to_json((*done.warnings, *rejected)) + "\n"

    made_of = (loaded.hash, str(path), str(status.st_mtime_ns), str(status.st_size), desk.today().isoformat())
    found = desk.shelf.take(Recipe("evaluation", f"The policy on {path.name}", made_of, make))
    return str(found.result) if isinstance(found, Job) and found.state == "done" else found


def _evaluation_words(plain: Mapping[str, Any]) -> dict[str, Any]:
    """An evaluation in lines and rows."""
    from breakeven.learning.evaluation_document import EvaluationDocument
    from breakeven.reports import evaluation_wording, routing_page, routing_rows

    found = evaluation_wording.of_json(plain)
    lines = [*evaluation_wording.choice_lines(found), *evaluation_wording.drift_lines(found.drift)]
    alarm = found.drift is not None and found.drift.alarm
    said = {"lines": lines, "alarm": alarm, "warnings": plain["warnings"], "ways": (), "savings": ()}
    if found.off_policy is not None:
        headline = evaluation_wording.off_policy_headline(found.off_policy)
        more = [*evaluation_wording.off_policy_lines(found.off_policy), *lines]
        return {**said, "headline": headline, "lines": more, "caution": found.off_policy.caution}
    document = found.document
    assert isinstance(document, EvaluationDocument)
    return {
        **said,
        "headline": document.verdict.sentence if document.verdict else "",
        "lines": [*routing_rows.ranges(document), *lines, *document.notes],
        "ways": routing_rows.way_rows(document, "this policy"),
        "cost_heading": routing_rows.cost_heading(document),
        "savings": routing_page.saving_rows(document),
        "caution": "",
    }


def report_json(ask: Ask) -> Document:
    """What `breakeven learn --json` printed when this policy was learnt; without a report, the policy file itself."""
    from breakeven.errors import PolicyError
    from breakeven.reports.learn_answer import REPORT_NAME
    from breakeven.routing.policy_file import JSON_NAME

    folder = ask.desk.project.policy
    state = policy_state(folder)
    if state.kind == "none":
        raise PolicyError("there is no policy yet; `breakeven learn --outcomes FILE --out policy` writes one")
    if state.kind == "damaged":
        raise PolicyError(state.error)
    name = REPORT_NAME if state.report is not None else JSON_NAME
    return (folder / name).read_text(encoding="utf-8")


def policy_json(ask: Ask) -> Document:
    """The policy file."""
    from breakeven.errors import PolicyError
    from breakeven.routing.policy_file import JSON_NAME

    state = policy_state(ask.desk.project.policy)
    if state.kind != "ready":
        raise PolicyError(state.error or "there is no policy yet")
    return (ask.desk.project.policy / JSON_NAME).read_text(encoding="utf-8")


def evaluation_json(ask: Ask) -> Document:
    """What `breakeven evaluate --json` prints for a file of the project."""
    from breakeven.errors import OutcomeError, PolicyError

    state = policy_state(ask.desk.project.policy)
    if state.loaded is None:
        raise PolicyError(state.error or "there is no policy yet")
    files = policy_desk.outcome_files(ask.desk.project)
    name = ask.query.get("outcomes", "")
    if name not in files:
        raise OutcomeError(f"no file of outcomes is called '{name}'; there are {', '.join(files) or 'none'}")
    return _evaluation_text(ask.desk, state, files[name])


async def tried(request: Request) -> Response:
    """Which model would take a prompt, by the policy's own code. Nothing is called, nothing is kept."""
    form = await request.form()
    said = {name: str(value) for name, value in form.items() if name != "csrf"}
    desk: Desk = request.app.state.desk
    found = await run_in_threadpool(_decided, desk, said)
    if wants_json(request):
        return json_reply(found)

    def shown(ask: Ask) -> View:
        return View("routing.html.j2", {**_context(ask), "tried": found, "said": said})

    return await page_reply(request, "routing", shown)


def _decided(desk: Desk, said: Mapping[str, str]) -> dict[str, Any]:
    from breakeven.errors import PolicyError
    from breakeven.reports import routing_page
    from breakeven.routing.request import RouteRequest

    state = policy_state(desk.project.policy)
    if state.loaded is None:
        raise PolicyError(state.error or "there is no policy yet to try")
    policy = state.loaded.document
    prompt = said.get("prompt", "")
    if len(prompt) > PROMPT_MAX_CHARACTERS:
        raise PolicyError(f"a prompt of {len(prompt):,} characters; wanted {PROMPT_MAX_CHARACTERS:,} or fewer")
    groups = {level: said[f"group_{level}"] for level in policy.levels if said.get(f"group_{level}")}
    decision: Decision = state.loaded.decide(RouteRequest(prompt, groups))
    return {
        "model": decision.model,
        "reason": decision.reason,
        "words": list(routing_page.decision_words(decision, policy)),
        "success_fractions": dict(decision.success_fractions),
        "rows": [list(each) for each in routing_page.predicted_rows(decision, policy)],
        "escalate_to": list(decision.escalate_to),
        "policy_hash": state.loaded.hash,
    }


async def learn_begun(request: Request) -> Response:
    """Begin to learn a policy, beside the one in use."""
    form = await request.form()
    said = {name: str(value).strip() for name, value in form.items()}
    desk: Desk = request.app.state.desk
    job = await run_in_threadpool(_begin, desk, said)
    return json_reply(job) if wants_json(request) else see_other(f"{PATH}#learning")


def _begin(desk: Desk, said: Mapping[str, str]) -> Job:
    from breakeven.errors import LearningError

    files = policy_desk.outcome_files(desk.project)
    name = said.get("outcomes", "")
    if name not in files:
        raise LearningError(f"no file of outcomes is called '{name}'; there are {', '.join(files) or 'none'}")
    asked = {name: said[name] for name in FIELDS if name in said}
    return policy_desk.start_learning(desk, (files[name],), learn_request(said), asked)


async def used(request: Request) -> Response:
    """Put the learnt policy in use; only with the confirmation."""
    form = await request.form()
    project = request.app.state.desk.project
    _confirmed(str(form.get("confirm", "")))
    versions = str(form.get("version", "")), str(form.get("staged", ""))
    await run_in_threadpool(policy_desk.put_in_use, project, *versions)
    return _done(request)


async def undone(request: Request) -> Response:
    """Let the former policy come back."""
    form = await request.form()
    _confirmed(str(form.get("confirm", "")))
    await run_in_threadpool(policy_desk.put_back, request.app.state.desk.project, str(form.get("version", "")))
    return _done(request)


async def discarded(request: Request) -> Response:
    """Forget the learnt policy."""
    await run_in_threadpool(policy_desk.throw_away, request.app.state.desk.project)
    return _done(request)


def _confirmed(said: str) -> None:
    from breakeven.errors import PolicyError

    if said != "yes":
        raise PolicyError("nothing was changed: tick the box that says that you want this, then press the button again")


def _done(request: Request) -> Response:
    if not wants_json(request):
        return see_other(PATH)
    state = policy_state(request.app.state.desk.project.policy)
    return json_reply({"policy_hash": state.loaded.hash if state.loaded else None})


PAGE = Page(
    "routing",
    "Routing",
    4,
    "which task goes to which model, and what is guaranteed",
    view,
    (
        api_route("/api/routing", report_json),
        api_route("/api/routing/policy", policy_json),
        api_route("/api/routing/evaluation", evaluation_json),
        Route("/routing/try", tried, methods=["POST"]),
        Route("/routing/learn", learn_begun, methods=["POST"]),
        Route("/routing/use", used, methods=["POST"]),
        Route("/routing/undo", undone, methods=["POST"]),
        Route("/routing/discard", discarded, methods=["POST"]),
    ),
)
