"""OTLP in any layout and spelling, SDK objects and table rows give the same spans."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.usage.reading.spans import Span, any_value, first_event_s, spans_of
from breakeven.usage.reading.unpacked import Unfit

OTLP = {
    "traceId": "0a",
    "spanId": "b1",
    "parentSpanId": "",
    "name": "chat",
    "startTimeUnixNano": "1793613600000000000",
    "endTimeUnixNano": "1793613601000000000",
    "status": {"code": "STATUS_CODE_ERROR"},
    "attributes": [{"key": "n", "value": {"intValue": "12"}}, {"key": "m", "value": {"stringValue": "gpt"}}],
    "events": [{"name": "First Token Stream Event", "timeUnixNano": "1793613600250000000"}],
}
SERVICE = {"attributes": [{"key": "service.name", "value": {"stringValue": "bot"}}]}


def spans(document: dict[str, Any]) -> list[Span]:
    found = list(spans_of(document))
    assert all(isinstance(each, Span) for each in found), found
    return [each for each in found if isinstance(each, Span)]


@pytest.mark.parametrize(
    ("top", "scope"),
    [
        ("resourceSpans", "scopeSpans"),
        ("resource_spans", "scope_spans"),
        ("batches", "scopeSpans"),
        ("resourceSpans", "instrumentationLibrarySpans"),
    ],
)
def test_otlp(top: str, scope: str) -> None:
    (span,) = spans({top: [{"resource": SERVICE, scope: [{"spans": [OTLP]}]}]})
    assert (span.trace_id, span.span_id, span.parent_id, span.status) == ("0a", "b1", "", "error")
    assert span.attributes == {"n": 12, "m": "gpt"}
    assert span.resource == {"service.name": "bot"}
    assert first_event_s(span, ["First Token Stream Event"]) == 0.25
    assert first_event_s(span, ["another"]) is None


def test_an_sdk_object_and_a_row() -> None:
    (sdk,) = spans(
        {
            "name": "chat",
            "context": {"trace_id": "0x0a", "span_id": "0xb1", "trace_state": "[]"},
            "parent_id": None,
            "start_time": "2026-11-02T10:00:00Z",
            "end_time": "2026-11-02T10:00:01Z",
            "status": {"status_code": "ERROR"},
            "attributes": {"n": 12, "nested": {"m": "gpt"}},
            "events": [{"name": "First Token Stream Event", "timestamp": "2026-11-02T10:00:00.25Z"}],
            "resource": {"attributes": {"service.name": "bot"}},
        }
    )
    (row,) = spans(
        {
            "context.trace_id": "0a",
            "context.span_id": "b1",
            "span_kind": "LLM",
            "start_time": "2026-11-02 10:00:00+00:00",
            "status_code": "OK",
            "attributes.n": "12.0",
            "events": '[{"name": "First Token Stream Event", "timestamp": "2026-11-02T10:00:00.25Z"}]',
        }
    )
    assert (sdk.trace_id, sdk.span_id, sdk.status, row.status) == ("0a", "b1", "error", "ok")
    assert sdk.attributes == {"n": 12, "nested.m": "gpt"}
    assert sdk.resource["service.name"] == "bot"
    assert row.attributes == {"n": "12.0", "openinference.span.kind": "LLM"}
    assert first_event_s(sdk, ["First Token Stream Event"]) == first_event_s(row, ["First Token Stream Event"]) == 0.25


def test_one_bad_element_costs_one_row() -> None:
    good = {"resource": SERVICE, "scopeSpans": [{"spans": [OTLP, 7, OTLP]}, "scope"]}
    found = list(spans_of({"resourceSpans": ["x", good, {"scopeSpans": None}]}))
    assert [type(each) for each in found] == [Unfit, Span, Unfit, Span, Unfit]


@pytest.mark.parametrize(
    ("document", "reason"),
    [({"resourceMetrics": []}, "metrics or logs, no spans"), ({"hello": 1}, "no spans in this object")],
)
def test_what_holds_no_spans_says_so(document: dict[str, Any], reason: str) -> None:
    (found,) = spans_of(document)
    assert isinstance(found, Unfit)
    assert found.reason == reason


def test_tagged_values() -> None:
    tree = {"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": [{"doubleValue": 0.5}]}}}]}}
    assert any_value(tree) == {"a": [0.5]}
    assert any_value({"boolValue": True}) is True
    assert any_value({"intValue": "many"}) == "many"
    assert any_value({"intValue": float("inf")}) == float("inf")
    assert any_value({}) is None
    assert any_value("plain") == "plain"
    assert any_value({"arrayValue": {}}) == []
    deep: dict[str, Any] = {"stringValue": "x"}
    for _ in range(100):
        deep = {"arrayValue": {"values": [deep]}}
    assert isinstance(any_value(deep), list)
