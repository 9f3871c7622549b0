"""Pilot book: a pilot as a workbook: the verdict, its figures as numbers with units, and the evidence as it grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven.reports import amounts
from breakeven.reports import pilot_wording as told
from breakeven.reports.pilot_parts import PilotDocument, QualityPart, RangePart
from breakeven.reports.pilot_summary import PilotSummary, pilot_summary
from breakeven.reports.spreadsheet.book import Book, Sheet, add_sheet, close_book, open_book
from breakeven.reports.spreadsheet.cell_text import cell_text, unit_text
from breakeven.reports.spreadsheet.styles import Styles

Cell = str | float | None
VERDICT, TASKS, MONEY, PROMISES, GUARDS, HISTORY, DESIGN = (
    "Verdict", "Tasks", "Money", "Promises", "Guards", "History", "Design",
)  # fmt: skip
_TABS: Final = {VERDICT: "#1B7F3B", MONEY: "#E0B400", HISTORY: "#0B5FBF"}
_RANGE_HEAD: Final = ("Value", "Low", "High", "Confidence", "Unit", "How, or why not")


@dataclass(slots=True)
class _Page:
    """A sheet that is filled from the top."""

    sheet: Sheet
    styles: Styles
    row: int = 0

    def title(self, words: str, lead: str = "") -> None:
        self.sheet.hide_gridlines(2)
        self.sheet.write_string(self.row, 0, cell_text(words), self.styles.of("title"))
        if lead:
            self.sheet.write_string(self.row + 1, 0, cell_text(lead), self.styles.of("muted"))
        self.row += 3

    def heading(self, words: str) -> None:
        self.sheet.write_string(self.row, 0, cell_text(words), self.styles.of("heading"))
        self.row += 1

    def head(self, titles: Sequence[str]) -> None:
        for column, words in enumerate(titles):
            self.sheet.write_string(self.row, column, words, self.styles.of("header"))
        self.row += 1

    def line(self, cells: Sequence[Cell], look: str = "text") -> None:
        for column, value in enumerate(cells):
            if isinstance(value, str):
                self.sheet.write_string(self.row, column, cell_text(value), self.styles.of(look))
            elif value is not None:
                self.sheet.write_number(self.row, column, value, self.styles.of("number", _digits(value)))
        self.row += 1


def write_pilot_xlsx(document: PilotDocument, path: Path) -> None:
    """Write `document` as a workbook; raises DocumentError where it cannot be written."""
    page = pilot_summary(document)
    book = open_book(path)
    styles = Styles(book)
    sheets = {name: add_sheet(book, name) for name in (VERDICT, TASKS, MONEY, PROMISES, GUARDS, HISTORY, DESIGN)}
    for name, colour in _TABS.items():
        sheets[name].set_tab_color(colour)
    for sheet in sheets.values():
        sheet.set_column(0, 0, 36)
        sheet.set_column(1, 12, 16)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
    _verdict(_Page(sheets[VERDICT], styles), page)
    _tasks(_Page(sheets[TASKS], styles), document)
    _money(_Page(sheets[MONEY], styles), document)
    _promises(_Page(sheets[PROMISES], styles), document)
    _guards(_Page(sheets[GUARDS], styles), page)
    _history(_Page(sheets[HISTORY], styles), book, document)
    _design(_Page(sheets[DESIGN], styles), page)
    sheets[VERDICT].activate()
    close_book(book, path)


def _verdict(on: _Page, page: PilotSummary) -> None:
    on.title(page.answer, page.kicker)
    on.line([page.sentence], "strong")
    for each in page.details:
        on.line([each])
    on.row += 1
    if page.tiles:
        on.head(("Figure", "Value", "Interval", "Note"))
    for tile in page.tiles:
        on.line([tile.label, tile.value, tile.range, tile.note])
    for words, lines in (("What limits what may be claimed", page.alerts), ("What is not claimed", page.not_claimed)):
        if lines:
            on.row += 1
            on.heading(words)
            for each in lines:
                on.line([each])
    on.row += 1
    on.heading("Reproduce")
    for label, value in page.footer:
        on.line([label, value], "muted")


def _tasks(on: _Page, document: PilotDocument) -> None:
    on.title("Does the success stay?", "Shares as numbers between 0 and 1; evidence as natural logarithms of e-values")
    on.head((
        "Task", "Test", "Outcomes", "Missing", "Baseline succeeds", "Candidate succeeds", "Ratio", "Low", "High",
        "ln e", "ln e needed", "ln e of a loss", "State",
    ))  # fmt: skip
    for each in (*document.tasks, *((document.overall,) if document.overall else ())):
        on.line(_task(each, document))
    with_counts = [each for each in document.tasks if each.counts is not None]
    if with_counts:
        on.row += 1
        on.heading("Paired outcomes: all that the paired test reads")
        on.head(("Task", "Baseline only", "Neither", "Both", "Candidate only"))
    for each in with_counts:
        counts = each.counts
        if counts is not None:
            name = told.task_name(each.task, alone=len(document.tasks) == 1)
            cells = (counts.baseline_only_count, counts.neither_count, counts.both_count, counts.candidate_only_count)
            on.line([name, *map(float, cells)])
    on.sheet.freeze_panes(4, 1)


def _task(each: QualityPart, document: PilotDocument) -> list[Cell]:
    return [
        told.task_name(each.task, each.is_overall, len(document.tasks) == 1),
        told.TESTS[each.test],
        float(each.outcomes_count),
        float(each.missing_count),
        each.baseline_success.value,
        each.candidate_success.value,
        each.ratio.value,
        each.ratio.low,
        each.ratio.high,
        each.ln_e_ratio,
        each.ln_boundary_ratio,
        each.ln_inferior_e_ratio,
        told.state_words(each, document),
    ]


def _money(on: _Page, document: PilotDocument) -> None:
    on.title("What it saves", "USD; negative figures are lost. Blue on yellow may be changed: the payback follows")
    savings = document.savings
    if savings is None:
        on.line(["No cost of both models has been seen yet."])
        return
    on.head(("Cost line, USD per request", "Baseline", "Candidate", "Note"))
    for line in savings.lines:
        name = line.name.replace("_", " ")
        on.line([name, line.baseline_usd_per_request, line.candidate_usd_per_request, line.note])
    on.row += 1
    on.head(("Saved", *_RANGE_HEAD))
    rows = {
        "Per request": savings.saved_usd_per_request,
        "Per successful outcome": savings.saved_usd_per_success,
        "A month": savings.saved_usd_per_month,
        "Share of the baseline's cost": savings.saved_fraction,
        "Payback, months": savings.payback_months,
        "Net gain of the first year, of the outlay": savings.return_ratio,
    }
    at_month = on.row + list(rows).index("A month")
    for name, each in rows.items():
        on.line([name, *_range(each)])
    if savings.saved_usd_per_month.value is not None and document.design.migration_usd is not None:
        _payback(on, document.design.migration_usd, savings.saved_usd_per_month.value, at_month)
    if savings.not_stated:
        on.row += 1
        on.line([f"Not counted, because nobody stated it: {'; '.join(savings.not_stated)}"], "muted")


def _payback(on: _Page, migration_usd: float, saved_usd_per_month: float, at_month: int) -> None:
    """Payback with the reader's own cost of the switch."""
    on.row += 1
    on.heading("Payback, with your own figure for the switch")
    on.sheet.write_string(on.row, 0, "The switch costs, once, USD", on.styles.of("text"))
    on.sheet.write_number(on.row, 1, migration_usd, on.styles.of("input", "#,##0"))
    months = migration_usd / saved_usd_per_month if saved_usd_per_month > 0 else "never"
    formula = f'=IF(B{at_month + 1}>0,B{on.row + 1}/B{at_month + 1},"never")'
    on.sheet.write_string(on.row + 1, 0, "Pays for itself after, months", on.styles.of("total_text"))
    on.sheet.write_formula(on.row + 1, 1, formula, on.styles.of("total", "0.0"), months)
    on.row += 2


