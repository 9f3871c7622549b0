"""Calibration of points against a synthetic predictor whose error is known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from io import StringIO

import pytest
from rich.console import Console

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.errors import CalibrationError
from breakeven.reports.calibration_document import Predicted, calibrate, to_json
from breakeven.reports.calibration_terminal import render_calibration
from breakeven.serving.calibrate import DeploymentKey

KEY = DeploymentKey("Llama-3.1-8B", "H100 SXM", 1, "bf16", "vllm")
TODAY = date(2026, 11, 25)


def predict(input_tokens: float, output_tokens: float, concurrency: float) -> Predicted:
    """A server with a step of 10 ms plus 0.1 ms per user; it cannot exceed 200 tok/s per user."""
    step_ms = 10 + 0.1 * concurrency
    return Predicted(1e3 * concurrency / step_ms, 20 + input_tokens / 50, step_ms, 200 * concurrency)


def point(concurrency: float, factor: float = 1.3, **changes: object) -> MeasuredPoint:
    """A measurement at `factor` times the prediction of output tokens per second."""
    said = predict(1000, 200, concurrency)
    assert said.output_tok_per_s is not None
    assert said.tpot_ms is not None
    made = MeasuredPoint(
        1000, 200, concurrency, said.output_tok_per_s * factor, 60.0, said.tpot_ms / factor, 100, 0,
        f"file, concurrency {concurrency:g}", date(2026, 11, 20),
        labels={"url": "http://localhost:8000/v1/chat/completions"},
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


POINTS = [point(1, 1.28), point(8, 1.32), point(64, 1.3)]


def test_the_planted_factor_is_found() -> None:
    found = calibrate(POINTS, predict, KEY, TODAY)
    output, ttft, tpot = found.corrections
    assert output.factor(8) == pytest.approx(1.3, rel=0.03)
    assert ttft.factor(8) == pytest.approx(1.5, rel=0.1)  # 60 ms against 40
    assert tpot.factor(8) == pytest.approx(1 / 1.3, rel=0.03)
    assert found.source.grade.value == "measured"
    assert found.source.title == "measured on your endpoint: 3 points"
    assert found.source.link == "http://localhost:8000/v1/chat/completions"
    assert found.source.read == date(2026, 11, 20)


def test_errors_before_and_after() -> None:
    document = calibrate(POINTS, predict, KEY, TODAY).document
    summary = document.figures["output_tok_per_s"]
    assert summary.median_error_before_fraction == pytest.approx(1 - 1 / 1.3)
    assert summary.median_error_after_fraction < 0.05
    assert summary.points_count == 3
    for row in document.points:
        figure = row.figures["output_tok_per_s"]
        assert figure.corrected_low < figure.corrected < figure.corrected_high
        assert figure.error_after_fraction == pytest.approx(figure.corrected / figure.measured - 1)
    json.loads(to_json(document))


def test_after_is_what_the_other_points_say() -> None:
    """A single point cannot vouch for itself."""
    figure = calibrate([point(8)], predict, KEY, TODAY).document.points[0].figures["output_tok_per_s"]
    assert figure.error_after_fraction == figure.error_before_fraction


def test_refused_points_enter_nothing() -> None:
    too_fast = point(2, 1.3, output_tok_per_s=500.0)
    failing = point(4, 1.5, failures_count=50)
    found = calibrate([*POINTS, too_fast, failing], predict, KEY, TODAY)
    assert found.corrections == calibrate(POINTS, predict, KEY, TODAY).corrections
    refused = [each for each in found.document.points if each.is_refused]
    assert ["more than this hardware" in refused[0].remark, "50 of 150" in refused[1].remark] == [True, True]
    assert all(not each.figures for each in refused)


def test_nothing_usable_is_an_error() -> None:
    with pytest.raises(CalibrationError, match="no point can be used: file, concurrency 4: 50 of 150 requests failed"):
        calibrate([point(4, failures_count=50)], predict, KEY, TODAY)
    with pytest.raises(CalibrationError, match="the model has no prediction"):
        calibrate(POINTS, lambda *_: Predicted(None), KEY, TODAY)


def test_figures_that_were_not_measured_have_no_correction() -> None:
    found = calibrate([point(4, ttft_ms=None), point(8, ttft_ms=None)], predict, KEY, TODAY)
    assert [each.figure for each in found.corrections] == ["output_tok_per_s", "tpot_ms"]


def test_an_outlier_is_marked() -> None:
    points = [*POINTS, point(16, 1.3), point(32, 0.4)]
    document = calibrate(points, predict, KEY, TODAY).document
    assert document.points[4].figures["output_tok_per_s"].weight < 0.5
    page = rendered(points)
    assert "* an outlier" in page
    assert "32 *" in page


def rendered(points: list[MeasuredPoint]) -> str:
    out = StringIO()
    render_calibration(calibrate(points, predict, KEY, TODAY).document, Console(file=out, width=110, color_system=None))
    return out.getvalue()


def test_the_page() -> None:
    page = rendered([*POINTS, point(4, failures_count=50), point(16, notes=("output tokens are estimated",))])
    assert page.startswith(
        "Llama-3.1-8B on 1 x H100 SXM, bf16, vllm: measured on your endpoint, output tok/s is 1.29 times"
    )
    for wanted in ("predicted", "measured", "corrected", "before", "after", "Refused", "50 of 150 requests failed"):
        assert wanted in page
    assert "output tokens are estimated" in page
