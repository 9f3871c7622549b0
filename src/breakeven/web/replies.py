"""Replies: what the routes of a page answer with: a page, JSON, or the way back to a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from breakeven.web.frame import render
from breakeven.web.guard import is_local_path
from breakeven.web.jobs import Job
from breakeven.web.page import Ask, Page, View
from breakeven.web.readiness import words_of_first_time

Document: TypeAlias = str | Job | BaseModel | Mapping[str, Any]
"""What is answered as JSON: text that is JSON already, a model, plain data, or the job that makes it."""
AGAIN_COUNT = 3


def ask_of(request: Request) -> Ask:
    """A request as a page's view takes it."""
    said = request.query_params
    return Ask(request.app.state.desk, dict(said), tuple(said.multi_items()))


def wants_json(request: Request) -> bool:
    """Whether a script asks, not a person."""
    accept = request.headers.get("accept", "")
    return request.url.path.startswith("/api/") or ("application/json" in accept and "text/html" not in accept)


def see_other(path: str) -> Response:
    """After a POST: a GET of `path`, which must be one of ours; elsewhere leads to the start."""
    return RedirectResponse(path if is_local_path(path) else "/", 303)


async def page_reply(request: Request, name: str, view: Callable[[Ask], View | Job] | View) -> Response:
    """A view in the frame of the page `name`."""
    page = next(each for each in request.app.state.pages if each.name == name)
    return await framed(request, page.at(request.url.path), view)


async def framed(request: Request, page: Page, view: Callable[[Ask], View | Job] | View) -> Response:
    """A view, or the view that a function gives, as HTML; work that is not done yet as a page that comes back."""

    def made() -> tuple[str, int]:
        shown = view if isinstance(view, View) else _shown(view, ask_of(request))
        if isinstance(shown, Job):
            shown = working(shown)
        return render(shown, page, request), shown.status_count

    text, status_count = await run_in_threadpool(made)
    return HTMLResponse(text, status_count)


def working(job: Job) -> View:
    """How far a job is, or why it failed; one that is done by now is still waited for, and the page loads once more."""
    is_given_up = job.is_given_up
    context = {
        "job": job,
        "is_given_up": is_given_up,
        "first_time": "" if is_given_up else words_of_first_time(),
    }
    return View("working.html.j2", context, status_of(job))


def status_of(job: Job) -> int:
    """200; of a job that failed 400, or 500 where that was a mistake of breakeven's."""
    if job.state != "failed":
        return 200
    return 400 if job.is_expected else 500


def _shown(view: Callable[[Ask], View | Job], ask: Ask) -> View | Job:
    """What a view gives; asked again when the work it waited for was done while it was asked."""
    shown = view(ask)
    for _ in range(AGAIN_COUNT):
        if not (isinstance(shown, Job) and shown.state == "done"):
            break
        shown = view(ask)
    return shown


def api_route(path: str, document: Callable[[Ask], Document]) -> Route:
    """GET of a document as JSON; 202 and the job while it is made, 409 where that was cancelled, 400 or 500 where it
    failed."""

    async def answer(request: Request) -> Response:
        return json_reply(await run_in_threadpool(document, ask_of(request)))

    return Route(path, answer)


def json_reply(document: Document, status_count: int = 200) -> Response:
    """A document as JSON; text is JSON already."""
    if isinstance(document, Job):
        return _job_reply(document)
    if isinstance(document, str):
        return Response(document, status_count, media_type="application/json")
    if isinstance(document, Mapping):
        return Response(json.dumps(document, allow_nan=False), status_count, media_type="application/json")
    return Response(document.model_dump_json(), status_count, media_type="application/json")


def _job_reply(job: Job) -> Response:
    """How far a job is; where it will not go on, why, as every error is told."""
    if job.state in ("running", "done"):
        return JSONResponse({"job": job_facts(job)}, 202)
    is_cancelled = job.state == "cancelled"
    words = f"{job.title}: cancelled before it was done" if is_cancelled else job.error
    error = {"type": job.state, "message": words}
    return JSONResponse({"job": job_facts(job), "error": error}, 409 if is_cancelled else status_of(job))


def job_facts(job: Job) -> dict[str, Any]:
    """A job as JSON."""
    return {
        "key": job.key,
        "name": job.name.partition(" ")[0],
        "title": job.title,
        "state": job.state,
        "words": job.words,
        "error": job.error,
        "running_s": round(job.running_s, 3),
    }
