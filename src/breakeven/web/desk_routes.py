"""Desk routes: what belongs to no page: jobs, the choice of colours, signing in and out."""

from __future__ import annotations

import time
from math import ceil
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from breakeven.web.access import Access, Throttle
from breakeven.web.frame import THEME_COOKIE, THEMES, environment, plain_context
from breakeven.web.guard import LOGIN_PATH, is_local_path, is_secure, signed_in
from breakeven.web.jobs import Job
from breakeven.web.replies import job_facts, json_reply, see_other, wants_json

YEAR_S: Final = 365 * 86_400


async def jobs_list(request: Request) -> Response:
    """Every job that is remembered, the youngest last."""
    return json_reply({"jobs": [job_facts(each) for each in request.app.state.desk.jobs.every()]})


async def job_shown(request: Request) -> Response:
    """One job."""
    return json_reply(job_facts(_job(request)))


async def job_cancelled(request: Request) -> Response:
    """Ask for the end of a job."""
    job = _job(request)
    job.cancel()
    return await _after(request, job)


async def job_again(request: Request) -> Response:
    """Do the work of a job again that failed or was cancelled."""
    return await _after(request, request.app.state.desk.jobs.again(_job(request)))


async def theme_chosen(request: Request) -> Response:
    """Remember light, dark or what the system says."""
    form = await request.form()
    theme = str(form.get("theme", "auto"))
    response = see_other(str(form.get("next", "/")))
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR_S, samesite="lax", httponly=True, path="/")
    return response


async def login_shown(request: Request) -> Response:
    """The form that asks for the password or the token."""
    return await _login(request, "", 200)


async def login_sent(request: Request) -> Response:
    """Let somebody in who knows the secret."""
    access: Access = request.app.state.access
    throttle: Throttle = request.app.state.throttle
    client = request.client.host if request.client else ""
    form = await request.form()
    now_s = time.monotonic()
    wait_s = throttle.try_after_s(client, now_s)
    if wait_s > 0:
        response = await _login(request, f"Too many wrong tries. Try again in {ceil(wait_s)} s.", 429)
        response.headers["retry-after"] = str(ceil(wait_s))
        return response
    attempt, target = str(form.get("password", "")), str(form.get("next", "/"))
    if await run_in_threadpool(_is_let_in, access, attempt):
        throttle.succeeded(client, now_s)
        return signed_in(access, see_other(target), is_secure(request.scope))
    return await _login(request, "That is not it.", 403)


async def logged_out(request: Request) -> Response:
    """End the session: its cookie is worth nothing any more, wherever it was copied to."""
    request.app.state.access.end_session(request.scope["breakeven.session"])
    response = see_other(LOGIN_PATH)
    response.delete_cookie(request.app.state.access.cookie_name, path="/")
    return response


def _is_let_in(access: Access, attempt: str) -> bool:
    right_password = access.password is not None and access.password.is_opened_by(attempt)
    return right_password or access.is_token(attempt)


async def _login(request: Request, said: str, status_count: int) -> Response:
    access: Access = request.app.state.access
    what = "Password" if access.password else "Token"
    hint = (
        "The one who started the dashboard set the password."
        if access.password
        else "The terminal where the dashboard runs shows the token, and an address that holds it."
    )
    form = await request.form() if request.method == "POST" else request.query_params
    target = str(form.get("next", "/"))
    context = {"said": said, "label": what, "hint": hint, "next": target if is_local_path(target) else "/"}
    text = environment().get_template("login.html.j2").render(plain_context(request) | context)
    return HTMLResponse(text, status_count)


def _job(request: Request) -> Job:
    job: Job | None = request.app.state.desk.jobs.find(request.path_params["key"])
    if job is None:
        raise HTTPException(404)
    return job


async def _after(request: Request, job: Job) -> Response:
    if wants_json(request):
        return json_reply(job_facts(job))
    form = await request.form()
    return see_other(str(form.get("next", "/")))


ROUTES: Final = (
    Route("/api/jobs", jobs_list),
    Route("/api/jobs/{key}", job_shown),
    Route("/jobs/{key}/cancel", job_cancelled, methods=["POST"]),
    Route("/jobs/{key}/retry", job_again, methods=["POST"]),
    Route("/theme", theme_chosen, methods=["POST"]),
    Route(LOGIN_PATH, login_shown),
    Route(LOGIN_PATH, login_sent, methods=["POST"]),
    Route("/logout", logged_out, methods=["POST"]),
)
