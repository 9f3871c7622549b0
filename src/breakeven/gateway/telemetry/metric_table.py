"""Metric table: every metric of the gateway once, with its type, labels and meaning.

The exposition, the page docs/reference/gateway-metrics.md and the test of the Grafana dashboard are made from it, so a
metric that is not here is not counted under a name of its own (it becomes a label of `events_total`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

PREFIX: Final = "breakeven_"
"""Before every name in the exposition."""
OTHER: Final = "other"
"""The label of what came after the first `LABELS_MAX_COUNT` values of a label."""
LABELS_MAX_COUNT: Final = 100
"""Models, tasks, and values of any other label that are told apart."""
CELLS_MAX_COUNT: Final = 1_000
"""Combinations of model, upstream and task that are told apart."""

DURATION_BOUNDS_S: Final = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    20.0,
    40.0,
    80.0,
    160.0,
    320.0,
)
"""Upper edges of the buckets of whole answers and of first bytes; the last bucket has none."""

MetricType = Literal["counter", "gauge", "histogram"]
Merge = Literal["sum", "max", "min"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    name: str
    """Without the prefix; Prometheus' habits: the unit in the name, `_total` at the end of a counter."""
    type: MetricType
    labels: tuple[str, ...]
    help: str
    merge: Merge = "sum"
    """How the values of several processes become one; counters and histograms are always summed."""


_CALL: Final = ("model", "task")

METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "requests_total",
        "counter",
        ("operation", "result"),
        "Requests that were admitted, when over: delivered, rejected (the upstream's own 4xx was passed on), "
        "failed (no upstream answered), cancelled (client left).",
    ),
    Metric(
        "refusals_total", "counter", ("code",), "Requests answered by the gateway itself; codes: gateway-errors.md."
    ),
    Metric(
        "calls_total",
        "counter",
        ("model", "upstream", "task", "kind", "result"),
        "Attempts that reached an upstream or tried to. Kind: first, retry, fallback, escalation, "
        "check (the model whose answer a cascade compares with), hedge, shadow. "
        "Result: ok, http_400 and the like, or what else failed.",
    ),
    Metric(
        "tokens_total",
        "counter",
        (*_CALL, "kind"),
        "Tokens of calls. Kind: input (cache reads and writes included), output (reasoning included), cache_read, "
        "cache_write, reasoning.",
    ),
    Metric("estimated_calls_total", "counter", _CALL, "Calls whose upstream reported no usage: tokens are estimates."),
    Metric("cost_usd_total", "counter", _CALL, "Cost of calls at the prices of the configuration, USD."),
    Metric("unpriced_calls_total", "counter", _CALL, "Calls of a model without a price: not in cost_usd_total."),
    Metric(
        "request_duration_seconds",
        "histogram",
        _CALL,
        "From the arrival of a request to the end of its delivered answer, s.",
    ),
    Metric(
        "first_byte_seconds", "histogram", _CALL, "From the arrival of a request to the first byte of its answer, s."
    ),
    Metric("requests_in_flight", "gauge", (), "Requests under way."),
    Metric("client_connections", "gauge", (), "Connections of clients that are open."),
    Metric("upstream_connections", "gauge", (), "Connections to upstreams, idle ones included."),
    Metric(
        "breaker_state", "gauge", ("upstream",), "Circuit breaker: 0 closed, 1 half open, 2 open; the worst.", "max"
    ),
    Metric("retry_budget_exhausted_total", "counter", (), "Retries that were not made because too many had been."),
    Metric(
        "agreement_checks_total",
        "counter",
        ("result",),
        "Answers of a cascade that compares two models: agrees (given out), differs, no_answer (the second model "
        "failed or took too long), not_needed (the answer failed another check). All but `agrees` ask the next model.",
    ),
    Metric("shadows_skipped_total", "counter", (), "Shadow copies not sent because enough were under way."),
    Metric(
        "trial_answers_total",
        "counter",
        ("result",),
        "Answers judged by the checks of a policy's trial: passed, not_passed, unjudged (too long, or too many at "
        "once), failed (a check broke).",
    ),
    Metric(
        "audited_answers_total",
        "counter",
        ("result",),
        "Answers of a trial drawn for people to label: written, dropped (too many at once, or the disk failed).",
    ),
    Metric("limits_errors_total", "counter", (), "Reservations that failed because shared limits were unreachable."),
    Metric("calls_written_total", "counter", (), "Call records written to the write-ahead file."),
    Metric("calls_spilled_total", "counter", (), "Call records written to the spill folder: the first one failed."),
    Metric("calls_dropped_total", "counter", (), "Call records lost: neither folder could be written. Alarm on this."),
    Metric("sink_errors_total", "counter", (), "Failed writes of Call records."),
    Metric("sink_queue_bytes", "gauge", (), "Call records that wait for the disk, bytes."),
    Metric("policy_info", "gauge", ("hash", "kind"), "Relay processes that serve this policy version."),
    Metric("policy_errors_total", "counter", (), "New policy versions that could not be used; the old one stayed."),
    Metric("reload_errors_total", "counter", (), "New settings or key files that could not be used; the old stayed."),
    Metric("log_lines_dropped_total", "counter", (), "Log lines not written: too many at once, or stderr is stuck."),
    Metric("spans_exported_total", "counter", (), "Spans given to the collector of traces."),
    Metric(
        "spans_dropped_total", "counter", (), "Spans that the collector did not take, or that came too fast for it."
    ),
    Metric("events_total", "counter", ("event",), "Anything else worth counting."),
    Metric(
        "outcomes_total",
        "counter",
        ("result",),
        "Outcomes given: stored, repeated (said before), replaced, conflict, invalid, failed.",
    ),
    Metric("outcome_values_total", "counter", ("source",), "Outcomes that were stored or replaced, by who said so."),
    Metric("outcome_success_total", "counter", ("source",), "Sum of their success, 0 to 1 each."),
    Metric("child_restarts_total", "counter", ("child",), "Processes that ended by themselves and were started again."),
    Metric(
        "relay_up", "gauge", ("process",), "1 for a relay process that told its numbers within the last 5 s, else 0."
    ),
    Metric("relay_resident_memory_bytes", "gauge", ("process",), "Memory of a relay process, bytes."),
    Metric("relay_open_files", "gauge", ("process",), "Open files and sockets of a relay process."),
    Metric("relay_cpu_seconds_total", "counter", ("process",), "CPU time of a relay process since it started, s."),
    Metric("start_time_seconds", "gauge", (), "When the oldest relay process started, Unix time.", "min"),
    Metric("build_info", "gauge", ("version",), "1; the version that runs.", "max"),
)
"""In the order of the page."""

METRIC_BY_NAME: Final[Mapping[str, Metric]] = MappingProxyType({each.name: each for each in METRICS})


def exposed_names(metric: Metric) -> tuple[str, ...]:
    """The names of the time series of a metric, as queries use them.

    >>> exposed_names(METRIC_BY_NAME["first_byte_seconds"])[0]
    'breakeven_first_byte_seconds_bucket'
    """
    name = PREFIX + metric.name
    return tuple(f"{name}_{part}" for part in ("bucket", "count", "sum")) if metric.type == "histogram" else (name,)
