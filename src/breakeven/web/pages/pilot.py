"""Pilot: whether the savings are proven yet: the pilots of the project, live, with orders and labels."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from breakeven.errors import BreakevenError, PilotError
from breakeven.pilot.label_queue import queue_facts, queue_words
from breakeven.pilot.orders import give, outlook
from breakeven.reports.pilot_document import to_json
from breakeven.reports.pilot_files import render_pilot_file
from breakeven.reports.pilot_look import document_of, measured_scenario
from breakeven.reports.pilot_missing import arm_rows, missing_lines, time_rows
from breakeven.reports.pilot_page import pilot_context
from breakeven.reports.pilot_summary import ANSWERS
from breakeven.reports.pilot_wording import models_of
from breakeven.reports.safe_text import safe
from breakeven.web import pilot_words as told
from breakeven.web.jobs import Job
from breakeven.web.label_desk import SUCCESS, checked_labeller
from breakeven.web.live_parts import live_reply
from breakeven.web.page import Ask, Page, View
from breakeven.web.pilot_room import Known, PilotPlace, room_of
from breakeven.web.project import Project
from breakeven.web.replies import api_route, ask_of, json_reply, page_reply, see_other, wants_json

MEDIA: Final = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
}
LABELLER_COOKIE: Final = "breakeven_labeller"
YEAR_S: Final = 365 * 86_400


@dataclass(frozen=True, slots=True)
class ListRow:
    """One pilot in the list."""

    name: str
    models: str
    mode: str
    standing: str
    answer: str
    kind: str
    error: str = ""


def view(ask: Ask) -> View | Job:
    """The list, or the only pilot."""
    room = room_of(ask.desk)
    names = room.names()
    if not names:
        return View("empty.html.j2", _EMPTY)
    if len(names) == 1:
        return pilot_view(room.find(names[0]), ask)
    return View("pilot_list.html.j2", {"rows": [_row(room.find(each)) for each in names]})


def pilot_view(place: PilotPlace, ask: Ask) -> View | Job:
    """One pilot."""
    if place.is_unjudged():
        return View("pilot_unjudged.html.j2", _unjudged(place))
    known = place.known()
    if isinstance(known, Job):
        return known
    return View(
        "pilot_page.html.j2",
        {**live_context(place, known, ask.desk.project), "done": ask.query.get("done", ""), **_several(ask)},
    )


def _several(ask: Ask) -> dict[str, bool]:
    return {"several_pilots": len(room_of(ask.desk).names()) > 1}


def live_context(place: PilotPlace, known: Known, project: Project) -> dict[str, Any]:
    """What the part that changes needs."""
    look, document = known.look, known.document
    is_here = place.is_watched_here()
    is_elsewhere = not is_here and look.state.started_unix_s is not None and place.pilot.is_watched()
    last = place.watching()
    summary = pilot_context(document, known.charts)
    page = summary.pop("page")
    seen = {name: tuple(map(project.without_places, getattr(page, name))) for name in ("alerts", "remarks")}
    queue = place.labels.queue() if look.design.mode != "offline" else None
    return {
        **summary,
        "summary": replace(page, **seen),
        "pilot_name": place.name,
        "path": path_of(place),
        "standing": told.standing(look.design, look.state),
        "watches": told.who_watches(is_here, is_elsewhere, look.state),
        "is_here": is_here,
        "is_elsewhere": is_elsewhere,
        "may_watch": not is_here and not is_elsewhere and (look.state.is_running or bool(look.state.promoted_tasks)),
        "watch_error": last.error if last is not None and last.state == "failed" else "",
        "offers": told.offers(document, look.state),
        "arms": arm_rows(document),
        "missing": missing_lines(document),
        "times": time_rows(document),
        "queue_words": queue_words(queue, "") if queue is not None and queue.items else "",
        "queue_waits": bool(queue is not None and queue.waiting()),
        "last_entry": document.journal[-1].words if document.journal else "",
    }


def path_of(place: PilotPlace) -> str:
    """The address of a pilot."""
    return f"/pilot/{quote(place.name, safe='')}"


async def shown(request: Request) -> Response:
    """One pilot's page."""
    return await page_reply(request, "pilot", lambda ask: pilot_view(_place(request), ask))


