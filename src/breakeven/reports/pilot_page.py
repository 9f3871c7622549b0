"""Pilot page: a pilot on one page of HTML for a CFO: no script, nothing fetched, readable in light, dark and print."""

from __future__ import annotations

from typing import Final

from breakeven.reports import pilot_wording as told
from breakeven.reports.page_frame import CONTENT_SECURITY_POLICY, chart_markup, environment, style_sheet
from breakeven.reports.pilot_charts import draw_pilot_charts, evidence_note, looks
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.pilot_summary import pilot_summary

GUARDS_SHOWN_COUNT: Final = 8
"""Guards that hold beyond so many are folded away; one that has fired never is."""


def render_pilot_html(document: PilotDocument) -> str:
    """The page as one text; the same document gives the same bytes."""
    template = environment().get_template("pilot.html.j2")
    return template.render(
        document=document,
        page=pilot_summary(document),
        evidence_note=evidence_note(document),
        charts={name: chart_markup(chart) for name, chart in draw_pilot_charts(document).items()},
        faces=looks(document),
        guards_shown=max(GUARDS_SHOWN_COUNT, sum(each.has_fired for each in document.guards)),
        several=len(document.design.plans) > 1,
        per=f"{told.PER_REQUESTS:,.0f}",
        csp=CONTENT_SECURITY_POLICY,
        css=style_sheet("pilot.css"),
    )
