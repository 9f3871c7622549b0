"""Write: a comparison document as a workbook (.xlsx) with live formulas."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from breakeven.errors import DocumentError
from breakeven.reports.document import Document
from breakeven.reports.spreadsheet.book import add_sheet, close_book, open_book
from breakeven.reports.spreadsheet.compare_sheet import write_compare
from breakeven.reports.spreadsheet.inputs_sheet import write_inputs
from breakeven.reports.spreadsheet.layout import (
    COMPARE,
    INPUTS,
    MONTHS,
    PATHS,
    READ_ME,
    SHARED,
    SUMMARY,
    Layout,
    Place,
    column_letters,
    layout_of,
)
from breakeven.reports.spreadsheet.layout import VALUE as VALUE_COLUMN
from breakeven.reports.spreadsheet.months_sheet import write_months
from breakeven.reports.spreadsheet.read_me_sheet import write_read_me
from breakeven.reports.spreadsheet.styles import Styles
from breakeven.reports.spreadsheet.summary_sheet import write_summary
from breakeven.reports.spreadsheet.value_sheets import write_value_sheet
from breakeven.reports.spreadsheet.values import workbook_values
from breakeven.reports.workbook_part import WorkbookPart

SHOWN_ROLES: Final = (
    "total_usd_per_month",
    "cost_usd_per_success",
    "equal_success_usd_per_month",
    "upfront_usd",
    "present_cost_usd",
    "cash",
    "present",
    "cumulative",
)
"""What the sheets over all options show of each."""
_TABS: Final = {READ_ME: "#66727F", SUMMARY: "#1B7F3B", INPUTS: "#E0B400", MONTHS: "#0B5FBF", COMPARE: "#0B5FBF"}


def write_xlsx(document: Document, path: Path) -> None:
    """Write `document` as a workbook; raises DocumentError when it holds no workbook part or cannot be written."""
    part = document.workbook
    if part is None:
        raise DocumentError(
            "the document holds no calculation for a spreadsheet (it is older than that); "
            "make it again with `breakeven compare --json`"
        )
    _refuse_damaged(part)
    values, layout = workbook_values(part), layout_of(document, part)
    book = open_book(path)
    book.set_properties({"created": _day_of(document)})
    styles = Styles(book)
    sheets = {
        name: add_sheet(book, name)
        for name in (READ_ME, SUMMARY, INPUTS, MONTHS, COMPARE, *layout.option_sheets.values(), PATHS, SHARED)
    }
    for name, colour in _TABS.items():
        sheets[name].set_tab_color(colour)
    write_read_me(sheets[READ_ME], document, layout, styles)
    write_summary(sheets[SUMMARY], book, document, layout, values, styles)
    write_inputs(sheets[INPUTS], layout, values, styles)
    write_months(sheets[MONTHS], document, layout, values, styles)
    write_compare(sheets[COMPARE], document, layout, values, styles)
    for name, (title, remark) in _value_sheets(document, layout).items():
        write_value_sheet(sheets[name], name, title, remark, layout, values, styles)
    for key, name in layout.names.items():
        book.define_name(name, f"={_absolute(layout.places[key])}")
    sheets[SUMMARY].activate()
    close_book(book, path)


def _day_of(document: Document) -> datetime:
    """The day of the comparison, so that the same document gives the same bytes at any hour."""
    day = datetime.fromisoformat(document.footer.as_of)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _refuse_damaged(part: WorkbookPart) -> None:
    """Raise DocumentError when the part names a cell that it does not hold, or lacks what the summary shows."""
    named = [*part.inputs, *part.fixed, *part.paths.values()]
    named += [key for roles in part.options.values() for key in roles.values()]
    missing = [key for key in named if key not in part.cells]
    missing += [role for roles in part.options.values() for role in SHOWN_ROLES if role not in roles]
    if part.status_quo not in part.options:
        missing.append(part.status_quo)
    if missing:
        raise DocumentError(
            f"the workbook lacks '{missing[0]}': the document is damaged; make it again with `breakeven compare --json`"
        )


def _value_sheets(document: Document, layout: Layout) -> dict[str, tuple[str, str]]:
    """Sheet -> its title and remark."""
    found = {
        PATHS: ("Paths", "How volume and prices move from today on, as multiples of today's; shocks are left out."),
        SHARED: ("Shared", "Values that several options use, each calculated once."),
    }
    for option in document.options:
        if option.name in layout.option_sheets:
            closed = f" Only if {option.only_if}." if option.only_if else ""
            found[layout.option_sheets[option.name]] = (option.title, f"Buys: {option.buys}.{closed}")
    return found


def _absolute(place: Place) -> str:
    return f"'{place.sheet}'!${column_letters(VALUE_COLUMN)}${place.row + 1}"
