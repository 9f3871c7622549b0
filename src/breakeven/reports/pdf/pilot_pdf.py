"""Pilot PDF: a pilot on A4, usually two pages; the same document gives the same bytes."""

from __future__ import annotations

from typing import Any, Final

from breakeven.reports import pilot_wording as told
from breakeven.reports.chart_style import FONT as CHART_FONT
from breakeven.reports.charts import to_svg
from breakeven.reports.pdf.typesetting import FONT, date_parts, typeset
from breakeven.reports.pdf.words import listed, printed
from breakeven.reports.pilot_charts import HALF_PAGE, evidence, evidence_caption, ratio_caption, ratio_over_time
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.pilot_summary import HASH_SHOWN_COUNT, PilotSummary, pilot_summary

TEMPLATE: Final = "pilot.typ"
SIGNS: Final = {"good": "✓", "bad": "✗", "open": "○"}
IN_PAGE: Final = "in the HTML page"
ROWS_MAX_COUNT: Final = 40


def render_pilot_pdf(document: PilotDocument) -> bytes:
    """The PDF; needs the typst package."""
    page = pilot_summary(document)
    drawn = {
        "ratio": (ratio_over_time(document, HALF_PAGE), ratio_caption(document)),
        "evidence": (evidence(document, HALF_PAGE), evidence_caption(document)),
    }
    pictures = {
        name: to_svg(spec).replace(f'font-family="{CHART_FONT}"', f'font-family="{FONT}"')
        for name, (spec, _) in drawn.items()
        if spec is not None
    }
    charts = [{"name": name, "caption": printed(drawn[name][1], 160)} for name in pictures]
    return typeset(_data(document, page) | {"charts": charts}, pictures, TEMPLATE)


def _data(document: PilotDocument, page: PilotSummary) -> dict[str, Any]:
    """Every text, in the template's terms."""
    return {
        "title": printed(f"Pilot {document.design.name}: {page.answer.lower()}", 120),
        "date": date_parts(document.footer.as_of),
        "font": FONT,
        "kicker": printed(page.kicker, 200),
        "answer": printed(page.answer, 60),
        "badges": [printed(each.text, 60) for each in page.badges],
        "sentence": printed(page.sentence, 420),
        "tiles": [
            {name: printed(getattr(each, name), 140) for name in ("label", "value", "range", "note")}
            for each in page.tiles
        ],
        "details": listed(page.details, 4, 320, IN_PAGE),
        "alerts": listed(page.alerts, 8, 400, IN_PAGE),
        "tasks": [
            [
                printed(each.name, 60),
                printed(each.outcomes, 40),
                each.baseline,
                each.candidate,
                printed(f"{each.ratio} ({each.ratio_range})" if each.ratio_range else each.ratio, 60),
                printed(each.evidence, 60),
                printed(f"{SIGNS[each.kind]} {each.state}", 90),
            ]
            for each in page.tasks[:ROWS_MAX_COUNT]
        ],
        "per": f"USD per {told.PER_REQUESTS:,.0f} requests",
        "money": [[printed(each, 120) for each in row] for row in page.money],
        "sums": _sums(page),
        "promises": [
            [
                printed(each.title, 60),
                printed(f"{each.promised} ({each.promised_range})" if each.promised_range else each.promised, 80),
                printed(f"{each.happened} ({each.happened_range})" if each.happened_range else each.happened, 80),
                printed(f"{SIGNS[each.kind]} {each.words}", 140),
            ]
            for each in page.promises[:ROWS_MAX_COUNT]
        ],
        "not_claimed": listed(page.not_claimed, 10, 320, IN_PAGE),
        "watch": listed((words for words, _ in page.watch), 12, 320, IN_PAGE),
        "guards": [
            [printed(text, 120) for text in (each.title, each.seen, each.allowed, each.state, each.words)]
            for each in page.guards[:ROWS_MAX_COUNT]
        ],
        "design": [[printed(each.label, 60), printed(each.words, 400)] for each in page.design],
        "journal": [[printed(when, 40), printed(words, 300)] for when, words in page.journal],
        "footer": "; ".join(
            f"{printed(label, 60)} {printed(value[:HASH_SHOWN_COUNT] if 'hash' in label else value, 60)}"
            for label, value in page.footer
        ),
    }


def _sums(page: PilotSummary) -> list[str]:
    lines = [f"{label}: {value}{f' ({span})' if span else ''}" for label, value, span in page.sums]
    if page.not_stated:
        lines.append(f"Not counted, because nobody stated it: {'; '.join(page.not_stated)}")
    return listed(lines, 8, 320, IN_PAGE)
