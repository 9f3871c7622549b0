"""Compare sheet: one row for each option with what the summary sorts and chooses by; helper columns, nothing hidden."""

from __future__ import annotations

from typing import Final

from breakeven.reports.document import Document
from breakeven.reports.spreadsheet.book import Sheet
from breakeven.reports.spreadsheet.cell_text import cell_text
from breakeven.reports.spreadsheet.layout import COMPARE, Layout, column_letters
from breakeven.reports.spreadsheet.styles import Styles
from breakeven.reports.spreadsheet.values import WorkbookValues

FIRST: Final = 4
"""The first option's row, counted from 0."""
MONEY, EACH = "#,##0;-#,##0", "0.000000"
DIFFERENCE: Final = '"costs "#,##0" more";"saves "#,##0;"the same"'
OR_NOBODY: Final = '[>=1E+299]"-";#,##0'
OPTION, OPEN, TOTAL, PER_SUCCESS, EQUAL, UPFRONT, PRESENT, AGAINST, CHOICE, RANK = range(10)
COLUMNS: Final = (
    ("Option", 42, ""),
    ("In the choice", 11, "0"),
    ("Total today, USD/month", 16, MONEY),
    ("One successful answer, USD", 16, EACH),
    ("Today, for as many successes, USD/month", 18, MONEY),
    ("Paid at the start, USD", 15, MONEY),
    ("Present cost, USD", 17, MONEY),
    ("Against today's API, USD", 24, DIFFERENCE),
    ("Present cost, where in the choice", 18, OR_NOBODY),
    ("Rank", 8, "0"),
)
NOBODY_USD: Final = "1E+300"
"""Stands for an option that is not to be chosen, where the cheapest is looked for."""


def compared(document: Document, layout: Layout) -> list[str]:
    """The options of the workbook, in the document's order."""
    return [each.name for each in document.options if each.name in layout.option_sheets]


def column_range(column: int, options_count: int) -> str:
    """All options of one column, for a formula on another sheet."""
    letter = column_letters(column)
    return f"'{COMPARE}'!${letter}${FIRST + 1}:${letter}${FIRST + options_count}"


def ranks(values: WorkbookValues, layout: Layout, names: list[str]) -> list[int]:
    """Rank of each option by its present cost, the first of equals first."""
    costs = [values.today[layout.part.options[name]["present_cost_usd"]] for name in names]
    return [
        1 + sum(other < cost for other in costs) + sum(other == cost for other in costs[:at])
        for at, cost in enumerate(costs)
    ]


def write_compare(sheet: Sheet, document: Document, layout: Layout, values: WorkbookValues, styles: Styles) -> None:
    """Fill the sheet."""
    names = compared(document, layout)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, "Compare", styles.of("title"))
    words = "What the summary sorts and chooses by. Every figure is a formula over the options' own sheets."
    sheet.write_string(1, 0, words, styles.of("muted"))
    for column, (title, width, _) in enumerate(COLUMNS):
        sheet.write_string(FIRST - 1, column, title, styles.of("header_right" if column else "header"))
        sheet.set_column(column, column, width)
    sheet.set_row(FIRST - 1, 40)
    sheet.freeze_panes(FIRST, 1)
    closed = set(layout.part.closed)
    titles = {each.name: each.title for each in document.options}
    places = ranks(values, layout, names)
    for at, name in enumerate(names):
        sheet.write_string(FIRST + at, OPTION, cell_text(titles[name]), styles.of("text"))
        sheet.write_number(FIRST + at, OPEN, 0 if name in closed else 1, styles.of("given", "0"))
        _write_option(sheet, FIRST + at, name, layout, values, styles)
        _write_rank(sheet, FIRST + at, len(names), places[at], name in closed, layout, values, styles, name)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _write_option(sheet: Sheet, at: int, name: str, layout: Layout, values: WorkbookValues, styles: Styles) -> None:
    roles = layout.part.options[name]
    of_role = {
        TOTAL: "total_usd_per_month",
        PER_SUCCESS: "cost_usd_per_success",
        EQUAL: "equal_success_usd_per_month",
        UPFRONT: "upfront_usd",
        PRESENT: "present_cost_usd",
    }
    for column, role in of_role.items():
        key = roles[role]
        look = styles.of("number", COLUMNS[column][2])
        sheet.write_formula(at, column, f"={layout.link(key, COMPARE, None)}", look, values.today[key])
    quo = layout.part.options[layout.part.status_quo]["present_cost_usd"]
    more = values.today[roles["present_cost_usd"]] - values.today[quo]
    formula = f"={column_letters(PRESENT)}{at + 1}-{layout.link(quo, COMPARE, None)}"
    sheet.write_formula(at, AGAINST, formula, styles.of("number", DIFFERENCE), more)


def _write_rank(
    sheet: Sheet,
    at: int,
    count: int,
    rank: int,
    closed: bool,
    layout: Layout,
    values: WorkbookValues,
    styles: Styles,
    name: str,
) -> None:
    row, present = at + 1, column_letters(PRESENT)
    cost = 1e300 if closed else values.today[layout.part.options[name]["present_cost_usd"]]
    choice = f"=IF({column_letters(OPEN)}{row}=1,{present}{row},{NOBODY_USD})"
    sheet.write_formula(at, CHOICE, choice, styles.of("number", OR_NOBODY), cost)
    every = f"${present}${FIRST + 1}:${present}${FIRST + count}"
    earlier = f"${present}${FIRST + 1}:{present}{row}"
    formula = f"=RANK({present}{row},{every},1)+COUNTIF({earlier},{present}{row})-1"
    sheet.write_formula(at, RANK, formula, styles.of("number", "0"), rank)
