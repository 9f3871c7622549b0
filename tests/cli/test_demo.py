"""`breakeven demo`: one command writes every file that people take away, and says where."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from breakeven.cli import demo
from breakeven.cli.main import group
from breakeven.cli.output_files import OutputFiles
from breakeven.reports import answer
from breakeven.reports.document import read_document
from breakeven.usage import synthetic
from decision_documents import real_document


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's log, shorter, and the comparison that other tests made of one like it."""
    document = real_document()
    monkeypatch.setattr(answer, "answer", lambda *_: document)
    monkeypatch.setattr(synthetic, "write_synthetic_log", partial(synthetic.write_synthetic_log, calls_count=1_000))


def test_every_file_stands_beside_the_report_and_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(group, ["demo", "--out", str(tmp_path / "d")], catch_exceptions=False)
    folder = tmp_path / "d"
    names = {each.name for each in folder.iterdir()}
    has_typst = importlib.util.find_spec("typst") is not None
    wanted = {"report.html", "report.json", "report.xlsx", "report.md"} | ({"report.pdf"} if has_typst else set())
    assert wanted <= names
    end = done.stdout[done.stdout.rindex("\nReport: ") :]
    assert f"Report: {folder / 'report.html'}" in end
    assert all(name in end for name in wanted)
    assert f"breakeven decide --report {folder / 'report.json'}" in end
    document = read_document(folder / "report.json")
    assert document.horizon and document.risk and document.answers and document.workbook
    html = (folder / "report.html").read_text(encoding="utf-8")
    for anchor in ("decision", "months", "doubt", "answers", "privacy", "exit"):
        assert f'id="{anchor}"' in html
    assert "xl/workbook.xml" in ZipFile(folder / "report.xlsx").namelist()
    assert "SYNTHETIC DATA" in (folder / "report.md").read_text(encoding="utf-8")


def test_without_typst_it_is_said_how_to_get_the_pdf() -> None:
    assert "a PDF needs pip install 'breakeven[pdf]'" in demo.beside(OutputFiles())
    assert "pip" not in demo.beside(OutputFiles(pdf=Path("report.pdf")))