async def live(request: Request) -> Response:
    """The part of it that changes."""

    def context() -> Mapping[str, Any]:
        place = _place(request)
        known = place.known()
        if isinstance(known, Job):
            raise PilotError(f"{place.name} is being read")
        return live_context(place, known, request.app.state.desk.project)

    return await live_reply(request, "pilot_live.html.j2", context)


async def order_shown(request: Request) -> Response:
    """What an order will do, and the form that asks for it."""
    return await _order_page(request, "")


async def order_given(request: Request) -> Response:
    """Carry out an order that was confirmed."""
    form = await request.form()
    place, order = await run_in_threadpool(_place, request), _order(request)
    if not told.is_confirmed(str(form.get("typed", "")), place.name):
        return await _order_page(request, f"Type the pilot's name, {place.name}, to confirm. Nothing was done.", 400)

    def carry_out() -> None:
        was_here = place.is_watched_here()
        if was_here:
            place.end_watch()
        keeps_watch = form.get("keeps_watch") == "yes"
        try:
            give(place.pilot, order, keeps_watch=keeps_watch, expects=str(form.get("token", "")))
        finally:
            place.forget()
        goes_on = order in ("start", "restore") or (order == "promote" and keeps_watch)
        if (was_here and goes_on) or form.get("watch") == "yes":
            place.watch()

    return await _done(request, place, carry_out, order)


async def watch_begun(request: Request) -> Response:
    """Begin to watch: ramp, and stop a bad candidate."""
    form = await request.form()
    place = await run_in_threadpool(_place, request)
    rolls_back = form.get("rolls_back") == "yes"
    return await _done(request, place, lambda: place.watch(rolls_back=rolls_back), "watch")


async def watch_ended(request: Request) -> Response:
    """Stop watching; the traffic goes on as it is."""
    place = await run_in_threadpool(_place, request)
    return await _done(request, place, place.end_watch, "unwatch")


async def judged(request: Request) -> Response:
    """The first look at the files of a pilot without traffic: it promises the design."""
    place = await run_in_threadpool(_place, request)
    return await _done(request, place, place.look_now, "judge")


async def labelling(request: Request) -> Response:
    """One answer to judge."""
    return await page_reply(request, "pilot", lambda ask: _label_view(request, ask, ""))


async def labelled(request: Request) -> Response:
    """A judgement of one answer, or who it is that judges."""
    form = await request.form()
    place = await run_in_threadpool(_place, request)
    again = "&again=yes" if form.get("again") == "yes" else ""

    def keep() -> tuple[str, str]:
        who = checked_labeller(str(form.get("who", "")))
        item, said = str(form.get("item", "")), str(form.get("success", ""))
        if not item:
            return who, ""
        if said == "skip":
            place.labels.skip(who, item)
            return who, "Skipped."
        if said not in SUCCESS:
            raise PilotError("say whether the answer is good or bad, or skip it; nothing was kept")
        words = place.labels.label(who, item, SUCCESS[said])
        place.forget()
        return who, words

    try:
        who, words = await run_in_threadpool(keep)
    except BreakevenError as error:
        return await _refused(request, error)
    if wants_json(request):
        return json_reply({"said": words, **await run_in_threadpool(lambda: queue_facts(place.labels.queue(), who))})
    response = see_other(f"{path_of(place)}/label?said={quote(words)}{again}")
    response.set_cookie(LABELLER_COOKIE, quote(who), max_age=YEAR_S, samesite="lax", httponly=True, path="/pilot")
    return response


