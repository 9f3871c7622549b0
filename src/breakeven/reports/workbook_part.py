"""Workbook part: the typical calculation as expressions, from which a spreadsheet is written."""

from __future__ import annotations

from breakeven.reports.option_part import Part


class CellPart(Part):
    """One value of the typical calculation: today, and in each month where it moves."""

    name: str
    title: str
    unit: str
    value: float | None
    """With every assumption at its typical value, today's volume and prices; None: it belongs to the months alone."""
    expression: str
    """Arithmetic over the names of `inputs`, in Python's syntax; empty: a value that is given."""
    month_expression: str
    """The same for a month, where it differs from today's; it may read ``month_count`` (1 is the first)."""
    month_values: tuple[float, ...]
    """The months' values where they are given; empty: they are computed."""
    inputs: dict[str, str]
    """Name in an expression -> id of the cell, in the same month where it moves. ``today:ID`` is today's value of it,
    ``before:ID`` and ``after:ID`` those of the months beside it (0 where there is none), ``first:ID`` that of month 1,
    ``sum:ID`` the sum of its months, and ``until:ID`` the row of the months before."""
    live: bool
    """False: a model that is not in the workbook computed it."""
    monthly: bool
    """True: it has a value for each month."""
    summary: str
    step_of: str
    """For a step on the way to another value: its name."""
    option: str
    """The option it belongs to; empty: a fact, or shared by several."""
    used_by: tuple[str, ...]
    """Options that read it, for a given value."""
    layer: str
    low: float | None
    high: float | None
    source: str
    read: str
    grade: str
    note: str


class WorkbookPart(Part):
    """Cells by id, each after those that it reads today, and which of them are what a reader looks for."""

    cells: dict[str, CellPart]
    inputs: tuple[str, ...]
    """Ids of cells that may be changed, and everything below them is calculated again."""
    fixed: tuple[str, ...]
    """Ids of facts that a change in the scenario alone can move: a model behind them is not in the workbook."""
    options: dict[str, dict[str, str]]
    """Option -> role -> cell id. Each line by its name; ``total_usd_per_month``, ``success_fraction`` and so on; over
    the months ``month:LINE``, ``cash``, ``present`` and ``cumulative``; ``upfront_usd``, ``present_cost_usd``."""
    closed: tuple[str, ...]
    """Options that are costed and not chosen: not everybody's, ruled out by an answer, or what another costs."""
    status_quo: str
    months_count: int
    paths: dict[str, str]
    """Name of a path that some option reads (see the horizon) -> id of the cell with its monthly ratio; ``discount``
    among them."""
