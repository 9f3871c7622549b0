"""Recalculated by LibreOffice, the workbook gives the product's numbers; an input changed there is one changed here."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from breakeven.decision.workbook.expression import evaluate
from breakeven.options.discover import discover_options
from breakeven.reports.spreadsheet.compare_sheet import FIRST, PRESENT, RANK, compared
from breakeven.reports.spreadsheet.formula_text import formula_text
from breakeven.reports.spreadsheet.layout import COMPARE, MONTH_1, SUMMARY, TODAY_COLUMN, VALUE, layout_of
from breakeven.reports.spreadsheet.summary_sheet import ANSWER, TABLE
from breakeven.reports.spreadsheet.values import WorkbookValues, workbook_values
from breakeven.reports.spreadsheet.write import write_xlsx
from breakeven.reports.workbook_build import workbook_part
from breakeven.reports.workbook_part import WorkbookPart
from workbooks import SHOWN, Recalculated, asked, document, recalculated, typed

NEVER_BY_NAME = frozenset(
    {
        # a scenario that sets these replaces what an option would have bound instead; here they are cells of their own
        "gpu_rent_usd_per_gpu_hour",
        "incident_hours_per_event",
        "replicas_min_count",
        # prices of the log's own models: a contract changes them, no override
        "input_usd_per_mtok",
        "output_usd_per_mtok",
        "cache_read_usd_per_mtok",
        "cache_write_usd_per_mtok",
    }
)
LIMITS = {
    "cost_of_capital_fraction_per_year": 0.0,
    "volume_growth_fraction_per_month": -0.03,
    "gpu_residual_year5_fraction": 0.0,
    "migration_ramp_months": 0.0,
    "gpu_lifetime_months": 11.0,
    "opportunity_premium_fraction": 0.0,
    "hybrid_commodity_share_fraction": 1.0,
    "idle_timeout_s": 0.0,
    "warranty_months": 90.0,
    "log_growth_fraction_per_month": -0.3,
}
"""Ends of what may be typed."""
TIGHT = 1e-9
SEMANTICS = (
    "-a ** 2",
    "(-a) ** 2",
    "2 ** b ** 2",
    "(2 ** b) ** 2",
    "-(2 ** -b)",
    "a - (b - c) - c",
    "a / (b / c) / c",
    "a - -b",
    "a * -b",
    "-a * b",
    "-(a + b) * c",
    "(a + b) * (a - b) / -c",
    "ceil(a)",
    "ceil(-a)",
    "ceil(b)",
    "-ceil(-b)",
    "floor(a)",
    "floor(-a)",
    "ceil(b / 2) * 2",
    "round_half_even(b / 2, 0)",
    "round_half_even(b * 3 / 2, 0)",
    "round_half_even(-b / 2, 0)",
    "round_half_even(1.0000000005, 9)",
    "round_half_even(a, 9)",
    "log1p(1e-12)",
    "log1p(-0.00005)",
    "log1p(0.00011)",
    "log1p(a)",
    "expm1(1e-12)",
    "expm1(-0.00009)",
    "expm1(0.00011)",
    "expm1(-a)",
    "exp(log(a))",
    "normal_cdf(0)",
    "normal_cdf(a)",
    "normal_cdf(-a)",
    "normal_cdf(-5)",
    "where(a > b, a, b)",
    "where(a <= a, 1, 2) + where(a < a, 1, 2) + where(a >= c, 10, 20)",
    "max(min(a, b), -c) ** 0.5",
    "min(max(a, 0), 0.25) * 0.88 + (min(max(a, 0.25), 0.5) - 0.25) * 0.69",
)
VALUES = {"a": 2.718281828459045, "b": 3.0, "c": 0.125}


def overridable(part: WorkbookPart) -> dict[str, list[str]]:
    """Name -> the cells that a scenario's override of that name replaces."""
    found: dict[str, list[str]] = {}
    for key in part.inputs:
        if part.cells[key].name not in NEVER_BY_NAME:
            found.setdefault(part.cells[key].name, []).append(key)
    return found


def all_moved(part: WorkbookPart, seed: int) -> dict[str, float]:
    """Every input at once, each somewhere near where it was."""
    rng = random.Random(seed)
    moved = {}
    for name, keys in overridable(part).items():
        value = part.cells[keys[0]].value
        assert value is not None
        is_share = part.cells[keys[0]].unit == "fraction" or "fraction_per_" in name
        moved[name] = value * rng.uniform(0.7, 1.0) if is_share else value * rng.uniform(0.8, 1.3) + 0.01
    return moved


def random_expressions(count: int, seed: int) -> list[str]:
    """Arithmetic of every shape, with positive results where a power or a logarithm needs one."""
    rng = random.Random(seed)

    def tree(depth: int) -> str:
        if depth == 0 or rng.random() < 0.15:
            return rng.choice(["a", "b", "c", f"{rng.uniform(0.2, 9):.3f}"])
        kind = rng.choice(["two", "two", "two", "minus", "call", "power"])
        if kind == "two":
            return f"({tree(depth - 1)} {rng.choice('+-*/')} {tree(depth - 1)})"
        if kind == "minus":
            return f"(-{tree(depth - 1)})"
        if kind == "power":
            return f"(max({tree(depth - 1)}, 0.1) ** {rng.choice(['2', '-1', '0.5', 'c'])})"
        return f"{rng.choice(['max', 'min'])}({tree(depth - 1)}, {tree(depth - 1)})"

    found: list[str] = []
    while len(found) < count:
        expression = tree(5)
        try:
            value = evaluate(expression, VALUES)
        except ArithmeticError:
            continue
        if 1e-6 < abs(value) < 1e9:
            found.append(expression)
    return found


