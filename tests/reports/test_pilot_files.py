"""A pilot as files: every kind from one document, the same words in each, nothing in them that acts."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import openpyxl
import pypdfium2
import pytest

from breakeven.reports.pilot_files import KINDS, render_pilot_file
from breakeven.reports.pilot_summary import pilot_summary
from reports.made_pilots import PILOTS


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "xlsx"])
@pytest.mark.parametrize("name", ["yes", "hostile"])
def test_the_same_document_gives_the_same_bytes(name: str, kind: str) -> None:
    assert render_pilot_file(kind, PILOTS[name]()) == render_pilot_file(kind, PILOTS[name]())


@pytest.mark.parametrize("name", PILOTS)
def test_markdown_has_tables_that_hold_and_nothing_that_acts(name: str) -> None:
    text = render_pilot_file("md", PILOTS[name]()).decode()
    assert not re.search(r"(?<!\\)<(?:script|img)", text)
    assert text.endswith("\n")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for block in re.split(r"\n\n", text):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines() if line.startswith("|")}
        assert len(counts) <= 1, block
    assert rows or name == "designed"


def test_markdown_says_what_the_page_says() -> None:
    document = PILOTS["no"]()
    text = render_pilot_file("md", document).decode().replace("\\", "")
    page = pilot_summary(document)
    assert text.index(page.answer) < text.index(page.sentence)
    for words in (*page.alerts, *page.not_claimed, *page.details, *(each.words for each in page.design)):
        assert words in text


@pytest.mark.parametrize("name", PILOTS)
def test_the_pdf_has_few_pages_and_the_answer_on_the_first(name: str) -> None:
    pdf = pypdfium2.PdfDocument(render_pilot_file("pdf", PILOTS[name]()))
    assert len(pdf) <= (4 if name == "hostile" else 2)
    first = " ".join(pdf[0].get_textpage().get_text_bounded().split())
    assert pilot_summary(PILOTS[name]()).answer in first
    pdf.close()


def book(name: str) -> Any:
    """The workbook, formulas as they stand."""
    return openpyxl.load_workbook(io.BytesIO(render_pilot_file("xlsx", PILOTS[name]())))


def cells(sheet: Any) -> list[list[Any]]:
    return [[each.value for each in row] for row in sheet.iter_rows()]


@pytest.mark.parametrize("name", PILOTS)
def test_the_workbook_opens_and_only_the_payback_is_a_formula(name: str) -> None:
    formulas = [
        (sheet.title, value)
        for sheet in book(name).worksheets
        for row in cells(sheet)
        for value in row
        if isinstance(value, str) and value.startswith("=")
    ]
    has_month = PILOTS[name]().savings is not None and name not in ("offline", "hostile")
    assert [sheet for sheet, _ in formulas] == (["Money"] if has_month else [])


def test_the_workbook_s_payback_follows_the_cost_of_the_switch() -> None:
    found = book("yes")
    sheet = found["Money"]
    rows = cells(sheet)
    at = next(i for i, row in enumerate(rows) if row[0] == "The switch costs, once, USD")
    month = next(i for i, row in enumerate(rows) if row[0] == "A month")
    assert rows[at][1] == 31_000
    assert rows[month][1] == 18_400
    assert rows[at + 1][1] == f'=IF(B{month + 1}>0,B{at + 1}/B{month + 1},"never")'
    cached = openpyxl.load_workbook(io.BytesIO(render_pilot_file("xlsx", PILOTS["yes"]())), data_only=True)
    assert cached["Money"].cell(at + 2, 2).value == pytest.approx(31_000 / 18_400)


def test_the_workbook_holds_the_evidence_as_numbers() -> None:
    document = PILOTS["many"]()
    rows = cells(book("many")["History"])
    mine = [row for row in rows if row[0] == "billing-d"]
    points = [
        (each.requests_count, one.outcomes_count, one.ln_e_ratio)
        for each in document.history
        for one in each.tasks
        if one.task == "billing-d" and not one.is_overall
    ]
    assert [(row[3], row[4], pytest.approx(row[5])) for row in mine] == points


def test_hostile_names_are_no_formulas_and_no_links() -> None:
    with zipfile.ZipFile(io.BytesIO(render_pilot_file("xlsx", PILOTS["hostile"]()))) as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml"))
    assert "<script>" not in text
    assert "\x1b" not in text
