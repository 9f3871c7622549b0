"""Results of guidellm (benchmarks.json or .yaml): a list of benchmarks, each one load.

Source: vllm-project/guidellm, src/guidellm/benchmark/schemas (0.4 and later) and benchmark/benchmark.py (0.3), read on
25 November 2026. The strategy is in `config` since 0.4, in `args` before. Its `time_per_output_token_ms` counts the
first token in since 0.4 and not before, so the time per token is `inter_token_latency_ms`, which never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.bench.readers.reader import Content, Fields, Reader, checked, day_of_epoch, labels


def _recognises(content: Content) -> bool:
    benchmarks = content.first.get("benchmarks")
    return isinstance(benchmarks, list) and any(
        isinstance(each, dict) and isinstance(each.get("metrics"), dict) for each in benchmarks
    )


def _read(content: Content) -> tuple[MeasuredPoint, ...]:
    report = Fields(content.name, content.first)
    points = []
    for number, benchmark in enumerate(content.first["benchmarks"], start=1):
        if isinstance(benchmark, dict) and isinstance(benchmark.get("metrics"), dict):
            fields = Fields(f"guidellm, {content.name}, benchmark {number}", benchmark)
            if _done(fields):
                points.append(_point(fields, report))
    return tuple(points)


def _done(fields: Fields) -> float:
    total = fields.optional("metrics.request_totals.successful")
    return total if total is not None else fields.number("metrics.request_latency.successful.count")


def _point(fields: Fields, report: Fields) -> MeasuredPoint:
    strategy = _strategy(fields.values)
    plan = Fields(fields.where, strategy)
    kind = plan.text("type_")
    users = 1.0 if kind == "synchronous" else plan.optional("streams") if kind == "concurrent" else None
    in_flight = fields.optional("metrics.request_concurrency.successful.mean")
    failed = fields.optional("metrics.request_totals.errored") or fields.optional("run_stats.total_errored") or 0
    return checked(
        MeasuredPoint(
            input_tokens=_mean(fields, "prompt_token_count"),
            output_tokens=_mean(fields, "output_token_count"),
            concurrency_count=users or in_flight or 0.0,
            output_tok_per_s=_mean(fields, "output_tokens_per_second"),
            ttft_ms=fields.positive("metrics.time_to_first_token_ms.successful.mean"),
            tpot_ms=fields.positive("metrics.inter_token_latency_ms.successful.mean"),
            requests_count=int(_done(fields)),
            failures_count=int(failed),
            source=fields.where,
            measured_on=day_of_epoch(fields.optional("start_time") or fields.optional("run_stats.start_time")),
            rate_req_per_s=plan.optional("rate"),
            is_open_loop=users is None,
            labels=labels(model=_model(fields, report), version=report.text("metadata.guidellm_version")),
            notes=(f"strategy {kind}: concurrency is what guidellm saw",) if users is None else (),
        )
    )


def _mean(fields: Fields, name: str) -> float:
    return fields.number(f"metrics.{name}.successful.mean")


def _strategy(benchmark: Mapping[str, Any]) -> Mapping[str, Any]:
    for place in ("config", "args"):
        holder = benchmark.get(place)
        strategy = holder.get("strategy") if isinstance(holder, dict) else None
        if isinstance(strategy, dict):
            return strategy
    return {}


def _model(fields: Fields, report: Fields) -> str:
    """The model as far as the versions say it."""
    places = ("config.backend.model", "config.requests.model", "worker.backend_model")
    return next((found for place in places if (found := fields.text(place))), "") or report.text("args.model")


READER = Reader("guidellm", "guidellm", _recognises, _read)
