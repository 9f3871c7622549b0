"""Fitting: planted truths are found again, shrinkage equals a closed form, splits leak nothing, rules drop junk."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.serving.prediction.columns import columns
from breakeven.serving.prediction.fitting.baselines import bandwidth_alone_tok_per_s
from breakeven.serving.prediction.fitting.fit import fit
from breakeven.serving.prediction.fitting.model import fit_model, predict_rows
from breakeven.serving.prediction.fitting.rows import MeasuredRows, read_rows, rows_of, speed_of_light_tok_per_s
from breakeven.serving.prediction.fitting.shrinkage import (
    DEPLOYMENT_SD_RATIOS,
    NOISE_SD_RATIO,
    VERSION_SD_RATIOS,
    shrink,
)
from breakeven.serving.prediction.fitting.splits import folds
from breakeven.serving.prediction.fitting.summary import conformal_ratio, errors
from breakeven.serving.prediction.parameters import PARAMETERS
from breakeven.serving.prediction.placing import place
from breakeven.serving.prediction.points import ReadPoint, read_point
from breakeven.serving.prediction.step_time import times
from deployments import catalog, point

HEAD = ("id", "model", "gpu", "n_gpus", "precision", "tp", "ep", "engine", "engine_version", "isl", "osl",
        "concurrency", "scenario", "out_tok_s_total", "ttft_ms", "tpot_ms")  # fmt: skip


def row(**cells: Any) -> dict[str, str]:
    usual = {
        "model": "Llama-3.1-8B",
        "gpu": "H100-SXM-80",
        "n_gpus": 1,
        "precision": "bf16",
        "tp": 1,
        "engine": "vllm",
        "isl": 1024,
        "osl": 256,
        "concurrency": 16,
        "scenario": "closed_loop",
        "out_tok_s_total": 1500,
    }
    return {name: str({**usual, **cells}.get(name, "")) for name in HEAD}


@pytest.fixture(scope="module")
def measured() -> MeasuredRows:
    path = Path(__file__).parents[5] / "shared" / "data" / "serving" / "measured_throughput.csv"
    if not path.is_file():
        pytest.skip("no public measurements beside the project: ../shared/data is absent")
    return read_rows(path, load_catalog(date(2026, 11, 25)))


def planted(seed: int) -> tuple[MeasuredRows, dict[str, float]]:
    """Rows made by the model itself with parameters of its prior, two percent of noise, and one row in thirty wrong."""
    rng = np.random.default_rng(seed)
    truth = {
        each.name: float(np.clip(each.typical * np.exp(rng.normal(0, each.prior_sd_ratio / 2)), each.low, each.high))
        for each in PARAMETERS
    }
    table = []
    for model, gpus, precision in (
        ("Llama-3.1-8B", 1, "bf16"),
        ("Qwen3-30B-A3B", 2, "fp8"),
        ("Llama-3.1-70B", 4, "fp8"),
    ):
        for gpu in ("H100-SXM-80", "B200-SXM-180", "A100-SXM-80"):
            for engine in ("vllm", "sglang", "trtllm"):
                for length in ((200, 1000), (4000, 100), (1000, 1000), (8000, 800)):
                    for load in (1, 2, 4, 8, 16, 32, 64, 128):
                        table.append(row(model=model, gpu=gpu, n_gpus=gpus, tp=gpus, precision=precision, engine=engine,
                                         isl=length[0], osl=length[1], concurrency=load))  # fmt: skip
    points = [place(read) for cells in table if isinstance(read := read_point(cells, catalog()), ReadPoint)]
    made = times(columns([each for each in points if not isinstance(each, str)]), truth)  # type: ignore[misc]
    noise = np.exp(rng.normal(0, 0.02, len(table))) * np.where(rng.random(len(table)) < 1 / 30, 3.0, 1.0)
    for cells, value, factor in zip(table, made.output_tok_per_s, noise, strict=True):
        cells["out_tok_s_total"] = str(value * factor)
    return rows_of(table, catalog()), truth


def test_planted_parameters_give_the_planted_throughput_again() -> None:
    rows, truth = planted(5)
    assert len(rows.rows) > 700
    wanted, found = (times(rows.columns, values).output_tok_per_s for values in (truth, fit(rows)))
    assert np.median(np.abs(found / wanted - 1)) < 0.02
    assert np.quantile(np.abs(found / wanted - 1), 0.9) < 0.06


def test_shrinkage_is_the_posterior_mean_of_nested_effects() -> None:
    """Oracle: generalised ridge regression in the space of effects, by normal equations."""
    rng = np.random.default_rng(1)
    versions = np.array(["a"] * 6 + ["b"] * 6)
    deployments = np.array(["a1"] * 3 + ["a2"] * 3 + ["b1"] * 6)
    x = np.column_stack([np.ones(12), rng.normal(size=(12, 2))])
    y = 0.05 * rng.normal(size=12)
    design, penalty = [], []
    for labels, sds in ((versions, VERSION_SD_RATIOS), (deployments, DEPLOYMENT_SD_RATIOS)):
        for name in np.unique(labels):
            design.append(x * (labels == name)[:, None])
            penalty.extend(1 / np.array(sds) ** 2)
    z = np.concatenate(design, axis=1)
    effects = np.linalg.solve(z.T @ z / NOISE_SD_RATIO**2 + np.diag(penalty), z.T @ y / NOISE_SD_RATIO**2)
    found = shrink(y, x, versions, deployments)
    got = [*found.model_versions["a"], *found.model_versions["b"], *found.deployments["a1"], *found.deployments["a2"],
           *found.deployments["b1"]]  # fmt: skip
    assert got == pytest.approx(effects, abs=1e-9)


def test_an_outlier_moves_a_correction_little() -> None:
    labels, deployments = np.array(["v"] * 12), np.array(["d"] * 12)
    x = np.column_stack([np.ones(12), np.linspace(-1, 1, 12), np.zeros(12)])
    clean = shrink(np.full(12, 0.1), x, labels, deployments)
    y = np.full(12, 0.1)
    y[3] = 2.0
    dirty = shrink(y, x, labels, deployments)
    level = [sum(each[0] for each in (c.model_versions["v"], c.deployments["d"])) for c in (clean, dirty)]
    assert level[0] == pytest.approx(0.1, abs=0.01)
    assert abs(level[1] - level[0]) < 0.02


def test_conformal_factors_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(400):
        ratio = conformal_ratio(rng.standard_t(3, 60) * 0.1)
        inside.append((np.abs(rng.standard_t(3, 200) * 0.1) <= np.log(ratio)).mean())
    assert np.mean(inside) == pytest.approx(0.8, abs=0.02)


def test_errors_in_the_words_of_the_field() -> None:
    found = errors(np.log(np.array([1.1, 0.9, 1.0, 2.0, np.nan])))
    assert (found.rows_count, found.median_error_fraction, found.within_quarter_fraction) == (4, 0.1, 0.75)


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"out_tok_s_total": 1e6}, "faster than physics allows"),
        ({"model": "no-such-model"}, "unknown_model"),
        ({"gpu": "no-such-gpu"}, "unknown_gpu"),
        ({"out_tok_s_total": ""}, "no throughput measured"),
        ({"scenario": "mlperf_server", "concurrency": ""}, "open arrivals"),
        ({"isl": "0"}, "bad_number"),
        ({"tp": 3, "n_gpus": 3}, "bad_split"),
    ],
)
def test_rows_that_break_a_rule_are_left_out_and_counted(cells: dict[str, Any], rule: str) -> None:
    rows = rows_of([row(), row(**cells)], catalog())
    assert len(rows.rows) == 1
    assert rows.left_out[rule] == 1


def test_a_copy_counts_once() -> None:
    twice = rows_of([row(id="a"), row(id="b"), row(id="c", out_tok_s_total=1501.5)], catalog())
    assert (len(twice.rows), twice.left_out["a copy of another row"]) == (2, 1)


def test_nothing_is_faster_than_light() -> None:
    """By hand: 64 tokens a step, each step reads 7.5 B parameters at 2 bytes over 3,350 GB/s."""
    c = columns([point(load=(10, 1000, 64))])
    step_s = (8.03e9 - 128256 * 4096) * 2 / 3350e9
    assert speed_of_light_tok_per_s(c)[0] == pytest.approx(64 / step_s, rel=1e-3)
    assert bandwidth_alone_tok_per_s(c)[0] == pytest.approx(64 / step_s, rel=1e-3)


@pytest.mark.parametrize("split", ["deployment", "model", "gpu"])
def test_no_group_is_on_both_sides_of_a_split(split: Any, measured: MeasuredRows) -> None:
    fold, labels = folds(measured, split), measured.labels(split)
    assert len(np.unique(fold)) >= 5
    for name in np.unique(labels):
        assert len(set(fold[labels == name].tolist())) == 1


def test_public_rows_are_read_as_the_rules_say(measured: MeasuredRows) -> None:
    assert len(measured.rows) > 2400
    assert measured.left_out["a copy of another row"] > 100
    assert measured.left_out["faster than physics allows"] >= 1
    assert (measured.output_tok_per_s <= speed_of_light_tok_per_s(measured.columns)).all()
    assert max(each.point.deployment.gpus_count for each in measured.rows) == 8


def test_deployments_that_were_held_out_are_predicted(measured: MeasuredRows) -> None:
    """One fold of five of benchmarks/capacity.py, whose median is 7.9 % over all five."""
    fold = folds(measured, "deployment")
    test = measured[(fold == 0) & (measured.labels("load") == "closed_loop")]
    found = predict_rows(fit_model(measured[fold != 0]), test)
    error = np.abs(found.output_tok_per_s / test.output_tok_per_s - 1)
    thumb = np.abs(bandwidth_alone_tok_per_s(test.columns) / test.output_tok_per_s - 1)
    assert np.nanmedian(error) < 0.11
    assert np.nanmedian(error) < np.median(thumb) / 10
    assert np.nanmedian(np.abs(found.tpot_s / test.tpot_s - 1)) < 0.12
    assert np.nanmedian(np.abs(found.ttft_s / test.ttft_s - 1)) < 0.40
