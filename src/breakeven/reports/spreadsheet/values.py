"""Values: what every cell of a workbook part comes to, today and month by month, computed as a spreadsheet would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from breakeven.decision.workbook.expression import evaluate, names_in
from breakeven.errors import DocumentError
from breakeven.reports.workbook_part import CellPart, WorkbookPart

TODAY, BEFORE, SUM = "today:", "before:", "sum:"
MONTH: Final = "month_count"


@dataclass(slots=True)
class WorkbookValues:
    """Values by cell; `today` holds what is known without a month, `months` the rest, month 1 first."""

    today: dict[str, float] = field(default_factory=dict)
    months: dict[str, list[float]] = field(default_factory=dict)


def workbook_values(part: WorkbookPart, changed: Mapping[str, float] | None = None) -> WorkbookValues:
    """Compute every cell of `part`, with the given values of `changed` in place of its own."""
    values = WorkbookValues()
    for key, cell in part.cells.items():
        given = (changed or {}).get(key, cell.value)
        if cell.expression:
            values.today[key] = evaluate(cell.expression, _read(part, cell, cell.expression, values, None))
        elif given is not None:
            values.today[key] = given
        if cell.monthly:
            values.months[key] = []
            for month in range(1, part.months_count + 1):
                text = cell.month_expression or cell.expression
                values.months[key].append(evaluate(text, _read(part, cell, text, values, month)))
    return values


def _read(
    part: WorkbookPart, cell: CellPart, expression: str, values: WorkbookValues, month: int | None
) -> dict[str, float]:
    """What `expression` reads in that month; None: today."""
    found: dict[str, float] = {}
    for name in names_in(expression):
        if name == MONTH and name not in cell.inputs:
            found[name] = float(month or 0)
            continue
        reference = cell.inputs.get(name, "")
        key = reference.rpartition(":")[2] if reference.startswith((TODAY, BEFORE, SUM)) else reference
        try:
            if reference.startswith(SUM):
                found[name] = sum(values.months[key])
            elif reference.startswith(BEFORE) and month is not None and month > 1:
                found[name] = values.months[key][month - 2]
            elif reference.startswith((TODAY, BEFORE)) or month is None or not part.cells[key].monthly:
                found[name] = values.today[key]
            else:
                found[name] = values.months[key][month - 1]
        except (KeyError, IndexError):
            raise DocumentError(
                f"the workbook's '{cell.name}' reads '{name}', which comes to nothing before it: the document is "
                f"damaged; make it again with `breakeven compare --json`"
            ) from None
    return found
