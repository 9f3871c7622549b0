"""Predictions: a range around each, a status in place of a guess, targets that hold, one's own measurements winning."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from breakeven.serving.calibrate import fit_correction
from breakeven.serving.prediction.capacity import (
    FitStatus,
    capacity_error,
    deployment_key,
    largest_concurrency,
    predict,
    replica_timing,
)
from breakeven.serving.prediction.fitted_model import shipped_model
from breakeven.serving.prediction.regime import Nearness
from breakeven.serving.traffic.fluid import Lengths, max_rate_req_per_s
from deployments import catalog, deployment, point

MODELS = ("Llama-2-7B", "Llama-2-13B", "Llama-3.3-70B", "Gemma-3-27B", "Qwen3-30B-A3B", "Mixtral-8x7B", "gpt-oss-120b",
          "DeepSeek-V3")  # fmt: skip
GPUS = ("H100-SXM-80", "H200-SXM-141", "A100-SXM-80", "L4", "L40S", "B200-SXM-180", "RTX-4090", "MI300X")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("gpu", GPUS)
def test_every_model_and_gpu_of_the_guide_gets_figures_or_a_status(model: str, gpu: str) -> None:
    for found in predict([point(model, gpu, n, load=(1000, 200, 8)) for n in (1, 8)]):
        if found.status is FitStatus.DOES_NOT_FIT:
            assert found.sequences_count < 1
            assert math.isnan(found.output_tok_per_s) and math.isnan(found.ttft_ms)
            continue
        assert 0 < found.low_output_tok_per_s < found.output_tok_per_s < found.high_output_tok_per_s
        assert found.ttft_ms > 0
        assert found.tpot_ms >= found.step_ms * (1 - 1e-9)
        assert found.tokens_per_joule_ratio > 0


def test_every_catalogue_entry_works() -> None:
    for model in catalog().models.values():
        gpus = 8 if model.heads_count % 8 == 0 else 4
        found = predict([point(model.name, "B300-SXM", gpus, load=(2000, 300, 16))])[0]
        assert found.status is FitStatus.DOES_NOT_FIT or found.output_tok_per_s > 0, model.name
    for gpu in catalog().gpus:
        found = predict([point("Llama-3.1-8B", gpu, 1, "fp8", load=(500, 100, 2))])[0]
        assert found.output_tok_per_s > 0, gpu


def test_order_and_number_are_kept() -> None:
    points = [point(load=(100, 100, n)) for n in (64, 1, 8)]
    found = predict(points)
    assert [each.point for each in found] == points
    assert predict([]) == []
    alone = [predict([each])[0].output_tok_per_s for each in points]
    assert [each.output_tok_per_s for each in found] == pytest.approx(alone, rel=1e-9)


def test_the_interval_widens_with_the_distance_from_what_was_measured() -> None:
    known = point("Qwen3-32B", "H100", 1, "fp8", engine="trtllm", engine_version="1.0.0rc3")
    new = point("Qwen3-32B", "H100", 1, "fp8", engine="trtllm", engine_version="9.9")
    unseen_gpu = point("Qwen3-32B", "L40S", 1, "fp8")
    unseen_both = point("Qwen3-14B", "L40S", 1, "fp8")
    found = predict([known, new, unseen_gpu, unseen_both])
    assert [each.regime.nearness for each in found] == [
        Nearness.KNOWN_DEPLOYMENT,
        Nearness.NEW_DEPLOYMENT,
        Nearness.UNSEEN_GPU,
        Nearness.UNSEEN_BOTH,
    ]
    width = [each.high_output_tok_per_s / each.output_tok_per_s for each in found]
    assert width == sorted(width)
    assert width[0] < width[-1]


def test_a_near_full_cache_widens_the_interval_and_is_said() -> None:
    fits = predict([point("Llama-3.3-70B", "H100", 2, "bf16", (8000, 400, 1))])[0].sequences_count
    roomy, full = predict([point("Llama-3.3-70B", "H100", 2, "bf16", (8000, 400, n)) for n in (1, fits)])
    assert (roomy.regime.near_limit, full.regime.near_limit) == (False, True)
    assert full.high_output_tok_per_s / full.output_tok_per_s > roomy.high_output_tok_per_s / roomy.output_tok_per_s
    assert "near the limit of its cache" in str(full.regime)


@pytest.mark.parametrize(("ttft_ms", "tpot_ms"), [(2000, 50), (None, 25), (500, None)])
def test_the_largest_concurrency_meets_the_targets_and_one_more_does_not(
    ttft_ms: float | None, tpot_ms: float | None
) -> None:
    machine = deployment("gpt-oss-120b", "H100")
    best = largest_concurrency(machine, 2000, 400, ttft_ms=ttft_ms, tpot_ms=tpot_ms)
    assert best is not None
    count = best.point.concurrency_count
    assert count is not None
    here, more = predict([point("gpt-oss-120b", "H100", load=(2000, 400, n)) for n in (count, count + 1)])
    met = [
        (ttft_ms is None or each.ttft_ms <= ttft_ms) and (tpot_ms is None or each.tpot_ms <= tpot_ms)
        for each in (here, more)
    ]
    assert met == [True, False]


def test_a_target_below_one_step_is_met_by_nothing() -> None:
    assert largest_concurrency(deployment("Llama-3.3-70B", "H100", 4, "fp8"), 1000, 100, tpot_ms=0.5) is None


def test_ones_own_measurements_win_and_say_so() -> None:
    machine = deployment("Llama-3.1-8B", "L40S")
    points = [point("Llama-3.1-8B", "L40S", load=(1000, 200, n)) for n in (1, 8, 32)]
    plain = predict(points)
    truth = [0.7 * each.output_tok_per_s for each in plain]
    own = fit_correction(
        [1, 8, 32], truth, [each.output_tok_per_s for each in plain], key=deployment_key(machine),
        measured_on=date(2026, 11, 25), source_title="a bench",
    )  # fmt: skip
    corrected = predict(points, measured=[own])
    for before, after, true in zip(plain, corrected, truth, strict=True):
        assert after.is_measured and not before.is_measured
        assert abs(after.output_tok_per_s / true - 1) < 0.15 < abs(before.output_tok_per_s / true - 1)
    elsewhere = predict([point("Llama-3.1-8B", "H100", load=(1000, 200, 8))], measured=[own])[0]
    assert not elsewhere.is_measured
    slow = max_rate_req_per_s(replica_timing(machine, 1000, 200, measured=[own]), Lengths.of(1000, 200))
    fast = max_rate_req_per_s(replica_timing(machine, 1000, 200), Lengths.of(1000, 200))
    assert float(slow / fast) == pytest.approx(own.factor(32), rel=0.1)
    assert capacity_error(machine, measured=[own])[1] < capacity_error(machine)[1]


def test_a_public_correction_is_used_where_the_deployment_was_measured() -> None:
    fitted = shipped_model()
    assert fitted.corrections.deployments and fitted.corrections.model_versions
    machine = deployment("gpt-oss-120b", "B200", 4, engine="trtllm", engine_version="1.2.0rc2.post2")
    assert fitted.corrections.knows(machine)
    one = np.array([[1.0, 0.0, 0.0]])
    ratio = fitted.corrections.log_ratio([machine, deployment("gpt-oss-120b", "B200", 4)], np.repeat(one, 2, axis=0))
    assert ratio[0] > 0.05
    assert ratio[1] == 0
