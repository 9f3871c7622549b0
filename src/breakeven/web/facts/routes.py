"""Fact routes: changes of facts: set, reset, undo, redo; every one says which version of the file it was decided on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from breakeven.errors import EditConflict, ScenarioError, UnknownName
from breakeven.web import documents
from breakeven.web.facts.edits import Edits
from breakeven.web.facts.fact_boxes import FactValue
from breakeven.web.facts.views import conflict_json, conflict_view, fact_shown, fact_view, facts_json
from breakeven.web.replies import api_route, json_reply, page_reply, see_other, wants_json

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

    from breakeven.web.page import Desk


async def _fact(request: Request) -> Response:
    return await page_reply(request, "facts", fact_view)


async def _set(request: Request) -> Response:
    form = await request.form()
    name = _text(form, "name")
    typed = FactValue(*(_text(form, key) for key in ("typical", "low", "high", "note", "grade")))

    def change(edits: Edits, version: str) -> str:
        return edits.set(name, typed, version)

    return await _changed(request, form, name, change, typed)


async def _reset(request: Request) -> Response:
    form = await request.form()
    name = _text(form, "name")
    return await _changed(request, form, name, lambda edits, version: edits.reset(name, version), None)


async def _undo(request: Request) -> Response:
    form = await request.form()
    return await _changed(request, form, "", lambda edits, version: edits.undo(version), None)


async def _redo(request: Request) -> Response:
    form = await request.form()
    return await _changed(request, form, "", lambda edits, version: edits.redo(version), None)


async def _changed(
    request: Request,
    form: FormData,
    name: str,
    change: Callable[[Edits, str], str],
    typed: FactValue | None,
) -> Response:
    """Change, and go back to where the person was; a conflict or an error shows what they typed."""
    desk: Desk = request.app.state.desk
    version = _text(form, "version")
    try:
        after = await run_in_threadpool(change, Edits(desk), version)
    except EditConflict as conflict:
        words = str(conflict)
        if wants_json(request):
            told = await run_in_threadpool(conflict_json, desk, name, version, typed, words)
            return json_reply(told, 409)
        action = request.url.path.rpartition("/")[2]
        view = await run_in_threadpool(conflict_view, desk, name, version, typed, action, words)
        return await page_reply(request, "facts", view)
    except (ScenarioError, UnknownName) as error:
        if wants_json(request) or not name or typed is None:
            raise
        words = desk.project.without_places(str(error))
        view = await run_in_threadpool(lambda: fact_shown(desk, name, typed=typed, error=words))
        return await page_reply(request, "facts", view)
    await run_in_threadpool(documents.drop_obsolete, desk)
    if wants_json(request):
        return json_reply({"version": after})
    target = _text(form, "next")
    return see_other(target or f"/facts/fact?{urlencode({'name': name, 'saved': 1})}" if name or target else "/facts")


def _text(form: FormData, key: str) -> str:
    value: Any = form.get(key, "")
    return value if isinstance(value, str) else ""


ROUTES: Final = (
    Route("/facts/fact", _fact),
    Route("/facts/set", _set, methods=["POST"]),
    Route("/facts/reset", _reset, methods=["POST"]),
    Route("/facts/undo", _undo, methods=["POST"]),
    Route("/facts/redo", _redo, methods=["POST"]),
    api_route("/api/facts", facts_json),
)
