"""Verdict: what to do, how sure that is, and what would change it"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from breakeven.errors import ScenarioError
from breakeven.web import documents
from breakeven.web.jobs import Job
from breakeven.web.line_ends import kept_together
from breakeven.web.page import Ask, Desk, Page, View
from breakeven.web.replies import api_route, json_reply, see_other, wants_json
from breakeven.web.verdict.slider_session import session
from breakeven.web.verdict.slider_state import Changes, changes_of, contradictions, query_of
from breakeven.web.verdict.start import Start, curve_context, start, under

if TYPE_CHECKING:
    from starlette.responses import Response

    from breakeven.reports.document import Document as ReportDocument
    from breakeven.reports.slider_turns import Turn
    from breakeven.reports.whatif_document import WhatIfDocument


SYNTHETIC: Final = "SYNTHETIC DATA"
"""A badge that the frame of every page has already."""


def view(ask: Ask) -> View | Job:
    """The comparison where there are calls; else how to begin."""
    state = documents.store_state(ask.desk)
    if not state.has_calls:
        return View("verdict_empty.html.j2", {"state": state})
    found = start(ask)
    return found if isinstance(found, Job) else View("verdict.html.j2", context(ask, found))


def context(ask: Ask, found: Start) -> dict[str, Any]:
    """What the template of the page is given."""
    from breakeven.reports import amounts, decision_rows, findings
    from breakeven.reports.decide_page import decide_page
    from breakeven.web.pilot.beside import pilot_lines
    from breakeven.web.verdict.cards import cards
    from breakeven.web.verdict.start import still_charts
    from breakeven.web.verdict.words import prices_words, today_words

    document, curves = found.document, curve_context(ask.desk, found)
    charts = {**still_charts(ask.desk, document, found.key), **curves["charts"]}
    return {
        **curves,
        "start": found,
        "charts": charts,
        "document": document,
        "workload": document.workload,
        "cards": cards(document, found.found),
        "page_of": decide_page(document),
        "months": amounts.counted(found.found.before.months_count, "month"),
        "worth": decision_rows.worth_measuring(document)[:5],
        "rows": decision_rows,
        "badges": [each for each in findings.comparison_badges(document) if each.text != SYNTHETIC],
        "today": today_words(document),
        "prices": prices_words(document),
        "findings": findings,
        "amounts": amounts,
        "saved": _saved_name(ask),
        "pilots": pilot_lines(ask.desk, document),
        "turns": _turns(document, found),
    }


def _turns(document: ReportDocument, found: Start) -> dict[str, tuple[Turn, float | None]]:
    """Slider -> where it turns the answer, and how far along its track that is."""
    from breakeven.reports.slider_turns import place_fraction, slider_turn

    criteria = document.answers.exit_criteria if document.answers else ()
    turns = {stand.name: (stand, slider_turn(stand.slider, criteria)) for stand in found.stands}
    return {
        name: (turn, place_fraction([each.value for each in stand.stops], turn.value))
        for name, (stand, turn) in turns.items()
        if turn is not None
    }


def _saved_name(ask: Ask) -> str:
    """Name of the scenario that was saved a moment ago; empty where there is none of that name."""
    from breakeven.web.facts.saved_scenarios import saved_scenarios

    asked = ask.query.get("saved", "")
    return asked if asked and asked in {each.name for each in saved_scenarios(ask.desk)} else ""


def document(ask: Ask) -> str | Job:
    """The JSON of `breakeven compare --json`."""
    return documents.comparison_text(ask.desk)


def whatif(ask: Ask) -> WhatIfDocument | Job:
    """The JSON of `breakeven whatif NAME=VALUE ... --json`, its changes in the query."""
    opened = session(ask.desk, patience_s=30)
    if isinstance(opened, Job):
        return opened
    return opened.session.answer(changes_of(ask.said, opened.sliders))


def answer(ask: Ask) -> Mapping[str, Any] | Job:
    """Every figure of the page under the changes of the query, in words."""
    recipe = documents.comparison_recipe(ask.desk)
    document = documents.comparison(ask.desk, recipe)
    if isinstance(document, Job):
        return document
    opened = session(ask.desk, 30, recipe)
    if isinstance(opened, Job):
        return opened
    return under(ask.desk, document, opened, changes_of(ask.said, opened.sliders)).as_json()


def ready(ask: Ask) -> Mapping[str, Any] | Job:
    """Whether the sliders may be moved; else how far their preparation is."""
    opened = session(ask.desk, patience_s=2)
    return opened if isinstance(opened, Job) else {"ready": True}


def curves(ask: Ask) -> Mapping[str, Any] | Job:
    """The cost curves under the changes of the query, drawn; at once without ranges, or with them."""
    from breakeven.reports import findings
    from breakeven.web.frame import environment

    found = start(ask)
    if isinstance(found, Job):
        return found
    given = curve_context(ask.desk, found, ranges="quick" not in ask.query) | {"findings": findings}
    return {"html": kept_together(environment().get_template("verdict_curves.html.j2").render(given))}


async def save(request: Request) -> Response:
    """Keep what the sliders say as a scenario of its own."""
    form = await request.form()
    changes = changes_of(parse_qsl(str(form.get("changes", "")).lstrip("?")))
    name = str(form.get("name", "")).strip()
    saved = await run_in_threadpool(_save, request.app.state.desk, name, changes)
    address = f"/{query_of((*changes, ('saved', saved['name'])))}"
    return json_reply({**saved, "url": address}) if wants_json(request) else see_other(address)


def _save(desk: Desk, name: str, changes: Changes) -> dict[str, Any]:
    from breakeven.web.facts.edits import save_as

    if not changes:
        raise ScenarioError("nothing is changed, so there is nothing to save; move a slider first")
    if twice := contradictions(changes):
        raise ScenarioError("; ".join(twice.values()))
    found = save_as(desk, name, changes)
    return {"name": found.name}


PAGE = Page(
    "verdict",
    "Verdict",
    0,
    "what to do, how sure that is, and what would change it",
    view,
    (
        api_route("/api/verdict", document),
        api_route("/api/verdict/whatif", whatif),
        api_route("/verdict/answer", answer),
        api_route("/verdict/ready", ready),
        api_route("/verdict/curves", curves),
        Route("/verdict/save", save, methods=["POST"]),
    ),
)
