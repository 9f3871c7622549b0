"""Finance page: what a CFO signs: the verdict with its odds, money, payback, what matters, what would change it."""

from __future__ import annotations

from typing import Any, Final

from breakeven.reports import amounts, findings
from breakeven.reports.decide_page import (
    MONTHS_PER_YEAR,
    DecidePage,
    first_months_title,
    first_months_usd,
    horizon_option,
    option_of,
)
from breakeven.reports.document import Document
from breakeven.reports.pdf.words import listed, printed
from breakeven.reports.shortlist import main_options, status_quo

IN_REPORT: Final = "in the HTML report"
WAYS_MAX_COUNT: Final = 4


def finance_page(document: Document, page: DecidePage) -> dict[str, Any]:
    """Every text of the first page, in the template's terms."""
    return {
        "sentence": printed(page.sentence, 420),
        "confidence": printed(f"{page.title}: {page.odds}.", 220),
        "tiles": [
            {
                "label": printed(each.label, 140),
                "value": printed(each.value, 40),
                "range": printed(each.range, 80),
                "note": printed(each.note, 150),
            }
            for each in page.tiles
        ],
        "figures": [
            [printed(each.label, 60), printed(each.value, 60), printed(each.range, 60), printed(each.why, 140)]
            for each in page.figures
        ],
        "ways": _ways(document, page),
        "ways_title": "What it is compared with",
        "bills_title": _bills_title(document),
        "present_title": _present_title(document),
        "beside": listed(page.beside, 3, 320, IN_REPORT),
        "horizon": listed(_horizon_lines(document), 3, 300, IN_REPORT),
        "change": listed(page.change_our_mind, 5, 220, IN_REPORT),
        "limits": listed((*page.missing, *page.details), 4, 280, IN_REPORT),
        "included": listed(document.included, 40, 90, IN_REPORT),
        "excluded": listed(document.excluded, 12, 150, IN_REPORT),
    }


def _present_title(document: Document) -> str:
    months = document.horizon.months_count if document.horizon else 0
    return f"Expected present cost, {amounts.counted(months, 'month')}"


def _bills_title(document: Document) -> str:
    """What the bills beside the present cost are of."""
    options = document.horizon.options if document.horizon else ()
    months = next((first[0] for each in options if (first := first_months_usd(each))), 0)
    return f"{first_months_title(months)}, all costs, median" if months else "A year at today's volume"


def _ways(document: Document, page: DecidePage) -> list[dict[str, Any]]:
    """The chosen option, today's, its rival, and the next best of the main ones: first months, and the horizon."""
    if document.horizon is None:
        return []
    first = (page.recommended, status_quo(document), document.verdict.rival, document.horizon.moves_to)
    others = [each.name for each in main_options(document)]
    names = [name for name in dict.fromkeys((*first, *others)) if option_of(document, name)][:WAYS_MAX_COUNT]
    return [{"cells": _way(document, name), "strong": name == page.recommended} for name in names if name]


def _way(document: Document, name: str) -> list[str]:
    option, ahead = option_of(document, name), horizon_option(document, name)
    first = first_months_usd(ahead)
    year = option.equal_success_usd_per_month if option else None
    bill = amounts.money_range(*(each * MONTHS_PER_YEAR for each in (year.p50, year.p10, year.p90))) if year else "-"
    bill = amounts.money(first[1]) if first else bill
    title = printed(findings.title_of(document, name), 60)
    if ahead is None:
        return [title, bill, "-", "-", "-"]
    cost = ahead.present_cost_usd
    return [
        title,
        bill,
        amounts.money_range(cost.mean, cost.p10, cost.p90),
        amounts.difference(ahead.saves_usd.mean) if ahead.payback else "as today",
        amounts.odds(ahead.probability_cheapest_fraction),
    ]


def _horizon_lines(document: Document) -> tuple[str, ...]:
    """The answer over the horizon, what growth was assumed, and what waiting is worth."""
    horizon = document.horizon
    if horizon is None:
        return ()
    sentences = (horizon.sentence, horizon.growth_sentence, horizon.waiting_sentence)
    said = document.answers.decision.sentence if document.answers else ""
    return tuple(each for each in sentences if each and each != said)


def badges(document: Document) -> list[str]:
    """What the data are not, on both pages."""
    return [printed(each.text, 60) for each in findings.comparison_badges(document)]
