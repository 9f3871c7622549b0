"""Inputs sheet: every fact with its name, unit, range, source, date and grade; blue on yellow may be changed."""

from __future__ import annotations

from typing import Final

from breakeven.reports.spreadsheet.book import Sheet
from breakeven.reports.spreadsheet.cell_text import cell_text, number_format, unit_text
from breakeven.reports.spreadsheet.layout import HEADER_ROW, INPUTS, VALUE, Layout, Row
from breakeven.reports.spreadsheet.styles import Styles
from breakeven.reports.spreadsheet.values import WorkbookValues
from breakeven.reports.workbook_part import CellPart

COLUMNS: Final = (
    ("Input", 66),
    ("Value", 14),
    ("Unit", 17),
    ("In the report", 13),
    ("Low (5 %)", 12),
    ("High (95 %)", 12),
    ("Grade", 10),
    ("Used by", 46),
    ("Name in the formulas", 40),
    ("Source", 60),
    ("Read on", 11),
    ("Note", 70),
)
"""Titles and widths."""
IN_THE_REPORT, LOW, HIGH, GRADE = 3, 4, 5, 6
USED_BY, NAME, SOURCE, READ, NOTE = 7, 8, 9, 10, 11
PRICE_UNIT: Final = "usd/mtok"
FAR: Final = 1e15
"""Larger numbers are a slip of the finger."""


def write_inputs(sheet: Sheet, layout: Layout, values: WorkbookValues, styles: Styles) -> None:
    """Fill the sheet."""
    rows = layout.rows.get(INPUTS, [])
    _head(sheet, styles)
    for at, row in enumerate(rows, start=HEADER_ROW + 1):
        if row.kind == "heading":
            for column in range(len(COLUMNS)):
                sheet.write_string(at, column, cell_text(row.title) if column == 0 else "", styles.of("heading"))
        else:
            _write_fact(sheet, at, row, layout, values, styles)
    last = HEADER_ROW + len(rows)
    changed = {
        "type": "formula",
        "criteria": f"=$B{HEADER_ROW + 2}<>$D{HEADER_ROW + 2}",
        "format": styles.of("changed"),
    }
    sheet.conditional_format(HEADER_ROW + 1, VALUE, last, VALUE, changed)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)
    sheet.print_area(0, 0, last, READ)
    sheet.set_footer("&L&8&F, &A&R&8Page &P of &N")


def _head(sheet: Sheet, styles: Styles) -> None:
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, "Inputs", styles.of("title"))
    words = (
        "Change a value in blue on yellow: every sheet follows. A changed value turns orange; the report's stands "
        "beside it. Low and high are the 5 % and 95 % ends that the report's ranges are drawn from."
    )
    sheet.write_string(1, 0, words, styles.of("muted"))
    for column, (title, width) in enumerate(COLUMNS):
        right = column == VALUE or IN_THE_REPORT <= column <= HIGH
        sheet.write_string(HEADER_ROW, column, title, styles.of("header_right" if right else "header"))
        sheet.set_column(column, column, width)
    sheet.set_row(HEADER_ROW, 18)
    sheet.freeze_panes(HEADER_ROW + 1, VALUE + 1)


def _write_fact(sheet: Sheet, at: int, row: Row, layout: Layout, values: WorkbookValues, styles: Styles) -> None:
    cell = layout.part.cells[row.key]
    value = values.today[row.key]
    numbers = number_format(cell.name, cell.unit, [value])
    text = styles.of("text")
    editable = row.key in layout.part.inputs
    sheet.write_string(at, 0, cell_text(_title(row, layout)), text)
    sheet.write_number(at, VALUE, value, styles.of("input" if editable else "given", numbers))
    sheet.write_string(at, VALUE + 1, cell_text(unit_text(cell.unit)), styles.of("beside"))
    for column, size in ((IN_THE_REPORT, value), (LOW, cell.low), (HIGH, cell.high)):
        if size is not None:
            sheet.write_number(at, column, size, styles.of("number", number_format(cell.name, cell.unit, [size])))
    sheet.write_string(at, GRADE, cell_text(cell.grade), styles.of("guess" if cell.grade == "guess" else "beside_text"))
    sheet.write_string(at, USED_BY, cell_text(layout.options_text(cell.used_by) if cell.used_by else ""), text)
    sheet.write_string(at, NAME, layout.names.get(row.key, ""), styles.of("muted"))
    sheet.write_string(at, SOURCE, cell_text(cell.source), text)
    sheet.write_string(at, READ, cell_text(cell.read), text)
    sheet.write_string(at, NOTE, cell_text(cell.note or cell.summary), styles.of("muted"))
    if editable:
        sheet.data_validation(at, VALUE, at, VALUE, _allowed(cell))


def _title(row: Row, layout: Layout) -> str:
    """What tells inputs of one name apart: the model that a price is of, and else the options that read them."""
    part = layout.part
    cell = part.cells[row.key]
    twins = [part.cells[each] for each in (*part.inputs, *part.fixed) if part.cells[each].name == cell.name]
    if len(twins) == 1 or not cell.used_by:
        return row.title
    model = _model(cell)
    told_apart = model and sum(_model(each) == model for each in twins) == 1
    options = "" if told_apart else f" ({layout.options_text(cell.used_by)})"
    return f"{row.title}{model and f': {model}'}{options}"


def _model(cell: CellPart) -> str:
    """The model that a price is of, as its source names it; empty where it names none."""
    return cell.source.rpartition(": ")[2] if cell.unit == PRICE_UNIT and ": " in cell.source else ""


def _allowed(cell: CellPart) -> dict[str, object]:
    """Numbers alone, and shares from 0 to 1."""
    is_share = cell.unit == "fraction"
    return {
        "validate": "decimal",
        "criteria": "between",
        "minimum": 0 if is_share else -FAR,
        "maximum": 1 if is_share else FAR,
        "error_title": "A number, please",
        "error_message": "A share lies between 0 and 1 (0 % and 100 %)." if is_share else "This cell takes a number.",
    }
