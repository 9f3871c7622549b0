"""OpenTelemetry spans of model calls: OTLP JSON (one object a line, one big object, the collector's file exporter) and
the JSON of an SDK's console exporter, with the GenAI names of any age, OpenLLMetry's or OpenInference's.

Source: github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-spans.md, and the OTLP specification.
"""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.llm_spans import CALL_FIELDS
from breakeven.usage.reading.spans import is_otlp, is_span_objects
from breakeven.usage.reading.trace_log import model_calls
from breakeven.usage.reading.unpacked import Unfit


def _confidence(head: Head) -> float:
    if is_otlp(head):
        return 0.97
    if not is_span_objects(head):
        return 0.0
    return 0.97 if "status.status_code" in head.names or "resource.attributes" in head.names else 0.5


def _unpack(packed: Packed) -> Iterator[dict[str, object] | Unfit]:
    return model_calls(packed.log, packed.head)


IMPORTER = Importer(
    name="otel_spans",
    title="OpenTelemetry spans of model calls (OTLP JSON)",
    shapes=frozenset({"json", "jsonl"}),
    fields={name: (name,) for name in CALL_FIELDS},
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    holds=Holds("request", prompts="optional", latency=True, first_token=True),
    concludes=(
        "Calls with tokens, times, errors and traces; prompts where the application opted in. No cost; what a sampler "
        "left out; which user, where the application sets none."
    ),
    unpack=_unpack,
)
