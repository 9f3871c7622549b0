"""Read me sheet: what the workbook is, how to use it, what it does not do, and what reproduces it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from breakeven.reports.amounts import date_text
from breakeven.reports.document import Document
from breakeven.reports.findings import footer_findings
from breakeven.reports.spreadsheet.book import Sheet
from breakeven.reports.spreadsheet.cell_text import cell_text
from breakeven.reports.spreadsheet.layout import COMPARE, INPUTS, MONTHS, PATHS, SHARED, SUMMARY, Layout
from breakeven.reports.spreadsheet.styles import Styles

USES: Final = (
    "Change a value in blue on yellow on the sheet Inputs. Every sheet follows; a changed value turns orange, and the "
    "report's own value stands beside it.",
    "Summary sorts the options again and names the cheapest one. Months shows the cash of each month and its present "
    "value. Each option has a sheet with its lines on top, its months, and below them a row for every value behind.",
    "Formulas read inputs by name (gpu_rent_usd_per_gpu_hour), so that they can be read aloud. Helper values have rows "
    "of their own; nothing is hidden, and there are no macros and no links to other files.",
)
LIMITS: Final = (
    "One figure for each input: the typical one. The report's ranges and odds come from thousands of futures, and "
    "stand on Summary as plain values; they do not move when an input does.",
    "How many requests a replica carries within its latency targets is computed by the serving model, which is not in "
    "this workbook: it stands as a given value. Facts that act through it (below) have to be changed in the scenario.",
    "Which offer, model, GPU and number of GPUs an option takes was decided when the report was made; changing a price "
    "here does not choose another offer.",
    "The number of months is fixed here.",
)
LIMITS_HEADING: Final = "What it does not do"
DIFFERENCES: Final = (
    "Whole replicas, servers and people are -INT(-x), the next whole number whatever the sign; ROUNDUP and CEILING "
    "treat negative numbers in other ways.",
    "Halves are rounded to the even neighbour, as the product does, where a formula rounds at all.",
    "ln(1+x) and exp(x)-1 near zero are three terms of their series: LN and EXP would lose digits there.",
)


def write_read_me(sheet: Sheet, document: Document, layout: Layout, styles: Styles) -> None:
    """Fill the sheet."""
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 118)
    sheet.write_string(0, 0, "API or self-hosting: the calculation", styles.of("title"))
    sheet.merge_range(1, 0, 1, 1, cell_text(document.verdict.sentence), styles.of("lead"))
    sheet.set_row(1, 34)
    row = 3
    for heading, entries in _sections(document, layout):
        if heading == LIMITS_HEADING:
            row = _write_colours(sheet, row, styles)
        sheet.write_string(row, 0, heading, styles.of("heading"))
        sheet.write_blank(row, 1, None, styles.of("heading"))
        row += 1
        for label, text in entries:
            row = _write_entry(sheet, row, label, text, styles)
        row += 1
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&8&F, &A&R&8Page &P of &N")


def _sections(document: Document, layout: Layout) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    part = layout.part
    workload = document.workload
    made_up = " (generated, not real traffic)" if workload.synthetic else ""
    requests = workload.requests_count
    first, last = (date_text(each) for each in (workload.first_time, workload.last_time))
    log = f"{workload.label}{made_up}: {requests:,} requests, {first} to {last}"
    yield (
        "What this is",
        [
            ("", "The calculation of a breakeven report, live: every line of every option, today and month by month."),
            ("The log", log),
            ("Options", f"{len(part.options)}, of {len(document.options)} in the report; {part.months_count} months"),
        ],
    )
    yield "How to use it", [("", each) for each in USES]
    yield LIMITS_HEADING, [("", each) for each in LIMITS]
    fixed = [f"{part.cells[key].name} ({part.cells[key].title})" for key in part.fixed]
    yield "Fixed here: change these in the scenario and run breakeven again", [("", ", ".join(fixed) or "none")]
    yield "Counted", [("", "; ".join(document.included))]
    yield "Not counted", [("", "; ".join(document.excluded))]
    if document.warnings:
        yield "Warnings of the report", [("", each) for each in document.warnings]
    sheets = (
        (SUMMARY, "the answer, the options sorted, the report's ranges, a chart"),
        (INPUTS, "every fact with unit, range, source, date and grade"),
        (MONTHS, "every option month by month"),
        (COMPARE, "what Summary sorts by"),
        (PATHS, "how volume and prices move, and the discount of each month"),
        (SHARED, "values that several options use"),
        ("one for each option", "its lines, its months, and every value behind them"),
    )
    yield "Sheets", list(sheets)
    yield "Where the formulas differ from the product's, and why", [("", each) for each in DIFFERENCES]
    yield "What reproduces it", list(footer_findings(document))


def _write_entry(sheet: Sheet, row: int, label: str, text: str, styles: Styles) -> int:
    """One label and its text, as high as the text needs; returns the next row."""
    words = cell_text(text)
    sheet.write_string(row, 0, cell_text(label), styles.of("label"))
    sheet.write_string(row, 1, words, styles.of("wrapped"))
    sheet.set_row(row, 13 * (1 + len(words) // 150))
    return row + 1


def _write_colours(sheet: Sheet, row: int, styles: Styles) -> int:
    """What the colours mean; returns the row after it."""
    sheet.write_string(row, 0, "Colours", styles.of("heading"))
    sheet.write_blank(row, 1, None, styles.of("heading"))
    meanings = (
        ("input", "an input: change it"),
        ("changed", "an input that differs from the report's"),
        ("given", "given: from the log, from a model, or set by what the option is"),
        ("guess", "a guess of ours: measure it first"),
        ("static", "a value of the report that does not move"),
        ("number", "a formula"),
    )
    for at, (look, words) in enumerate(meanings, start=row + 1):
        sheet.write_string(at, 0, "1,234", styles.of(look))
        sheet.write_string(at, 1, words, styles.of("beside_text"))
    return row + len(meanings) + 2