def _promises(on: _Page, document: PilotDocument) -> None:
    on.title("What was promised, and what happened", f"Promised by {document.design.promised_from or 'nobody'}")
    on.head(("Figure", "Promised", "Happened", "Low", "High", "Unit", "Happened / promised", "So", "Assumption"))
    for each in document.forecast:
        on.line([
            amounts.fact_title(each.name), each.promised.value, each.happened.value, each.happened.low,
            each.happened.high, unit_text(told.unit_words(each.unit)), each.error_ratio, told.promise_words(each),
            each.assumption,
        ])  # fmt: skip


def _guards(on: _Page, page: PilotSummary) -> None:
    on.title("Guardrails")
    on.head(("Guard", "Task", "Seen", "Allowed", "State", "Words"))
    for each in page.guards:
        on.line([each.title, each.task, each.seen, each.allowed, each.state, each.words])
    if page.watch:
        on.row += 1
        on.heading("Since the rollout")
        for words, is_alarm in page.watch:
            on.line([words, "ALARM" if is_alarm else "holds"])
    if page.journal:
        on.row += 1
        on.heading("What happened")
        for when, words in page.journal:
            on.line([when, words])


def _history(on: _Page, book: Book, document: PilotDocument) -> None:
    on.title("How the evidence grew", "With the outcomes known today; natural logarithms of e-values")
    on.head(("Task", "At", "Days", "Requests", "Outcomes", "ln e", "ln e needed", "Ratio", "Low", "High"))
    alone, blocks = len(document.tasks) == 1, []
    for quality in (*document.tasks, *((document.overall,) if document.overall else ())):
        name, first = told.task_name(quality.task, quality.is_overall, alone), on.row
        for point in document.history:
            for one in point.tasks:
                if one.task == quality.task and one.is_overall == quality.is_overall:
                    on.line([
                        name, amounts.date_text(point.at), point.days, float(point.requests_count),
                        float(one.outcomes_count), one.ln_e_ratio, one.ln_boundary_ratio, one.ratio, one.low_ratio,
                        one.high_ratio,
                    ])  # fmt: skip
        if on.row > first:
            blocks.append((first, on.row - 1))
    on.sheet.freeze_panes(4, 1)
    if blocks:
        _draw(on, book, blocks[0])


