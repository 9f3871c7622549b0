"""Months sheet: every option month by month: cash, present value, and present values so far."""

from __future__ import annotations

from typing import Final

from breakeven.reports.document import Document
from breakeven.reports.spreadsheet.book import Sheet
from breakeven.reports.spreadsheet.cell_text import cell_text
from breakeven.reports.spreadsheet.compare_sheet import MONEY, compared
from breakeven.reports.spreadsheet.layout import HEADER_ROW, MONTH_1, MONTHS, TITLE, TODAY_COLUMN, Layout
from breakeven.reports.spreadsheet.styles import Styles
from breakeven.reports.spreadsheet.values import WorkbookValues

BLOCKS: Final = (
    ("cash", "upfront_usd", "Cash of each month, USD (at the start: the move, and hardware bought)"),
    ("present", "upfront_usd", "The same as present value, USD"),
    ("cumulative", "upfront_usd", "Present values so far, USD"),
)
"""Role over the months, role at the start, and title."""
UNIT, HOW = 1, 3


def first_row(block: int, options_count: int) -> int:
    """Row of the first option in a block, counted from 0."""
    return HEADER_ROW + 2 + block * (options_count + 2)


def write_months(sheet: Sheet, document: Document, layout: Layout, values: WorkbookValues, styles: Styles) -> None:
    """Fill the sheet."""
    names = compared(document, layout)
    titles = {each.name: each.title for each in document.options}
    _head(sheet, layout.part.months_count, styles)
    for block, (role, start, title) in enumerate(BLOCKS):
        top = first_row(block, len(names))
        for column in range(MONTH_1 + layout.part.months_count):
            sheet.write_string(top - 1, column, title if column == 0 else "", styles.of("heading"))
        for at, name in enumerate(names, start=top):
            roles, look = layout.part.options[name], styles.of("number", MONEY)
            sheet.write_string(at, TITLE, cell_text(titles[name]), styles.of("text"))
            sheet.write_string(at, UNIT, "USD", styles.of("muted"))
            begin = roles[start]
            sheet.write_formula(at, TODAY_COLUMN, f"={layout.link(begin, MONTHS, None)}", look, values.today[begin])
            key = roles[role]
            for month, value in enumerate(values.months[key], start=1):
                sheet.write_formula(at, MONTH_1 + month - 1, f"={layout.link(key, MONTHS, month)}", look, value)


def _head(sheet: Sheet, months_count: int, styles: Styles) -> None:
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, "Months", styles.of("title"))
    words = (
        "For as many successful answers as today, at the typical path of volume and prices (sheet Paths); bills are "
        "paid at the end of their month."
    )
    sheet.write_string(1, 0, words, styles.of("muted"))
    for column, title in ((TITLE, "Option"), (UNIT, "Unit"), (TODAY_COLUMN, "At the start"), (HOW, "")):
        sheet.write_string(HEADER_ROW, column, title, styles.of("month" if column == TODAY_COLUMN else "header"))
    for month in range(1, months_count + 1):
        sheet.write_number(HEADER_ROW, MONTH_1 + month - 1, month, styles.of("month", "0"))
    sheet.set_column(TITLE, TITLE, 42)
    sheet.set_column(UNIT, UNIT, 6)
    sheet.set_column(TODAY_COLUMN, TODAY_COLUMN, 13)
    sheet.set_column(HOW, HOW, 2)
    sheet.set_column(MONTH_1, MONTH_1 + months_count - 1, 10)
    sheet.freeze_panes(HEADER_ROW + 1, UNIT)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(2, 0)
    sheet.repeat_rows(HEADER_ROW)
    sheet.repeat_columns(TITLE, TODAY_COLUMN)
    sheet.set_footer("&L&8&F, &A&R&8Page &P of &N")
