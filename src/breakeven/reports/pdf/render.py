"""Render: the comparison document as a PDF of two pages; the same document gives the same bytes."""

from __future__ import annotations

from typing import Any, Final

from breakeven.reports import amounts
from breakeven.reports.chart_marks import Layer
from breakeven.reports.chart_style import FONT as CHART_FONT
from breakeven.reports.chart_style import Canvas
from breakeven.reports.charts import to_svg
from breakeven.reports.curve_charts import volume_view
from breakeven.reports.decide_page import decide_page
from breakeven.reports.decision_rows import fast_form_words
from breakeven.reports.document import Document
from breakeven.reports.findings import footer_findings
from breakeven.reports.month_charts import costs_by_month, costs_title, odds_by_month
from breakeven.reports.pdf.engineering_page import engineering_page
from breakeven.reports.pdf.finance_page import badges, finance_page
from breakeven.reports.pdf.typesetting import FONT, date_parts, need_typst, typeset
from breakeven.reports.pdf.words import printed
from breakeven.reports.safe_text import safe

MONTHS: Final = Canvas("wide", width_px=372, height_px=126, left_px=52, right_px=30, top_px=40, bottom_px=40)
VOLUMES: Final = Canvas("wide", width_px=560, height_px=260, left_px=56, right_px=248, top_px=46, bottom_px=46)
HASH_SHOWN_COUNT: Final = 12


def render_pdf(document: Document) -> bytes:
    """Two pages of A4: for finance, and for engineering."""
    need_typst()
    page = decide_page(document)
    pictures = _pictures(document)
    data = {
        "title": printed(f"Decision: {page.title}", 120),
        "label": printed(document.workload.label, 90),
        "volume": f"{amounts.volume(document.breakeven.volume_mtok_per_month)} a month",
        "as_of": amounts.date_text(safe(document.footer.as_of)),
        "date": date_parts(document.footer.as_of),
        "badges": badges(document),
        "finance": finance_page(document, page),
        "engineering": engineering_page(document, page),
        "charts": _captions(document, pictures),
        "footer": _footer(document),
        "font": FONT,
    }
    return typeset(data, pictures)


def _pictures(document: Document) -> dict[str, str]:
    """The months; of a document without them, cost against volume."""
    drawn = {"costs": costs_by_month(document, MONTHS), "odds": odds_by_month(document, MONTHS)}
    if document.horizon is None:
        drawn = {"volumes": volume_view(document, VOLUMES)}
    return {name: _svg(spec) for name, spec in drawn.items() if spec is not None}


def _svg(spec: Layer) -> str:
    """The chart in the page's own font: Typst carries no other for pictures."""
    return to_svg(spec).replace(f'font-family="{CHART_FONT}"', f'font-family="{FONT}"')


def _captions(document: Document, pictures: dict[str, str]) -> list[dict[str, Any]]:
    words = {
        "costs": f"{costs_title(document)}; band: P10 to P90 of the recommended's bill",
        "volumes": "Cost against volume at typical values, and the range of each option at your own volume",
        "odds": "How often each option's bill is the lowest of that month (*: all others)",
    }
    return [{"name": name, "caption": words[name]} for name in pictures]


def _footer(document: Document) -> str:
    rows = footer_findings(document)
    told = [f"{label} {printed(value[:HASH_SHOWN_COUNT], HASH_SHOWN_COUNT)}" for label, value in rows]
    return "; ".join(each for each in (*told, fast_form_words(document)) if each)
