"""Values: what every cell of a workbook part comes to, today and month by month, computed as a spreadsheet would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from breakeven.decision.workbook.cells import cell_of
from breakeven.decision.workbook.expression import Value, evaluate, names_in
from breakeven.errors import DocumentError
from breakeven.reports.workbook_part import CellPart, WorkbookPart

MONTH: Final = "month_count"
TODAY: Final = 0
"""The month of today's values."""


@dataclass(slots=True)
class WorkbookValues:
    """Values by cell; `today` holds what is known without a month, `months` the rest, month 1 first."""

    today: dict[str, float] = field(default_factory=dict)
    months: dict[str, list[float]] = field(default_factory=dict)


def workbook_values(part: WorkbookPart, changed: Mapping[str, float] | None = None) -> WorkbookValues:
    """Compute every cell of `part`, with the given values of `changed` in place of its own."""
    run = _Run(part, changed or {})
    found = WorkbookValues()
    for key, cell in part.cells.items():
        if cell.expression or cell.value is not None:
            found.today[key] = run.at(key, TODAY)
        if cell.monthly:
            found.months[key] = [run.at(key, month) for month in range(1, part.months_count + 1)]
    return found


@dataclass(slots=True)
class _Run:
    part: WorkbookPart
    changed: Mapping[str, float]
    _known: dict[tuple[str, int], float] = field(default_factory=dict)

    def at(self, key: str, month: int) -> float:
        """The value of a cell in a month; of one that does not move, its only one."""
        cell = self.part.cells.get(key)
        if cell is None:
            raise self._damaged(key)
        place = (key, month if cell.monthly else TODAY)
        if place not in self._known:
            self._known[place] = float("nan")  # a cell that reads itself comes to nothing, and ends
            self._known[place] = self._value(key, cell, place[1])
        return self._known[place]

    def _value(self, key: str, cell: CellPart, month: int) -> float:
        if month and cell.month_values:
            return cell.month_values[month - 1]
        expression = (cell.month_expression if month else "") or cell.expression
        if not expression:
            given = self.changed.get(key, cell.value)
            return 0.0 if given is None else given
        read: dict[str, Value] = {name: self._read(cell, name, month) for name in names_in(expression)}
        return evaluate(expression, read)

    def _read(self, cell: CellPart, name: str, month: int) -> Value:
        if name == MONTH and name not in cell.inputs:
            return float(month)
        reference = cell.inputs.get(name)
        if reference is None:
            raise self._damaged(name)
        key, last = cell_of(reference), self.part.months_count
        prefix = reference[: len(reference) - len(key)]
        if prefix in ("sum:", "until:"):
            values = self._row(key, range(1, (last if prefix == "sum:" else month - 1) + 1))
            return sum(values) if prefix == "sum:" else values
        column = {"today:": TODAY, "before:": month - 1, "after:": month + 1, "first:": 1}.get(prefix, month)
        return 0.0 if column > last else self.at(key, column)

    def _row(self, key: str, months: Iterable[int]) -> tuple[float, ...]:
        return tuple(self.at(key, month) for month in months)

    def _damaged(self, name: str) -> DocumentError:
        return DocumentError(
            f"the workbook reads '{name}', which it does not hold: the document is damaged; "
            "make it again with `breakeven compare --json`"
        )
