"""Value sheets: one row for each value, with its formula today and in each month where it moves."""

from __future__ import annotations

from typing import Final

from breakeven.reports.spreadsheet.book import Sheet
from breakeven.reports.spreadsheet.cell_text import cell_text, number_format, unit_text
from breakeven.reports.spreadsheet.layout import (
    HEADER_ROW,
    HOW,
    MONTH_1,
    PATHS,
    TITLE,
    TODAY_COLUMN,
    UNIT,
    Layout,
    Row,
)
from breakeven.reports.spreadsheet.styles import Styles
from breakeven.reports.spreadsheet.values import WorkbookValues

BOLD_ROLES: Final = frozenset({"Total", "Cash of the month", "Present cost over all months"})


def write_value_sheet(
    sheet: Sheet, name: str, title: str, remark: str, layout: Layout, values: WorkbookValues, styles: Styles
) -> None:
    """Fill `sheet` with the rows that the layout gives it."""
    rows = layout.rows.get(name, [])
    months_count = layout.part.months_count if any(_is_monthly(layout, row) for row in rows) or name == PATHS else 0
    _head(sheet, title, remark, months_count, styles)
    for at, row in enumerate(rows, start=HEADER_ROW + 1):
        if row.kind == "heading":
            sheet.write_string(at, TITLE, cell_text(row.title), styles.of("heading"))
            for column in range(UNIT, MONTH_1):
                sheet.write_blank(at, column, None, styles.of("heading"))
        else:
            _write_row(sheet, name, at, row, layout, values, styles)
    _print_setup(sheet, at_least_rows=len(rows) + HEADER_ROW + 1)


def _head(sheet: Sheet, title: str, remark: str, months_count: int, styles: Styles) -> None:
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, cell_text(title), styles.of("title"))
    sheet.write_string(1, 0, cell_text(remark), styles.of("muted"))
    for column, words in ((TITLE, "Value"), (UNIT, "Unit"), (TODAY_COLUMN, "Today"), (HOW, "How it follows")):
        look = {TODAY_COLUMN: "month", HOW: "header_beside"}.get(column, "header")
        sheet.write_string(HEADER_ROW, column, words, styles.of(look))
    if months_count:
        sheet.write_string(HEADER_ROW - 1, MONTH_1, "Months from today", styles.of("muted"))
    for month in range(1, months_count + 1):
        sheet.write_number(HEADER_ROW, MONTH_1 + month - 1, month, styles.of("month", "0"))
    sheet.set_row(HEADER_ROW, 18)
    sheet.set_column(TITLE, TITLE, 46)
    sheet.set_column(UNIT, UNIT, 17)
    sheet.set_column(TODAY_COLUMN, TODAY_COLUMN, 15)
    sheet.set_column(HOW, HOW, 78)
    sheet.set_column(MONTH_1, MONTH_1 + max(months_count - 1, 0), 11)
    sheet.freeze_panes(HEADER_ROW + 1, UNIT)


def _print_setup(sheet: Sheet, at_least_rows: int) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)
    sheet.print_area(0, 0, at_least_rows, HOW)
    sheet.set_footer("&L&8&F, &A&R&8Page &P of &N")


def _is_monthly(layout: Layout, row: Row) -> bool:
    return row.kind != "heading" and layout.part.cells[row.key].monthly


def _write_row(
    sheet: Sheet, name: str, at: int, row: Row, layout: Layout, values: WorkbookValues, styles: Styles
) -> None:
    cell = layout.part.cells[row.key]
    sizes = [values.today.get(row.key), *values.months.get(row.key, [])]
    numbers = number_format(cell.name, cell.unit, sizes)
    bold = row.title in BOLD_ROLES
    text = "total_text" if bold else "step" if cell.step_of else "text"
    sheet.write_string(at, TITLE, cell_text(row.title), styles.of(text))
    sheet.write_string(at, UNIT, cell_text(unit_text(cell.unit)), styles.of("total_unit" if bold else "muted"))
    sheet.write_string(at, HOW, cell_text(_how(layout, row, name)), styles.of("beside"))
    look = styles.of("total" if bold else "number", numbers)
    if row.kind == "link":
        if row.key in values.today:
            sheet.write_formula(at, TODAY_COLUMN, f"={layout.link(row.key, name, None)}", look, values.today[row.key])
    elif cell.expression:
        sheet.write_formula(at, TODAY_COLUMN, layout.formula(cell, name, None), look, values.today[row.key])
    elif row.key in values.today:
        sheet.write_number(at, TODAY_COLUMN, values.today[row.key], styles.of("given", numbers))
    given = cell.month_values if row.kind == "cell" else ()
    for month, value in enumerate(given, start=1):
        sheet.write_number(at, MONTH_1 + month - 1, value, styles.of("given", numbers))
    for month, value in enumerate(() if given else values.months.get(row.key, []), start=1):
        linked = row.kind == "link"
        formula = f"={layout.link(row.key, name, month)}" if linked else layout.formula(cell, name, month)
        sheet.write_formula(at, MONTH_1 + month - 1, formula, look, value)


def _how(layout: Layout, row: Row, sheet: str) -> str:
    """In words where it comes from."""
    cell = layout.part.cells[row.key]
    if row.kind == "link":
        place = layout.places[row.key]
        where = f"row {place.row + 1}" if place.sheet == sheet else f"{place.sheet}, row {place.row + 1}"
        return f"{cell.summary.rstrip('.')} (see {where})" if cell.summary else f"see {where}"
    if not cell.live:
        return f"Given, not calculated here: {cell.summary}"
    if cell.step_of:
        return f"a step towards {layout.title_of(cell.step_of)}"
    if cell.used_by and not cell.option:
        return f"{cell.summary.rstrip('.')} (for {layout.options_text(cell.used_by)})"
    return cell.summary
