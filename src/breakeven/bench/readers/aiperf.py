"""Results of aiperf (profile_export_aiperf.json): one object of metrics, each with its unit.

Source: ai-dynamo/aiperf, docs/reference/json-export-schema.md (schema 1.0 to 1.5), and an export of aiperf 0.10.0 in
anud18/qwen36-vllm-aiperf-benchmark, read on 25 November 2026. The load is in `input_config.phases`, in older exports
in `input_config.loadgen`. `inter_token_latency` leaves out the first token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.bench.readers.reader import Content, Fields, Reader, checked, day_of_text, labels
from breakeven.errors import BenchError
from breakeven.units import MS_PER_S

MS_BY_UNIT: Mapping[str, float] = {"ms": 1.0, "milliseconds": 1.0, "s": 1e3, "sec": 1e3, "us": 1e-3, "ns": 1e-6}


def _recognises(content: Content) -> bool:
    found = content.first
    return all(
        isinstance(found.get(name), dict) and "avg" in found[name] for name in ("request_throughput", "request_latency")
    )


def _read(content: Content) -> tuple[MeasuredPoint, ...]:
    fields = Fields(f"aiperf, {content.name}", content.first)
    done = fields.optional("request_count.avg") or fields.number("request_latency.count")
    return (_point(fields, done),) if done else ()


def _point(fields: Fields, done: float) -> MeasuredPoint:
    load = _load(fields)
    in_flight = fields.number("request_throughput.avg") * (milliseconds(fields, "request_latency") or 0.0) / MS_PER_S
    cancelled = ("the run was cancelled",) if fields.values.get("was_cancelled") else ()
    return checked(
        MeasuredPoint(
            input_tokens=fields.number("input_sequence_length.avg"),
            output_tokens=fields.number("output_sequence_length.avg"),
            concurrency_count=load.users_count or in_flight,
            output_tok_per_s=fields.number("output_token_throughput.avg"),
            ttft_ms=milliseconds(fields, "time_to_first_token"),
            tpot_ms=milliseconds(fields, "inter_token_latency"),
            requests_count=int(done),
            failures_count=_failed(fields),
            source=fields.where,
            measured_on=day_of_text(fields.text("start_time")),
            rate_req_per_s=load.rate_req_per_s,
            is_open_loop=load.users_count is None,
            labels=labels(model=load.model, version=fields.text("aiperf_version")),
            notes=cancelled,
        )
    )


def milliseconds(fields: Fields, name: str) -> float | None:
    """The mean of a latency; the unit that stands beside it decides."""
    value = fields.positive(f"{name}.avg")
    unit = fields.text(f"{name}.unit") or "ms"
    if value is None:
        return None
    if unit not in MS_BY_UNIT:
        raise BenchError(f"{fields.where}: {name} in {unit!r}; wanted one of {', '.join(MS_BY_UNIT)}")
    return value * MS_BY_UNIT[unit]


@dataclass(frozen=True, slots=True)
class _Load:
    users_count: float | None
    rate_req_per_s: float | None
    model: str


def _load(fields: Fields) -> _Load:
    config = fields.values.get("input_config")
    if not isinstance(config, dict):
        return _Load(None, None, "")
    phases = [each for each in config.get("phases") or [] if isinstance(each, dict)]
    counted = [each for each in phases if not each.get("exclude_from_results")]
    plan = Fields(fields.where, counted[-1] if counted else config.get("loadgen") or {})
    rate = plan.positive("rate") or plan.positive("request_rate")
    users = None if rate else plan.positive("concurrency")
    return _Load(users, rate, _model(config))


def _model(config: Mapping[str, Any]) -> str:
    models = config.get("models")
    items = models.get("items") if isinstance(models, dict) else None
    if isinstance(items, list) and items and isinstance(items[0], dict):
        return str(items[0].get("name", ""))
    endpoint = config.get("endpoint")
    names = endpoint.get("model_names") if isinstance(endpoint, dict) else None
    return str(names[0]) if isinstance(names, list) and names else ""


def _failed(fields: Fields) -> int:
    counted = fields.optional("error_request_count.avg")
    if counted is not None:
        return int(counted)
    summary = fields.values.get("error_summary")
    rows = summary if isinstance(summary, list) else []
    return sum(int(row.get("count") or 0) for row in rows if isinstance(row, dict))


READER = Reader("aiperf", "aiperf", _recognises, _read)
