"""`breakeven audit` and `breakeven audit label` as a person runs them; hostile texts cannot steer the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from audit.planted import Planted
from audit.planted_log import NOW, write_log
from breakeven.audit.labels import read_labels
from breakeven.audit.saved import load_audit
from breakeven.cli.main import group
from breakeven.usage.plan import ImportSettings
from breakeven.usage.store import CallStore

HOSTILE = "\x1b]0;owned\x07\x1b[31mhello \u202e=cmd|' /C calc'!A0 what is this"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store with 60 calls whose texts are kept, among them hostile ones."""
    path = tmp_path_factory.mktemp("hostile")
    write_log(path / "log.jsonl", Planted([f"{HOSTILE} {n}" for n in range(60)], [-1] * 60), 0, application=HOSTILE)
    with CallStore(path / "store") as store:
        store.ingest(path / "log.jsonl", now=NOW, settings=ImportSettings(prompts="keep"))
    yield path


def run(*words: str, keys: str | None = None) -> str:
    """What a command prints; it must succeed."""
    done = CliRunner().invoke(group, ["audit", *words], input=keys, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_verdict_comes_first_and_the_audit_is_kept(folder: Path) -> None:
    store = folder / "store"
    text = run("--store", str(store))
    first = text.partition("\n\n")[0].replace("\n", " ")
    assert "% of calls" in first.replace("%) of", "% of") and "a small model can do" in first
    assert "THIS IS A GUESS" in text
    assert "Next: breakeven audit label" in text
    assert "\x1b" not in text and "\u202e" not in text
    kept = load_audit(store)
    assert kept is not None and kept.calls_count == 60
    with CallStore(store) as opened:
        assert kept.calls_digest == opened.digest()


@pytest.mark.parametrize("columns", [60, 80, 130])
def test_a_table_keeps_its_figures_whole_at_any_width(
    folder: Path, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = run("--store", str(folder / "store")).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= columns
    heading = next(at for at, line in enumerate(lines) if line.startswith("Task "))
    row = lines[heading + 2]
    assert re.search(r" 60 .*\d+ % \(\d+-\d+ %\)", row), row
    assert ("Kind" in lines[heading]) == (columns == 130)


def test_json_is_the_saved_form_and_a_passing_log_keeps_nothing(folder: Path, tmp_path: Path) -> None:
    body = json.loads(run("--usage", str(folder / "log.jsonl"), "--json", "--small-model", "Qwen3-8B"))
    assert body["version"] == 1
    assert body["commodity"]["savings"]["small_model"].startswith("Qwen3-8B")
    assert not list(tmp_path.iterdir())


def test_a_walk_through_hostile_calls_is_kept_and_goes_on(folder: Path) -> None:
    store = folder / "store"
    text = run("label", "--store", str(store), "--count", "4", keys="1\nx\n2\nu\n1\nq\n")
    assert "Call 1 of 4" in text and "Call 3 of 4" in text
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert "hello" in text and "Prompt" in text
    assert "unknown key: 1, 2, 3, s, u or q" in text
    assert "2 labels kept." in text
    kept = read_labels(store / "labels.jsonl")
    assert [each.judgement for each in kept] == ["can", "can"]
    assert "1 label kept." in run("label", "--store", str(store), "--count", "2", keys="2\n")
    assert len(read_labels(store / "labels.jsonl")) == 3
    again = run("--store", str(store))
    assert "3 labels so far" in " ".join(again.split())
    assert f"Next:breakevenauditlabel--store{store}" in "".join(again.split())  # a long path is folded


def test_a_skipped_call_comes_last_in_this_walk_and_the_next(folder: Path) -> None:
    store = str(folder / "store")
    calls = [each["record_id"] for each in json.loads(run("label", "--store", store, "--count", "3", "--json"))]
    said = run("label", "--store", store, "--count", "3", keys="s\n1\nq\n")
    assert "skipped; it comes again at the end" in said
    file = folder / "store" / "labels.jsonl"
    assert read_labels(file)[-1].record_id == calls[1]
    said = run("label", "--store", store, "--count", "2", keys="2\n2\n")
    assert [each.record_id for each in read_labels(file)][-2:] == [calls[2], calls[0]]


def test_labels_enough_lead_to_the_comparison(folder: Path) -> None:
    store = folder / "store"
    said = run("label", "--store", str(store), "--count", "50", keys="1\n" * 50)
    last = "".join(said.rpartition("Next:")[2].split())  # a long path is folded
    assert last.startswith(f"breakevencompare--store{store}")


def test_a_table_of_labels_stands_over_those_of_the_store(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("record_id,label\n" + "\n".join(f"p{n},2" for n in range(60)))
    body = json.loads(run("--store", str(folder / "store"), "--labels", str(table), "--json"))
    assert sum(task["suitability"]["labels_count"] for task in body["tasks"]) == 60
    assert body["commodity"]["calls"]["high"] < 0.2


def test_embeddings_want_a_folder_and_texts(folder: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        group, ["audit", "--store", str(folder / "store"), "--embeddings", str(tmp_path / "none")]
    )
    assert "no such folder" in str(done.exception)


def test_calls_to_label_as_json(tmp_path: Path) -> None:
    """They can be judged elsewhere and come back by --labels."""
    log = tmp_path / "log.jsonl"
    log.write_text(
        "".join(
            json.dumps(
                {
                    "id": f"c{number}",
                    "timestamp": f"2026-11-{1 + number % 20:02d}T10:00:00Z",
                    "provider": "openai",
                    "model": "gpt-5",
                    "task": "classify ticket",
                    "input_tokens": 100,
                    "output_tokens": 5,
                }
            )
            + "\n"
            for number in range(40)
        )
    )
    store = str(tmp_path / "store")
    runner = CliRunner()
    assert runner.invoke(group, ["import", str(log), "--store", store]).exit_code == 0
    found = runner.invoke(group, ["audit", "label", "--store", store, "--count", "5", "--json"])
    assert found.exit_code == 0, found.output
    calls = json.loads(found.stdout)
    assert len({each["record_id"] for each in calls}) == 5
    assert not (tmp_path / "store" / "labels.jsonl").exists()
