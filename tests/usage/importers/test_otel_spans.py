"""OpenTelemetry spans: names of any age, any layout of OTLP, each call counted once."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ..logs import Imported, imported, imported_paths

FIXTURE = Path(__file__).parent / "fixtures" / "otel_spans" / "traces.jsonl"
DOCUMENTS = [json.loads(line) for line in FIXTURE.read_text().splitlines()]
START_NS = 1_793_613_600_000_000_000


def value(told: object) -> dict[str, object]:
    if isinstance(told, bool):
        return {"boolValue": told}
    if isinstance(told, int):
        return {"intValue": str(told)}
    return {"doubleValue": told} if isinstance(told, float) else {"stringValue": told}


def span(own: str, parent: str = "", *, events: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    """A span of a chat; a double underscore stands for a dot in names of attributes, None leaves one out."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        **{name.replace("__", "."): each for name, each in fields.items()},
    }
    return {
        "traceId": "0a",
        "spanId": own,
        "parentSpanId": parent,
        "name": own,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 10**9),
        "attributes": [{"key": key, "value": value(each)} for key, each in attributes.items() if each is not None],
        "events": events or [],
    }


def otlp(*spans: object) -> str:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]})


def tokens(call: dict[str, Any]) -> tuple[int, ...]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return tuple(call[name] for name in names)


def test_the_fixture() -> None:
    found = imported_paths(FIXTURE)
    assert (found.report.rows_in, found.report.calls, found.report.duplicates) == (13, 7, 1)
    assert found.report.rejects == {
        "not a call to a model": 3,
        "an agent's or a chain's span, which sums up those inside it": 1,
        "a span around another call's span, whose tokens it repeats": 1,
    }
    chat, second, old, inner, error, embedding, events = found.calls
    assert tokens(chat) == (1200, 1024, 0, 300, 128)
    assert chat["start_time"] == datetime(2026, 11, 2, 10, 0, 0, 100_000, UTC)
    assert (chat["duration_s"], chat["ttft_s"], chat["tz_assumed"]) == (1.9, 0.42, False)
    assert (chat["request_model"], chat["response_model"]) == ("gpt-5", "gpt-5-2025-08-07")
    assert (chat["finish_reason"], chat["max_tokens"], chat["stream"]) == ("stop", 800, True)
    assert (chat["service_tier"], chat["application"], chat["session_id"]) == ("default", "support-api", "conv-7")
    assert chat["unit_hash"]
    assert chat["prompt_hash"]
    assert "ann@example.com" not in str(found.calls)
    assert tokens(second) == (700, 0, 0, 50, 0)
    assert second["trace_id"] == chat["trace_id"]
    assert (tokens(old), old["provider"]) == ((1284, 0, 1253, 467, 0), "anthropic")
    assert (tokens(inner), inner["record_id"].rpartition(":")[2]) == ((90, 0, 0, 12, 0), "00000000000000c2")
    assert (error["status"], error["http_status"], error["tokens_source"]) == ("error", 429, "missing")
    assert (embedding["operation"], tokens(embedding)) == ("embeddings", (15, 0, 0, 0, 0))
    assert (events["provider"], events["prompt_hash"] is not None) == ("vllm", True)


LAYOUTS = {
    "one object": json.dumps({"resourceSpans": [each for one in DOCUMENTS for each in one["resourceSpans"]]}),
    "pretty": "\n".join(json.dumps(each, indent=2) for each in DOCUMENTS),
    "array": json.dumps(DOCUMENTS),
    "snake case": FIXTURE.read_text()
    .replace("resourceSpans", "resource_spans")
    .replace("scopeSpans", "scope_spans")
    .replace("startTimeUnixNano", "start_time_unix_nano")
    .replace("endTimeUnixNano", "end_time_unix_nano")
    .replace("traceId", "trace_id")
    .replace("parentSpanId", "parent_span_id")
    .replace("spanId", "span_id")
    .replace("intValue", "int_value"),
    "older scopes": FIXTURE.read_text().replace("scopeSpans", "instrumentationLibrarySpans"),
    "crlf": FIXTURE.read_text().replace("\n", "\r\n\r\n"),
    "bom": "\ufeff" + FIXTURE.read_text(),
}


