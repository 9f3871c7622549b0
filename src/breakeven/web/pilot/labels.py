"""Labels: the routes of the label queue: who labels, one answer after the other, and how far the queue is."""

from __future__ import annotations

import getpass
from typing import Final
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from breakeven.errors import BreakevenError, PilotError
from breakeven.pilot.label_queue import queue_facts, queue_words
from breakeven.reports.safe_text import safe
from breakeven.web.page import Ask, View
from breakeven.web.pilot.label_desk import EVERYTHING_SAID, SKIPPED, SUCCESS, checked_labeller
from breakeven.web.pilot.orders import refused
from breakeven.web.pilot.room import path_of, place_of
from breakeven.web.replies import ask_of, json_reply, page_reply, see_other, wants_json

LABELLER_COOKIE: Final = "breakeven_labeller"
YEAR_S: Final = 365 * 86_400


async def labelling(request: Request) -> Response:
    """One answer to judge."""
    return await page_reply(request, "pilot", lambda ask: _label_view(request, ask))


async def labelled(request: Request) -> Response:
    """A judgement of one answer, or who it is that judges."""
    form = await request.form()
    place = await run_in_threadpool(place_of, request)
    again = "&again=yes" if form.get("again") == "yes" else ""

    def keep() -> tuple[str, str]:
        who = checked_labeller(str(form.get("who", "")))
        item, said = str(form.get("item", "")), str(form.get("success", ""))
        if not item:
            return who, ""
        if said == "skip":
            place.labels.skip(who, item)
            return who, SKIPPED
        if said not in SUCCESS:
            raise PilotError("say whether the answer is good or bad, or skip it; nothing was kept")
        words = place.labels.label(who, item, SUCCESS[said])
        place.forget()
        return who, words

    try:
        who, words = await run_in_threadpool(keep)
    except BreakevenError as error:
        return await refused(request, error)
    if wants_json(request):
        return json_reply({"said": words, **await run_in_threadpool(lambda: queue_facts(place.labels.queue(), who))})
    response = see_other(f"{path_of(place)}/label?said={quote(words)}{again}")
    response.set_cookie(LABELLER_COOKIE, quote(who), max_age=YEAR_S, samesite="lax", httponly=True, path="/pilot")
    return response


def _label_view(request: Request, ask: Ask) -> View:
    place = place_of(request)
    who = safe(unquote(request.cookies.get(LABELLER_COOKIE, "")))[:60]
    again, said = ask.query.get("again") == "yes", ask.query.get("said", "")
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
            "said": said if said in EVERYTHING_SAID else "",
        },
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


async def _queue_document(request: Request) -> Response:
    """As `breakeven pilot label --json`."""
    ask = ask_of(request)
    again = ask.query.get("again") == "yes"
    return json_reply(
        await run_in_threadpool(
            lambda: queue_facts(place_of(request).labels.queue(), ask.query.get("labeller") or _user(), again=again)
        )
    )


ROUTES: Final = (
    Route("/api/pilot/{name}/label", _queue_document),
    Route("/pilot/{name}/label", labelling),
    Route("/pilot/{name}/label", labelled, methods=["POST"]),
)
