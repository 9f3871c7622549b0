"""A baseline: exit code 2 when something moved, in `compare` and in `report`, with a diff for people and machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from breakeven.cli import compare, main
from breakeven.errors import BreakevenError, DocumentError, OutputError
from breakeven.reports.document import Document, read_document, to_json
from breakeven.reports.price_watch_part import PriceWatchPart
from decision_documents import with_decision
from reports.sample_document import sample_document
from reports.test_price_watch import dearer

NOW = with_decision(sample_document())


def write(path: Path, document: Document) -> Path:
    path.write_text(to_json(document), encoding="utf-8")
    return path


@pytest.fixture
def same(tmp_path: Path) -> Path:
    return write(tmp_path / "same.json", NOW)


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """A baseline in which the hybrid cost a fifth less."""
    return write(tmp_path / "moved.json", dearer(NOW, "hybrid", 0.8))


@pytest.fixture(autouse=True)
def compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison that the log would give."""
    monkeypatch.setattr(compare, "compared", lambda *_: NOW)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "calls.jsonl"
    path.write_text("", encoding="utf-8")
    return path


def run(verb: str, *arguments: str | Path) -> Result:
    done = CliRunner().invoke(main.group, [verb, *map(str, arguments)])
    if isinstance(done.exception, BreakevenError):
        raise done.exception
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_within_the_bound_the_code_is_0(log: Path, same: Path) -> None:
    done = run("compare", "--usage", log, "--baseline", same)
    assert done.exit_code == 0
    assert done.stdout.startswith("WITHIN THE BOUND")


def test_beyond_the_bound_the_code_is_2(log: Path, moved: Path) -> None:
    done = run("compare", "--usage", log, "--baseline", moved, "--bound", "10%")
    assert done.exit_code == 2
    assert done.stdout.startswith("MOVED: 1 option moved beyond 10 %") and done.stderr == ""
    assert run("compare", "--usage", log, "--baseline", moved, "--bound", "30%").exit_code == 0


def test_another_recommendation_has_code_2_whatever_the_bound(log: Path, tmp_path: Path) -> None:
    assert NOW.answers is not None
    decision = NOW.answers.decision.model_copy(update={"recommended": "hybrid"})
    old = NOW.model_copy(update={"answers": NOW.answers.model_copy(update={"decision": decision})})
    done = run("compare", "--usage", log, "--baseline", write(tmp_path / "old.json", old), "--bound", "900%")
    assert done.exit_code == 2 and "the recommendation was Hybrid" in " ".join(done.stdout.split())


def test_json_is_the_price_watch(log: Path, moved: Path) -> None:
    done = run("compare", "--usage", log, "--baseline", moved, "--json")
    assert done.exit_code == 2
    watch = PriceWatchPart.model_validate_json(done.stdout)
    assert watch.moved and watch.moves[0].option == "hybrid"
    assert watch.moves[0].moved_fraction == pytest.approx(0.25)


def test_the_markdown_holds_the_changes_and_the_files_are_written_all_the_same(
    log: Path, moved: Path, tmp_path: Path
) -> None:
    md, out = tmp_path / "comment.md", tmp_path / "new.json"
    done = run("compare", "--usage", log, "--baseline", moved, "--md", md, "--out", out)
    assert done.exit_code == 2
    text = md.read_text(encoding="utf-8")
    assert "What changed since the baseline" in text and "MOVED: 1 option moved beyond 10 %" in text
    assert read_document(out) == NOW


def test_report_compares_two_documents(same: Path, moved: Path) -> None:
    assert run("report", same, "--baseline", same).exit_code == 0
    done = run("report", same, "--baseline", moved, "--json")
    assert done.exit_code == 2 and json.loads(done.stdout)["moved"] is True


@pytest.mark.parametrize("bound", ["10", "-5%", "ten", "nan", "inf%", "", "1.5"])
def test_a_bound_that_is_no_share_is_refused(log: Path, same: Path, bound: str) -> None:
    done = run("compare", "--usage", log, "--baseline", same, "--bound", bound)
    assert done.exit_code == 2 and "is no share; wanted e.g. 10% or 0.1" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("bound", ["25%", "0.25"])
def test_a_bound_is_percent_or_a_share(log: Path, moved: Path, bound: str) -> None:
    """The hybrid moved by exactly a quarter: not beyond."""
    assert run("compare", "--usage", log, "--baseline", moved, "--bound", bound).exit_code == 0


def test_the_baseline_is_not_written_over(log: Path, same: Path) -> None:
    with pytest.raises(OutputError, match="--out would write over"):
        run("compare", "--usage", log, "--baseline", same, "--out", same)


def test_a_missing_baseline_is_named_before_anything_is_read(log: Path, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot read"):
        run("compare", "--usage", log, "--baseline", tmp_path / "none.json")


def test_an_error_prints_to_stderr_alone(tmp_path: Path) -> None:
    """What tells an error from a move, both of which have code 2."""
    command = [sys.executable, "-m", "breakeven.cli.main", "report", "none.json", "--baseline", "none.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("DocumentError: ")
