"""`breakeven models` as a user runs it, on the log of the demo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from breakeven.reports.models_document import ModelsDocument
from breakeven.usage.synthetic import write_synthetic_log
from one_process import run_here

CALLS_COUNT = 6_000
AS_OF = ("--as-of", "2026-11-23")


def breakeven(*arguments: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = run_here(arguments, cwd=cwd, columns=120)
    if check:
        assert done.returncode == 0, done.stderr + done.stdout
    return done


def breakeven_process(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, whose hashes of texts are its own too."""
    command = [sys.executable, "-m", "breakeven.cli.main", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "120"}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's log, shorter, read into a store."""
    made = tmp_path_factory.mktemp("models")
    write_synthetic_log(made / "calls.jsonl", seed=0, calls_count=CALLS_COUNT)
    breakeven("import", "calls.jsonl", cwd=made)
    return made


@pytest.fixture(scope="module")
def models_json(folder: Path) -> str:
    """What `models --json` prints, asked for once."""
    return breakeven("models", *AS_OF, "--json", cwd=folder).stdout


@pytest.fixture(scope="module")
def page_asked_apart(folder: Path) -> str:
    """The page that a process of its own prints; it writes `models.json` beside."""
    return breakeven_process("models", *AS_OF, "--out", "models.json", cwd=folder).stdout


def test_the_page_answers(folder: Path, page_asked_apart: str) -> None:
    text = page_asked_apart
    for heading in (
        "[SUCCESS RATES ARE GUESSES BY CLASS]", "Small, below 14B", "Mid, 14B to 40B", "Dense above 40B",
        "Mixtures of experts", "What the guide says", "LEFT OUT", "Included", "Excluded", "Next: breakeven compare",
        "calls hash",
    ):  # fmt: skip
        assert heading in text
    assert "\x1b" not in text
    document = ModelsDocument.model_validate_json((folder / "models.json").read_text())
    assert sum(each.probability_cheapest_fraction for each in document.models) == pytest.approx(1)
    assert document.footer.draws_count == 16_384


def test_todays_cost_is_that_of_compare(folder: Path, models_json: str) -> None:
    """Two verbs, one figure: today's API, and the scenario's open model at its cheapest broker and on rented GPUs."""
    models = ModelsDocument.model_validate_json(models_json)
    names = "frontier_api,brokered,rented_on_demand"
    compared = json.loads(breakeven("compare", *AS_OF, "--options", names, "--json", cwd=folder).stdout)
    assert models.footer.calls_hash == compared["footer"]["calls_hash"]
    options = {each["name"]: each for each in compared["options"]}
    assert models.today.usd_per_success.model_dump() == options["frontier_api"]["usd_per_success"]
    own = next(each for each in models.models if each.name == "gpt-oss-120b")
    for way in own.ways:
        assert way.usd_per_success.model_dump() == options[way.option]["usd_per_success"]
        assert way.buys == options[way.option]["buys"]


@pytest.mark.usefixtures("page_asked_apart")
def test_the_same_question_gives_the_same_bytes(folder: Path, models_json: str) -> None:
    """Asked here and in a process of its own, printed and written."""
    assert (folder / "models.json").read_text() == models_json


def test_options_name_other_ways(folder: Path) -> None:
    (folder / "few.yaml").write_text("draws_log2: 7\n")
    told = ("models", *AS_OF, "--scenario", "few.yaml", "--json")
    document = ModelsDocument.model_validate_json(breakeven(*told, "--options", "rented_spot", cwd=folder).stdout)
    assert {way.option for each in document.models for way in each.ways} == {"rented_spot"}
    claim = next(each for each in document.claims if each.name == "seventy_is_ten_sevens")
    assert claim.verdict == "not tested"
    other = ModelsDocument.model_validate_json(breakeven(*told, "--options", "hybrid", cwd=folder).stdout)
    assert any("None of the options named" in each for each in other.warnings)


def test_help_and_errors(folder: Path) -> None:
    text = breakeven("models", "--help", cwd=folder).stdout
    assert "Example: breakeven models" in text
    wrong = breakeven("models", "--options", "brokerd", cwd=folder, check=False)
    assert wrong.returncode == 2
    assert "did you mean 'brokered'" in wrong.stderr
    empty = breakeven("models", "--store", "nowhere", cwd=folder, check=False)
    assert empty.returncode == 2
    assert "breakeven import" in empty.stderr
