"""Spans: the spans of a trace log, from OTLP JSON in any layout, an SDK's or Phoenix's JSON, or a table of spans.

OTLP names lists of key/value pairs and writes 64-bit numbers as text; an SDK's console exporter and Phoenix write one
object a span with plain attributes; a table has a column an attribute. All become the same `Span`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from breakeven.usage.reading.head import Head
from breakeven.usage.reading.nested import first_of
from breakeven.usage.reading.unpacked import Unfit
from breakeven.usage.reading.values import epoch_s, mapping, sequence

_RESOURCES: Final = ("resourceSpans", "resource_spans", "batches")
_SCOPES: Final = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans")
_OTHER_SIGNALS: Final = ("resourceMetrics", "resource_metrics", "resourceLogs", "resource_logs")
_NESTING_MAX: Final = 50
_PREFIX: Final = "attributes."

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened inside a span."""

    name: str
    time: object
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Span:
    """One span. Times are as logged; `status` is 'ok', 'error' or empty."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: object
    end: object
    status: str
    attributes: Attributes
    resource: Attributes
    logged_events: object = None

    def events(self) -> Iterator[SpanEvent]:
        """What happened inside, in the order logged."""
        for each in sequence(self.logged_events):
            if isinstance(each, dict):
                time = first_of(each, "timeUnixNano", "time_unix_nano", "timestamp")
                yield SpanEvent(str(each.get("name", "")), time, _attributes(each.get("attributes")))


def is_otlp(head: Head) -> bool:
    """True for OTLP JSON: spans in scopes in resources."""
    return any(f"{top}[].{scope}[].spans[].attributes" in head.names for top in _RESOURCES for scope in _SCOPES)


def is_span_objects(head: Head) -> bool:
    """True for one JSON object a span, as an SDK's console exporter and Phoenix write it."""
    return head.names >= {"context.trace_id", "context.span_id", "attributes", "start_time"}


def spans_of(document: Mapping[str, Any]) -> Iterator[Span | Unfit]:
    """The spans in one object or row of a trace log."""
    tops = [key for key in _RESOURCES if isinstance(document.get(key), list)]
    if tops:
        for key in tops:
            for resource in document[key]:
                yield from _of_resource(resource)
    elif isinstance(document.get("context"), dict):
        yield _of_object(document)
    elif "context.span_id" in document:
        yield _of_row(document)
    elif any(key in document for key in _OTHER_SIGNALS):
        yield Unfit("metrics or logs, no spans", ", ".join(document))
    else:
        yield Unfit("no spans in this object", ", ".join(list(document)[:10]))


def _of_resource(resource: object) -> Iterator[Span | Unfit]:
    if not isinstance(resource, dict):
        yield Unfit("not a resource with spans", type(resource).__name__)
        return
    about = resource.get("resource")
    shared = _attributes(about.get("attributes")) if isinstance(about, dict) else {}
    for key in _SCOPES:
        for scope in _list(resource.get(key)):
            if not isinstance(scope, dict):
                yield Unfit("not a scope with spans", type(scope).__name__)
                continue
            for span in _list(scope.get("spans")):
                yield _of_otlp(span, shared) if isinstance(span, dict) else Unfit("not a span", type(span).__name__)


def _of_otlp(span: Mapping[str, Any], resource: Attributes) -> Span:
    status = span.get("status")
    return Span(
        _id(first_of(span, "traceId", "trace_id")),
        _id(first_of(span, "spanId", "span_id")),
        _id(first_of(span, "parentSpanId", "parent_span_id")),
        str(span.get("name", "")),
        first_of(span, "startTimeUnixNano", "start_time_unix_nano"),
        first_of(span, "endTimeUnixNano", "end_time_unix_nano"),
        _status(status.get("code") if isinstance(status, dict) else None),
        _attributes(span.get("attributes")),
        resource,
        span.get("events"),
    )


def _of_object(span: Mapping[str, Any]) -> Span:
    context, status, resource = span["context"], span.get("status"), span.get("resource")
    code = status.get("status_code") if isinstance(status, dict) else span.get("status_code")
    kind = {"openinference.span.kind": span["span_kind"]} if span.get("span_kind") else {}
    return Span(
        _id(context.get("trace_id")),
        _id(context.get("span_id")),
        _id(span.get("parent_id")),
        str(span.get("name", "")),
        span.get("start_time"),
        span.get("end_time"),
        _status(code),
        {**kind, **_attributes(span.get("attributes"))},
        _attributes(resource.get("attributes")) if isinstance(resource, dict) else {},
        span.get("events"),
    )


def _of_row(row: Mapping[str, Any]) -> Span:
    """A row of a table with a column an attribute, as Phoenix's dataframe has them."""
    attributes = {name.removeprefix(_PREFIX): value for name, value in row.items() if name.startswith(_PREFIX)}
    if row.get("span_kind"):
        attributes.setdefault("openinference.span.kind", row["span_kind"])
    return Span(
        _id(row.get("context.trace_id")),
        _id(row.get("context.span_id")),
        _id(row.get("parent_id")),
        str(row.get("name", "")),
        row.get("start_time"),
        row.get("end_time"),
        _status(row.get("status_code")),
        attributes,
        {},
        row.get("events"),
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _id(value: object) -> str:
    """An id without its 0x; the null id means none."""
    text = str(value or "").removeprefix("0x")
    return text if text.strip("0") else ""


def _status(code: object) -> str:
    """OTLP writes 0, 1, 2 or their names, an SDK 'UNSET', 'OK', 'ERROR', with or without a prefix."""
    word = str(code).rpartition("_")[2].rpartition(".")[2].upper()
    return {"2": "error", "ERROR": "error", "1": "ok", "OK": "ok"}.get(word, "")


def _attributes(value: object) -> Attributes:
    """Attributes under dotted names, from a list of key/value pairs or from an object."""
    if isinstance(value, list):
        pairs = (each for each in value if isinstance(each, dict))
        return {str(each.get("key")): any_value(each.get("value")) for each in pairs}
    found = mapping(value)
    return dict(_dotted(found)) if any(isinstance(each, dict) for each in found.values()) else found


def _dotted(value: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, dict) and inner and depth < _NESTING_MAX:
            yield from _dotted(inner, f"{prefix}{key}.", depth + 1)
        else:
            yield prefix + key, inner


def any_value(value: object, depth: int = 0) -> Any:
    """What OTLP's tagged value holds.

    >>> any_value({"intValue": "12"}), any_value({"arrayValue": {"values": [{"stringValue": "stop"}]}})
    (12, ['stop'])
    """
    if not isinstance(value, dict) or not value or depth > _NESTING_MAX:
        return None if isinstance(value, dict | list) else value
    tag, inner = next(iter(value.items()))
    if tag in ("intValue", "int_value"):
        try:
            return int(inner)
        except (TypeError, ValueError, OverflowError):
            return inner
    if tag in ("arrayValue", "array_value"):
        return [any_value(each, depth + 1) for each in _list(mapping(inner).get("values"))]
    if tag in ("kvlistValue", "kvlist_value"):
        pairs = (each for each in _list(mapping(inner).get("values")) if isinstance(each, dict))
        return {str(each.get("key")): any_value(each.get("value"), depth + 1) for each in pairs}
    return inner


def first_event_s(span: Span, names: Iterable[str]) -> float | None:
    """Seconds from the start of `span` to the first event called one of `names`."""
    wanted, start = set(names), epoch_s(span.start)
    times = [time for each in span.events() if each.name in wanted and (time := epoch_s(each.time)) is not None]
    return round(min(times) - start, 6) if times and start is not None and min(times) >= start else None
