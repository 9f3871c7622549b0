"""Pilot: whether the savings are proven yet: the pilots of the project, live, with orders and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from breakeven.errors import BreakevenError, PilotError
from breakeven.pilot.label_queue import queue_words
from breakeven.reports.pilot_design_rows import design_lines
from breakeven.reports.pilot_document import pilot_document, to_json
from breakeven.reports.pilot_files import render_pilot_file
from breakeven.reports.pilot_look import document_of, measured_scenario
from breakeven.reports.pilot_missing import arm_rows, missing_lines, time_rows
from breakeven.reports.pilot_page import pilot_context
from breakeven.reports.pilot_summary import ANSWERS
from breakeven.reports.pilot_wording import models_of
from breakeven.reports.safe_text import safe
from breakeven.web.exports import EXPORTS
from breakeven.web.jobs import Job
from breakeven.web.live_parts import live_reply
from breakeven.web.page import Ask, Desk, Page, View
from breakeven.web.pilot import labels, orders
from breakeven.web.pilot import words as told
from breakeven.web.pilot.beside import comparison_line
from breakeven.web.pilot.room import Known, PilotPlace, path_of, place_of, room_of
from breakeven.web.replies import api_route, json_reply, page_reply

MEDIA_TYPES: Final = {**{each.kind: each.media_type for each in EXPORTS}, "yaml": "application/yaml"}
"""Of a report's kinds, and of the scenario of what was measured."""


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
        {**live_context(place, known, ask.desk), "done": ask.query.get("done", ""), **_several(ask)},
    )


def _several(ask: Ask) -> dict[str, bool]:
    return {"several_pilots": len(room_of(ask.desk).names()) > 1}


def live_context(place: PilotPlace, known: Known, desk: Desk) -> dict[str, Any]:
    """What the part that changes needs."""
    look, document, project = known.look, known.document, desk.project
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
        "is_promoted": bool(look.state.promoted_tasks),
        "offers": told.offers(document, look.state),
        "arms": arm_rows(document),
        "missing": missing_lines(document),
        "times": time_rows(document),
        "queue_words": queue_words(queue, "") if queue is not None and queue.items else "",
        "queue_waits": bool(queue is not None and queue.waiting()),
        "beside": comparison_line(desk, document),
        "last_entry": document.journal[-1].words if document.journal else "",
    }


async def shown(request: Request) -> Response:
    """One pilot's page."""
    return await page_reply(request, "pilot", lambda ask: pilot_view(place_of(request), ask))


async def live(request: Request) -> Response:
    """The part of it that changes."""

    def context() -> Mapping[str, Any]:
        place = place_of(request)
        known = place.known()
        if isinstance(known, Job):
            raise PilotError(f"{place.name} is being read")
        return live_context(place, known, request.app.state.desk)

    return await live_reply(request, "pilot_live.html.j2", context)


async def report(request: Request) -> Response:
    """The pilot's report as a file, or what was measured as a scenario."""
    kind = request.path_params["kind"]
    if kind not in MEDIA_TYPES:
        raise HTTPException(404)

    def made() -> tuple[str, bytes]:
        place = place_of(request)
        look = place.look_now().look
        if kind == "yaml":
            return f"{place.name}-measured.yaml", measured_scenario(look, request.app.state.desk.today()).encode()
        return f"{place.name}.{kind}", render_pilot_file(kind, document_of(look, with_history=True))

    name, content = await run_in_threadpool(made)
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    headers = {"content-disposition": f'attachment; filename="{plain}"', "cache-control": "no-store"}
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


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
        return to_json(document_of(place_of(request).look_now().look))

    return json_reply(await run_in_threadpool(made))


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
    "is_in_story": True,
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
        Route("/pilot/{name}", shown),
        Route("/pilot/{name}/live", live),
        Route("/pilot/{name}/report.{kind}", report),
        *orders.ROUTES,
        *labels.ROUTES,
    ),
)
