"""Fit the serving model again: ``python -m breakeven.serving.prediction.fitting MEASUREMENTS.csv [--out FILE]``.

Takes about three minutes: each way of holding out fits the model once per fold.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from breakeven.catalog.load import load_catalog
from breakeven.facts.source import Grade, Source
from breakeven.serving.prediction.fitted_model import FILE, FittedModel, write_model
from breakeven.serving.prediction.fitting.model import fit_model
from breakeven.serving.prediction.fitting.rows import MeasuredRows, read_rows
from breakeven.serving.prediction.fitting.splits import held_out
from breakeven.serving.prediction.fitting.summary import all_splits, calibration_sd_ratios, error_table
from breakeven.serving.prediction.step_time import times

SHIPPED: Final = Path(__file__).parents[1] / "data" / FILE
TITLE: Final = (
    "Serving model fitted to public measurements: InferenceMAX dumps as shipped with aiconfigurator, MLPerf Inference "
    "v5.1, TensorRT-LLM performance pages, vLLM benchmarks"
)


def main() -> None:
    """Fit, hold out, write."""
    parser = argparse.ArgumentParser(prog="python -m breakeven.serving.prediction.fitting", description=__doc__)
    parser.add_argument("measurements", type=Path, help="CSV with the columns of the public measurements")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--read", type=date.fromisoformat, default=date(2026, 11, 25), help="day the data were read")
    asked = parser.parse_args()
    catalog = load_catalog(asked.read)
    rows = read_rows(asked.measurements, catalog)
    held = all_splits(rows, _say)
    others = held_out(rows, "deployment", say=_say, closed_loops=False)
    model = fit_model(rows)
    closed = rows.labels("load") == "closed_loop"
    finished = replace(
        model,
        architectures=frozenset(rows.labels("model").tolist()),
        gpus=frozenset(rows[closed].labels("gpu").tolist()),
        errors=error_table(held, others),
        source=Source(TITLE, "docs/explanation/serving.md", asked.read, Grade.MEASURED),
        rows_count=len(rows.rows),
        latency_bound_ratios=latency_bound_ratios(model, read_rows(asked.measurements, catalog, open_arrivals=True)),
        calibration_sd_ratios=calibration_sd_ratios(held["deployment"]),
    )
    write_model(asked.out, finished, rows.left_out)
    _say(f"{asked.out}: {len(rows.rows)} rows")


def latency_bound_ratios(model: FittedModel, rows: MeasuredRows) -> dict[str, float]:
    """By scenario: median of measured over predicted offline throughput, for runs under a latency target."""
    scenarios, is_server = rows.labels("scenario"), rows.labels("load") == "server"
    ratio = rows.output_tok_per_s / times(rows.columns, model.values).output_tok_per_s
    return {str(each): float(np.median(ratio[scenarios == each])) for each in np.unique(scenarios[is_server])}


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
