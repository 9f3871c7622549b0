"""Results of `vllm bench serve --save-result`: one JSON object per run, or one per line with `--append-result`.

Source: vllm/benchmarks/serve.py of vLLM (the object `result_json` and what `benchmark` returns), read on 25 November
2026. `failed` is missing in older versions. Times to first token are 0 where the endpoint did not stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.bench.readers.reader import Content, Fields, Reader, checked, day_of_text, labels
from breakeven.units import MS_PER_S

_MARKS = frozenset({"duration", "completed", "total_input_tokens", "request_throughput"})


def _recognises(content: Content) -> bool:
    return content.first.keys() >= _MARKS


def _read(content: Content) -> tuple[MeasuredPoint, ...]:
    many = len(content.documents) > 1
    points = []
    for number, document in enumerate(content.documents, start=1):
        where = f"{content.name} ({number})" if many else content.name
        if isinstance(document, dict) and document.get("completed"):
            points.append(_point(where, document))
    return tuple(points)


def _point(where: str, document: Mapping[str, Any]) -> MeasuredPoint:
    fields = Fields(f"vllm bench serve, {where}", document)
    done = fields.number("completed")
    output_tokens = fields.number("total_output_tokens") / done
    ttft, tpot = fields.positive("mean_ttft_ms"), fields.positive("mean_tpot_ms")
    users = fields.positive("max_concurrency")
    rate = None if document.get("request_rate") in (None, "inf") else fields.number("request_rate")
    e2e = fields.positive("mean_e2el_ms") or (ttft or 0.0) + (tpot or 0.0) * (output_tokens - 1)
    in_flight = fields.number("request_throughput") * e2e / MS_PER_S
    failed = fields.optional("failed")
    sent = fields.optional("num_prompts")
    is_open = rate is not None or users is None
    note = () if users or rate else ("all requests were sent at once: concurrency is the mean over the run",)
    return checked(
        MeasuredPoint(
            input_tokens=fields.number("total_input_tokens") / done,
            output_tokens=output_tokens,
            concurrency_count=in_flight if is_open or users is None else users,
            output_tok_per_s=fields.number("output_throughput"),
            ttft_ms=ttft,
            tpot_ms=tpot,
            requests_count=int(done),
            failures_count=int(failed if failed is not None else max((sent or done) - done, 0)),
            source=fields.where,
            measured_on=day_of_text(fields.text("date"), "%Y%m%d-%H%M%S"),
            rate_req_per_s=rate,
            is_open_loop=is_open,
            labels=labels(model=fields.text("model_id"), backend=fields.text("backend")),
            notes=note,
        )
    )


READER = Reader("vllm_bench", "vllm bench serve", _recognises, _read)
