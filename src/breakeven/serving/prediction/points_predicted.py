"""Predicted points: a prediction or a status for every row of a table of points."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.serving.calibrate import Correction
from breakeven.serving.prediction.capacity import FitStatus, Prediction, predict, replica_timing
from breakeven.serving.prediction.deployment import Point
from breakeven.serving.prediction.fitted_model import FittedModel, shipped_model
from breakeven.serving.prediction.placing import place
from breakeven.serving.prediction.points import Load, Problem, ReadPoint, Status, read_point
from breakeven.serving.prediction.points_file import PointsTable
from breakeven.units import MS_PER_S

_DIGITS: Final = 6
"""Significant digits of a prediction."""
_CHUNK_POINTS_COUNT: Final = 250
"""Points predicted between two words about progress."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the prediction comes to under the row's own arrivals."""

    output_ratio: float
    """Output over that of the prediction: what a latency target or the rate of arrivals leaves of it."""
    ttft_ms: float
    tpot_ms: float


@dataclass(frozen=True, slots=True)
class PredictedRow:
    """What became of one row."""

    prediction: Prediction | None
    problem: Problem | None
    assumed: tuple[str, ...] = ()
    """What the row left open, and how it was read."""
    delivered: Delivered | None = None

    @property
    def status(self) -> Status:
        """In one word."""
        return Status.OK if self.problem is None else self.problem.status


@dataclass(frozen=True, slots=True)
class PredictedTable:
    """One PredictedRow per row of the table, in its order."""

    rows: tuple[PredictedRow, ...]

    def status_counts(self) -> dict[str, int]:
        """Rows by status, `ok` first."""
        found = Counter(row.status for row in self.rows)
        return {status.value: found[status] for status in Status if found[status]}

    def assumed_counts(self) -> dict[str, int]:
        """Rows by what was taken for granted about them, most first."""
        return dict(Counter(each for row in self.rows for each in row.assumed).most_common())

    def cells(self) -> list[dict[str, str]]:
        """The predictions as text, by column; empty where there is none."""
        return [_cells(row) for row in self.rows]


def predict_table(
    table: PointsTable,
    catalog: Catalog,
    *,
    model: FittedModel | None = None,
    measured: Sequence[Correction] = (),
    say: Callable[[str], None] = lambda _: None,
) -> PredictedTable:
    """Predict every row that can be read and fits; `measured` are the user's own corrections."""
    fitted = model or shipped_model()
    read = [_read(table, index, catalog) for index in range(len(table.rows))]
    placed = [each if isinstance(each, Problem) else place(each, fitted.values) for each in read]
    points = {index: each for index, each in enumerate(placed) if isinstance(each, Point)}
    found: dict[int, Prediction] = {}
    indices = list(points)
    for start in range(0, len(indices), _CHUNK_POINTS_COUNT):
        say(f"predicting {start:,} of {len(indices):,} points")
        part = indices[start : start + _CHUNK_POINTS_COUNT]
        predicted = predict([points[index] for index in part], model=fitted, measured=measured)
        found.update(zip(part, predicted, strict=True))
    return PredictedTable(
        tuple(_row(read[index], placed[index], found.get(index), fitted, measured) for index in range(len(table.rows)))
    )


def does_not_fit(prediction: Prediction) -> str:
    """Why a point does not fit, in words."""
    deployment = prediction.point.deployment
    gpus = f"{deployment.gpus_count} x {deployment.gpu.name} ({deployment.gpu.memory_gb:g} GB each)"
    weights = f"weights of {prediction.weights_gb_per_gpu:.4g} GB per GPU"
    if prediction.cache_gb_per_gpu <= 0:
        return f"{weights} do not fit {gpus}"
    return f"{weights} leave {prediction.cache_gb_per_gpu:.3g} GB on {gpus}: too little for one request's cache"


def _read(table: PointsTable, index: int, catalog: Catalog) -> ReadPoint | Problem:
    surplus = table.surplus_count(index)
    if surplus:
        return Problem(Status.BAD_ROW, f"{surplus} cells more than the header has columns")
    return read_point(table.cells(index), catalog)


def _row(
    read: ReadPoint | Problem,
    placed: Point | Problem,
    found: Prediction | None,
    fitted: FittedModel,
    measured: Sequence[Correction],
) -> PredictedRow:
    if isinstance(read, Problem):
        return PredictedRow(None, read)
    if isinstance(placed, Problem):
        return PredictedRow(None, placed, read.assumed)
    assert found is not None
    if found.status is FitStatus.DOES_NOT_FIT:
        return PredictedRow(None, Problem(Status.DOES_NOT_FIT, does_not_fit(found)), read.assumed)
    return PredictedRow(found, None, read.assumed, _delivered(read, found, fitted, measured))


def _delivered(read: ReadPoint, found: Prediction, fitted: FittedModel, measured: Sequence[Correction]) -> Delivered:
    """A latency target costs throughput as it did in public results; no loop gives more than arrives, and replicas
    without a request give nothing.
    """
    if read.load is Load.SERVER:
        return Delivered(fitted.latency_bound_ratios.get(read.scenario, 1.0), found.ttft_ms, found.tpot_ms)
    if read.load is Load.STATIC_BATCH and read.scenario != "burst50":
        return Delivered(1.0, max(found.batch_count * found.prompt_ms, found.step_ms), found.step_ms)
    if read.load is Load.OPEN_LOOP and read.rate_req_per_s is not None:
        return _of_arrivals(read.rate_req_per_s, found, fitted, measured)
    in_flight = found.point.concurrency_count
    busy = 1.0 if in_flight is None else min(in_flight / found.point.replicas_count, 1.0)
    return Delivered(busy, found.ttft_ms, found.tpot_ms)


def _of_arrivals(
    rate_req_per_s: float, found: Prediction, fitted: FittedModel, measured: Sequence[Correction]
) -> Delivered:
    """Latencies of arrivals at random (Poisson) where the replicas keep up with them, else those of a closed loop."""
    from breakeven.serving.traffic.fluid import Lengths, steady

    point = found.point
    lengths = (point.input_tokens, point.output_tokens)
    timing = replica_timing(point.deployment, *lengths, model=fitted, measured=measured)
    flow = steady(timing, rate_req_per_s / point.replicas_count, Lengths.of(*lengths))
    ratio = min(1.0, rate_req_per_s * point.output_tokens / found.output_tok_per_s)
    if not bool(flow.sustainable):
        return Delivered(ratio, found.ttft_ms, found.tpot_ms)
    return Delivered(ratio, float(flow.ttft_mean_s) * MS_PER_S, float(flow.tpot_mean_s) * MS_PER_S)


def _cells(row: PredictedRow) -> dict[str, str]:
    if row.problem is not None or row.prediction is None or row.delivered is None:
        assert row.problem is not None
        return {"status": row.problem.status.value, "status_reason": row.problem.reason}
    found, delivered = row.prediction, row.delivered
    numbers: Mapping[str, float] = {
        "pred_out_tok_s_total": found.output_tok_per_s * delivered.output_ratio,
        "pred_out_tok_s_low": found.low_output_tok_per_s * delivered.output_ratio,
        "pred_out_tok_s_high": found.high_output_tok_per_s * delivered.output_ratio,
        "pred_ttft_ms": delivered.ttft_ms,
        "pred_tpot_ms": delivered.tpot_ms if found.point.output_tokens > 1 else math.nan,
    }
    written = {name: f"{value:.{_DIGITS}g}" if math.isfinite(value) else "" for name, value in numbers.items()}
    return {**written, "status": Status.OK.value, "status_reason": ""}
