"""Totals: what a gateway has counted at one moment, and what came between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from typing import Final, TypeVar

from breakeven.web.gateway.exposition_reading import Sample

PREFIX: Final = "breakeven_"
RESTART_LOSS_FRACTION: Final = 0.5
"""A counter that fell by less than this lost what was not yet told when a process died; by more, it began anew."""
Buckets = tuple[float, ...]
Key = TypeVar("Key")
CallKey = tuple[str, str, str]
"""Upstream, kind, result."""


@dataclass(frozen=True, slots=True)
class ModelTotals:
    """All calls of one model, of every task."""

    calls_count: float = 0.0
    failed_count: float = 0.0
    unpriced_count: float = 0.0
    estimated_count: float = 0.0
    cost_usd: float = 0.0
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    cache_read_tokens: float = 0.0
    durations: Buckets = ()
    """Answers by time to their end, each bucket by itself; the last one has no edge."""
    first_bytes: Buckets = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """Everything at one moment."""

    at_unix_s: float
    edges_s: tuple[float, ...] = ()
    """Upper edges of the buckets."""
    requests: Mapping[str, float] = field(default_factory=dict)
    """Result -> requests that are over."""
    refusals: Mapping[str, float] = field(default_factory=dict)
    """Code -> requests that the gateway answered itself."""
    calls: Mapping[CallKey, float] = field(default_factory=dict)
    models: Mapping[str, ModelTotals] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)
    """Counters without labels, by name."""
    gauges: Mapping[str, float] = field(default_factory=dict)
    breakers: Mapping[str, int] = field(default_factory=dict)
    """Upstream -> 0 closed, 1 half open, 2 open."""
    policies: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Hash and kind -> relays that serve it."""
    relays: Mapping[str, bool] = field(default_factory=dict)
    restarts: Mapping[str, float] = field(default_factory=dict)
    version: str = ""


COUNTERS: Final = (
    "calls_dropped_total", "calls_spilled_total", "sink_errors_total", "shadows_skipped_total",
    "retry_budget_exhausted_total", "limits_errors_total", "policy_errors_total", "reload_errors_total",
    "spans_dropped_total", "log_lines_dropped_total",
)  # fmt: skip
GAUGES: Final = (
    "requests_in_flight", "client_connections", "upstream_connections", "sink_queue_bytes", "start_time_seconds",
)  # fmt: skip


_MODEL_COUNTERS: Final = (
    "calls_count", "failed_count", "unpriced_count", "estimated_count", "cost_usd", "input_tokens", "output_tokens",
    "cache_read_tokens",
)  # fmt: skip


def totals_of(samples: Mapping[str, list[Sample]], at_unix_s: float) -> Totals:
    """What the gateway's exposition says."""
    of = _Samples(samples)
    edges = _edges(of)
    return Totals(
        at_unix_s,
        tuple(edges),
        of.sums("requests_total", "result"),
        of.sums("refusals_total", "code"),
        _calls(of),
        _models(of, edges),
        {name: of.alone(name) for name in COUNTERS},
        {name: of.alone(name) for name in GAUGES},
        {name: int(value) for name, value in of.sums("breaker_state", "upstream").items()},
        {(each.get("hash", ""), each.get("kind", "")): int(value) for each, value in of("policy_info")},
        {name: value > 0 for name, value in of.sums("relay_up", "process").items()},
        of.sums("child_restarts_total", "child"),
        next((each.get("version", "") for each, _ in of("build_info")), ""),
    )


def grown(before_count: float, after_count: float) -> float:
    """What a counter has counted between two moments.

    >>> grown(10, 15), grown(1000, 996), grown(1000, 3)
    (5, 0.0, 3)
    """
    if after_count >= before_count:
        return after_count - before_count
    return after_count if after_count < before_count * (1 - RESTART_LOSS_FRACTION) else 0.0


def grown_each(before: Mapping[Key, float], after: Mapping[Key, float]) -> dict[Key, float]:
    """The same for several."""
    return {key: grown(before.get(key, 0.0), value) for key, value in after.items()}


def grown_buckets(before: Buckets, after: Buckets) -> Buckets:
    """The same for a histogram."""
    if len(before) != len(after):
        return after
    return tuple(grown(one, other) for one, other in zip(before, after, strict=True))


def grown_model(before: ModelTotals, after: ModelTotals) -> ModelTotals:
    """What a model did between two moments."""
    return ModelTotals(
        **{name: grown(getattr(before, name), getattr(after, name)) for name in _MODEL_COUNTERS},
        durations=grown_buckets(before.durations, after.durations),
        first_bytes=grown_buckets(before.first_bytes, after.first_bytes),
    )


