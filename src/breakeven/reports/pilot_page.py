"""Pilot page: a pilot on one page of HTML for a CFO: no script, nothing fetched, readable in light, dark and print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from breakeven.reports import pilot_wording as told
from breakeven.reports.charts import Chart
from breakeven.reports.page_frame import CONTENT_SECURITY_POLICY, chart_markup, environment, style_sheet
from breakeven.reports.pilot_charts import draw_pilot_charts, evidence_note, looks
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.pilot_summary import pilot_summary

GUARDS_SHOWN_COUNT: Final = 8
"""Guards that hold beyond so many are folded away; one that has fired never is."""


def render_pilot_html(document: PilotDocument) -> str:
    """The page as one text; the same document gives the same bytes."""
    template = environment().get_template("pilot.html.j2")
    context = pilot_context(document, draw_pilot_charts(document))
    return template.render(**context, csp=CONTENT_SECURITY_POLICY, css=style_sheet("pilot.css"))


def pilot_context(document: PilotDocument, charts: Mapping[str, Chart]) -> dict[str, Any]:
    """What `pilot_sections.html.j2` shows, here and on the dashboard."""
    return {
        "document": document,
        "page": pilot_summary(document),
        "evidence_note": evidence_note(document),
        "charts": {name: chart_markup(chart) for name, chart in charts.items()},
        "faces": looks(document),
        "guards_shown": max(GUARDS_SHOWN_COUNT, sum(each.has_fired for each in document.guards)),
        "several": len(document.design.plans) > 1,
        "per": f"{told.PER_REQUESTS:,.0f}",
    }
