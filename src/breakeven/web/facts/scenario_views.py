"""Scenario pages: saved scenarios: list, open, download, delete, and two of them side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from breakeven.errors import EditConflict, ScenarioError
from breakeven.web import documents
from breakeven.web.facts.history import content_of
from breakeven.web.facts.saved_scenarios import (
    FOLDER,
    SavedScenario,
    delete_saved,
    find_saved,
    save_as,
    saved_scenarios,
)
from breakeven.web.facts.views import changed_lines, indented_lines
from breakeven.web.jobs import Job
from breakeven.web.page import Ask, View
from breakeven.web.replies import api_route, json_reply, page_reply, see_other, wants_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from breakeven.decision.scenario import Scenario
    from breakeven.reports.document import Document
    from breakeven.web.page import Desk

PROJECT: Final = ""
"""Name of the project's own scenario among the saved ones."""
CHANGES_COUNT: Final = 50


def scenarios_view(ask: Ask) -> View:
    """All saved scenarios; one of them in full."""
    desk = ask.desk
    every = saved_scenarios(desk)
    name = ask.query.get("name", "")
    shown = find_saved(desk, name) if name else None
    text = _text_of(shown) if shown else ""
    base = (content_of(desk.project.scenario) or b"").decode("utf-8", "replace")
    return View(
        "facts_scenarios.html.j2",
        {
            "every": [_told(each) for each in every],
            "shown": _told(shown) if shown else None,
            "whole": indented_lines(text),
            "lines": changed_lines(base, text) if shown else [],
            "file": desk.project.scenario.name,
            "folder": FOLDER,
            "ask_delete": ask.query.get("delete") == "1",
        },
    )


def compare_view(ask: Ask) -> View | Job:
    """Two scenarios side by side: verdict and cost of every option."""
    desk = ask.desk
    state = documents.store_state(desk)
    if not state.has_calls:
        commands = [("Import", state.next_command)]
        return View("empty.html.j2", {"title": "Nothing to compare yet", "missing": state.words, "commands": commands})
    names = (ask.query.get("a", PROJECT), ask.query.get("b", PROJECT))
    found: list[Document] = []
    for name in names:
        document = _compared(desk, name)
        if isinstance(document, Job):
            return document
        found.append(document)
    before, after = found
    return View(
        "facts_compare.html.j2",
        {
            "names": [name or desk.project.scenario.name for name in names],
            "picked": names,
            "every": [each.name for each in saved_scenarios(desk)],
            "file": desk.project.scenario.name,
            "before": before,
            "after": after,
            "rows": _rows(before, after),
        },
    )


def scenarios_json(ask: Ask) -> dict[str, Any]:
    """The saved scenarios, with their texts."""
    return {"scenarios": [{**_told(each), "text": _text_of(each)} for each in saved_scenarios(ask.desk)]}


async def _scenarios(request: Request) -> Response:
    return await page_reply(request, "facts", scenarios_view)


async def _compare(request: Request) -> Response:
    return await page_reply(request, "facts", compare_view)


async def _save(request: Request) -> Response:
    form = await request.form()
    desk: Desk = request.app.state.desk
    name, overwrite = str(form.get("name", "")), form.get("overwrite") == "yes"
    changes = [str(each) for each in form.getlist("change") if str(each).strip()]
    if len(changes) > CHANGES_COUNT:
        raise ScenarioError(f"{len(changes)} changes at once; at most {CHANGES_COUNT}")
    pairs = [_pair(each) for each in changes]
    try:
        saved = await run_in_threadpool(lambda: save_as(desk, name, pairs, overwrite=overwrite))
    except EditConflict as conflict:
        if wants_json(request):
            return json_reply({"error": {"type": "EditConflict", "message": str(conflict)}}, 409)
        context = {"name": name, "changes": changes, "said": str(conflict), "next": str(form.get("next", ""))}
        return await page_reply(request, "facts", View("facts_overwrite.html.j2", context, 409))
    if wants_json(request):
        return json_reply({"name": saved.name, "file": f"{FOLDER}/{saved.path.name}"})
    target = str(form.get("next", ""))
    return see_other(target or f"/facts/scenarios?{urlencode({'name': saved.name})}")


async def _delete(request: Request) -> Response:
    form = await request.form()
    name = str(form.get("name", ""))
    if form.get("sure") != "yes":
        return see_other(f"/facts/scenarios?{urlencode({'name': name, 'delete': 1})}")
    await run_in_threadpool(delete_saved, request.app.state.desk, name)
    return json_reply({"deleted": name}) if wants_json(request) else see_other("/facts/scenarios")


async def _download(request: Request) -> Response:
    found = await run_in_threadpool(find_saved, request.app.state.desk, request.query_params.get("name", ""))
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{_quoted(found.path.name)}"}
    return Response(found.path.read_bytes(), media_type="application/yaml", headers=headers)


def scenario_named(desk: Desk, name: str) -> Scenario:
    """A saved scenario, or the project's own; raises ScenarioError."""
    from breakeven.decision.scenario import load_scenario

    if name == PROJECT:
        return documents.scenario(desk)
    found = load_scenario(find_saved(desk, name).path)
    return found.with_outcomes(desk.project.outcomes) if desk.project.outcomes else found


def _compared(desk: Desk, name: str) -> Document | Job:
    from breakeven.reports.document import Document

    if name == PROJECT:
        return documents.comparison(desk)
    asked = documents.comparison_recipe(desk, scenario_named(desk, name))
    return documents.taken(desk, asked, Document)


def _rows(before: Document, after: Document) -> list[tuple[str, str, str, str]]:
    """Option, cost a month for the same successful work in both, and the difference of the medians in words."""
    from breakeven.reports import amounts

    later = {each.name: each for each in after.options}
    titles = {each.name: each.title for each in (*before.options, *after.options)}
    earlier = {each.name: each for each in before.options}
    rows = []
    for name, title in titles.items():
        costs = [each[name].equal_success_usd_per_month if name in each else None for each in (earlier, later)]
        told = [amounts.money_range(cost.p50, cost.p10, cost.p90) if cost else "not costed" for cost in costs]
        one, two = costs
        change = amounts.difference(one.p50 - two.p50) if one and two else ""
        rows.append((title, told[0], told[1], change))
    return rows


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ScenarioError(f"change '{text[:80]}': wanted NAME=VALUE, e.g. gpu_usd_per_hour=1.65")
    return name.strip(), value.strip()


def _text_of(saved: SavedScenario) -> str:
    return (content_of(saved.path) or b"").decode("utf-8", "replace")


def _told(saved: SavedScenario) -> dict[str, Any]:
    changed = datetime.fromtimestamp(saved.changed_s, UTC)
    return {"name": saved.name, "file": f"{FOLDER}/{saved.path.name}", "changed": changed.isoformat(timespec="seconds")}


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name)


ROUTES: Final = (
    Route("/facts/scenarios", _scenarios),
    Route("/facts/scenarios/compare", _compare),
    Route("/facts/scenarios/save", _save, methods=["POST"]),
    Route("/facts/scenarios/delete", _delete, methods=["POST"]),
    Route("/facts/scenarios/download", _download),
    api_route("/api/facts/scenarios", scenarios_json),
)
