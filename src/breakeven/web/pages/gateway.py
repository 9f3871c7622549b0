"""Gateway: what flows through the gateway now: requests, latency, spend, breakers, budgets, policy."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from breakeven.clock import now
from breakeven.web.gateway import words as told
from breakeven.web.gateway.client import TOKEN_VARIABLE, GatewayClient
from breakeven.web.gateway.document import as_json, gateway_document
from breakeven.web.gateway.parts import GatewayDocument
from breakeven.web.gateway.watch import GatewayWatch
from breakeven.web.jobs import Jobs
from breakeven.web.live_parts import live_reply
from breakeven.web.marked_words import with_code
from breakeven.web.page import Ask, Desk, Page, View
from breakeven.web.replies import api_route

SHOWN_MAX_COUNT: Final = 100
"""Rows of a table; more of them are counted."""
_watches: WeakKeyDictionary[Jobs, GatewayWatch] = WeakKeyDictionary()
_lock = threading.Lock()


def view(ask: Ask) -> View:
    """What the page shows."""
    watch = watch_of(ask.desk)
    if watch is None:
        return View("empty.html.j2", _NOT_CONFIGURED)
    return View("gateway.html.j2", context_of(watch))


def watch_of(desk: Desk) -> GatewayWatch | None:
    """The one watch of a server; None where no gateway was named at its start."""
    if desk.project.gateway_url is None:
        return None
    with _lock:
        found = _watches.get(desk.jobs)
        if found is None:
            client = GatewayClient(desk.project.gateway_url, desk.project.gateway_token)
            found = _watches[desk.jobs] = GatewayWatch(client)
        return found


def document_of(watch: GatewayWatch) -> GatewayDocument:
    """What the gateway told, as a document."""
    return gateway_document(watch.look(), watch.client.address)


def context_of(watch: GatewayWatch) -> dict[str, Any]:
    """What the template needs."""
    document = document_of(watch)
    return {
        "document": document,
        "told": told,
        "code": with_code,
        "state": told.STATES[document.state],
        "sentence": told.sentence(document),
        "alarms": told.alarms(document),
        "last_reached": told.last_reached(document, now()),
        "tiles": told.tiles(document),
        "charts": told.small_charts(document),
        "minutes": told.minute_rows(document.series),
        "tells_everybody": watch.client.tells_everybody,
        "shown_max": SHOWN_MAX_COUNT,
        "now_unix_s": now().timestamp(),
    }


def _document(ask: Ask) -> Mapping[str, Any]:
    watch = watch_of(ask.desk)
    if watch is None:
        return {"schema_version": "1.0", "kind": "gateway", "state": "not_configured"}
    return as_json(document_of(watch))


async def live(request: Request) -> Response:
    """The part that changes."""
    watch = watch_of(request.app.state.desk)
    if watch is None:
        return Response(status_code=404)
    return await live_reply(request, "gateway_live.html.j2", lambda: context_of(watch))


_NOT_CONFIGURED: Final[Mapping[str, Any]] = {
    "title": "No gateway is watched",
    "missing": "A gateway stands between your programs and your models, counts every request and its cost, and serves "
    "a policy. This page shows one while it runs; the dashboard was started without the address of any.",
    "commands": [
        (
            "Start a gateway before your provider, without a file",
            "breakeven serve --upstream https://api.openai.com/v1",
        ),
        (
            f"Name its admin port to the dashboard ({TOKEN_VARIABLE} in the environment shows budgets and prices, too)",
            "breakeven ui --gateway http://127.0.0.1:4001",
        ),
    ],
    "then": [
        "Requests a second, time to the first byte and to the whole answer, spend an hour by model: live.",
        "Which upstream's breaker is open, and why; what was tried again or elsewhere.",
        "How much of each key's budget is used, and which policy is in force since when.",
    ],
}

PAGE = Page(
    "gateway",
    "Gateway",
    6,
    "what flows through the gateway now",
    view,
    (Route("/gateway/live", live), api_route("/api/gateway", _document)),
)
