"""Terminal decision: the months, doubt and the guide's questions in `compare`, a few lines each.

Every part is None in a document that does not hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.reports import amounts, findings
from breakeven.reports.decide_page import decide_page
from breakeven.reports.decision_rows import (
    QUESTION_NAMES,
    MonthsRow,
    OddsRow,
    agreement,
    band_span,
    months_rows,
    odds_rows,
    question_answer,
    rule_lines,
    worth_measuring,
)
from breakeven.reports.document import Document
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, section

TITLE_SHOWN_COUNT: Final = 36
EXITS_SHOWN_COUNT: Final = 2
ALSO_SHOWN_COUNT: Final = 2
DECIDE: Final = "The decision on one page: breakeven decide."


def months(document: Document, width: int) -> RenderableType | None:
    """Present cost, saving, payback and odds of the main options, one line each."""
    horizon, found = document.horizon, months_rows(document)
    if horizon is None or not found:
        return None
    table = plain_table()
    table.add_column("", width=1)
    table.add_column("Option", overflow="fold")
    columns = [each for each in _MONTHS_COLUMNS if each.from_width <= width < each.to_width]
    for column in columns:
        table.add_column(column.header, justify="right", no_wrap=True)
    for row in found:
        chosen = row.option.name == horizon.recommended
        cells = [Text(each.cell(row)) for each in columns]
        title = Text(short(row.option.title, TITLE_SHOWN_COUNT))
        table.add_row(Text(">" if chosen else ""), title, *cells, style="bold" if chosen else "")
    ranges = "" if width >= 96 else " Ranges are in the report."
    note = (
        f"Present cost is expected, at {amounts.fraction(horizon.discount_fraction_per_year)} a year, for equal "
        f"successful outcomes, the move included; payback is the median month.{ranges} "
        f"{safe(horizon.waiting_sentence)} {DECIDE}"
    )
    return section(_months_title(document), Group(table, Paragraph(note, "dim")))


def _months_title(document: Document) -> str:
    count = document.horizon.months_count if document.horizon else 0
    return f"Over {amounts.counted(count, 'month')}, lowest expected present cost first"


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of the table of the months, and the consoles that have room for it."""

    header: str
    cell: Callable[[MonthsRow], str]
    from_width: int = 0
    to_width: int = 10_000


def _cost(row: MonthsRow) -> str:
    return amounts.money_short(row.part.present_cost_usd.mean)


def _cost_with_range(row: MonthsRow) -> str:
    span = amounts.money_span(row.part.present_cost_usd.p10, row.part.present_cost_usd.p90)
    return f"{_cost(row)} ({span})" if span else _cost(row)


def _saves(row: MonthsRow) -> str:
    return _short_difference(row.part.saves_usd.mean) if row.part.payback else "-"


def _saves_range(row: MonthsRow) -> str:
    return _short_span(row.part.saves_usd.p10, row.part.saves_usd.p90) if row.part.payback else ""


def _payback(row: MonthsRow) -> str:
    """In few words: the column is narrow."""
    return row.payback.removeprefix("within the ") if row.part.payback else "-"


_MONTHS_COLUMNS: Final = (
    _Column("present\ncost", _cost, to_width=96),
    _Column("present cost\n(P10-P90)", _cost_with_range, from_width=96),
    _Column("against\ntoday", _saves, from_width=64),
    _Column("P10 to P90", _saves_range, from_width=134),
    _Column("payback", _payback, from_width=76),
    _Column("lowest\nin futures", lambda row: amounts.odds(row.part.probability_cheapest_fraction)),
)


def _short_span(p10_usd: float, p90_usd: float) -> str:
    """The two ends of a saving in few digits, as a change of the cost.

    >>> _short_span(-102_243, 185_140), _short_span(-748_514, -144_377), _short_span(1_200, 3_000)
    ('$102k more to $185k less', '$144k to $749k more', '$1.2k to $3.0k less')
    """
    low, high = amounts.money_short(abs(p10_usd)), amounts.money_short(abs(p90_usd))
    if p10_usd >= 0:
        return f"{low} to {high} less"
    return f"{low} more to {high} less" if p90_usd > 0 else f"{high} to {low} more"


def _short_difference(usd: float) -> str:
    """What is saved, in words and few digits.

    >>> _short_difference(39_909), _short_difference(-694_601)
    ('saves $39.9k', 'costs $695k more')
    """
    if amounts.money(abs(usd)) == "$0":
        return "costs the same"
    size = amounts.money_short(abs(usd))
    return f"saves {size}" if usd > 0 else f"costs {size} more"


