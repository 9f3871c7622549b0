"""Layout: which sheet and row every cell of a workbook part stands in, and how a formula refers to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from breakeven.decision.workbook.cells import cell_of
from breakeven.decision.workbook.expression import names_in
from breakeven.reports.document import Document, OptionPart
from breakeven.reports.spreadsheet.cell_text import defined_names, sheet_names
from breakeven.reports.spreadsheet.formula_text import formula_text
from breakeven.reports.spreadsheet.values import MONTH
from breakeven.reports.workbook_part import CellPart, WorkbookPart

READ_ME, SUMMARY, INPUTS, PATHS, SHARED, MONTHS, COMPARE = (
    "Read me",
    "Summary",
    "Inputs",
    "Paths",
    "Shared",
    "Months",
    "Compare",
)
FIXED_SHEETS: Final = (READ_ME, SUMMARY, INPUTS, MONTHS, COMPARE, PATHS, SHARED)
TITLE, UNIT, TODAY_COLUMN, HOW, MONTH_1 = range(5)
"""Columns of a sheet of values."""
VALUE: Final = 1
"""Column of the value on the sheet of inputs."""
HEADER_ROW: Final = 3
"""The row of column titles; on sheets with months it holds their numbers."""

SHOWN_OPTIONS_MAX_COUNT: Final = 3
Kind = Literal["heading", "cell", "link"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet of values."""

    kind: Kind
    """cell: the cell itself stands here; link: it stands elsewhere and is shown here."""
    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell stands."""

    sheet: str
    row: int


@dataclass(slots=True)
class Layout:
    """Sheets with their rows, and the place of every cell."""

    part: WorkbookPart
    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Sheet -> rows; the first one stands below the header."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Option -> its title."""
    option_sheets: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Cell -> its defined name."""
    _words: dict[str, str] = field(default_factory=dict)

    def title_of(self, name: str) -> str:
        """Words for the name of a value."""
        if not self._words:
            self._words = {each.name: each.title for each in self.part.cells.values()}
        return self._words.get(name, name)

    def options_text(self, names: Sequence[str]) -> str:
        """A few options by title, or how many they are."""
        if len(names) >= len(self.part.options):
            return "every option"
        titles = [self.titles.get(name, name) for name in names]
        return "; ".join(titles) if len(titles) <= SHOWN_OPTIONS_MAX_COUNT else f"{len(titles)} options"

    def append(self, sheet: str, row: Row) -> None:
        """One more row; a cell that stands already is shown again."""
        rows = self.rows.setdefault(sheet, [])
        if row.kind == "cell":
            if row.key in self.places:
                row = Row("link", row.key, row.title)
            else:
                self.places[row.key] = Place(sheet, HEADER_ROW + 1 + len(rows))
        rows.append(row)

    def formula(self, cell: CellPart, sheet: str, month: int | None) -> str:
        """The formula of `cell` on `sheet`, today (None) or in a month."""
        expression = (cell.month_expression if month else "") or cell.expression
        reference = {
            name: self.header(month)
            if name == MONTH and name not in cell.inputs
            else self._read(cell, name, sheet, month)
            for name in names_in(expression)
        }
        return formula_text(expression, reference)

    def link(self, key: str, sheet: str, month: int | None) -> str:
        """How a formula on `sheet` reads the cell `key`."""
        cell = self.part.cells[key]
        if key in self.names and not cell.monthly:
            return self.names[key]
        column = VALUE if self.places[key].sheet == INPUTS else TODAY_COLUMN
        if cell.monthly and month:
            column = MONTH_1 + month - 1
        return self._address(key, sheet, column)

    def months(self, key: str, sheet: str, count: int) -> str:
        """How a formula on `sheet` reads the first `count` months of the cell `key`."""
        row = self.places[key].row + 1
        first, last = column_letters(MONTH_1), column_letters(MONTH_1 + count - 1)
        return f"{self._before(key, sheet)}${first}{row}:{last}{row}"

    def header(self, month: int | None) -> str:
        """Where a month's number stands on every sheet with months."""
        return f"{column_letters(MONTH_1 + month - 1)}${HEADER_ROW + 1}" if month else "0"

    def _read(self, cell: CellPart, name: str, sheet: str, month: int | None) -> str:
        reference = cell.inputs[name]
        key, last = cell_of(reference), self.part.months_count
        now = month or 0
        match reference[: len(reference) - len(key)]:
            case "sum:":
                return f"SUM({self.months(key, sheet, last)})"
            case "until:":
                return self.months(key, sheet, now - 1) if now > 1 else ""
            case "today:":
                return self.link(key, sheet, None)
            case "first:":
                return self.link(key, sheet, 1)
            case "before:":
                return "0" if now == 1 and not self._has_today(key) else self.link(key, sheet, now - 1 or None)
            case "after:":
                return "0" if now == last else self.link(key, sheet, now + 1)
        return self.link(key, sheet, month)

    def _has_today(self, key: str) -> bool:
        cell = self.part.cells[key]
        return bool(cell.expression) or cell.value is not None

    def _address(self, key: str, sheet: str, column: int) -> str:
        fixed = "$" if column <= HOW else ""
        return f"{self._before(key, sheet)}{fixed}{column_letters(column)}{self.places[key].row + 1}"

    def _before(self, key: str, sheet: str) -> str:
        stands = self.places[key].sheet
        return "" if stands == sheet else f"'{stands}'!"


