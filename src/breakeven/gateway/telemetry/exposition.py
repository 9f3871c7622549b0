"""Exposition: the merged numbers as text for Prometheus, every metric of the table, also one that nothing told yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)

from breakeven.gateway.telemetry.merged import Merged
from breakeven.gateway.telemetry.metric_table import DURATION_BOUNDS_S, METRICS, PREFIX, Metric

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


def exposition(numbers: Merged, version: str) -> bytes:
    """The text."""
    numbers.take("build_info", (version,), 1, "max")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Source(numbers))
    return generate_latest(registry)


class _Source:
    """Families for prometheus_client, made anew for each question."""

    def __init__(self, numbers: Merged) -> None:
        self._numbers = numbers

    def describe(self) -> list[Family]:
        """Nothing in advance."""
        return []

    def collect(self) -> Iterator[Family]:
        """One family per metric of the table."""
        for metric in METRICS:
            yield _histogram(metric, self._numbers) if metric.type == "histogram" else _plain(metric, self._numbers)


def _plain(metric: Metric, numbers: Merged) -> Family:
    samples = numbers.numbers.get(metric.name, {})
    name = PREFIX + metric.name
    family: CounterMetricFamily | GaugeMetricFamily
    if metric.type == "counter":
        family = CounterMetricFamily(name.removesuffix("_total"), metric.help, labels=metric.labels)
    else:
        family = GaugeMetricFamily(name, metric.help, labels=metric.labels)
    if not metric.labels and not samples:
        samples = {(): 0.0}  # an alarm on it must not be silent for want of a series
    for labels, value in sorted(samples.items()):
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, numbers: Merged) -> Family:
    family = HistogramMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
    for labels, found in sorted(numbers.histograms.get(metric.name, {}).items()):
        total, buckets = 0, []
        for edge, count in zip((*map(str, DURATION_BOUNDS_S), "+Inf"), found.buckets, strict=True):
            total += count
            buckets.append((edge, float(total)))
        family.add_metric(labels, buckets, found.sum_s)
    return family