def measure_next(document: Document) -> RenderableType | None:
    """Which number to measure next, the next ones after it, and what knowing everything is worth."""
    risk = document.risk
    if risk is None:
        return None
    worth = worth_measuring(document)[1 : 1 + ALSO_SHOWN_COUNT]
    also = [f"{short(amounts.fact_title(safe(each.name)), 60)} {amounts.money(each.evppi_usd)}" for each in worth]
    then = f"Then: {'; '.join(also)}. " if also else ""
    whole = f"Knowing everything before deciding is worth {amounts.money(risk.evpi_usd)}."
    return section("Measure next", bullets([safe(risk.measure_next), f"{then}{whole}"]))


def crossings(document: Document, width: int) -> Table | None:
    """From which volume each main option costs less than today's, over the futures; never apart."""
    found = odds_rows(document)
    if not found:
        return None
    table = plain_table()
    table.add_column("Option", overflow="fold")
    for header, from_width in _CROSSING_COLUMNS:
        if width >= from_width:
            table.add_column(header, justify="right", no_wrap=width >= 60)
    for row in found:
        cells = zip(_crossing_cells(row), _CROSSING_COLUMNS, strict=True)
        shown = [Text(cell) for cell, (_, from_width) in cells if width >= from_width]
        table.add_row(Text(short(row.title, TITLE_SHOWN_COUNT)), *shown)
    return table


_CROSSING_COLUMNS: Final = (
    ("costs less\nfrom", 0),
    ("P10 to P90\ntokens a month", 72),
    ("for good\nfrom", 64),
    ("never\nin futures", 0),
    ("at your\nvolume", 84),
)


def _crossing_cells(row: OddsRow) -> tuple[str, ...]:
    return row.first, row.first_span, row.last, row.never, row.here


def bands(document: Document, width: int) -> RenderableType | None:
    """Which option is cheapest at which volume, beside the guide's word."""
    if document.answers is None:
        return None
    table = plain_table()
    table.add_column("", width=1)
    headers = (
        ("Tokens\na month", "left", 0),
        ("Cheapest, expected", "left", 0),
        ("USD a month\nexpected", "right", 64),
        ("cheapest\nin futures", "right", 72),
        ("The guide says", "left", 0),
        ("", "left", 50),
    )
    for header, justify, from_width in headers:
        if width >= from_width:
            table.add_column(header, justify="right" if justify == "right" else "left", overflow="fold")
    for band in document.answers.volume_bands:
        cells = (
            band_span(band.from_mtok_per_month, band.to_mtok_per_month),
            short(band.title, TITLE_SHOWN_COUNT),
            amounts.money(band.usd_per_month.mean),
            amounts.odds(band.probability_cheapest_fraction),
            safe(band.guide_says) or "nothing",
            "" if band.agrees is None else agreement(band.agrees),
        )
        shown = [Text(cell) for cell, (_, _, from_width) in zip(cells, headers, strict=True) if width >= from_width]
        table.add_row(Text(">" if band.is_here else ""), *shown, style="bold" if band.is_here else "")
    return section("By volume, one month at today's prices; > is yours", table)


def questions(document: Document) -> RenderableType | None:
    """The five questions in a line each, then the guide's rule beside the money."""
    if document.answers is None:
        return None
    five = document.answers.five_questions
    lines = []
    for each in five.questions:
        gate = " (a gate)" if each.gate else ""
        ask = f"; {_flag(each.key)}" if each.ask else ""
        lines.append(f"{QUESTION_NAMES[each.key]}{gate}: {question_answer(each)}{ask}")
    title = f"The guide's five questions: {five.yes_count} yes, {five.unknown_count} unknown"
    return section(title, bullets([*lines, *rule_lines(five)]))


def _flag(key: str) -> str:
    return f"say --{key.replace('_', '-')} yes or no"


def go_back(document: Document) -> RenderableType | None:
    """The first exit criteria: when to go back, or to move where staying is recommended."""
    criteria = document.answers.exit_criteria if document.answers else ()
    lines = [f"{safe(each.metric)}: {safe(each.condition)}" for each in criteria[:EXITS_SHOWN_COUNT]]
    hidden = len(criteria) - EXITS_SHOWN_COUNT
    if hidden > 0:
        lines[-1] += f" ({amounts.counted(hidden, 'more criterion').replace('criterions', 'criteria')} in the report)"
    return section(decide_page(document).exit_title, bullets(lines))


def hidden_options(document: Document) -> str:
    """How many options have their odds elsewhere; empty when none."""
    hidden = len(odds_rows(document, every=True)) - len(odds_rows(document))
    return f"{amounts.counted(hidden, 'more option')}: in the HTML report and the JSON document." if hidden else ""


def here(document: Document) -> str:
    """You are here."""
    volume = amounts.volume(document.breakeven.volume_mtok_per_month)
    changes = findings.changes_finding(document)
    return f"You are at {volume} a month. {changes}".strip()