def same(one: Imported, other: Imported) -> bool:
    names = ("source_line", "source_file")
    strip = [[{k: v for k, v in call.items() if k not in names} for call in each.calls] for each in (one, other)]
    return strip[0] == strip[1] and one.report.rejects == other.report.rejects


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_calls(layout: str, tmp_path: Path) -> None:
    assert same(imported(tmp_path, LAYOUTS[layout], "traces.json"), imported_paths(FIXTURE))


def test_compressed(tmp_path: Path) -> None:
    found = imported(tmp_path, gzip.compress(FIXTURE.read_bytes()), "traces.jsonl.gz")
    assert same(found, imported_paths(FIXTURE))


def test_a_parent_that_comes_later_or_earlier(tmp_path: Path) -> None:
    outer, inner = span("b1"), span("b2", "b1")
    for order in ((outer, inner), (inner, outer)):
        found = imported(tmp_path, "\n".join(otlp(each) for each in order))
        assert (found.report.calls, found.only["record_id"]) == (1, "0a:b2")


def test_a_parent_counts_where_its_child_has_no_tokens(tmp_path: Path) -> None:
    bare = span("b2", "b1", gen_ai__usage__input_tokens=None, gen_ai__usage__output_tokens=None)
    found = imported(tmp_path, otlp(span("b1"), bare))
    assert found.only["record_id"] == "0a:b1"
    assert found.report.rejects == {"a span without tokens inside another span of the same call": 1}
    failed = bare | {"status": {"code": 2}}
    assert [call["status"] for call in imported(tmp_path, otlp(span("b1"), failed)).calls] == ["ok", "error"]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ({"gen_ai.usage.prompt_tokens": 30, "gen_ai.usage.completion_tokens": 4}, (30, 0, 0, 4, 0)),
        ({"llm.usage.prompt_tokens": 30, "llm.usage.completion_tokens": 4}, (30, 0, 0, 4, 0)),
        ({"llm.token_count.prompt": 30, "llm.token_count.completion": 4}, (30, 0, 0, 4, 0)),
        (
            {
                "gen_ai.usage.input_tokens": 30,
                "gen_ai.usage.output_tokens": 4,
                "gen_ai.usage.cache_read.input_tokens": 20,
                "gen_ai.usage.cache_creation.input_tokens": 5,
                "gen_ai.usage.reasoning.output_tokens": 3,
            },
            (30, 20, 5, 4, 3),
        ),
        (
            {
                "gen_ai.usage.input_tokens": 5,
                "gen_ai.usage.output_tokens": 9,
                "gen_ai.usage.cache_read_input_tokens": 128_955,
                "gen_ai.usage.cache_creation_input_tokens": 1253,
            },
            (130_213, 128_955, 1253, 9, 0),
        ),
        (
            {
                "gen_ai.usage.input_tokens": 50,
                "gen_ai.usage.output_tokens": 9,
                "gen_ai.usage.cache_read.input_tokens": 40,
                "gen_ai.usage.reasoning.output_tokens": 30,
                "gen_ai.usage.total_tokens": 129,
            },
            (90, 40, 0, 39, 30),
        ),
    ],
    ids=["1.27", "openllmetry", "openinference", "current", "anthropic beside", "beside by total"],
)
def test_token_rules(names: dict[str, int], wanted: tuple[int, ...], tmp_path: Path) -> None:
    without = {"gen_ai__usage__input_tokens": None, "gen_ai__usage__output_tokens": None}
    fields = {**without, **{name.replace(".", "__"): count for name, count in names.items()}}
    assert tokens(imported(tmp_path, otlp(span("b1", **fields))).only) == wanted


def test_errors_streams_and_events(tmp_path: Path) -> None:
    raised = {"name": "exception", "attributes": [{"key": "exception.type", "value": {"stringValue": "Timeout"}}]}
    failed = span("b1", events=[raised]) | {"status": {"code": 2}}
    token = {"name": "First Token Stream Event", "timeUnixNano": str(START_NS + 250_000_000)}
    streamed = span("b2", events=[token], llm__is_streaming=True)
    one, two = imported(tmp_path, otlp(failed, streamed)).calls
    assert (one["status"], one["error_type"], one["http_status"]) == ("error", "Timeout", None)
    assert (two["status"], two["ttft_s"], two["stream"]) == ("ok", 0.25, True)


