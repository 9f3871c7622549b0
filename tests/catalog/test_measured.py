"""The catalogue's own measurements, taken again on the public traces (skipped where those are not)."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.clock import today
from breakeven.units import SECONDS_PER_HOUR

TRACES = Path(__file__).parents[2] / ".." / "shared" / "data" / "traces"
pytestmark = pytest.mark.skipif(not TRACES.exists(), reason="the shared traces are not here")


def _hourly_peak_to_mean(path: Path) -> float:
    hours: dict[int, list[float]] = defaultdict(list)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tokens = float(row["mean_input_tokens"]) + float(row["mean_output_tokens"])
            hours[int(float(row["t_s"]) // SECONDS_PER_HOUR)].append(float(row["requests_per_s"]) * tokens)
    full = [sum(windows) for windows in hours.values() if len(windows) == 6]
    return max(full) / (sum(full) / len(full))


def test_hourly_peak_to_mean() -> None:
    stated = load_catalog(today()).assumptions["hourly_peak_to_mean_ratio"]
    one_day = _hourly_peak_to_mean(TRACES / "servegen_deepseek_r1_10min.csv")
    two_weeks = _hourly_peak_to_mean(TRACES / "servegen_m_mid_10min.csv")
    with (TRACES / "burstgpt_daily.csv").open(encoding="utf-8") as file:
        days = [float(row["tok"]) for row in csv.DictReader(file)]
    busiest_day = max(days) / (sum(days) / len(days))
    assert (stated.low, stated.typical, stated.high) == pytest.approx((one_day, two_weeks, busiest_day), rel=0.03)
