"""Orders: the routes that change a pilot: an order with its confirmation, watching, and a first judgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from breakeven.errors import BreakevenError
from breakeven.pilot.orders import Order, give, outlook
from breakeven.web.page import View
from breakeven.web.pilot import words as told
from breakeven.web.pilot.room import PilotPlace, path_of, place_of
from breakeven.web.replies import json_reply, page_reply, see_other, wants_json


async def order_shown(request: Request) -> Response:
    """What an order will do, and the form that asks for it."""
    return await _order_page(request, "")


async def order_given(request: Request) -> Response:
    """Carry out an order that was confirmed."""
    form = await request.form()
    place, order = await run_in_threadpool(place_of, request), _order(request)
    if not told.is_confirmed(str(form.get("typed", "")), place.name):
        return await _order_page(request, f"Type the pilot's name, {place.name}, to confirm. Nothing was done.", 400)

    def carry_out() -> None:
        was_here = place.is_watched_here()
        place.end_watch()
        keeps_watch = form.get("keeps_watch") == "yes"
        is_done = False
        try:
            give(place.pilot, order, keeps_watch=keeps_watch, expects=str(form.get("token", "")))
            is_done = True
        finally:
            place.forget()
            goes_on = order in ("start", "restore") or (order == "promote" and keeps_watch) or not is_done
            if (was_here and goes_on) or (is_done and form.get("watch") == "yes"):
                place.watch()

    return await _done(request, place, carry_out, order)


async def watch_begun(request: Request) -> Response:
    """Begin to watch: ramp, and stop a bad candidate."""
    form = await request.form()
    place = await run_in_threadpool(place_of, request)
    rolls_back = form.get("rolls_back") == "yes"
    return await _done(request, place, lambda: place.watch(rolls_back=rolls_back), "watch")


async def watch_ended(request: Request) -> Response:
    """Stop watching; the traffic goes on as it is."""
    place = await run_in_threadpool(place_of, request)
    return await _done(request, place, place.end_watch, "unwatch")


async def judged(request: Request) -> Response:
    """The first look at the files of a pilot without traffic: it promises the design."""
    place = await run_in_threadpool(place_of, request)
    return await _done(request, place, place.look_now, "judge")


def _order(request: Request) -> Order:
    order = told.PATHS.get(request.path_params["order"])
    if order is None:
        raise HTTPException(404)
    return order


async def _order_page(request: Request, said: str, status_count: int = 200) -> Response:
    order = _order(request)
    keeps_watch = request.query_params.get("keep-watching", "yes") == "yes"

    def made() -> View:
        place = place_of(request)
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
        return await refused(request, error)
    return await page_reply(request, "pilot", shown_view)


async def _done(request: Request, place: PilotPlace, work: Callable[[], object], what: str) -> Response:
    """Carry something out, and go back to the pilot; a refusal is told in its own words."""
    try:
        await run_in_threadpool(work)
    except BreakevenError as error:
        return await refused(request, error)
    if wants_json(request):
        return json_reply({"done": what, "pilot": place.name})
    return see_other(f"{path_of(place)}?done={what}")


async def refused(request: Request, error: BreakevenError) -> Response:
    """The state does not allow it: the words of the command line, and 409."""
    words = request.app.state.desk.project.without_places(str(error))
    if wants_json(request):
        return json_reply({"error": {"type": type(error).__name__, "message": words}}, 409)
    view = View("error.html.j2", {"title": "This was not done", "error": words, "next_step": ""}, 409)
    return await page_reply(request, "pilot", view)


ROUTES: Final = (
    Route("/pilot/{name}/order/{order}", order_shown),
    Route("/pilot/{name}/order/{order}", order_given, methods=["POST"]),
    Route("/pilot/{name}/watch", watch_begun, methods=["POST"]),
    Route("/pilot/{name}/unwatch", watch_ended, methods=["POST"]),
    Route("/pilot/{name}/judge", judged, methods=["POST"]),
)
