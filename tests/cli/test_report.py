"""report: files from one document, as a user asks for them; and what is refused before anything is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pypdfium2
import pytest
from click.testing import CliRunner, Result

from breakeven.cli import main
from breakeven.errors import BreakevenError, DocumentError, OutputError
from breakeven.reports.document import to_json
from decision_documents import with_decision, without_decision
from reports.sample_document import sample_document


@pytest.fixture
def comparison(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(to_json(with_decision(sample_document())), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    """An error of ours is raised, as `main` would print it."""
    done = CliRunner().invoke(main.group, ["report", *map(str, arguments)])
    if isinstance(done.exception, BreakevenError):
        raise done.exception
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_it_writes_what_is_asked_for(comparison: Path, tmp_path: Path) -> None:
    html, pdf, md = tmp_path / "new" / "report.html", tmp_path / "decision.pdf", tmp_path / "comment.md"
    done = run(comparison, "--html", html, "--pdf", pdf, "--md", md)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"Wrote {html}", f"Wrote {pdf}", f"Wrote {md}"]
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(pypdfium2.PdfDocument(pdf.read_bytes())) == 2
    assert md.read_text(encoding="utf-8").startswith("## breakeven: Brokered open model")


def test_json_says_what_was_written(comparison: Path, tmp_path: Path) -> None:
    md = tmp_path / "comment.md"
    found = json.loads(run(comparison, "--md", md, "--json").stdout)
    assert found == {
        "document": str(comparison),
        "written": [{"kind": "md", "path": str(md), "bytes": md.stat().st_size}],
    }


def test_without_a_file_the_page_is_printed(comparison: Path) -> None:
    done = run(comparison)
    assert done.exit_code == 0 and sample_document().verdict.sentence.split(":")[0] in done.stdout


def test_an_old_document_gives_every_page(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    content = json.loads(to_json(without_decision(sample_document())))
    for part in ("horizon", "risk", "answers", "workbook"):
        del content[part]
    old.write_text(json.dumps(content), encoding="utf-8")
    done = run(old, "--html", tmp_path / "o.html", "--pdf", tmp_path / "o.pdf", "--md", tmp_path / "o.md")
    assert done.exit_code == 0
    assert "Not in this document (schema 1.1)" in (tmp_path / "o.md").read_text(encoding="utf-8")


def test_the_spreadsheet_is_written_by_its_own_room(
    comparison: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from breakeven.reports import spreadsheet

    def write_xlsx(document: object, path: Path) -> None:
        path.write_bytes(b"PK")

    monkeypatch.setattr(spreadsheet, "write_xlsx", write_xlsx, raising=False)
    target = tmp_path / "new" / "model.xlsx"
    assert run(comparison, "--xlsx", target).exit_code == 0
    assert target.read_bytes() == b"PK"


def test_an_old_document_has_no_spreadsheet_and_nothing_else_is_written_either(tmp_path: Path) -> None:
    old, md = tmp_path / "old.json", tmp_path / "comment.md"
    old.write_text(to_json(without_decision(sample_document())), encoding="utf-8")
    with pytest.raises(DocumentError, match="holds no calculation for a spreadsheet"):
        run(old, "--md", md, "--xlsx", tmp_path / "model.xlsx")
    assert not md.exists()


def test_two_outputs_to_one_file_are_refused_and_nothing_is_written(comparison: Path, tmp_path: Path) -> None:
    target = tmp_path / "same"
    with pytest.raises(OutputError, match="--html and --md both write"):
        run(comparison, "--html", target, "--md", tmp_path / "x" / ".." / "same")
    assert not target.exists()


def test_what_is_read_is_not_written_over(comparison: Path) -> None:
    before = comparison.read_bytes()
    with pytest.raises(OutputError, match=r"--pdf would write over .*report\.json, which is read"):
        run(comparison, "--pdf", comparison)
    assert comparison.read_bytes() == before


def test_a_folder_is_refused(comparison: Path, tmp_path: Path) -> None:
    done = run(comparison, "--html", tmp_path)
    assert done.exit_code == 2 and "is a directory" in done.stderr


def test_a_place_below_a_file_is_refused(comparison: Path) -> None:
    with pytest.raises(OutputError, match="is a file, not a folder"):
        run(comparison, "--md", comparison / "comment.md")


def test_a_place_without_permission_is_refused(
    comparison: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(OutputError, match="no permission to write there"):
        run(comparison, "--md", tmp_path / "comment.md")


def test_without_the_package_for_pdf_nothing_is_written(
    comparison: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breakeven.reports.pdf.typesetting.find_spec", lambda name: None)
    with pytest.raises(OutputError, match=r"pip install 'breakeven\[pdf\]'"):
        run(comparison, "--md", tmp_path / "comment.md", "--pdf", tmp_path / "decision.pdf")
    assert not (tmp_path / "comment.md").exists()


def test_a_damaged_document_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(DocumentError, match="is not JSON"):
        run(broken, "--md", tmp_path / "comment.md")
