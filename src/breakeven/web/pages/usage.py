"""Usage: what is sent, what it costs, and whether it is steady enough to decide"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from breakeven.web import documents
from breakeven.web.chart_shelf import kept_chart
from breakeven.web.jobs import Job, Say
from breakeven.web.marked_words import with_code
from breakeven.web.page import Ask, Desk, Page, View
from breakeven.web.replies import api_route
from breakeven.web.shelf import Recipe

if TYPE_CHECKING:
    from breakeven.reports.answer import Question
    from breakeven.reports.usage_charts import By, Show
    from breakeven.reports.usage_document import UsageDocument

SHOWS: Final = (("tokens", "Tokens"), ("spend", "Spend"))
BYS: Final = (("model", "by model"), ("provider", "by provider"), ("kind", "by kind of token"))
MODELS_SHOWN_COUNT: Final = 20
WILL_SEE: Final = (
    "whether the log is steady enough to decide, and how many more days it wants",
    "tokens and spend by day, model and provider, and the hours of the week",
    "the next quarter's tokens and spend with their 80 % interval",
    "which models have no known price, and what to do about it",
)


def view(ask: Ask) -> View | Job:
    """What the page shows."""
    state = documents.store_state(ask.desk)
    if not state.has_calls:
        return _nothing(state)
    asked = recipe(ask.desk)
    from breakeven.reports.usage_document import UsageDocument

    document = documents.taken(ask.desk, asked, UsageDocument)
    if isinstance(document, Job):
        return document
    assert isinstance(asked, Recipe)
    return View("usage.html.j2", _context(ask, document, asked.key))


def recipe(desk: Desk) -> Recipe | Job:
    """The profile of the calls and what stands behind it."""

    def make(asked: Question, say: Say) -> str:
        from breakeven.reports.usage_document import usage_document
        from breakeven.reports.warm_up import warm_up

        found = usage_document(asked, say)
        say("drawing")
        warm_up(draws_charts=True)
        return found.model_dump_json()

    return documents.recipe(desk, "usage", "Profiling the calls", make)


def _document(ask: Ask) -> UsageDocument | Job:
    from breakeven.reports.usage_document import UsageDocument

    return documents.taken(ask.desk, recipe(ask.desk), UsageDocument)


def _profile(ask: Ask) -> str | Job:
    """What `breakeven profile --json` prints."""
    document = _document(ask)
    if isinstance(document, Job):
        return document
    return json.dumps(document.workload.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def _context(ask: Ask, document: UsageDocument, key: str) -> dict[str, Any]:
    from breakeven.reports import amounts, findings, stability_wording, usage_rows
    from breakeven.reports import usage_charts as charts
    from breakeven.reports.chart_style import HEAT
    from breakeven.reports.traffic_charts import KINDS, buckets

    show, by = chosen(ask, document)
    desk, workload = ask.desk, document.workload
    drawn = {
        "over_time": kept_chart(
            desk, "usage", (key, "over", show, by), lambda: charts.draw_over_time(document, show, by)
        ),
        "steadiness": kept_chart(desk, "usage", (key, "steady", show), lambda: charts.draw_steadiness(document, show)),
        "hours": kept_chart(desk, "usage", (key, "hours"), lambda: charts.draw_hours(document)),
    }
    models = usage_rows.model_rows(document)
    return {
        "code": with_code,
        "document": document,
        "workload": workload,
        "part": workload.stability,
        "charts": {name: each for name, each in drawn.items() if each},
        "show": show,
        "by": by,
        "shows": SHOWS,
        "bys": BYS if show == "tokens" else BYS[:2],
        "figures": usage_rows.figures(document),
        "shares": usage_rows.shares(document),
        "badges": findings.workload_badges(workload),
        "models": models[:MODELS_SHOWN_COUNT],
        "more_models": models[MODELS_SHOWN_COUNT:],
        "unpriced": usage_rows.unpriced_rows(document),
        "cure": usage_rows.cure_lines(document),
        "imports": usage_rows.import_rows(document),
        "import_total": usage_rows.import_total(document),
        "stability_lines": stability_wording.stability_findings(workload.stability) if workload.stability else (),
        "checks": [
            (each.passed, stability_wording.check_finding(each).partition(": ")[2] or each.finding)
            for each in (workload.stability.checks if workload.stability else ())
        ],
        "legend": charts.stacks(document, show, by) if by != "kind" else (),
        "partly": not all(each.complete for each in buckets(workload.days)),
        "kinds": KINDS,
        "heat": HEAT,
        "amounts": amounts,
        "findings": findings,
    }


def chosen(ask: Ask, document: UsageDocument) -> tuple[Show, By]:
    """What the URL asks to see; spend is not told by kind of token, and cannot be seen where nothing has a price."""
    show = ask.query.get("show", "tokens")
    by = ask.query.get("by", "model")
    show = show if show in dict(SHOWS) and document.workload.spend_usd is not None else "tokens"
    allowed = dict(BYS if show == "tokens" else BYS[:2])
    return cast("Show", show), cast("By", by if by in allowed else "model")


def _nothing(state: documents.StoreState) -> View:
    return View(
        "empty.html.j2",
        {
            "title": "No calls yet",
            "action_url": "/import",
            "action_label": "Import a log",
            "missing": state.words,
            "commands": [
                (
                    "Import a log of yours: any of the formats it knows by itself, or CSV, JSONL or Parquet",
                    state.next_command,
                ),
            ],
            "is_in_story": True,
            "then": WILL_SEE,
        },
    )


PAGE = Page(
    "usage",
    "Usage",
    1,
    "what is sent, what it costs, and whether it is steady enough to decide",
    view,
    (api_route("/api/usage", _profile), api_route("/api/usage/details", _document)),
)
