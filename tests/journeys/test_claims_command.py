"""`breakeven claims` as a user runs it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from breakeven.reports.guide_document import GuideDocument
from one_process import run_here


def claims(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run_here(("claims", *arguments), cwd=cwd)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Four weeks of calls of one model."""
    start = datetime(2026, 10, 1, tzinfo=UTC)
    path = tmp_path / "calls.jsonl"
    rows = (
        {
            "id": f"call-{number}",
            "timestamp": (start + timedelta(hours=number)).isoformat(),
            "provider": "openai",
            "model": "gpt-5",
            "prompt_tokens": 3_000_000,
            "completion_tokens": 300_000,
        }
        for number in range(28 * 24)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_two_claims_side_by_side_and_one_with_its_tables(tmp_path: Path) -> None:
    two = claims("--only", "h100-spot-rent", "--only", "ten-thousand-a-year", cwd=tmp_path)
    assert two.returncode == 0, two.stderr
    for words in (
        "The guide says",
        "$14,454",
        "$10,118",
        "depends on",
        "invented reference workload",
        "Catalogue as of",
    ):
        assert words in two.stdout
    one = claims("--only", "h100-spot-rent", cwd=tmp_path)
    assert "PCIe" in one.stdout
    assert "no quote" in one.stdout


def test_json_is_the_document_and_overrides_reach_it(tmp_path: Path) -> None:
    done = claims("--only", "h100-spot-rent", "--json", "--set", "gpu_rent_usd_per_gpu_hour=1.65", cwd=tmp_path)
    document = GuideDocument.model_validate_json(done.stdout)
    assert document.claims[0].verdict == "holds"
    assert document.is_reference
    assert document.as_of


def test_your_own_log(log: Path, tmp_path: Path) -> None:
    done = claims("--usage", log, "--only", "breach-outweighs-savings", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = GuideDocument.model_validate_json(done.stdout)
    assert not document.is_reference
    assert "calls.jsonl" in document.workload
    assert "2.41 B tokens" in document.workload  # 3.3 M tokens an hour x 730
    assert document.next_command == f"breakeven compare --usage {log}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "hybrid-save"), "did you mean 'hybrid-saves'"),
        (("--options", "brokered"), "leave --options out"),
        (("--usage", "none.jsonl"), "none.jsonl"),
        (("--set", "engineer_usd_per_yr=1"), "did you mean 'engineer_usd_per_year'"),
    ],
)
def test_errors_say_what_to_do(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = claims(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_help_has_an_example(tmp_path: Path) -> None:
    assert "Example: breakeven claims" in claims("--help", cwd=tmp_path).stdout