def test_an_answers_id_makes_two_logs_of_it_one_call(tmp_path: Path) -> None:
    """Two instrumentations side by side; ids that a local server repeats are not taken for one."""
    twins = [span(own, gen_ai__response__id="chatcmpl-0123456789abcdef") for own in ("b1", "b2")]
    found = imported(tmp_path, otlp(*twins))
    assert (found.report.calls, found.report.duplicates) == (1, 1)
    mock = [span(own, gen_ai__response__id="chatcmpl-123") for own in ("b1", "b2")]
    assert imported(tmp_path, otlp(*mock)).report.calls == 2


def test_agents_tools_and_spans_of_other_things_are_no_calls(tmp_path: Path) -> None:
    names = ("invoke_agent", "execute_tool", "invoke_workflow", "retrieval")
    others = [span(f"b{i}", gen_ai__operation__name=name) for i, name in enumerate(names)]
    found = imported(tmp_path, otlp(*others, span("c1", "b0")))
    assert (found.only["record_id"], found.report.rows_in, sum(found.report.rejects.values())) == ("0a:c1", 5, 4)


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"startTimeUnixNano": "soon"}, "start_time is not a time"),
    ({"startTimeUnixNano": None}, "start_time is missing"),
    ({"endTimeUnixNano": str(START_NS - 1_000_000)}, "end_time is before start_time"),
    ({"attributes": span("b", gen_ai__usage__input_tokens="many")["attributes"]}, "input_tokens is not a number"),
    ({"attributes": span("b", gen_ai__usage__input_tokens=-5)["attributes"]}, "input_tokens is negative"),
    ({"attributes": None}, "not a call to a model"),
    ({"attributes": "x"}, "not a call to a model"),
]


def test_bad_spans_among_good_ones(tmp_path: Path) -> None:
    broken = [span(f"a{i}") | changes for i, (changes, _) in enumerate(BROKEN)]
    found = imported(tmp_path, otlp(span("b1"), *broken, 7, span("b3")))
    assert found.report.calls == 2
    assert found.reasons == {i: reason for i, (_, reason) in enumerate([*BROKEN, ({}, "not a span")], 2)}


def test_an_sdks_console_exporter(tmp_path: Path) -> None:
    printed = {
        "name": "chat gpt-5",
        "context": {"trace_id": "0x0a", "span_id": "0xb1", "trace_state": "[]"},
        "kind": "SpanKind.CLIENT",
        "parent_id": None,
        "start_time": "2026-11-02T10:00:00.000000Z",
        "end_time": "2026-11-02T10:00:01.500000Z",
        "status": {"status_code": "UNSET"},
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-5",
            "gen_ai.response.finish_reasons": ["length"],
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 10,
        },
        "events": [],
        "links": [],
        "resource": {"attributes": {"service.name": "bot"}, "schema_url": ""},
    }
    found = imported(tmp_path, json.dumps(printed, indent=4) + "\n" + json.dumps(printed, indent=4), "spans.json")
    assert found.report.formats == ("otel_spans",)
    assert (found.report.calls, found.report.duplicates) == (1, 1)
    call = found.only
    assert (call["duration_s"], call["application"], call["finish_reason"]) == (1.5, "bot", "length")


def test_prompts_in_every_place_they_are_put(tmp_path: Path) -> None:
    said = "Where is my order?"
    event = {"name": "gen_ai.user.message", "attributes": [{"key": "content", "value": {"stringValue": said}}]}
    old = {"name": "gen_ai.content.prompt", "attributes": [{"key": "gen_ai.prompt", "value": {"stringValue": said}}]}
    spans = [
        span("b1", gen_ai__input__messages=json.dumps([{"role": "user", "parts": [{"content": said}]}])),
        span("b2", events=[event]),
        span("b3", events=[old]),
        span("b4", gen_ai__prompt__0__role="user", gen_ai__prompt__0__content=said),
        span("b5", input__value=said),
        span("b6"),
    ]
    calls = imported(tmp_path, otlp(*spans)).calls
    assert [call["prompt_hash"] is not None for call in calls] == [True] * 5 + [False]
    assert said not in str(calls)