def write_expressions(path: Path, expressions: list[str]) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Sheet")
    for at, value in enumerate(VALUES.values()):
        sheet.write_number(at, 0, value)
    reference = {name: f"$A${at}" for at, name in enumerate(VALUES, start=1)}
    for at, expression in enumerate(expressions):
        sheet.write_formula(at, 1, formula_text(expression, reference))
    book.close()


class Books:
    """Every workbook of this module, recalculated in one call."""

    def __init__(self, folder: Path) -> None:
        book = self.book = folder / "comparison.xlsx"
        write_xlsx(document(), book)
        part = document().workbook
        assert part is not None
        self.part, self.layout = part, layout_of(document(), part)
        self.expressions = [*SEMANTICS, *random_expressions(250, seed=3)]
        write_expressions(folder / "expressions.xlsx", self.expressions)
        self.changes = {"as it is": {}, "all": all_moved(part, 5) | LIMITS}
        by_name = overridable(part)
        files = [typed(folder / "expressions.xlsx", folder / "semantics.xlsx", self.layout, {})]
        for at, change in enumerate(self.changes.values()):
            values = {key: value for name, value in change.items() for key in by_name[name]}
            files.append(typed(book, folder / f"changed-{at}.xlsx", self.layout, values))
        semantics, *found = recalculated(files, folder)
        self.semantics = Recalculated(semantics, self.layout)
        self.found = {name: Recalculated(path, self.layout) for name, path in zip(self.changes, found, strict=True)}


def test_recalculated_by_libreoffice(tmp_path: Path) -> None:
    """One test, since LibreOffice takes its time: everything below asks the workbooks that one call of it computed."""
    books = Books(tmp_path)
    expressions_mean_there_what_they_mean_here(books)
    for name in books.changes:
        it_computes_what_the_product_computes(books, name)
        no_cell_comes_to_an_error(books, name)
        the_summary_sorts_and_names_the_cheapest(books, name)
    what_the_file_shows_before_anybody_recalculates_is_right(books)
    the_changes_reach_every_option(books)


def expressions_mean_there_what_they_mean_here(books: Books) -> None:
    for at, expression in enumerate(books.expressions):
        found = books.semantics.cell("Sheet", at, 1)
        assert found == pytest.approx(evaluate(expression, VALUES), rel=1e-10, abs=1e-13), expression


def it_computes_what_the_product_computes(books: Books, name: str) -> None:
    """Every cell of every option's calculation against a new run of the product with the same scenario."""
    change = books.changes[name]
    part = workbook_part(asked(**change), discover_options(), SHOWN)
    assert set(part.options) == set(books.part.options)
    wanted = workbook_values(part)
    for option, roles in part.options.items():
        assert set(roles) == set(books.part.options[option])
        for role, key in roles.items():
            same(books.found[name], books.part.options[option][role], wanted, key, f"{option} {role}")


def same(found: Recalculated, key: str, wanted: WorkbookValues, wanted_key: str, where: str) -> None:
    """One cell of the workbook, today and in each month."""
    if wanted_key in wanted.today:
        column = VALUE if found.layout.places[key].sheet == "Inputs" else TODAY_COLUMN
        assert found.value(key, column) == pytest.approx(wanted.today[wanted_key], rel=TIGHT, abs=1e-9), where
    months = [found.value(key, MONTH_1 + at) for at in range(len(wanted.months.get(wanted_key, [])))]
    if months:
        assert months == pytest.approx(wanted.months[wanted_key], rel=TIGHT, abs=1e-9), where


def no_cell_comes_to_an_error(books: Books, name: str) -> None:
    for sheet, rows in books.found[name].sheets.items():
        for row in rows:
            assert not [each for each in row if isinstance(each, str) and each.startswith("#")], sheet


def what_the_file_shows_before_anybody_recalculates_is_right(books: Books) -> None:
    """A viewer that computes nothing shows the results that were written."""
    shown, computed = Recalculated(books.book, books.layout), books.found["as it is"]
    count = 0
    for sheet, rows in computed.sheets.items():
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, int | float):
                    written = shown.cell(sheet, at, column)
                    assert isinstance(written, int | float)
                    assert math.isclose(written, value, rel_tol=TIGHT, abs_tol=1e-9), (sheet, at, column)
                    count += 1
    assert count > 20_000


def the_summary_sorts_and_names_the_cheapest(books: Books, name: str) -> None:
    found = books.found[name]
    names, options = compared(document(), books.layout), {each.name: each for each in document().options}
    values = workbook_values(workbook_part(asked(**books.changes[name]), discover_options(), SHOWN))
    cost = {each: values.today[books.part.options[each]["present_cost_usd"]] for each in names}
    order = sorted(names, key=lambda each: cost[each])
    shown = [found.cell(SUMMARY, TABLE + 1 + at, 1) for at in range(len(names))]
    assert shown == [options[each].title for each in order]
    best = min((each for each in names if each not in books.part.closed), key=lambda each: cost[each])
    assert found.cell(SUMMARY, ANSWER, 2) == options[best].title
    assert found.cell(SUMMARY, ANSWER + 1, 2) == pytest.approx(cost[best], rel=TIGHT)
    ranked = [found.cell(COMPARE, FIRST + at, RANK) for at in range(len(names))]
    assert sorted(ranked) == list(range(1, len(names) + 1))
    assert found.cell(COMPARE, FIRST, PRESENT) == pytest.approx(cost[names[0]], rel=TIGHT)


def the_changes_reach_every_option(books: Books) -> None:
    """A test of the test: what was typed moves every total."""
    before, after = books.found["as it is"], books.found["all"]
    for roles in books.part.options.values():
        key = roles["total_usd_per_month"]
        assert after.value(key, TODAY_COLUMN) != pytest.approx(before.value(key, TODAY_COLUMN), rel=1e-3)
