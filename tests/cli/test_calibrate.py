"""breakeven calibrate on measurements whose distance from the prediction is known."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from breakeven.catalog.load import load_catalog
from breakeven.cli.main import group
from breakeven.errors import BenchError, CalibrationError, ServingError, UnknownName
from breakeven.reports.calibration_answer import CalibrationQuestion, deployment_of
from breakeven.serving.measured_facts import read_facts
from breakeven.serving.prediction.capacity import Prediction, predict
from breakeven.serving.prediction.deployment import Point

WHAT = ("--model", "llama-3.1-8b", "--gpu", "H100", "--precision", "bf16", "--engine", "vllm")


def predictions(concurrency: list[float]) -> list[Prediction]:
    question = CalibrationQuestion((), "llama-3.1-8b", "H100", 1, "bf16", "vllm")
    deployment = deployment_of(question, load_catalog(date(2026, 11, 25)))
    return predict([Point(deployment, 1000.0, 200.0, each) for each in concurrency])


def results(path: Path, concurrency: list[float], factor: float, **changes: Any) -> Path:
    """A file of `vllm bench serve` whose throughput is `factor` times what is predicted."""
    rows = []
    for users, said in zip(concurrency, predictions(concurrency), strict=True):
        row = {
            "date": "20261120-120000", "model_id": "meta-llama/Llama-3.1-8B-Instruct", "num_prompts": 100,
            "request_rate": "inf", "max_concurrency": users, "duration": 10.0, "completed": 100, "failed": 0,
            "total_input_tokens": 100_000, "total_output_tokens": 20_000, "request_throughput": 10.0,
            "output_throughput": said.output_tok_per_s * factor, "mean_ttft_ms": said.ttft_ms * 1.1,
            "mean_tpot_ms": said.tpot_ms / factor, "mean_e2el_ms": 1000.0,
        }  # fmt: skip
        rows.append(json.dumps(row | changes))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def calibrate(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["calibrate", *arguments])


def test_the_page_and_the_facts(tmp_path: Path) -> None:
    file, out = results(tmp_path / "r.json", [1, 8, 64], 0.8), tmp_path / "measured.yaml"
    done = calibrate(str(file), *WHAT, "--out", str(out))
    assert done.exit_code == 0, done.exception
    page = " ".join(done.output.split())
    assert "measured on your endpoint, output tok/s is 0.8" in page
    assert "Output tokens per second: median error 25.0 % before" in page
    facts = read_facts(out)
    assert facts.key.gpus_count == 1
    assert facts.source.title == "measured on your endpoint: 3 points"
    assert facts.source.read == date(2026, 11, 20)
    assert facts.corrections["output_tok_per_s"].factor(8) == pytest.approx(0.8, rel=0.03)
    assert facts.corrections["tpot_ms"].factor(8) == pytest.approx(1.25, rel=0.03)


def test_the_prediction_uses_them(tmp_path: Path) -> None:
    """The circle closes: between the measured concurrencies, the corrected prediction is what would be measured."""
    file, out = results(tmp_path / "r.json", [1, 8, 64], 0.8), tmp_path / "measured.json"
    assert calibrate(str(file), *WHAT, "--out", str(out)).exit_code == 0
    (before,) = predictions([24.0])
    corrections = tuple(read_facts(out).corrections.values())
    (after,) = predict([before.point], measured=corrections)
    assert after.is_measured
    assert after.output_tok_per_s == pytest.approx(0.8 * before.output_tok_per_s, rel=0.04)
    assert after.low_output_tok_per_s < after.output_tok_per_s < after.high_output_tok_per_s


def test_json_and_several_files(tmp_path: Path) -> None:
    files = [str(results(tmp_path / f"{users}.json", [users], 1.1)) for users in (1.0, 16.0, 100.0)]
    done = calibrate(*files, *WHAT, "--json")
    assert done.exit_code == 0, done.exception
    document = json.loads(done.output)
    assert document["deployment"]["model"] == "Llama-3.1-8B"
    assert [row["concurrency_count"] for row in document["points"]] == [1, 16, 100]
    summary = document["figures"]["output_tok_per_s"]
    assert summary["median_error_before_fraction"] == pytest.approx(1 - 1 / 1.1, abs=1e-6)
    assert summary["median_error_after_fraction"] < summary["median_error_before_fraction"]
    assert all(math.isfinite(row["figures"]["ttft_ms"]["corrected"]) for row in document["points"])


def test_replicas_behind_one_address(tmp_path: Path) -> None:
    """Two replicas at 32 users together are one at 16."""
    (said,) = predictions([16.0])
    file = results(tmp_path / "r.json", [32.0], 1.0, output_throughput=2 * said.output_tok_per_s)
    done = calibrate(str(file), *WHAT, "--replicas", "2", "--json")
    point = json.loads(done.output)["points"][0]
    assert point["concurrency_count"] == 16
    assert point["figures"]["output_tok_per_s"]["error_before_fraction"] == pytest.approx(0, abs=1e-9)


def test_faster_than_light_is_refused(tmp_path: Path) -> None:
    file = results(tmp_path / "r.json", [8], 100.0)
    done = calibrate(str(file), *WHAT)
    assert isinstance(done.exception, CalibrationError)
    assert "more than this hardware can read weights" in str(done.exception)


def test_failures_are_refused(tmp_path: Path) -> None:
    done = calibrate(str(results(tmp_path / "r.json", [8], 0.9, failed=20)), *WHAT)
    assert isinstance(done.exception, CalibrationError)
    assert "20 of 120 requests failed" in str(done.exception)


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        (("--model", "lama-3.1-8b"), UnknownName, "unknown model 'lama-3.1-8b'"),
        (("--gpu", "H1000"), UnknownName, "H1000"),
        (("--gpus", "0"), CalibrationError, "replicas of 0 GPUs"),
        (("--gpus", "3"), ServingError, "does not divide"),
        (("--precision", "fp3"), CalibrationError, "precision 'fp3'"),
        (("--model", "llama-3.1-405b"), CalibrationError, "does not fit into the memory"),
    ],
)
def test_a_deployment_that_cannot_be(
    tmp_path: Path, changed: tuple[str, ...], error: type[Exception], said: str
) -> None:
    file = results(tmp_path / "r.json", [8], 0.9)
    done = calibrate(str(file), *WHAT, *changed)
    assert isinstance(done.exception, error)
    assert said in str(done.exception)


def test_not_results(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    assert isinstance(calibrate(str(tmp_path / "x.json"), *WHAT).exception, BenchError)
