"""Calibration answer: results of a bench, and what the serving model says of the same points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import NormalDist
from typing import Final

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.bench.results_file import read_points
from breakeven.catalog.load import Catalog
from breakeven.catalog.names import find_gpu, find_model
from breakeven.errors import CalibrationError
from breakeven.reports.calibration_document import Calibration, Predicted, calibrate
from breakeven.serving.calibrate import FIGURES, CorrectionPrior, Figure
from breakeven.serving.prediction.capacity import FitStatus, capacity_error, deployment_key, predict
from breakeven.serving.prediction.columns import columns
from breakeven.serving.prediction.deployment import UNSAID_VERSION, Deployment, Point
from breakeven.serving.prediction.fitted_model import FittedModel, shipped_model
from breakeven.serving.prediction.fitting.rows import speed_of_light_tok_per_s
from breakeven.serving.prediction.points import engine_of, precision_of

_Z_80: Final = NormalDist().inv_cdf(0.9)
CONCURRENCY_MIN_COUNT: Final = 1.0
"""With fewer requests in flight on average a replica idles, and its throughput is only what was asked of it."""


@dataclass(frozen=True, slots=True)
class CalibrationQuestion:
    """Which results, and of which deployment they are said to be."""

    results: tuple[Path, ...]
    model: str
    gpu: str
    gpus_count: int
    """Of one replica."""
    precision: str
    engine: str = ""
    replicas_count: int = 1
    """Replicas behind the endpoint."""


def answer_calibration(question: CalibrationQuestion, catalog: Catalog, today: date) -> Calibration:
    """The corrections of one replica of the deployment."""
    fitted = shipped_model()
    deployment = deployment_of(question, catalog)
    points = _without_copies(point for path in question.results for point in read_points(path))
    each = [_of_one_replica(point, question.replicas_count) for point in points]
    said = dict(zip(map(_load, each), predicted(deployment, each, fitted), strict=True))
    return calibrate(each, lambda *load: said[load], deployment_key(deployment), today, priors(deployment, fitted))


def _without_copies(points: Iterable[MeasuredPoint]) -> list[MeasuredPoint]:
    """A file that is given twice was measured once: a point that is there again to the last digit is left out."""
    found: dict[tuple[float | None, ...], MeasuredPoint] = {}
    for each in points:
        figures = (each.output_tok_per_s, each.ttft_ms, each.tpot_ms)
        found.setdefault((each.concurrency_count, *figures, each.requests_count, each.failures_count), each)
    return list(found.values())


def deployment_of(question: CalibrationQuestion, catalog: Catalog) -> Deployment:
    """The deployment by names of the catalogue or their aliases; raises for one that cannot be."""
    if question.gpus_count < 1 or question.replicas_count < 1:
        raise CalibrationError(
            f"{question.replicas_count} replicas of {question.gpus_count} GPUs; wanted at least one of one"
        )
    model, gpu = find_model(catalog, question.model), find_gpu(catalog, question.gpu)
    try:
        precision, is_widened, _ = precision_of(question.precision, question.model, model)
    except ValueError as error:
        raise CalibrationError(str(error)) from None
    engine, version = engine_of(question.engine, "")
    version = version or UNSAID_VERSION
    return Deployment(model, gpu, question.gpus_count, precision, engine, version, computes_in_16_bit=is_widened)


def predicted(deployment: Deployment, points: Sequence[MeasuredPoint], fitted: FittedModel) -> list[Predicted]:
    """What the model says of each point before any measurement, and what physics allows."""
    served = [
        Point(deployment, max(each.input_tokens, 1.0), max(each.output_tokens, 1.0), each.concurrency_count)
        for each in points
        if each.concurrency_count >= CONCURRENCY_MIN_COUNT
    ]
    if not served:
        return [Predicted(None) for _ in points]
    found = predict(served, model=fitted)
    if any(each.status is FitStatus.DOES_NOT_FIT for each in found):
        raise CalibrationError(
            f"{deployment.label}: does not fit into the memory, so it cannot be what was measured. "
            "Correct --gpu, --gpus or --precision."
        )
    light = speed_of_light_tok_per_s(columns(served))
    said = iter(
        Predicted(each.output_tok_per_s, each.ttft_ms, each.tpot_ms, float(most))
        for each, most in zip(found, light, strict=True)
    )
    return [next(said) if each.concurrency_count >= CONCURRENCY_MIN_COUNT else Predicted(None) for each in points]


def priors(deployment: Deployment, fitted: FittedModel) -> dict[Figure, CorrectionPrior] | None:
    """How far such deployments stand from the model, as its fit found it; None: the placeholders.

    Its figures are of deployments whose model and GPU were measured publicly. Where the errors on held-out rows are
    larger (unseen model or GPU, experts), the level may stand as much farther off as they are.
    """
    known = fitted.calibration_sd_ratios
    if not known:
        return None
    _, factor = capacity_error(deployment, model=fitted)
    wider = max(1.0, math.log(factor) / _Z_80 / known["output_tok_per_s"][0])
    return {
        figure: CorrectionPrior(known[figure][0] * wider, *known[figure][1:]) for figure in FIGURES if figure in known
    }


def _of_one_replica(point: MeasuredPoint, replicas_count: int) -> MeasuredPoint:
    return replace(
        point,
        concurrency_count=point.concurrency_count / replicas_count,
        output_tok_per_s=point.output_tok_per_s / replicas_count,
    )


def _load(point: MeasuredPoint) -> tuple[float, float, float]:
    load = (point.input_tokens, point.output_tokens, point.concurrency_count)
    assert all(map(math.isfinite, load))
    return load
