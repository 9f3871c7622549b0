"""The verbs as a user runs them: real files, from an empty folder; real processes where a process may differ."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from breakeven.reports.document import Document
from one_process import run_here


def breakeven(*arguments: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command in `cwd`; no terminal, so no colour and no progress."""
    done = run_here(arguments, cwd=cwd)
    if check:
        assert done.returncode == 0, done.stderr + done.stdout
    return done


def breakeven_process(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own, whose hashes of texts are its own too."""
    done = subprocess.run(
        [sys.executable, "-m", "breakeven.cli.main", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done


AS_OF = ("--as-of", "2026-11-01")
FEW_DRAWS = "draws_log2: 7\n"
"""Of a scenario, where figures are not what a test is about; every option is still there."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path)


@pytest.fixture(scope="module")
def asked_apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a process of its own was asked: its log, page, `report.json` and `report.html`."""
    folder = tmp_path_factory.mktemp("apart")
    outputs = ("--out", "report.json", "--html", "report.html")
    page = breakeven_process("compare", "--usage", write_log(folder), *AS_OF, *outputs, cwd=folder).stdout
    (folder / "page.txt").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def compared_json(asked_apart: Path) -> str:
    """What `compare --usage calls.jsonl --json` prints there, asked for once in this process."""
    return breakeven("compare", "--usage", asked_apart / "calls.jsonl", *AS_OF, "--json", cwd=asked_apart).stdout


def write_log(folder: Path) -> Path:
    """Nine days of calls of two models, one of them unknown, with two bad rows and a duplicate."""
    start = datetime(2026, 10, 5, tzinfo=UTC)
    path = folder / "calls.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(900):
            unknown = number % 50 == 0
            row = {
                "id": f"call-{number}",
                "timestamp": (start + timedelta(minutes=14 * number)).isoformat(),
                "provider": "acme" if unknown else "openai",
                "model": "private-7b" if unknown else "gpt-5",
                "prompt_tokens": 3000,
                "completion_tokens": 300,
            }
            file.write(json.dumps(row) + "\n")
        file.write(json.dumps({**row, "id": "call-7"}) + "\n")
        file.write('{"id": "broken", "timestamp": "2026-10-06T')
        file.write("\n" + json.dumps({**row, "id": "negative", "prompt_tokens": -5}) + "\n")
    return path


def test_compare_answers_and_loses_nothing(asked_apart: Path) -> None:
    page = (asked_apart / "page.txt").read_text(encoding="utf-8")
    verdict = " ".join(page.split("\n\n- ")[0].split())
    assert "of 100 futures" in verdict
    for heading in ("Included", "Excluded", "Break-even", "UNPRICED", "Next:"):
        assert heading in page
    document = Document.model_validate_json((asked_apart / "report.json").read_text())
    imported = document.workload.imported
    assert imported is not None
    assert (imported.rows_in, imported.calls, imported.duplicates, imported.rejects) == (903, 900, 1, 2)
    assert [each.model for each in document.workload.unpriced] == ["private-7b"]
    assert document.workload.unpriced_tokens_fraction == pytest.approx(18 / 900)
    assert (asked_apart / "report.html").stat().st_size > 20_000
    rejects = [json.loads(line) for line in (asked_apart / "calls.jsonl.rejects.jsonl").read_text().splitlines()]
    assert len(rejects) == 2


def test_json_on_stdout_is_the_document_and_nothing_else(compared_json: str) -> None:
    document = Document.model_validate_json(compared_json)
    assert document.workload.requests_count == 900
    assert document.footer.draws_count == 16_384


def test_the_same_question_gives_the_same_bytes(asked_apart: Path, compared_json: str) -> None:
    """Asked here and in a process of its own, printed and written; only what to type next names the file."""
    written, printed = (
        text.replace(json.loads(text)["verdict"]["next_command"], "")
        for text in ((asked_apart / "report.json").read_text(), compared_json)
    )
    assert written == printed


def test_another_seed_gives_other_bytes(log: Path, tmp_path: Path) -> None:
    (tmp_path / "few.yaml").write_text(FEW_DRAWS)
    told = ("compare", "--usage", log, *AS_OF, "--scenario", "few.yaml", "--options", "frontier_api,brokered", "--json")
    one, other = (breakeven(*told, "--seed", seed, cwd=tmp_path).stdout for seed in ("4", "5"))
    assert other != one


def test_import_profile_compare_from_the_store(log: Path, tmp_path: Path, compared_json: str) -> None:
    first = breakeven("import", log, "--json", cwd=tmp_path)
    assert json.loads(first.stdout)["calls"] == 900
    again = json.loads(breakeven("import", log, "--json", cwd=tmp_path).stdout)
    assert again["calls"] == 0
    assert again["rows_in"] == again["calls"] + again["duplicates"] + again["rejects"]
    profile = json.loads(breakeven("profile", "--json", cwd=tmp_path).stdout)
    assert profile["requests_count"] == 900
    assert profile["input_tokens"] == 900 * 3000
    assert len(profile["days"]) == 9
    assert "unpriced" in breakeven("profile", cwd=tmp_path).stdout.lower()
    from_store = json.loads(breakeven("compare", *AS_OF, "--json", cwd=tmp_path).stdout)
    from_file = json.loads(compared_json)
    assert from_store["footer"]["calls_hash"] == from_file["footer"]["calls_hash"]
    assert [each["usd_per_month"] for each in from_store["options"]] == [
        each["usd_per_month"] for each in from_file["options"]
    ]


def test_explain_prints_the_tree_down_to_sources(log: Path, tmp_path: Path) -> None:
    (tmp_path / "few.yaml").write_text(FEW_DRAWS)
    told = ("--scenario", "few.yaml", "--set", "engineer_usd_per_year=180000")
    breakeven("compare", "--usage", log, "--out", "report.json", *told, cwd=tmp_path)
    text = breakeven("explain", "report.json", "rented_on_demand.engineering_labour", cwd=tmp_path).stdout
    assert "engineer_usd_per_year" in text
    assert "scenario" in text
    assert "300,000" in text  # the catalogue's value that lost
    tree = json.loads(breakeven("explain", "report.json", "frontier_api.tokens", "--json", cwd=tmp_path).stdout)
    assert tree["name"] == "tokens_usd_per_month"
    names = breakeven("explain", "report.json", cwd=tmp_path).stdout.split()
    assert "hybrid.total_usd_per_month" in names
    wrong = breakeven("explain", "report.json", "rented_on_demand.engineering_labor", cwd=tmp_path, check=False)
    assert wrong.returncode == 2
    assert "did you mean 'rented_on_demand.engineering_labour'" in wrong.stderr


def test_init_writes_a_scenario_that_compare_reads(asked_apart: Path, compared_json: str) -> None:
    breakeven("init", cwd=asked_apart)
    told = ("compare", "--usage", asked_apart / "calls.jsonl", *AS_OF, "--scenario", "scenario.yaml", "--json")
    assert json.loads(breakeven(*told, cwd=asked_apart).stdout) == json.loads(compared_json)
    assert breakeven("init", cwd=asked_apart, check=False).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", "--usage", "none.jsonl"), "none.jsonl"),
        (("compare",), "breakeven import"),
        (("compar",), "did you mean 'compare'"),
        (("compare", "--usage", "calls.jsonl", "--set", "engineer"), "wanted NAME=VALUE"),
        (
            ("compare", "--usage", "calls.jsonl", "--set", "engineer_usd_per_yr=1"),
            "did you mean 'engineer_usd_per_year'",
        ),
        (("compare", "--usage", "calls.jsonl", "--options", "brokerd"), "did you mean 'brokered'"),
        (("compare", "--usage", "calls.jsonl", "--format", "mooncake"), "did you mean 'mooncake_trace'"),
        (("explain", "none.json", "x"), "cannot read none.json"),
    ],
)
def test_errors_say_what_to_do_next(arguments: tuple[str, ...], message: str, log: Path, tmp_path: Path) -> None:
    done = breakeven(*arguments, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_hostile_names_reach_no_surface_raw(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\x1b[31m[red]=cmd|' /C calc'!A0"
    start = datetime(2026, 10, 5, tzinfo=UTC)
    with (tmp_path / "evil.jsonl").open("w", encoding="utf-8") as file:
        for number in range(300):
            row = {
                "id": str(number),
                "timestamp": (start + timedelta(hours=number)).isoformat(),
                "model": evil if number % 2 else "gpt-5",
                "provider": "openai",
                "prompt_tokens": 10,
                "completion_tokens": 10,
            }
            file.write(json.dumps(row) + "\n")
    (tmp_path / "few.yaml").write_text(FEW_DRAWS)
    done = breakeven("compare", "--usage", "evil.jsonl", "--html", "r.html", "--scenario", "few.yaml", cwd=tmp_path)
    assert "\x1b" not in done.stdout
    html = (tmp_path / "r.html").read_text()
    assert "<script" not in html
    assert "\x1b" not in html
    assert "alert(1)" in html  # shown, as text


def count_csv(path: Path) -> tuple[int, int, int]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return len(rows), sum(int(r["ContextTokens"]) for r in rows), sum(int(r["GeneratedTokens"]) for r in rows)


def count_jsonl(path: Path) -> tuple[int, int, int]:
    rows: list[dict[str, Any]] = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return len(rows), sum(r["input_length"] for r in rows), sum(r["output_length"] for r in rows)


@pytest.mark.parametrize(
    ("name", "count"), [("azure_llm_2023_code.csv", count_csv), ("mooncake_conversation.jsonl", count_jsonl)]
)
def test_the_public_traces(name: str, count: Any, shared_data: Path, tmp_path: Path) -> None:
    """Counts agree with plain Python; monthly figures are marked as extrapolated; no claim about growth."""
    path = shared_data / "traces" / name
    requests, inputs, outputs = count(path)
    (tmp_path / "few.yaml").write_text(FEW_DRAWS)
    done = breakeven("compare", "--usage", path, "--out", "r.json", "--scenario", "few.yaml", cwd=tmp_path)
    document = Document.model_validate_json((tmp_path / "r.json").read_text())
    workload = document.workload
    assert (workload.requests_count, workload.input_tokens, workload.output_tokens) == (requests, inputs, outputs)
    assert workload.imported is not None
    assert workload.imported.rows_in == workload.imported.calls == requests
    assert "extrapolated from" in done.stdout.lower()
    assert workload.extrapolated_from_hours is not None
    assert 0.9 < workload.extrapolated_from_hours < 1.1
    assert any("growth" in each for each in workload.may_not_conclude)
    assert workload.tokens_per_month == pytest.approx((inputs + outputs) / workload.observed_hours * 730)
    assert any("names no model" in each for each in document.warnings)