@lru_cache(maxsize=1024)
def column_letters(column: int) -> str:
    """The letters of a column counted from 0.

    >>> column_letters(0), column_letters(26)
    ('A', 'AA')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def layout_of(document: Document, part: WorkbookPart) -> Layout:
    """Give every cell of `part` its place."""
    titles = {each.name: each.title for each in document.options}
    layout = Layout(part, titles=titles)
    names = [name for name in titles if name in part.options]
    sheets = sheet_names([titles[name] for name in names], FIXED_SHEETS)
    layout.option_sheets = dict(zip(names, sheets, strict=True))
    _place_inputs(layout)
    _place_paths(layout)
    _place_shared(layout)
    for option in document.options:
        if option.name in layout.option_sheets:
            _place_option(layout, option)
    _place_the_rest(layout)
    read = _read_keys(part)
    layout.names = defined_names(key for key, place in layout.places.items() if place.sheet == INPUTS and key in read)
    return layout


ROLE_TITLES: Final[Mapping[str, str]] = {
    "total_usd_per_month": "Total",
    "success_fraction": "Success: share of the answers that do their task",
    "cost_usd_per_success": "Cost of one successful answer",
    "equal_success_usd_per_month": "For as many successful answers as today",
    "volume_mtok_per_month": "Volume",
    "ramp": "Share of the volume that has moved",
    "equal_success_ratio": "Today's success over this option's",
    "own_usd_per_month": "Own bill of the month",
    "rest_usd_per_month": "Still paid for what has not moved",
    "cash": "Cash of the month",
    "discount": "Discount",
    "present": "Present value of the month's cash",
    "cumulative": "Present values so far, with what is paid at the start",
    "upfront_usd": "Paid at the start",
    "bought_usd": "Hardware bought before the month, less what is sold",
    "end_usd": "What hardware brings after the last month",
    "present_cost_usd": "Present cost over all months",
}
FACT: Final = "fact:"
"""What stands before the name of a value that is worth showing."""
_TODAY_ROLES: Final = (
    "total_usd_per_month",
    "success_fraction",
    "cost_usd_per_success",
    "equal_success_ratio",
    "equal_success_usd_per_month",
)


def _place_inputs(layout: Layout) -> None:
    """Facts and what the log shows, on one sheet in three parts."""
    part = layout.part
    fixed = set(part.fixed)
    given = [key for key, each in part.cells.items() if _is_given(each) and key not in fixed and key not in part.inputs]
    groups: dict[str, list[str]] = {}
    for key in sorted(part.inputs, key=lambda key: (-len(part.cells[key].used_by), part.cells[key].title, key)):
        count = len(part.cells[key].used_by)
        groups.setdefault(_group(count, len(part.options)), []).append(key)
    for title, keys in groups.items():
        _append_all(layout, INPUTS, title, keys)
    _append_all(layout, INPUTS, "Fixed here: change it in the scenario and run breakeven again", sorted(fixed))
    _append_all(layout, INPUTS, "Given: what the log shows, and what the serving model computed", given)


def _group(options_count: int, all_count: int) -> str:
    if options_count == 0:
        return "You may change these: the months to come"
    if options_count == all_count:
        return "You may change these: used by every option"
    several = "several options" if options_count > 1 else "one option"
    return f"You may change these: used by {several}"


def _is_given(cell: CellPart) -> bool:
    """A value without arithmetic that somebody stands behind; what an option sets by being what it is, is not one."""
    return not cell.expression and not cell.month_expression and bool(cell.source)


def _place_paths(layout: Layout) -> None:
    part = layout.part
    ahead = [key for key, each in part.cells.items() if each.layer == "months" and not each.option]
    _append_all(layout, PATHS, "", ahead)


def _place_shared(layout: Layout) -> None:
    part = layout.part
    shared = [key for key, each in part.cells.items() if not each.option and key not in layout.places]
    _append_all(layout, SHARED, "", shared)


def _place_option(layout: Layout, option: OptionPart) -> None:
    """Lines and totals on top, then the months, then how each of them is calculated."""
    part, sheet, roles = layout.part, layout.option_sheets[option.name], layout.part.options[option.name]
    titles = {line.name: line.title for line in option.lines if line.name in roles}
    apart = {line.name: f"{line.title}: beside the total" for line in option.lines if line.apart and line.name in roles}
    counted = [name for name in titles if name not in apart]
    totals = [each for each in _TODAY_ROLES if each in roles]
    facts = [role for role in roles if role.startswith(FACT)]
    months = [role for role in roles if role not in titles and role not in totals and role not in facts]
    words = {**{f"month:{name}": title for name, title in titles.items()}, **titles, **apart, **ROLE_TITLES}
    blocks = (
        ("What it costs today", [*counted, *totals, *apart]),
        ("Worth knowing", facts),
        ("Month by month", months),
    )
    for heading, block in blocks:
        if block:
            layout.append(sheet, Row("heading", "", heading))
        for role in block:
            title = words.get(role) or part.cells[roles[role]].title
            layout.append(sheet, Row("cell", roles[role], title))
    for line in titles:
        own = [key for key in _below(part, roles[line]) if part.cells[key].option == option.name]
        _append_all(layout, sheet, f"How it is calculated: {titles[line]}", own)
    of_option = [key for key, each in part.cells.items() if each.option == option.name]
    _append_all(layout, sheet, "How the months are calculated", of_option)


def _place_the_rest(layout: Layout) -> None:
    """Cells of an option that the document does not show."""
    rest = [key for key in layout.part.cells if key not in layout.places]
    _append_all(layout, SHARED, "Other values", rest)


def _append_all(layout: Layout, sheet: str, heading: str, keys: Iterable[str]) -> None:
    new = [key for key in keys if key not in layout.places]
    if new and heading:
        layout.append(sheet, Row("heading", "", heading))
    for key in new:
        layout.append(sheet, Row("cell", key, layout.part.cells[key].title))


def _below(part: WorkbookPart, key: str) -> list[str]:
    """Cells that `key` follows from, in the part's order."""
    found: set[str] = set()
    todo = [key]
    while todo:
        each = todo.pop()
        if each not in found:
            found.add(each)
            todo += [cell_of(reference) for reference in part.cells[each].inputs.values()]
    return [each for each in part.cells if each in found]


def _read_keys(part: WorkbookPart) -> set[str]:
    """Cells that a formula reads."""
    return {cell_of(each) for cell in part.cells.values() for each in cell.inputs.values()}
