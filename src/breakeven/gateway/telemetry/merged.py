"""Merged: the numbers of all processes of a gateway as one set of samples, ready to be shown.

Counters and histograms are sums over every process that ever told its numbers (each goes on from its own last
snapshot, so a sum never falls); gauges are of processes that told them lately.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from breakeven.gateway.telemetry.counters import SNAPSHOT_VERSION
from breakeven.gateway.telemetry.metric_table import DURATION_BOUNDS_S, METRIC_BY_NAME, Merge
from breakeven.gateway.telemetry.process_usage import process_usage
from breakeven.gateway.telemetry.snapshot_file import SNAPSHOT_MAX_BYTES, snapshot_paths

FRESH_S: Final = 5.0
"""A process that told nothing for so long is taken for dead."""
Labels = tuple[str, ...]


@dataclass(slots=True)
class Histogram:
    """Counts by bucket, the last one without an edge, and the sum of what was observed."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(DURATION_BOUNDS_S) + 1))
    sum_s: float = 0.0


@dataclass(slots=True)
class Merged:
    """Samples by metric and labels."""

    numbers: dict[str, dict[Labels, float]] = field(default_factory=dict)
    histograms: dict[str, dict[Labels, Histogram]] = field(default_factory=dict)

    def add(self, name: str, labels: Labels, value: float) -> None:
        """Add to a sum."""
        samples = self.numbers.setdefault(name, {})
        samples[labels] = samples.get(labels, 0) + value

    def take(self, name: str, labels: Labels, value: float, merge: Merge) -> None:
        """Merge a gauge."""
        samples = self.numbers.setdefault(name, {})
        before = samples.get(labels)
        if before is None:
            samples[labels] = value
        elif merge == "sum":
            samples[labels] = before + value
        else:
            samples[labels] = max(before, value) if merge == "max" else min(before, value)

    def observe(self, name: str, labels: Labels, buckets: list[int], sum_s: float) -> None:
        """Add a histogram."""
        found = self.histograms.setdefault(name, {}).setdefault(labels, Histogram())
        found.buckets = [one + other for one, other in zip(found.buckets, buckets, strict=True)]
        found.sum_s += sum_s


def read_snapshots(state_folder: Path) -> dict[str, Mapping[str, Any]]:
    """What every process told last, by its name (`relay-0`); damaged files are left out."""
    found: dict[str, Mapping[str, Any]] = {}
    for path in snapshot_paths(state_folder):
        try:
            with path.open("rb") as file:
                plain = orjson.loads(file.read(SNAPSHOT_MAX_BYTES))
        except (OSError, ValueError):
            continue
        if isinstance(plain, dict) and plain.get("version") == SNAPSHOT_VERSION:
            before = found.get(path.stem)
            if before is None or plain["written_unix_s"] > before["written_unix_s"]:
                found[path.stem] = plain
    return found


def merged(snapshots: Mapping[str, Mapping[str, Any]], now_unix_s: float) -> Merged:
    """One set of samples of all processes."""
    total = Merged()
    for name, plain in snapshots.items():
        try:
            _add(total, name, plain, now_unix_s)
        except (KeyError, TypeError, ValueError, AttributeError):
            total.add("events_total", ("snapshot_unreadable",), 1)
    return total


def is_fresh(plain: Mapping[str, Any], now_unix_s: float) -> bool:
    """Whether a process told its numbers lately."""
    return abs(now_unix_s - float(plain["written_unix_s"])) <= FRESH_S


def _add(total: Merged, name: str, plain: Mapping[str, Any], now_unix_s: float) -> None:
    for cell in plain["cells"]:
        _add_cell(total, cell)
    for counter, label, n in plain["counts"]:
        total.add(counter, _labels(counter, label), n)
    is_alive = is_fresh(plain, now_unix_s)
    if name.startswith("relay-"):
        index = (str(plain["process"]),)
        total.take("relay_up", index, float(is_alive), "max")
        if is_alive:
            total.take("start_time_seconds", (), plain["started_unix_s"], "min")
            for metric, value in process_usage(int(plain["pid"])).items():
                total.take(metric, index, value, "max")
    if not is_alive:
        return
    for gauge, label, value in plain["gauges"]:
        known = METRIC_BY_NAME.get(gauge)
        if known is not None:
            total.take(gauge, _labels(gauge, label), value, known.merge)
    if plain["policy"] is not None and name.startswith("relay-"):
        policy_hash, kind = plain["policy"]
        total.take("policy_info", (policy_hash, kind), 1, "sum")


def _add_cell(total: Merged, cell: Mapping[str, Any]) -> None:
    model, upstream, task = cell["key"]
    task = task or ""
    for operation, kind, failure, result, n in cell["calls"]:
        total.add("calls_total", (model, upstream, task, kind, failure or "ok"), n)
        if result and kind != "shadow":
            total.add("requests_total", (operation, result), n)
    labels = (model, task)
    for kind in ("input", "output", "cache_read", "cache_write", "reasoning"):
        total.add("tokens_total", (*labels, kind), cell[f"{kind}_tokens"])
    total.add("estimated_calls_total", labels, cell["estimated_count"])
    total.add("unpriced_calls_total", labels, cell["unpriced_count"])
    total.add("cost_usd_total", labels, cell["cost_usd"])
    total.observe("request_duration_seconds", labels, cell["durations"], cell["duration_sum_s"])
    total.observe("first_byte_seconds", labels, cell["first_bytes"], cell["first_byte_sum_s"])


def _labels(name: str, label: str) -> Labels:
    metric = METRIC_BY_NAME.get(name)
    return (label,) if metric is None or metric.labels else ()
