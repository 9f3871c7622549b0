"""What the serving model believes of a deployment before it is measured."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.catalog.load import load_catalog
from breakeven.reports.calibration_answer import CalibrationQuestion, deployment_of, predicted, priors
from breakeven.serving.prediction.capacity import capacity_error
from breakeven.serving.prediction.deployment import Deployment
from breakeven.serving.prediction.fitted_model import shipped_model

Z_80 = 1.2815515655


def deployment(model: str, gpu: str, precision: str = "bf16", gpus: int = 1) -> Deployment:
    return deployment_of(CalibrationQuestion((), model, gpu, gpus, precision, "vllm"), load_catalog(date(2026, 11, 25)))


@pytest.mark.parametrize(
    "what",
    [("llama-3.1-8b", "H100", "bf16", 1), ("gemma-3-27b", "L40S", "bf16", 2), ("gpt-oss-20b", "RTX 4090", "fp4", 1)],
)
def test_the_prior_is_as_wide_as_the_held_out_errors(what: tuple[str, str, str, int]) -> None:
    model, gpu, precision, gpus = what
    fitted, asked = shipped_model(), deployment(model, gpu, precision, gpus)
    found = priors(asked, fitted)
    assert found is not None
    assert fitted.calibration_sd_ratios is not None
    _, factor = capacity_error(asked, model=fitted)
    for figure, prior in found.items():
        level, slope, noise = fitted.calibration_sd_ratios[figure]
        assert (prior.slope_sd_ratio, prior.noise_sd_ratio) == (slope, noise)
        assert prior.level_sd_ratio >= level
    assert math.exp(Z_80 * found["output_tok_per_s"].level_sd_ratio) >= factor * (1 - 1e-9)


def test_a_fit_that_says_nothing_leaves_the_placeholders() -> None:
    assert priors(deployment("llama-3.1-8b", "H100"), replace(shipped_model(), calibration_sd_ratios=None)) is None


def test_a_replica_that_idles_has_no_prediction() -> None:
    """Below one request in flight on average, throughput is what was asked for and not what could be had."""
    busy = MeasuredPoint(1000, 200, 8.0, 500.0, 50.0, 9.0, 100, 0, "file")
    said = predicted(deployment("llama-3.1-8b", "H100"), [replace(busy, concurrency_count=0.4), busy], shipped_model())
    assert said[0].output_tok_per_s is None
    assert said[1].output_tok_per_s is not None
    assert said[1].speed_of_light_tok_per_s is not None
    assert said[1].output_tok_per_s < said[1].speed_of_light_tok_per_s
