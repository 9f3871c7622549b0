"""Traces: Calls as OpenTelemetry spans with the GenAI names, exported over OTLP, without prompts.

A span is made from a Call's record, so it says exactly what the record says; `usage/call.py` knows which column has
which OpenTelemetry name. Exporting never holds anything up: what a collector does not take is counted and gone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import orjson
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from breakeven.usage.call import CALL_COLUMNS

SPANS_PER_EXPORT_COUNT: Final = 512
TIMEOUT_S: Final = 5.0
TRACES_PATH: Final = "/v1/traces"
_ATTRIBUTES: Final[Mapping[str, str]] = {
    column.name: column.otel
    for column in CALL_COLUMNS
    if column.otel.startswith(("gen_ai.", "http.", "error.", "openai."))
    and column.otel != "gen_ai.client.operation.duration"  # a metric: a span has its own beginning and end
}
_OURS: Final = ("task", "arm", "policy_hash", "application", "cost_usd", "usage_estimated", "status", "model_key")
"""Columns without a name in OpenTelemetry: they become `breakeven.NAME`."""
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_SPAN_ID: Final = re.compile(r"[0-9a-f]{16}")
_NUMBER_AT_END: Final = re.compile(r"-\d{1,3}$")
_NS_PER_S: Final = 1_000_000_000


def span_of(call: Mapping[str, Any], resource: Resource) -> ReadableSpan:
    """The span of one Call (its columns by name). Raises KeyError or ValueError for what is none."""
    record_id = str(call["record_id"])
    start = _nanoseconds(call["start_time"])
    end = start + int(float(call.get("duration_s") or 0.0) * _NS_PER_S)
    trace_id = _trace_id(call, record_id)
    parent_id = call.get("parent_id")
    is_error = call.get("status") == "error"
    model = call.get("model_key") or call.get("request_model") or ""
    retried = call.get("retry_of")
    return ReadableSpan(
        name=f"{call.get('operation') or 'chat'} {model}".strip(),
        context=_context(trace_id, _span_id(record_id)),
        parent=None if not parent_id else _context(trace_id, _parent(str(parent_id))),
        resource=resource,
        attributes=_attributes(call),
        links=[Link(_context(trace_id, _span_id(str(retried))), {"breakeven.link": "retry_of"})] if retried else (),
        kind=SpanKind.CLIENT,
        status=Status(StatusCode.ERROR, str(call.get("error_type") or "")) if is_error else Status(StatusCode.UNSET),
        start_time=start,
        end_time=end,
        instrumentation_scope=InstrumentationScope("breakeven.gateway"),
    )


class SpanExport:
    """Hands spans to a collector."""

    def __init__(self, endpoint: str, version: str = "", timeout_s: float = TIMEOUT_S) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # failures are counted, not printed
        url = endpoint if endpoint.rstrip("/").endswith(TRACES_PATH) else endpoint.rstrip("/") + TRACES_PATH
        self._exporter = OTLPSpanExporter(endpoint=url, timeout=timeout_s)
        self._resource = Resource({"service.name": "breakeven-gateway", "service.version": version})
        self.exported_count = 0
        self.dropped_count = 0

    def export(self, lines: Sequence[bytes]) -> None:
        """Export the Calls of some lines; never raises."""
        spans = []
        for line in lines:
            try:
                spans.append(span_of(orjson.loads(line), self._resource))
            except (ValueError, KeyError, TypeError, AttributeError):
                self.dropped_count += 1
        for at in range(0, len(spans), SPANS_PER_EXPORT_COUNT):
            piece = spans[at : at + SPANS_PER_EXPORT_COUNT]
            if self._is_taken(piece):
                self.exported_count += len(piece)
            else:
                self.dropped_count += len(piece)

    def close(self) -> None:
        """End."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _is_taken(self, spans: Sequence[ReadableSpan]) -> bool:
        try:
            return self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception:  # whatever a client library meets on the network, the gateway goes on
            return False


def _attributes(call: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, attribute in _ATTRIBUTES.items():
        value = call.get(name)
        if value is not None:
            found[attribute] = [value] if attribute.endswith("finish_reasons") else value
    for name in _OURS:
        value = call.get(name)
        if value is not None:
            found[f"breakeven.{name}"] = value
    return found


def _trace_id(call: Mapping[str, Any], record_id: str) -> int:
    """The client's trace, else one for all attempts of a request, which are called `ID` and `ID-N`."""
    given = call.get("trace_id")
    if isinstance(given, str) and _TRACE_ID.fullmatch(given) and int(given, 16):
        return int(given, 16)
    root = _NUMBER_AT_END.sub("", record_id)
    return int.from_bytes(blake2b(root.encode(), digest_size=16).digest(), "big") or 1


def _span_id(record_id: str) -> int:
    return int.from_bytes(blake2b(record_id.encode(), digest_size=8).digest(), "big") or 1


def _parent(parent_id: str) -> int:
    """A span of the client's, or the Call beside which this one ran."""
    return int(parent_id, 16) if _SPAN_ID.fullmatch(parent_id) and int(parent_id, 16) else _span_id(parent_id)


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _nanoseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * _NS_PER_S + moment.microsecond * 1_000
