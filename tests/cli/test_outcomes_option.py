"""--outcomes: a file of outcomes on the command line, over the one of the scenario."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from breakeven.cli import decide, main
from breakeven.errors import ScenarioError
from breakeven.reports.document import Document
from decision_documents import with_decision
from reports.sample_document import sample_document


def asked_with(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> Any:
    """The scenario that the verb asks with."""
    seen: list[Any] = []

    def compared(source: Any, scenario: Any, next_command: str, say: Callable[[str], None]) -> Document:
        seen.append(scenario)
        return with_decision(sample_document())

    monkeypatch.setattr(decide, "compared", compared)
    done = CliRunner().invoke(main.group, ["decide", "--usage", "calls.jsonl", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return seen[0]


def write(path: Path, model: str) -> Path:
    path.write_text(f"request_id,task,prompt,model,success\n1,faq,,{model},1\n")
    return path


def test_the_file_is_read_and_wins_over_the_scenarios(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "old.csv", "gpt-5")
    new = write(tmp_path / "new.csv", "gpt-oss-120b")
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("outcomes: old.csv\n")
    assert [each.name for each in asked_with(monkeypatch, "--scenario", scenario).choices().outcomes.models] == [
        "gpt-5"
    ]
    asked = asked_with(monkeypatch, "--scenario", scenario, "--outcomes", new)
    assert [each.name for each in asked.choices().outcomes.models] == ["gpt-oss-120b"]


def test_a_file_that_is_none_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"outcomes: .*missing\.csv: No such file"):
        asked_with(monkeypatch, "--outcomes", tmp_path / "missing.csv")
