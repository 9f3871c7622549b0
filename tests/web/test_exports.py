"""Exports: to the byte the files that `breakeven report` writes of the same document."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from breakeven.cli.main import group
from breakeven.errors import OutputError, UsageError
from breakeven.web import documents, exports
from breakeven.web.jobs import Job
from breakeven.web.project import Project
from web.dashboards import client_of
from web.made_project import desk_of

KINDS = ("html", "xlsx", "md", *(("pdf",) if find_spec("typst") else ()))


def test_the_same_bytes_as_the_command_writes(compared: Project, tmp_path: Path) -> None:
    desk = desk_of(compared)
    shutil.rmtree(compared.kept / "exports", ignore_errors=True)
    text = documents.comparison_text(desk)
    assert isinstance(text, str)
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    words = [word for kind in KINDS for word in (f"--{kind}", str(tmp_path / f"report.{kind}"))]
    CliRunner().invoke(group, ["report", str(tmp_path / "report.json"), *words], catch_exceptions=False)
    with client_of(desk) as client:
        for kind in (*KINDS, "json"):
            for _ in range(60):
                found = client.get(f"/export/report.{kind}", headers={"accept": "application/json"})
                if found.status_code != 202:
                    break
                job = desk.jobs.find(found.json()["job"]["key"])
                assert job is not None
                job.wait(60)
            assert found.status_code == 200, found.text
            assert found.content == (tmp_path / f"report.{kind}").read_bytes(), kind
            assert f'filename="breakeven-report.{kind}"' in found.headers["content-disposition"]


def test_a_pdf_without_typst_says_how_to_get_it(compared: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise OutputError("a PDF needs the typst package, which is not installed: pip install 'breakeven[pdf]'")

    monkeypatch.setattr("breakeven.reports.pdf.typesetting.need_typst", missing)
    with client_of(desk_of(compared)) as client:
        page = client.get("/export")
        assert page.status_code == 200
        assert re.search(r"pip install .{1,10}breakeven\[pdf\]", page.text)
        assert "/export/report.pdf" not in page.text
        refused = client.get("/export/report.pdf")
        assert (refused.status_code, "breakeven[pdf]" in refused.text) == (400, True)


@pytest.mark.parametrize("address", ["/export", "/export/report.pdf", "/trace", "/facts/scenarios/compare"])
def test_what_cannot_be_shown_stands_under_its_own_heading(
    empty_project: Project, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def damaged(_: object) -> None:
        raise UsageError("the store is damaged; import again")

    title = {"/trace": "What is behind a number", "/facts/scenarios/compare": "Two scenarios side by side"}
    with client_of(desk_of(empty_project)) as client:
        empty = client.get("/export" if address.startswith("/export/") else address)
        assert f"<h1>{title.get(address, 'Export')}</h1>" in empty.text
        monkeypatch.setattr(documents, "store_state", damaged)
        monkeypatch.setattr(documents, "comparison_text", damaged)
        monkeypatch.setattr(exports, "EXPORTS", tuple(replace(each, missing=lambda: "") for each in exports.EXPORTS))
        answer = client.get(address)
    assert answer.status_code == 400
    assert "the store is damaged" in answer.text
    assert '<a href="/facts" aria-current="page">' in answer.text
    about = re.search(r'<p class="about">([^<]*)</p>', answer.text)
    assert about is not None
    assert about[1].startswith({"/trace": "The tree", "/facts/scenarios/compare": "What one"}.get(address, "The comp"))


def test_a_comparison_that_failed_stands_under_the_heading_of_its_page(
    empty_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Job("comparison", "Comparing the options", state="failed", error="no price is known", is_expected=True)
    monkeypatch.setattr(documents, "store_state", lambda _: documents.StoreState("ready", "", ""))
    monkeypatch.setattr(documents, "comparison", lambda _: failed)
    with client_of(desk_of(empty_project)) as client:
        for address, heading in (("/export", "Export"), ("/trace", "What is behind a number")):
            answer = client.get(address)
            assert (answer.status_code, f"<h1>{heading}</h1>" in answer.text) == (400, True)
            assert "no price is known" in answer.text


@pytest.mark.parametrize("kind", ["exe", "..", "html/../../x", "%2e%2e", "json%00"])
def test_no_other_kind_is_made(compared: Project, kind: str) -> None:
    with client_of(desk_of(compared)) as client:
        assert client.get(f"/export/report.{kind}").status_code == 404


def test_without_calls_there_is_nothing_to_take_away(empty_project: Project) -> None:
    with client_of(desk_of(empty_project)) as client:
        assert "breakeven import" in client.get("/export").text
        assert client.get("/export/report.md").status_code == 400


def test_what_takes_long_is_waited_for_on_a_page(compared: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(compared)
    monkeypatch.setattr(exports, "PATIENCE_S", 0.0)
    for each in (compared.kept / "exports").glob("*.md"):
        each.unlink()
    with client_of(desk) as client:
        found = client.get("/export/report.md", follow_redirects=False)
        if found.status_code == 303:
            assert found.headers["location"] == "/export?wait=md"
            job = next(each for each in desk.jobs.every() if each.name.startswith("export-md"))
            assert job.wait(60)
        page = client.get("/export?wait=md")
        assert "The Markdown is ready" in page.text
