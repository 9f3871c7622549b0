"""Calibration document: predicted, measured and corrected figures of each point, and how far each is off.

"Corrected" is what the *other* points say of a point (leave one out), so the error after the correction is that of a
measurement that the correction has not seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.errors import CalibrationError
from breakeven.facts.source import Grade, Source
from breakeven.serving.calibrate import (
    FIGURES,
    PRIORS,
    Correction,
    CorrectionPrior,
    DeploymentKey,
    FactorRange,
    Figure,
    Screened,
    fit_correction,
    leave_one_out,
    screen,
)
from breakeven.serving.measured_facts import facts_document

SCHEMA_VERSION: Final = "1.0"
InItsUnit = float
"""In the unit that the figure's name ends in."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the model says of one point; None where it says nothing."""

    output_tok_per_s: float | None
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    speed_of_light_tok_per_s: float | None = None
    """What the hardware cannot exceed at this point."""


Predictor = Callable[[float, float, float], Predicted]
"""Input tokens, output tokens, concurrency -> what the model says."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The corrections of one deployment and the document about them."""

    corrections: tuple[Correction, ...]
    source: Source
    document: CalibrationDocument


class Part(BaseModel):
    """Closed and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FactorPart(Part):
    """A factor and its 80 % interval."""

    low: float
    typical: float
    high: float


class FigureRow(Part):
    """One figure of one point."""

    predicted: InItsUnit
    measured: InItsUnit
    corrected: InItsUnit
    """By the other points."""
    corrected_low: InItsUnit
    """80 % interval."""
    corrected_high: InItsUnit
    error_before_fraction: float
    """Predicted over measured, minus one."""
    error_after_fraction: float
    weight: float
    """1: the point fits the others; near 0: it is an outlier and hardly counts."""


class PointRow(Part):
    """One measured point."""

    source: str
    input_tokens: float
    output_tokens: float
    concurrency_count: float
    is_refused: bool
    remark: str
    figures: dict[str, FigureRow]


class FigureSummary(Part):
    """One figure over all points that were used."""

    points_count: int
    median_error_before_fraction: float
    median_error_after_fraction: float
    inside_count: int
    """Points whose measurement lies in the 80 % interval that the others give."""
    factor: FactorPart
    """A new measurement over the prediction, in the middle of the measured concurrencies."""


class CalibrationDocument(Part):
    """Predicted against measured, before and after."""

    schema_version: str = SCHEMA_VERSION
    deployment: dict[str, Any]
    points: list[PointRow]
    figures: dict[str, FigureSummary]
    corrections: dict[str, Any]
    """What `--out` writes."""


def calibrate(
    points: Sequence[MeasuredPoint],
    predict: Predictor,
    key: DeploymentKey,
    today: date,
    priors: dict[Figure, CorrectionPrior] | None = None,
) -> Calibration:
    """The corrections of a deployment from measured points; raises CalibrationError when none can be used."""
    predictions = [predict(each.input_tokens, each.output_tokens, each.concurrency_count) for each in points]
    screened = [_screened(point, said) for point, said in zip(points, predictions, strict=True)]
    used = [index for index, each in enumerate(screened) if not each.is_refused]
    if not used:
        reasons = "; ".join(f"{point.source}: {each.reason}" for point, each in zip(points, screened, strict=True))
        raise CalibrationError(f"no point can be used: {reasons[:600]}")
    source = _source([points[index] for index in used], today)
    chosen = priors or PRIORS
    fits = [
        fit
        for figure in FIGURES
        if (fit := _fit_figure(figure, used, points, predictions, key, source, chosen[figure])) is not None
    ]
    rows = [
        _row(point, screened[index], {fit.figure: fit.rows[index] for fit in fits if index in fit.rows})
        for index, point in enumerate(points)
    ]
    corrections = tuple(fit.correction for fit in fits)
    written = facts_document(corrections, source)
    document = CalibrationDocument(
        deployment=written["deployment"],
        points=rows,
        figures={fit.figure: _summary(fit) for fit in fits},
        corrections=written,
    )
    return Calibration(corrections, source, document)


def to_json(document: CalibrationDocument) -> str:
    """The document as text."""
    return json.dumps(document.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@dataclass(frozen=True, slots=True)
class _Fit:
    figure: Figure
    correction: Correction
    rows: dict[int, FigureRow]


def _screened(point: MeasuredPoint, predicted: Predicted) -> Screened:
    if predicted.output_tok_per_s is None:
        return Screened(True, "the model has no prediction for this point")
    found = screen(
        point.output_tok_per_s, point.requests_count, point.failures_count, predicted.speed_of_light_tok_per_s
    )
    remarks = [each for each in (found.reason, *point.notes) if each]
    return found if found.is_refused else Screened(False, "; ".join(remarks))


def _fit_figure(
    figure: Figure,
    used: Sequence[int],
    points: Sequence[MeasuredPoint],
    predictions: Sequence[Predicted],
    key: DeploymentKey,
    source: Source,
    prior: CorrectionPrior,
) -> _Fit | None:
    """The correction of one figure; None when no point has it both measured and predicted."""
    having = [i for i in used if getattr(points[i], figure) is not None and getattr(predictions[i], figure) is not None]
    if not having:
        return None
    concurrency = [points[index].concurrency_count for index in having]
    measured = [getattr(points[index], figure) for index in having]
    predicted = [getattr(predictions[index], figure) for index in having]
    correction = fit_correction(
        concurrency,
        measured,
        predicted,
        key=key,
        figure=figure,
        measured_on=source.read,
        source_title=source.title,
        prior=prior,
    )
    factors = leave_one_out(concurrency, measured, predicted, figure=figure, prior=prior)
    rows = zip(having, predicted, measured, factors, correction.weights, strict=True)
    return _Fit(figure, correction, {index: _figure_row(*row) for index, *row in rows})


def _figure_row(predicted: float, measured: float, factor: FactorRange, weight: float) -> FigureRow:
    return FigureRow(
        predicted=predicted,
        measured=measured,
        corrected=predicted * factor.typical,
        corrected_low=predicted * factor.low,
        corrected_high=predicted * factor.high,
        error_before_fraction=predicted / measured - 1,
        error_after_fraction=predicted * factor.typical / measured - 1,
        weight=weight,
    )


def _row(point: MeasuredPoint, screened: Screened, figures: dict[str, FigureRow]) -> PointRow:
    return PointRow(
        source=point.source,
        input_tokens=point.input_tokens,
        output_tokens=point.output_tokens,
        concurrency_count=point.concurrency_count,
        is_refused=screened.is_refused,
        remark=screened.reason,
        figures=figures,
    )


def _summary(fit: _Fit) -> FigureSummary:
    rows, seen = list(fit.rows.values()), fit.correction
    middle = (seen.low_concurrency_count * seen.high_concurrency_count) ** 0.5
    factor = seen.interval(middle)
    return FigureSummary(
        points_count=len(rows),
        median_error_before_fraction=median(abs(each.error_before_fraction) for each in rows),
        median_error_after_fraction=median(abs(each.error_after_fraction) for each in rows),
        inside_count=sum(each.corrected_low <= each.measured <= each.corrected_high for each in rows),
        factor=FactorPart(low=factor.low, typical=factor.typical, high=factor.high),
    )


def _source(points: Sequence[MeasuredPoint], today: date) -> Source:
    """Where the numbers come from: measured on the user's own endpoint."""
    days = [each.measured_on for each in points if each.measured_on is not None]
    names = sorted({each.labels.get("url") or each.source for each in points})
    return Source(
        title=f"measured on your endpoint: {len(points)} points",
        link="; ".join(names)[:500],
        read=min(days) if days else today,
        grade=Grade.MEASURED,
    )
