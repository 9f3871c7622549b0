"""Rows: public measurements as Points with what was measured, filtered by stated rules, copies taken once.

Rules, in this order: the model, GPU, precision and split must be known; throughput must be given; no GPU may be faster
than physics allows (active weights read once a step at full bandwidth, arithmetic at the full peak); copies of one
measurement count once; a replica has at most eight GPUs (wider ones are other machines: racks, disaggregated pools).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from breakeven.catalog.load import Catalog
from breakeven.serving.prediction.columns import Columns, columns
from breakeven.serving.prediction.corrections import architecture, deployment_label, model_version_label
from breakeven.serving.prediction.deployment import Point
from breakeven.serving.prediction.placing import place
from breakeven.serving.prediction.points import Load, Problem, ReadPoint, read_point
from breakeven.serving.prediction.step_time import touched_fraction
from breakeven.units import MS_PER_S

REPLICA_GPUS_MAX_COUNT = 8
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One measurement."""

    row_id: str
    read: ReadPoint
    point: Point
    output_tok_per_s: float
    ttft_s: float
    """NaN where not measured."""
    tpot_s: float
    """NaN where not measured."""


@dataclass(frozen=True, slots=True)
class MeasuredRows:
    """Measurements as arrays, with why others were left out."""

    rows: tuple[MeasuredRow, ...]
    columns: Columns
    output_tok_per_s: Floats
    ttft_s: Floats
    tpot_s: Floats
    left_out: dict[str, int]
    """Rule -> rows it left out."""

    def labels(self, name: str) -> NDArray[Any]:
        """One label per row, of the names below."""
        return np.array([_LABELS[name](row) for row in self.rows])

    def __getitem__(self, index: NDArray[Any]) -> MeasuredRows:
        """The rows of an index or a mask."""
        where = np.arange(len(self.rows))[index]
        return MeasuredRows(
            tuple(self.rows[i] for i in where),
            self.columns.rows(where),
            self.output_tok_per_s[where],
            self.ttft_s[where],
            self.tpot_s[where],
            self.left_out,
        )


_LABELS: Final[dict[str, Callable[[MeasuredRow], str]]] = {
    "deployment": lambda row: deployment_label(row.point.deployment),
    "model": lambda row: architecture(row.point.deployment.model),
    "model_version": lambda row: model_version_label(row.point.deployment),
    "gpu": lambda row: row.point.deployment.gpu.name,
    "engine": lambda row: row.point.deployment.engine,
    "load": lambda row: row.read.load.value,
    "scenario": lambda row: row.read.scenario,
}
_OPEN: Final = (Load.SERVER, Load.OPEN_LOOP)


def read_rows(path: Path, catalog: Catalog, *, open_arrivals: bool = False) -> MeasuredRows:
    """Read a table with the columns of the public measurements."""
    with path.open(encoding="utf-8", newline="") as file:
        return rows_of(list(csv.DictReader(file)), catalog, open_arrivals=open_arrivals)


def rows_of(table: Sequence[dict[str, str]], catalog: Catalog, *, open_arrivals: bool = False) -> MeasuredRows:
    """Rows of a table that pass the rules; `open_arrivals`: those with open arrivals, in place of all others."""
    left_out: Counter[str] = Counter()
    kept, seen = [], set()
    for cells in table:
        row = _row(cells, catalog, open_arrivals)
        if isinstance(row, str):
            left_out[row] += 1
        elif row.point.deployment.gpus_count > REPLICA_GPUS_MAX_COUNT:
            left_out["wider than eight GPUs"] += 1
        elif (key := _copy_key(row)) in seen:
            left_out["a copy of another row"] += 1
        else:
            seen.add(key)
            kept.append(row)
    rows = _as_arrays(kept, {})
    fast = rows.output_tok_per_s > speed_of_light_tok_per_s(rows.columns)
    left_out["faster than physics allows"] = int(fast.sum())
    return replace(rows[~fast], left_out=dict(left_out))


def speed_of_light_tok_per_s(c: Columns) -> Floats:
    """Most output tokens per second that the hardware could give: full bandwidth, full peak, nothing else."""
    tokens = np.minimum(c.concurrency_count, 1e6)
    narrow = np.where(c.is_moe & ~c.is_bf16, 0.5, c.bytes_per_param)
    read = c.dense_params_count * narrow + 0.9 * c.expert_bytes * touched_fraction(c, tokens)
    by_bandwidth = tokens * c.gpus_count * c.bandwidth_bytes_per_s / read
    flop = 2 * (c.dense_params_count + c.expert_active_count) * (1 + c.input_tokens / c.output_tokens)
    return np.asarray(c.replicas_count * np.minimum(by_bandwidth, c.gpus_count * c.peak_flops / flop))


def _row(cells: dict[str, str], catalog: Catalog, open_arrivals: bool) -> MeasuredRow | str:
    read = read_point(cells, catalog)
    if isinstance(read, Problem):
        return read.status.value
    measured = _number(cells.get("out_tok_s_total"))
    if not measured > 0:
        return "no throughput measured"
    if (read.load in _OPEN) != open_arrivals:
        return "closed loops and batches" if open_arrivals else "open arrivals"
    point = place(read)
    if isinstance(point, Problem):
        return point.status.value
    ttft, tpot = (_number(cells.get(name)) / MS_PER_S for name in ("ttft_ms", "tpot_ms"))
    return MeasuredRow(cells.get("id", ""), read, point, measured, ttft, tpot)


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def _copy_key(row: MeasuredRow) -> tuple[object, ...]:
    """Two rows with the same model, GPU, load and figures are one measurement under two names."""
    deployment = row.point.deployment
    figures = (round(row.output_tok_per_s, 1), str(row.ttft_s), str(row.tpot_s))
    loaded = (row.point.input_tokens, row.point.output_tokens, row.point.concurrency_count, row.read.scenario)
    extra = "" if row.read.load is Load.CLOSED_LOOP else row.row_id
    return (architecture(deployment.model), deployment.engine, deployment.gpu.name, *loaded, *figures, extra)


def _as_arrays(rows: Sequence[MeasuredRow], left_out: dict[str, int]) -> MeasuredRows:
    return MeasuredRows(
        tuple(rows),
        columns([row.point for row in rows]),
        np.array([row.output_tok_per_s for row in rows]),
        np.array([row.ttft_s for row in rows]),
        np.array([row.tpot_s for row in rows]),
        left_out,
    )