def _draw(on: _Page, book: Book, block: tuple[int, int]) -> None:
    """The evidence of the first task beside what is needed."""
    chart = book.add_chart({"type": "line"})
    for column, words in ((5, "ln e"), (6, "needed")):
        place = {
            "name": words,
            "categories": [HISTORY, block[0], 4, block[1], 4],
            "values": [HISTORY, block[0], column, block[1], column],
            "line": {"width": 1.75} if column == 5 else {"width": 1.5, "dash_type": "dash"},
        }
        chart.add_series(place)
    chart.set_title({"name": "Evidence that the margin is kept", "name_font": {"size": 11, "bold": True}})
    chart.set_x_axis({"name": "Outcomes", "num_font": {"size": 9}})
    chart.set_y_axis({"name": "ln e", "num_format": "0.0"})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 560, "height": 300})
    on.sheet.insert_chart(3, 11, chart)


def _design(on: _Page, page: PilotSummary) -> None:
    on.title("What was promised before it started")
    for each in page.design:
        on.line([each.label, each.words])


def _range(each: RangePart) -> list[Cell]:
    value: Cell = "never" if each.is_value_endless else each.value
    high: Cell = "never" if each.is_high_endless else each.high
    words = each.why_not or each.method
    return [value, each.low, high, each.confidence_fraction, unit_text(told.unit_words(each.unit)), words]


def _digits(value: float) -> str:
    """As many digits as say something.

    >>> _digits(1204.0), _digits(18400.25), _digits(0.9957), _digits(0.0011)
    ('#,##0', '#,##0', '0.0000', '0.000000')
    """
    size = abs(value)
    if value == int(value) or size >= 100:
        return "#,##0"
    return "0.000000" if size < 0.01 else "0.0000" if size < 10 else "0.00"
