"""capacity as a user runs it, with the model that ships."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from breakeven import clock
from breakeven.cli import main
from breakeven.errors import BreakevenError, CalibrationError, ServingError, UnknownName
from breakeven.facts.source import Grade, Source
from breakeven.serving.calibrate import DeploymentKey, fit_correction
from breakeven.serving.measured_facts import write_facts

ONE = ("--model", "Llama-3.3-70B", "--gpu", "H100", "--gpus", "4", "--precision", "fp8")
LENGTHS = ("--input-tokens", "1000", "--output-tokens", "300")
HEADER = "id,model,gpu,n_gpus,precision,isl,osl,concurrency"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: date(2026, 11, 25))


def run(*arguments: str | Path, code: int = 0) -> Result:
    """Run the verb; an error of ours is raised, as `main` would print it."""
    done = CliRunner().invoke(main.group, ["capacity", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def page(*arguments: str | Path) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


@pytest.fixture
def points(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    lines = (HEADER, "a,llama3.1-8b,H100,1,bf16,512,128,8", "b,llama3.1-8b,V100,1,bf16,512,128,8", "c,x,H100,1,,1,1,1")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_one_point_says_tokens_latency_memory_and_error() -> None:
    text = run(*ONE, *LENGTHS, "--concurrency", "16").stdout
    first = " ".join(text.split("\n\n")[0].split())
    assert first.startswith("Llama-3.3-70B fp8 on 4 x H100-SXM-80, vllm:")
    for said in ("output tokens/s (", "per GPU", "with 16 requests in flight", "TTFT", "TPOT"):
        assert said in first
    for said in (
        "weights 17.9 GB",
        "fit a replica at once",
        "tokens per joule",
        "held-out measurements",
        "coefficients:",
    ):
        assert said in text
    assert "\x1b" not in text


def test_json_has_the_same_figures() -> None:
    document = page(*ONE, *LENGTHS, "--ttft-ms", "500", "--tpot-ms", "30")
    assert document["answer"]["meets_targets"] is True
    assert document["answer"]["ttft_ms"] <= 500
    assert document["deployment"]["model"] == "Llama-3.3-70B"
    assert document["error"]["rows_count"] > 0
    assert document["origin"]["grade"] == "measured"


@pytest.mark.parametrize(
    "model",
    ["Mistral-7B", "Llama-2-13B", "Llama-3.3-70B", "gemma-3-27b-it", "Qwen3-30B-A3B", "Mixtral-8x7B", "gpt-oss-20b"],
)
@pytest.mark.parametrize("gpu", ["H100", "H200", "A100", "L40S", "B200", "MI300X"])
def test_every_model_and_gpu_of_the_guide_answers(model: str, gpu: str) -> None:
    document = page("--model", model, "--gpu", gpu, "--gpus", "8", *LENGTHS, "--concurrency", "8")
    assert document["answer"]["output_tok_per_s"] > 0
    assert document["answer"]["ttft_ms"] > 0


@pytest.mark.parametrize("gpu", ["L4", "RTX 4090"])
def test_small_gpus_answer(gpu: str) -> None:
    document = page("--model", "Llama-3.1-8B", "--gpu", gpu, "--precision", "fp8", *LENGTHS, "--concurrency", "4")
    assert document["answer"]["output_tok_per_s"] > 0


def test_what_cannot_be_answered() -> None:
    wrong: tuple[tuple[tuple[str, ...], type[BreakevenError], str], ...] = (
        ((*ONE[:4], *LENGTHS), ServingError, r"does not fit: .* \(--gpus 2\) hold it"),
        ((*ONE[:2], "--gpu", "V100", *LENGTHS), UnknownName, "unknown GPU"),
        ((*ONE, "--input-tokens", "10", "--output-tokens", "0"), ServingError, "0 output tokens"),
        ((*ONE, *LENGTHS, "--concurrency", "0"), ServingError, "a concurrency of 0"),
        ((*ONE, *LENGTHS, "--gpus", "3"), ServingError, "does not divide the 64 heads"),
        ((*ONE, *LENGTHS, "--measured", "no.yaml"), CalibrationError, "no.yaml: No such file"),
    )
    for arguments, error, message in wrong:
        with pytest.raises(error, match=message):
            run(*arguments)


def test_missing_and_contradicting_options(points: Path, tmp_path: Path) -> None:
    assert "missing --output-tokens (or --points FILE)" in run(*ONE, "--input-tokens", "5", code=2).stderr
    assert "--points needs --out FILE" in run("--points", points, code=2).stderr
    assert "--out goes with --points" in run(*ONE, *LENGTHS, "--out", tmp_path / "x.csv", code=2).stderr
    both = run("--points", points, "--out", tmp_path / "x.csv", *ONE[:2], code=2)
    assert "leave --model out" in both.stderr
    assert not (tmp_path / "x.csv").exists()


def test_a_table_keeps_every_row_and_warns(points: Path, tmp_path: Path) -> None:
    out = tmp_path / "sub" / "out.csv"
    done = run("--points", points, "--out", out)
    assert "1 of 3 points predicted" in done.stdout
    assert "warning: 2 without a prediction: 1 unknown_model, 1 unknown_gpu" in done.stderr
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert [row["status"] for row in rows] == ["ok", "unknown_gpu", "unknown_model"]
    assert rows[1]["pred_out_tok_s_total"] == ""


def test_the_summary_of_a_table_as_json(points: Path, tmp_path: Path) -> None:
    summary = page("--points", points, "--out", tmp_path / "out.csv")
    assert summary["rows_count"] == 3
    assert summary["statuses"] == {"ok": 1, "unknown_model": 1, "unknown_gpu": 1}


def test_a_table_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("model;gpu\n")
    with pytest.raises(ServingError, match="no column model, gpu, isl, osl"):
        run("--points", path, "--out", tmp_path / "out.csv")


def test_the_same_point_in_a_table_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f"{HEADER},engine,tp\na,Llama-3.3-70B,H100,4,fp8,1000,300,16,vllm,4\n")
    run("--points", path, "--out", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    alone = page(*ONE, *LENGTHS, "--concurrency", "16")["answer"]
    assert float(row["pred_out_tok_s_total"]) == pytest.approx(alone["output_tok_per_s"], rel=1e-5)
    assert float(row["pred_ttft_ms"]) == pytest.approx(alone["ttft_ms"], rel=1e-5)
    assert float(row["pred_tpot_ms"]) == pytest.approx(alone["tpot_ms"], rel=1e-5)


def test_a_measurement_corrects_one_point_and_a_table(tmp_path: Path, points: Path) -> None:
    facts = tmp_path / "measured.yaml"
    key = DeploymentKey("Llama-3.1-8B", "H100-SXM-80", 1, "bf16", "")
    day = date(2026, 11, 20)
    correction = fit_correction(
        [2.0, 8.0, 32.0] * 6, [0.5] * 18, [1.0] * 18, key=key, measured_on=day, source_title="mine"
    )
    write_facts(facts, [correction], Source("mine", "mine.json", day, Grade.MEASURED))
    one = ("--model", "llama3.1-8b", "--gpu", "H100", "--input-tokens", "512", "--output-tokens", "128")
    plain, own = (page(*one, "--concurrency", "8", *more) for more in ((), ("--measured", facts)))
    assert own["answer"]["output_tok_per_s"] == pytest.approx(0.5 * plain["answer"]["output_tok_per_s"], rel=0.05)
    assert own["origin"]["measured_points_count"] == 18
    run("--points", points, "--out", tmp_path / "out.csv", "--measured", facts)
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        first = next(csv.DictReader(file))
    assert float(first["pred_out_tok_s_total"]) == pytest.approx(own["answer"]["output_tok_per_s"], rel=1e-5)


def test_help_has_an_example() -> None:
    assert isinstance(main.group.get_command(click.Context(main.group), "capacity"), click.Command)
    assert "Example: breakeven capacity --model" in " ".join(run("--help").stdout.split())
