"""Workbook part: the typical calculation as expressions, from which a spreadsheet is written."""

from __future__ import annotations

from breakeven.reports.option_part import Part


class CellPart(Part):
    """One value of the typical calculation."""

    name: str
    unit: str
    value: float
    """With every assumption at its typical value, today's volume and prices."""
    expression: str
    """Arithmetic over the names of `inputs`, in Python's syntax; empty: a value that is given."""
    inputs: dict[str, str]
    """Name in the expression -> id of the cell."""
    live: bool
    """True: whatever it depends on is calculated in the workbook too, or is an input of the workbook."""
    monthly: bool
    """True: it moves with the month's volume or prices."""
    summary: str
    title: str
    layer: str
    low: float | None
    high: float | None
    source: str
    read: str
    grade: str


class WorkbookPart(Part):
    """Cells by id, and which of them are what a reader looks for."""

    cells: dict[str, CellPart]
    inputs: tuple[str, ...]
    """Ids of cells that may be changed, and everything below them is calculated again."""
    fixed: tuple[str, ...]
    """Ids of given values that a change in the scenario alone can move: a model behind them is not in the workbook."""
    options: dict[str, dict[str, str]]
    """Option -> line name -> cell id; ``total_usd_per_month``, ``success_fraction`` and ``volume`` among them."""
    months_count: int
    paths: dict[str, str]
    """Name of a path (see the horizon) -> expression of its monthly ratio over input cells and ``month_count``."""
