"""`breakeven export` writes files that other tools, and breakeven itself, read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from breakeven.cli.main import group


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, list(arguments))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    row = {"timestamp": "2026-11-02T10:00:00Z", "input_tokens": 1000, "output_tokens": 100}
    rows = [{**row, "provider": "openai", "model": "gpt-5"}, {**row, "provider": "acme", "model": "acme-7b"}]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def test_focus(tmp_path: Path, log: Path) -> None:
    result = run("export", "--as", "focus", str(tmp_path / "out" / "focus.csv"), "--usage", str(log))
    assert result.exit_code == 0
    assert f"(new folder {tmp_path / 'out'})" in result.stdout
    assert "4 rows in" in result.stdout
    again = run("export", "--as", "focus", str(tmp_path / "out" / "focus.csv"), "--usage", str(log))
    assert "new folder" not in again.stdout
    assert "! 2 of them have no price" in result.stdout
    told = run("export", "--as", "focus", str(tmp_path / "f.csv"), "--usage", str(log), "--json").stdout
    assert json.loads(told)["unpriced_rows"] == 2


def test_otel_imports_again(tmp_path: Path, log: Path) -> None:
    out = tmp_path / "otel.parquet"
    assert run("export", "--as", "otel", str(out), "--usage", str(log)).exit_code == 0
    report = json.loads(run("import", str(out), "--store", str(tmp_path / "store"), "--json").stdout)
    assert (report["rows_in"], report["calls"], report["rejects"]) == (2, 2, 0)


def test_what_is_missing(tmp_path: Path, log: Path) -> None:
    assert run("export", str(tmp_path / "x"), "--usage", str(log)).exit_code == 2
    result = run("export", "--as", "otel", str(log / "x"), "--usage", str(log))
    assert "give another path" in str(result.exception)
