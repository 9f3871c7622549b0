"""Traces: GenAI names at a collector that listens, one trace per request, no prompt, and no harm when it is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.gateway.telemetry.told import CANARY, attempt, plan

from breakeven.gateway.control.trace_thread import TraceThread
from breakeven.gateway.metering.call_line import call_lines
from breakeven.gateway.metering.write_ahead import write_ahead_folder
from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.traces import SpanExport


class Collector:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.paths.append(self.path)
                outer.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def spans(self) -> list[Any]:
        found = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found += scope.spans
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


def lines() -> list[bytes]:
    told = plan()
    told.trace_id, told.parent_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    failed = attempt("big", "a", "status")
    good = attempt("small", "b", number=2, kind="fallback")
    good.finish_reason, good.started_unix_s, failed.started_unix_s = "stop", 1_800_000_000.25, 1_800_000_000.0
    return call_lines(told, [failed, good])


def attributes(span: Any) -> dict[str, Any]:
    found = {}
    for each in span.attributes:
        kind = each.value.WhichOneof("value")
        value = getattr(each.value, kind)
        found[each.key] = [item.string_value for item in value.values] if kind == "array_value" else value
    return found


def test_spans_have_the_genai_names_and_the_clients_trace(collector: Collector) -> None:
    export = SpanExport(collector.url, "1.0")
    export.export(lines())
    export.close()
    assert (export.exported_count, export.dropped_count) == (2, 0)
    assert collector.paths == ["/v1/traces"]
    failed, good = collector.spans()
    assert {each.trace_id.hex() for each in (failed, good)} == {"0af7651916cd43dd8448eb211c80319c"}
    assert {each.parent_span_id.hex() for each in (failed, good)} == {"b7ad6b7169203331"}
    assert good.links[0].span_id == failed.span_id
    told = attributes(good)
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.usage.input_tokens"] == 10
    assert told["gen_ai.usage.output_tokens"] == 5
    assert told["gen_ai.usage.cache_read.input_tokens"] == 3
    assert told["gen_ai.response.finish_reasons"] == ["stop"]
    assert told["breakeven.cost_usd"] == 0.25
    assert good.start_time_unix_nano == 1_800_000_000_250_000_000
    assert attributes(failed)["error.type"] == "http_503" and failed.status.code == 2
    assert good.name == "chat small"


def test_no_word_of_a_client_is_exported(collector: Collector) -> None:
    export = SpanExport(collector.url)
    export.export(lines())
    export.close()
    assert collector.bodies and not any(CANARY.encode() in body for body in collector.bodies)


def test_attempts_of_a_request_share_a_trace_without_a_client_that_traces(collector: Collector) -> None:
    export = SpanExport(collector.url)
    export.export(call_lines(plan(), [attempt(failure="connect"), attempt(number=2, kind="retry")]))
    export.close()
    one, two = collector.spans()
    assert one.trace_id == two.trace_id and one.span_id != two.span_id


def test_what_is_no_call_is_dropped_and_counted(collector: Collector) -> None:
    export = SpanExport(collector.url)
    export.export([b"no json", b"[]", b"{}", b'{"record_id": "a", "start_time": "yesterday"}', lines()[0]])
    export.close()
    assert (export.exported_count, export.dropped_count) == (1, 4)


def test_a_collector_that_is_gone_costs_spans_only() -> None:
    export = SpanExport("http://127.0.0.1:9", timeout_s=0.2)
    export.export(lines())
    export.close()
    assert (export.exported_count, export.dropped_count) == (0, 2)


def test_the_thread_exports_what_relays_write(collector: Collector, tmp_path: Path) -> None:
    folder = write_ahead_folder(tmp_path)
    folder.mkdir(parents=True)
    counters = Counters()
    thread = TraceThread(collector.url, tmp_path, counters, period_s=0.02)
    thread.start()
    (folder / "relay-0.open.jsonl").write_bytes(b"".join(lines()))
    until = time.monotonic() + 10
    while len(collector.spans()) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    thread.close()
    assert len(collector.spans()) == 2
