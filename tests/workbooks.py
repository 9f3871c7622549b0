"""What tests of the spreadsheet share: a document with a workbook, a hand that types into cells, and LibreOffice."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from breakeven.decision.compare import compare
from breakeven.decision.scenario import Scenario
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options
from breakeven.options.option import Situation
from breakeven.reports.build import Inputs, build_document
from breakeven.reports.document import Document
from breakeven.reports.spreadsheet.layout import INPUTS, VALUE, Layout, column_letters
from breakeven.reports.workbook_build import workbook_part
from costing import QUOTE, demand, pinned, situation
from reports.sample_document import sample_workload

VOLUME_MTOK = 60_000.0
SHOWN = pinned({"log_growth_fraction_per_month": 0.07, "log_lead_months": 2.5, "log_length_months": 4.0})
"""What the log shows of itself: four months in which it grew."""


def asked(**overrides: float) -> Situation:
    """A log of some size, with a quote for provisioned units, and `overrides` of the scenario."""
    return situation(demand(VOLUME_MTOK, cache_read_fraction=0.1), pinned({**QUOTE, **overrides}))


@cache
def document(*names: str) -> Document:
    """A comparison of all options over the whole horizon, or of these over four months, with its workbook."""
    of = asked(**({"horizon_months": 4.0} if names else {}))
    options = {each: discover_options()[each] for each in names} if names else discover_options()
    comparison = compare(of, options, DrawSet(0, 4))
    inputs = Inputs(of.catalog, Scenario(), "calls", 730.0)
    made = build_document(comparison, sample_workload(), inputs, next_command="breakeven explain report.json")
    return made.model_copy(update={"workbook": workbook_part(of, options, SHOWN)})


def small_document() -> Document:
    """The same of a few options, of every kind of sheet."""
    return document("frontier_api", "brokered", "sunk_gpus")


def typed(book: Path, copy: Path, layout: Layout, values: Mapping[str, float]) -> Path:
    """`copy`: the workbook with `values` typed into the cells of these inputs, and no result kept from before."""
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target:
        sheet = _sheet_file(source, INPUTS) if values else ""
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                text = content.decode()
                for key, value in values.items() if name == sheet else ():
                    place = f"{column_letters(VALUE)}{layout.places[key].row + 1}"
                    text, count = re.subn(rf'(<c r="{place}"[^>]*>)<v>[^<]*</v>', rf"\g<1><v>{value!r}</v>", text)
                    assert count == 1, key
                content = re.sub(r"(</f>)<v>[^<]*</v>", r"\1", text).encode()
            target.writestr(name, content)
    return copy


def _sheet_file(book: zipfile.ZipFile, sheet: str) -> str:
    """The file of a sheet: they are numbered in order."""
    names = re.findall(r'<sheet name="([^"]*)"', book.read("xl/workbook.xml").decode())
    return f"xl/worksheets/sheet{names.index(sheet) + 1}.xml"


def recalculated(books: Sequence[Path], folder: Path) -> list[Path]:
    """The workbooks as LibreOffice computes and saves them, all in one call; skips where there is no LibreOffice."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("no LibreOffice (soffice): nothing recalculates the spreadsheet")
    profile = (folder / "profile").absolute().as_uri()
    asks = [office, "--headless", "--norestore", f"-env:UserInstallation={profile}", "--convert-to", "xlsx"]
    done = subprocess.run(
        [*asks, "--outdir", str(folder / "out"), *map(str, books)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    found = [folder / "out" / each.name for each in books]
    assert all(each.exists() for each in found), done.stdout + done.stderr
    return found


class Recalculated:
    """The values of a workbook that LibreOffice computed."""

    def __init__(self, path: Path, layout: Layout) -> None:
        import openpyxl

        book = openpyxl.load_workbook(path, data_only=True, read_only=True)
        self.sheets = {each.title: [list(row) for row in each.iter_rows(values_only=True)] for each in book.worksheets}
        self.layout = layout
        book.close()

    def cell(self, sheet: str, row: int, column: int) -> object:
        """A value by place, counted from 0."""
        rows = self.sheets[sheet]
        return rows[row][column] if row < len(rows) and column < len(rows[row]) else None

    def value(self, key: str, column: int) -> float:
        """The number of a cell of the part in a column."""
        place = self.layout.places[key]
        found = self.cell(place.sheet, place.row, column)
        assert isinstance(found, int | float), (key, place, found)
        return float(found)
