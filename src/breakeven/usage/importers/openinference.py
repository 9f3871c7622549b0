"""OpenInference spans as Phoenix exports them: its dataframe as Parquet or CSV, or its JSON, one object a span.

Source: github.com/Arize-ai/openinference, spec/semantic_conventions.md. Spans with these attributes in OTLP JSON are
read by `otel_spans`, which knows both vocabularies.
"""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.llm_spans import CALL_FIELDS
from breakeven.usage.reading.spans import is_otlp, is_span_objects
from breakeven.usage.reading.trace_log import model_calls
from breakeven.usage.reading.unpacked import Unfit

_TABLE = frozenset({"context.trace_id", "context.span_id", "span_kind", "start_time"})


def _confidence(head: Head) -> float:
    if head.shape in ("csv", "parquet"):
        return 1.0 if head.names >= _TABLE else 0.0
    if is_span_objects(head):
        has_names = any(name.startswith(("attributes.llm.", "attributes.openinference.")) for name in head.names)
        return 1.0 if "span_kind" in head.names else 0.98 if has_names else 0.3
    return 0.5 if is_otlp(head) else 0.0


def _unpack(packed: Packed) -> Iterator[dict[str, object] | Unfit]:
    return model_calls(packed.log, packed.head)


IMPORTER = Importer(
    name="openinference",
    title="OpenInference spans from Phoenix (Parquet, CSV or JSON)",
    shapes=frozenset({"csv", "parquet", "json", "jsonl"}),
    fields={name: (name,) for name in CALL_FIELDS},
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    holds=Holds("request", prompts="yes", latency=True, first_token=True, cost=True),
    concludes=(
        "Calls with prompts, tokens, latency and traces, where the emitter records them. Cost and the time to the "
        "first token only if it does; no service tier, so batch and priority prices stay unknown."
    ),
    unpack=_unpack,
)
