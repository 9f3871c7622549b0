"""Results of aiperf as CSV (profile_export_aiperf.csv): metrics with their units in the name, in two sections.

Source: ai-dynamo/aiperf, src/aiperf/exporters/metrics_csv_exporter.py, and an export of aiperf 0.10.0 in
anud18/qwen36-vllm-aiperf-benchmark, read on 25 November 2026. The file says neither model, load nor date: the
concurrency is the mean over the run by Little's law.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.bench.readers.reader import Content, Fields, Reader, checked
from breakeven.units import MS_PER_S

_NAME = re.compile(r"(?P<name>.*?)(?: \((?P<unit>[^()]*)\))?$")
_NOTE = "the CSV export says no load: concurrency is the mean over the run"


def _recognises(content: Content) -> bool:
    return content.text.startswith("Metric,avg,") and "\nRequest Latency (" in content.text


def _read(content: Content) -> tuple[MeasuredPoint, ...]:
    fields = Fields(f"aiperf, {content.name}", _means(content.text))
    done = fields.number("Request Count")
    latency_ms = fields.number("Request Latency|ms")
    if not done:
        return ()
    point = MeasuredPoint(
        input_tokens=fields.number("Input Sequence Length|tokens"),
        output_tokens=fields.number("Output Sequence Length|tokens"),
        concurrency_count=fields.number("Request Throughput|requests/sec") * latency_ms / MS_PER_S,
        output_tok_per_s=fields.number("Output Token Throughput|tokens/sec"),
        ttft_ms=fields.positive("Time to First Token|ms"),
        tpot_ms=fields.positive("Inter Token Latency|ms"),
        requests_count=int(done),
        failures_count=int(fields.optional("Error Request Count") or 0),
        source=fields.where,
        is_open_loop=True,
        notes=(_NOTE,),
    )
    return (checked(point),)


def _means(text: str) -> Mapping[str, float]:
    """``name|unit`` -> mean; the tables of GPUs below are left out."""
    found: dict[str, float] = {}
    for row in csv.reader(text.splitlines()):
        if row and row[0] == "Endpoint":
            break
        if len(row) < 2 or row[0] == "Metric":
            continue
        match = _NAME.match(row[0])
        assert match is not None
        name = match["name"] + (f"|{match['unit']}" if match["unit"] else "")
        try:
            found[name] = float(row[1])
        except ValueError:
            continue
    return found


READER = Reader("aiperf_csv", "aiperf (CSV)", _recognises, _read)