async def report(request: Request) -> Response:
    """The pilot's report as a file, or what was measured as a scenario."""
    kind = request.path_params["kind"]
    if kind not in MEDIA and kind != "yaml":
        raise HTTPException(404)

    def made() -> tuple[str, bytes]:
        place = _place(request)
        look = place.look_now().look
        if kind == "yaml":
            return f"{place.name}-measured.yaml", measured_scenario(look, request.app.state.desk.today()).encode()
        return f"{place.name}.{kind}", render_pilot_file(kind, document_of(look, with_history=True))

    name, content = await run_in_threadpool(made)
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    headers = {"content-disposition": f'attachment; filename="{plain}"', "cache-control": "no-store"}
    return Response(content, media_type=MEDIA.get(kind, "application/yaml"), headers=headers)


def _place(request: Request) -> PilotPlace:
    return room_of(request.app.state.desk).find(request.path_params["name"])


def _order(request: Request) -> Any:
    order = told.PATHS.get(request.path_params["order"])
    if order is None:
        raise HTTPException(404)
    return order


async def _order_page(request: Request, said: str, status_count: int = 200) -> Response:
    order = _order(request)
    keeps_watch = request.query_params.get("keep-watching", "yes") == "yes"

    def made() -> View:
        place = _place(request)
        seen = outlook(place.pilot, order, keeps_watch=keeps_watch)
        found, state = place.brief()
        return View(
            "pilot_order.html.j2",
            {
                "pilot_name": place.name,
                "path": path_of(place),
                "order": order,
                "title": told.TITLES[order],
                "words": told.consequences(seen, found, state),
                "token": seen.token,
                "keeps_watch": keeps_watch,
                "said": said,
                "asks_watch": order == "start" and not place.pilot.is_watched(),
            },
            status_count,
        )

    try:
        shown_view = await run_in_threadpool(made)
    except BreakevenError as error:
        return await _refused(request, error)
    return await page_reply(request, "pilot", shown_view)


async def _done(request: Request, place: PilotPlace, work: Callable[[], object], what: str) -> Response:
    """Carry something out, and go back to the pilot; a refusal is told in its own words."""
    try:
        await run_in_threadpool(work)
    except BreakevenError as error:
        return await _refused(request, error)
    if wants_json(request):
        return json_reply({"done": what, "pilot": place.name})
    return see_other(f"{path_of(place)}?done={what}")


async def _refused(request: Request, error: BreakevenError) -> Response:
    """The state does not allow it: the words of the command line, and 409."""
    words = request.app.state.desk.project.without_places(str(error))
    if wants_json(request):
        return json_reply({"error": {"type": type(error).__name__, "message": words}}, 409)
    view = View("error.html.j2", {"title": "This was not done", "error": words, "next_step": ""}, 409)
    return await page_reply(request, "pilot", view)


