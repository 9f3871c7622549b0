"""breakeven calibrate and fleet from outside: evidence counts once, impossible requests are named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from breakeven.cli import main


def run(*arguments: object) -> dict[str, Any]:
    found = CliRunner().invoke(main.group, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    document: dict[str, Any] = json.loads(found.stdout)
    return document


def bench_file(path: Path, concurrency: int, output_tok_per_s: float) -> Path:
    """As `vllm bench serve --save-result` writes it."""
    requests, tokens = 200, (1000, 300)
    path.write_text(
        json.dumps(
            {
                "date": "20261101-120000",
                "backend": "openai-chat",
                "model_id": "m",
                "num_prompts": requests,
                "max_concurrency": concurrency,
                "duration": requests * tokens[1] / output_tok_per_s,
                "completed": requests,
                "failed": 0,
                "total_input_tokens": requests * tokens[0],
                "total_output_tokens": requests * tokens[1],
                "output_throughput": output_tok_per_s,
                "request_throughput": output_tok_per_s / tokens[1],
                "total_token_throughput": output_tok_per_s * (1 + tokens[0] / tokens[1]),
                "mean_ttft_ms": 40.0,
                "mean_tpot_ms": 9.9,
                "median_ttft_ms": 40.0,
                "median_tpot_ms": 9.9,
            }
        )
    )
    return path


def test_a_file_given_four_times_counts_once(tmp_path: Path) -> None:
    usual = ("--model", "Llama-3.1-8B", "--gpu", "H100")
    one = bench_file(tmp_path / "one.json", 1, 100.0)
    copy = bench_file(tmp_path / "copy.json", 1, 100.0)
    once, often = run("calibrate", one, *usual), run("calibrate", one, one, copy, one, *usual)
    assert len(once["points"]) == len(often["points"]) == 1
    assert once == often


def test_a_prediction_says_once_that_it_is_measured(tmp_path: Path) -> None:
    usual = ("--model", "Llama-3.1-8B", "--gpu", "H100")
    run("calibrate", bench_file(tmp_path / "one.json", 1, 100.0), *usual, "--out", tmp_path / "own.yaml")
    asked = ["capacity", *usual, "--input-tokens", "1000", "--output-tokens", "300", "--concurrency", "1"]
    found = CliRunner().invoke(main.group, [*asked, "--measured", str(tmp_path / "own.yaml")], catch_exceptions=False)
    assert found.stdout.count("measured on your endpoint") == 1


def test_a_fleet_says_when_requests_are_longer_than_the_context(tmp_path: Path) -> None:
    log, start = tmp_path / "calls.jsonl", datetime(2026, 8, 1, tzinfo=UTC)
    lines = [
        {"timestamp": (start + timedelta(seconds=60 * n)).isoformat(), "model": "m", "output_tokens": 50}
        | {"input_tokens": 200_000 if n % 10 == 0 else 1000}
        for n in range(60)
    ]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = run("fleet", "--usage", log, "--model", "Llama-3.1-8B", "--gpu", "H100")
    assert any("6 of 60 calls are longer than the context" in each for each in found["remarks"]), found["remarks"]
