"""What are a few measurements of one's own deployment worth? On public measurements, deployments held out whole.

    python benchmarks/calibration.py [path/to/measured_throughput.csv]

For each deployment and pair of lengths with at least five concurrencies, the model is fitted without the deployment,
then corrected by none to three of its points (the middle; lowest and highest; all three), and tested on its other
points: median and 90 % absolute error, and how often the measurement lies in the 80 % interval. Fits the model five
times: about two minutes.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from breakeven.catalog.load import load_catalog
from breakeven.clock import today
from breakeven.serving.calibrate import FIGURES, CorrectionPrior, DeploymentKey, Figure, fit_correction
from breakeven.serving.prediction.fitting.rows import read_rows
from breakeven.serving.prediction.fitting.splits import HeldOut, held_out
from breakeven.serving.prediction.fitting.summary import calibration_sd_ratios

DATA = Path(__file__).parents[2] / "shared" / "data" / "serving" / "measured_throughput.csv"
ROWS_MIN_COUNT = 5
KEY = DeploymentKey("", "", 1, "")


@dataclass(frozen=True)
class Series:
    """One figure of one deployment at one pair of lengths, by rising concurrency."""

    concurrency: np.ndarray
    measured: np.ndarray
    predicted: np.ndarray

    def designed(self, count: int) -> list[int]:
        """Which points are measured first."""
        last = len(self.concurrency) - 1
        return {0: [], 1: [last // 2], 2: [0, last], 3: [0, last // 2, last]}[count]


def series(held: HeldOut, figure: Figure) -> Iterator[Series]:
    """Every series that is long enough."""
    rows, seen = held.rows, held.predicted
    measured, predicted = {
        "output_tok_per_s": (rows.output_tok_per_s, seen.output_tok_per_s),
        "ttft_ms": (rows.ttft_s, seen.ttft_s),
        "tpot_ms": (rows.tpot_s, seen.tpot_s),
    }[figure]
    columns = rows.columns
    groups: dict[tuple[str, float, float], list[int]] = {}
    for index, name in enumerate(rows.labels("deployment")):
        if np.isfinite(measured[index]) and np.isfinite(predicted[index]) and measured[index] > 0:
            key = (str(name), float(columns.input_tokens[index]), float(columns.output_tokens[index]))
            groups.setdefault(key, []).append(index)
    for group in groups.values():
        if len(group) >= ROWS_MIN_COUNT:
            order = sorted(group, key=lambda index: float(columns.concurrency_count[index]))
            yield Series(columns.concurrency_count[order], measured[order], predicted[order])


def tested(each: Series, count: int, figure: Figure, prior: CorrectionPrior) -> Iterator[tuple[float, bool]]:
    """Error and coverage of the points that are never measured first."""
    use = each.designed(count)
    found = fit_correction(
        each.concurrency[use], each.measured[use], each.predicted[use],
        key=KEY, figure=figure, measured_on=date.min, source_title="", prior=prior,
    )  # fmt: skip
    for index in set(range(len(each.concurrency))) - set(each.designed(3)):
        ratio = each.measured[index] / each.predicted[index]
        interval = found.interval(float(each.concurrency[index]))
        yield abs(interval.typical / ratio - 1), bool(interval.low <= ratio <= interval.high)


def main() -> int:
    """Hold out, correct, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurements", nargs="?", type=Path, default=DATA)
    path = parser.parse_args().measurements
    held = held_out(read_rows(path, load_catalog(today())), "deployment", say=lambda step: print(step, file=sys.stderr))
    priors = {figure: CorrectionPrior(*row) for figure, row in calibration_sd_ratios(held).items()}
    no_weights = {
        name: CorrectionPrior(*row, tail_degrees_count=math.inf) for name, row in calibration_sd_ratios(held).items()
    }
    print(
        f"{'figure':18} {'measured first':>15} {'rows':>6} {'median':>8} {'p90':>8} {'in 80 %':>8} {'no weights':>16}"
    )
    for figure in FIGURES:
        found = list(series(held, figure))
        for count in range(4):
            rows = [row for each in found for row in tested(each, count, figure, priors[figure])]
            plain = [row for each in found for row in tested(each, count, figure, no_weights[figure])]
            error, inside = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
            print(
                f"{figure:18} {count:15} {len(rows):6} {np.median(error):8.1%} {np.quantile(error, 0.9):8.1%} "
                f"{inside.mean():8.1%} {np.median([row[0] for row in plain]):16.1%}"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
