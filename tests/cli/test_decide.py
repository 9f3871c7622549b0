"""decide: one page from a document or a log, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from breakeven.cli import decide, main
from breakeven.errors import BreakevenError, DocumentError
from breakeven.reports.document import Document, to_json
from decision_documents import with_decision
from reports.sample_document import sample_document


def run(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(main.group, ["decide", *map(str, arguments)])
    if isinstance(done.exception, BreakevenError):
        raise done.exception
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_from_a_document(tmp_path: Path) -> None:
    document = with_decision(sample_document())
    assert document.answers is not None
    path = tmp_path / "report.json"
    path.write_text(to_json(document), encoding="utf-8")
    text = " ".join(run("--report", path).stdout.split())
    assert document.answers.decision.sentence in text
    for heading in ("The numbers that matter", "On Monday", "What would change our mind", "When to go back"):
        assert heading in text
    found = json.loads(run("--report", path, "--json").stdout)
    assert found["recommended"] == document.answers.decision.recommended
    assert found["probability_fraction"] == 0.69


def test_from_a_log_it_is_the_page_of_the_comparison(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    document = with_decision(sample_document())
    asked: list[Any] = []

    def compared(source: Any, scenario: Any, next_command: str, say: Callable[[str], None]) -> Document:
        asked.append((source.usage, scenario.seed))
        return document

    monkeypatch.setattr(decide, "compared", compared)
    log = tmp_path / "calls.jsonl"
    log.write_text("", encoding="utf-8")
    found = json.loads(run("--usage", log, "--seed", "7", "--json").stdout)
    assert asked == [((log,), 7)]
    assert found["footer"]["calls_hash"] == document.footer.calls_hash


def test_a_scenario_that_lies_here_unused_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    document = with_decision(sample_document())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(decide, "compared", lambda *_: document)
    (tmp_path / "report.json").write_text(to_json(document), encoding="utf-8")
    (tmp_path / "calls.jsonl").write_text("", encoding="utf-8")
    said = "scenario.yaml lies here and is not used"
    assert said not in run("--usage", "calls.jsonl", "--json").stderr
    (tmp_path / "scenario.yaml").write_text("seed: 1\n", encoding="utf-8")
    assert said in run("--usage", "calls.jsonl", "--json").stderr
    assert said not in run("--usage", "calls.jsonl", "--scenario", "scenario.yaml", "--json").stderr
    assert said not in run("--report", "report.json", "--json").stderr


def test_a_document_and_a_log_are_refused_together(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    log.write_text("", encoding="utf-8")
    done = run("--report", tmp_path / "report.json", "--usage", log)
    assert done.exit_code == 2 and "give --report, or --usage or --store, not both" in done.stderr


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot read"):
        run("--report", tmp_path / "none.json")