def _label_view(request: Request, ask: Ask, said: str) -> View:
    place = _place(request)
    who = safe(unquote(request.cookies.get(LABELLER_COOKIE, "")))[:60]
    again = ask.query.get("again") == "yes"
    queue = place.labels.queue()
    item = place.labels.next_item(who, again=again) if who and "who" not in ask.query else None
    waiting = queue.waiting(who, again=again) if who else ()
    return View(
        "pilot_label.html.j2",
        {
            "pilot_name": place.name,
            "path": path_of(place),
            "who": who,
            "guess": who or _user(),
            "asks_who": not who or "who" in ask.query,
            "item": item,
            "prompt": item.prompt.splitlines() if item else (),
            "answer": item.answer.splitlines() if item else (),
            "words": queue_words(queue, who, again=again),
            "done_count": len(queue.items) - len(queue.waiting()),
            "items_count": len(queue.items),
            "elsewhere_count": sum(each.has_text for each in waiting) if item is None else 0,
            "again": again,
            "said": said or ask.query.get("said", "")[:120],
        },
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _row(place: PilotPlace) -> ListRow:
    """A pilot in the list: by its files alone, and by the last look where there was one."""
    try:
        found, state = place.brief()
        known = None if place.is_unjudged() else place.known_now()
    except BreakevenError as error:
        return ListRow(place.name, "", "", "It cannot be read.", "NOT READ", "bad", str(error))
    if known is not None:
        summary = pilot_context(known.document, {})["page"]
        return ListRow(
            place.name,
            models_of(known.document),
            found.design.mode,
            told.standing(found.design, state),
            summary.answer,
            summary.kind,
        )
    is_begun = bool(state.design_hash)
    answer = ANSWERS.get(state.answer, "NOT YET READ" if is_begun else _NOT_BEGUN[found.design.mode])
    kind = {"yes": "good", "no": "bad"}.get(state.answer, "open")
    models = "; ".join(
        dict.fromkeys(
            f"{safe(each.candidate_model)} in place of {safe(each.baseline_model)}" for each in found.design.tasks
        )
    )
    return ListRow(place.name, models, found.design.mode, told.standing(found.design, state), answer, kind)


def _unjudged(place: PilotPlace) -> dict[str, Any]:
    from breakeven.reports.pilot_design_rows import design_lines
    from breakeven.reports.pilot_document import pilot_document

    found, _ = place.brief()
    document = pilot_document(found.design, None, None, design_hash=found.hash)
    return {
        "pilot_name": place.name,
        "path": path_of(place),
        "document": document,
        "design": design_lines(document.design),
        "models": models_of(document),
    }


def _document(ask: Ask) -> str:
    """As `breakeven pilot status --json`."""
    place = room_of(ask.desk).find(ask.query.get("pilot"))
    return to_json(document_of(place.look_now().look))


async def _named_document(request: Request) -> Response:
    def made() -> str:
        return to_json(document_of(_place(request).look_now().look))

    return json_reply(await run_in_threadpool(made))


async def _queue_document(request: Request) -> Response:
    """As `breakeven pilot label --json`."""
    ask = ask_of(request)
    again = ask.query.get("again") == "yes"
    return json_reply(
        await run_in_threadpool(
            lambda: queue_facts(_place(request).labels.queue(), ask.query.get("labeller") or _user(), again=again)
        )
    )


_NOT_BEGUN: Final = {"offline": "NOT JUDGED", "shadow": "NOT STARTED", "canary": "NOT STARTED"}
_EMPTY: Final[Mapping[str, Any]] = {
    "title": "No pilot yet",
    "missing": "A pilot puts a cheaper model on a slice of your traffic, or on outcomes that you have in files, and "
    "answers one question: does it keep the success, and what does it save? None has been designed in this project.",
    "commands": [
        (
            "With the gateway: both models answer, clients see the one in use",
            "breakeven pilot init faq --baseline gpt-4o --candidate qwen-7b --task faq --gateway gateway.yaml",
        ),
        (
            "With outcomes of both models in files",
            "breakeven pilot init offline --baseline gpt-4o --candidate qwen-7b --outcomes outcomes.csv",
        ),
    ],
    "then": [
        "Yes, no or not yet, with what may not be claimed; it may be looked at as often as you like.",
        "The evidence as it grows, the savings with their range, and how many days are still needed.",
        "Buttons that start and stop it, each with what it will do to traffic before it does it.",
    ],
}

PAGE = Page(
    "pilot",
    "Pilot",
    5,
    "whether the savings are proven yet",
    view,
    (
        api_route("/api/pilot", _document),
        Route("/api/pilot/{name}", _named_document),
        Route("/api/pilot/{name}/label", _queue_document),
        Route("/pilot/{name}", shown),
        Route("/pilot/{name}/live", live),
        Route("/pilot/{name}/label", labelling),
        Route("/pilot/{name}/label", labelled, methods=["POST"]),
        Route("/pilot/{name}/watch", watch_begun, methods=["POST"]),
        Route("/pilot/{name}/unwatch", watch_ended, methods=["POST"]),
        Route("/pilot/{name}/judge", judged, methods=["POST"]),
        Route("/pilot/{name}/report.{kind}", report),
        Route("/pilot/{name}/order/{order}", order_shown),
        Route("/pilot/{name}/order/{order}", order_given, methods=["POST"]),
    ),
)
