"""Write: the file as a reader of spreadsheets finds it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from breakeven.decision.workbook.cells import cell_of
from breakeven.errors import DocumentError
from breakeven.reports.document import Document, read_document, to_json
from breakeven.reports.spreadsheet import write_xlsx
from breakeven.reports.spreadsheet.layout import FIXED_SHEETS, INPUTS, READ_ME, SUMMARY
from breakeven.reports.spreadsheet.summary_sheet import ANSWER
from decision_documents import without_decision
from reports.sample_document import HOSTILE
from workbooks import document, small_document

NUMBERS_IN_NAMES = re.compile(r"(?<![A-Za-z0-9_'!$])[a-z][a-z0-9_]*_[a-z0-9_]+")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("book") / "book.xlsx"
    write_xlsx(document(), path)
    return openpyxl.load_workbook(path)


def formulas(book: Any) -> list[tuple[str, str]]:
    """Sheet and text of every formula."""
    return [
        (sheet.title, str(cell.value))
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def test_sheets(book: Any) -> None:
    assert set(FIXED_SHEETS) < set(book.sheetnames)
    assert len(book.sheetnames) == len(FIXED_SHEETS) + len(document().options)
    assert book.sheetnames[0] == READ_ME


def test_the_summary_says_so_when_its_cheapest_is_not_what_the_report_recommends(tmp_path: Path) -> None:
    """The words are a formula, so that they come and go with the inputs; what is stored in it is what it comes to."""
    made = small_document()
    told = {each: _told(made, each, tmp_path) for each in ("frontier_api", "brokered")}
    (formula, stored), *others = (each for each in told.values() if each[1])
    assert not others, "one of the two is the cheapest here"
    assert stored.startswith("Not what the report recommends, ")
    assert formula.startswith("=IF(MATCH(MIN(")
    assert f'"{stored}"' in formula
    assert len(stored) <= 255


def _told(made: Document, recommended: str, folder: Path) -> tuple[str, str]:
    """The formula of the remark and its stored result, in a workbook whose report recommends this option."""
    verdict = made.verdict.model_copy(update={"recommended": recommended})
    path = folder / f"{recommended}.xlsx"
    write_xlsx(made.model_copy(update={"verdict": verdict}), path)
    place = f"B{ANSWER + 6}"
    formula, stored = (
        openpyxl.load_workbook(path, data_only=is_stored)[SUMMARY][place].value for is_stored in (False, True)
    )
    return str(formula), stored or ""


def test_every_defined_name_is_used_and_every_name_used_is_defined(book: Any) -> None:
    read = {name for _, text in formulas(book) for name in NUMBERS_IN_NAMES.findall(re.sub(r"'[^']*'!", "", text))}
    assert read == set(book.defined_names)
    assert len(read) > 120


def test_a_defined_name_leads_to_its_value(book: Any) -> None:
    part = document().workbook
    assert part is not None
    sheet, place = book.defined_names["engineer_usd_per_year"].attr_text.split("!")
    assert sheet.strip("'") == INPUTS
    assert book[INPUTS][place.replace("$", "")].value == part.cells["engineer_usd_per_year"].value


def test_formulas_are_plain(book: Any) -> None:
    """No arrays, no hidden errors, no volatile or new functions, no other files, and none too long."""
    found = formulas(book)
    assert len(found) > 20_000
    for sheet, text in found:
        assert text.startswith("=")
        assert len(text) < 2_000, sheet
        assert not re.search(r"IFERROR|ISERROR|\{|_xlfn|INDIRECT|OFFSET|NOW\(|TODAY\(|RAND|\[\d|SUMPRODUCT|LET\(", text)
    functions = {name for _, text in found for name in re.findall(r"([A-Z][A-Z0-9.]*)\(", text)}
    assert functions <= {
        *("ABS", "COUNTIF", "EXP", "IF", "INDEX", "INT", "LN", "MATCH"),
        *("MAX", "MIN", "NORMSDIST", "RANK", "ROUND", "SUM", "TRUNC"),
    }


def test_only_inputs_and_given_values_are_numbers_on_the_options_sheets(book: Any) -> None:
    part = document().workbook
    assert part is not None
    given = sum(bool(cell.option) and cell.value is not None and not cell.expression for cell in part.cells.values())
    typed = 0
    for name in set(book.sheetnames) - set(FIXED_SHEETS):
        for row in book[name].iter_rows(min_row=5):
            typed += sum(cell.data_type == "n" and cell.value is not None for cell in row)
    assert typed == given


def test_every_sheet_is_ready_to_read_and_to_print(book: Any) -> None:
    for sheet in book.worksheets:
        assert sheet.page_setup.orientation == "landscape", sheet.title
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.title
        assert sheet.title == READ_ME or sheet.freeze_panes, sheet.title
        widths = [each.width for each in sheet.column_dimensions.values()]
        assert widths, sheet.title
        assert all(2 <= each <= 130 for each in widths), sheet.title


def test_inputs_say_where_they_come_from(book: Any) -> None:
    part = document().workbook
    assert part is not None
    rows = {row[8].value: row for row in book[INPUTS].iter_rows(min_row=5) if row[8].value}
    for key in part.inputs:
        cell = part.cells[key]
        row = next(each for name, each in rows.items() if name == re.sub(r"\W", "_", key))
        assert row[1].value == cell.value == row[3].value
        assert (row[4].value, row[5].value) == (cell.low, cell.high)
        assert row[6].value == cell.grade
        assert row[9].value
        assert row[1].fill.fgColor.rgb == "FFFFF8D6"


def test_fixed_facts_look_like_what_they_are(book: Any) -> None:
    part = document().workbook
    assert part is not None
    assert {"ttft_target_ms", "horizon_months"} <= {part.cells[key].name for key in part.fixed}
    words = " ".join(str(cell.value) for row in book[READ_ME].iter_rows() for cell in row if cell.value)
    for key in part.fixed:
        assert part.cells[key].name in words


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("small") / "book.xlsx"
    write_xlsx(small_document(), path)
    return openpyxl.load_workbook(path)


def hostile(text: str) -> Document:
    """The document with `text` wherever a log or a scenario may put a name."""
    base = small_document()
    part = base.workbook
    assert part is not None
    options = tuple(
        each.model_copy(
            update={
                "title": f"{text}{each.title}",
                "buys": text,
                "only_if": text,
                "lines": tuple(line.model_copy(update={"title": f"{text}{line.title}"}) for line in each.lines),
            }
        )
        for each in base.options
    )
    said = {"summary": text, "source": text, "note": text, "title": text, "unit": text, "grade": text, "read": text}
    cells = {key: cell.model_copy(update=said) for key, cell in part.cells.items()}
    return base.model_copy(
        update={
            "options": options,
            "verdict": base.verdict.model_copy(update={"sentence": text}),
            "workload": base.workload.model_copy(update={"label": text}),
            "workbook": part.model_copy(update={"cells": cells}),
            "warnings": (text,),
        }
    )


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "@x\x1b[31m\u202e" + HOSTILE[5]])
def test_hostile_names_run_nothing(text: str, tmp_path: Path, small: Any) -> None:
    write_xlsx(hostile(text), tmp_path / "book.xlsx")
    found = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert len(formulas(found)) == len(formulas(small))
    for sheet in found.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "s":
                    assert not cell.value.startswith(("=", "+", "-", "@")), (sheet.title, cell.coordinate)
                    assert "\x1b" not in cell.value
        assert not sheet._hyperlinks


def test_the_document_is_enough(tmp_path: Path, small: Any) -> None:
    """Written from the JSON that `compare --json` prints, the file is the same; and that JSON stays small."""
    text = to_json(small_document())
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    write_xlsx(read_document(tmp_path / "report.json"), tmp_path / "book.xlsx")
    assert formulas(openpyxl.load_workbook(tmp_path / "book.xlsx")) == formulas(small)
    part = document().workbook
    assert part is not None
    assert len(part.model_dump_json(indent=2)) < 1_500_000


@pytest.mark.parametrize(
    "names", [("frontier_api",), ("frontier_api", "rented_on_demand"), ("brokered", "frontier_api")]
)
def test_a_few_options_have_what_they_read_and_nothing_else(names: tuple[str, ...], tmp_path: Path) -> None:
    write_xlsx(document(*names), tmp_path / "book.xlsx")
    part = document(*names).workbook
    assert part is not None
    assert set(part.options) == set(names)
    read = {cell_of(each) for cell in part.cells.values() for each in cell.inputs.values()}
    assert read <= set(part.cells)
    assert set(part.inputs) <= read | set(part.paths.values())
    assert ("open_token_price" in part.paths) == ("brokered" in names)
    assert ("moved" in part.paths) == (len(names) > 1)


def test_an_older_document_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="breakeven compare --json"):
        write_xlsx(without_decision(small_document()), tmp_path / "book.xlsx")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="choose another name"):
        write_xlsx(small_document(), tmp_path / "no such folder" / "book.xlsx")


@pytest.mark.parametrize("lost", ["engineer_usd_per_year", "brokered/present_cost_usd", "volume_ratio"])
def test_a_damaged_part_is_named(lost: str, tmp_path: Path) -> None:
    part = small_document().workbook
    assert part is not None
    cells = {key: cell for key, cell in part.cells.items() if key != lost}
    damaged = small_document().model_copy(update={"workbook": part.model_copy(update={"cells": cells})})
    with pytest.raises(DocumentError, match=lost):
        write_xlsx(damaged, tmp_path / "book.xlsx")


def test_a_formula_of_somebody_else_is_refused(tmp_path: Path) -> None:
    part = small_document().workbook
    assert part is not None
    evil = part.cells["engineer_usd_per_hour"].model_copy(update={"expression": "__import__('os').system('id')"})
    cells = {**part.cells, "engineer_usd_per_hour": evil}
    damaged = small_document().model_copy(update={"workbook": part.model_copy(update={"cells": cells})})
    with pytest.raises(DocumentError, match="more than arithmetic"):
        write_xlsx(damaged, tmp_path / "book.xlsx")