@dataclass(frozen=True, slots=True)
class Span:
    """What came between two moments; one moment twice where there is only one."""

    before: Totals
    after: Totals
    models: Mapping[str, ModelTotals]
    """What each did."""
    calls: Mapping[CallKey, float]
    requests: Mapping[str, float]
    refusals: Mapping[str, float]

    @property
    def seconds_s(self) -> float:
        """How long it is."""
        return self.after.at_unix_s - self.before.at_unix_s

    def rate(self, count: float) -> float | None:
        """So many a second; None where there is no time between them."""
        return count / self.seconds_s if self.seconds_s > 0 else None

    def whole(self, name: str) -> Buckets:
        """The histogram `durations` or `first_bytes` of all models."""
        return summed([getattr(each, name) for each in self.models.values()])


def span_of(before: Totals, after: Totals) -> Span:
    """What came between them."""
    empty = ModelTotals()
    return Span(
        before,
        after,
        {name: grown_model(before.models.get(name, empty), each) for name, each in after.models.items()},
        grown_each(before.calls, after.calls),
        grown_each(before.requests, after.requests),
        grown_each(before.refusals, after.refusals),
    )


def summed(parts: list[Buckets]) -> Buckets:
    """One histogram of several.

    >>> summed([(1.0, 2.0), (), (0.0, 5.0)])
    (1.0, 7.0)
    """
    longest = max(map(len, parts), default=0)
    return tuple(sum(each[i] for each in parts if len(each) == longest) for i in range(longest))


class _Samples:
    """Samples of the gateway's metrics, by their names without the prefix."""

    def __init__(self, samples: Mapping[str, list[Sample]]) -> None:
        self._samples = samples

    def __call__(self, name: str) -> list[tuple[Mapping[str, str], float]]:
        return [(each.labels, each.value) for each in self._samples.get(PREFIX + name, ())]

    def sums(self, name: str, label: str) -> dict[str, float]:
        """Value of each value of a label, summed over the other labels."""
        found: dict[str, float] = {}
        for labels, value in self(name):
            key = labels.get(label, "")
            found[key] = found.get(key, 0.0) + value
        return found

    def alone(self, name: str) -> float:
        """A metric without labels."""
        return sum(value for _, value in self(name))


def _calls(of: _Samples) -> dict[CallKey, float]:
    found: dict[CallKey, float] = {}
    for labels, value in of("calls_total"):
        key = (labels.get("upstream", ""), labels.get("kind", ""), labels.get("result", ""))
        found[key] = found.get(key, 0.0) + value
    return found


def _models(of: _Samples, edges: list[float]) -> dict[str, ModelTotals]:
    calls: dict[str, float] = {}
    failed: dict[str, float] = {}
    for labels, value in of("calls_total"):
        model = labels.get("model", "")
        calls[model] = calls.get(model, 0.0) + value
        if labels.get("result") != "ok":
            failed[model] = failed.get(model, 0.0) + value
    tokens: dict[tuple[str, str], float] = {}
    for labels, value in of("tokens_total"):
        key = (labels.get("model", ""), labels.get("kind", ""))
        tokens[key] = tokens.get(key, 0.0) + value
    cost, unpriced = of.sums("cost_usd_total", "model"), of.sums("unpriced_calls_total", "model")
    estimated = of.sums("estimated_calls_total", "model")
    durations, first = _histograms(of, "request_duration_seconds", edges), _histograms(of, "first_byte_seconds", edges)
    return {
        model: ModelTotals(
            calls[model], failed.get(model, 0.0), unpriced.get(model, 0.0), estimated.get(model, 0.0),
            cost.get(model, 0.0), tokens.get((model, "input"), 0.0), tokens.get((model, "output"), 0.0),
            tokens.get((model, "cache_read"), 0.0), durations.get(model, ()), first.get(model, ()),
        )
        for model in calls
    }  # fmt: skip


def _edges(of: _Samples) -> list[float]:
    found = {_edge(labels) for labels, _ in of("request_duration_seconds_bucket")}
    return sorted(each for each in found if isfinite(each))


def _edge(labels: Mapping[str, str]) -> float:
    try:
        return float(labels.get("le", ""))
    except ValueError:
        return nan


def _histograms(of: _Samples, name: str, edges: list[float]) -> dict[str, Buckets]:
    """Model -> buckets, each by itself (the exposition adds them up), of all its tasks."""
    place = {edge: i for i, edge in enumerate(edges)}
    found: dict[str, list[float]] = {}
    for labels, value in of(f"{name}_bucket"):
        whole = found.setdefault(labels.get("model", ""), [0.0] * (len(edges) + 1))
        edge = _edge(labels)
        at = len(edges) if edge == inf else place.get(edge, -1)
        if at >= 0:
            whole[at] += value
    return {
        model: tuple(one - other for one, other in zip(whole, [0.0, *whole[:-1]], strict=True))
        for model, whole in found.items()
    }
