"""Langfuse observations: the blob storage export (Parquet, CSV, JSON, JSONL; enriched or legacy), the export from the
UI and the public API's JSON, whose names are written in camel case. Generations and embeddings are calls.

Source: langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields. Usage types are counted beside each
other: `input` leaves out `input_cached_tokens`; whoever logs otherwise is found out by the total.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import LogFile
from breakeven.usage.reading.nested import first_of, parsed
from breakeven.usage.reading.span_families import SpanFamilies, span_key
from breakeven.usage.reading.unpacked import Unfit
from breakeven.usage.reading.values import (
    known_cost,
    mapping,
    number,
    said,
    seconds_between,
    sequence,
    whole_counts,
)

_CALLS: Final = {"GENERATION": "chat", "EMBEDDING": "embeddings"}
_TRACE: Final = ("trace_id", "traceId")
_PARENT: Final = ("parent_observation_id", "parentObservationId")
_DETAILS: Final = ("usage_details", "usageDetails")
_DETAIL_COLUMNS: Final = ("usage_details.", "usageDetails.")
_MODEL: Final = ("provided_model_name", "providedModelName", "model")
_START: Final = ("start_time", "startTime")
_END: Final = ("end_time", "endTime")
_BEGUN: Final = ("completion_start_time", "completionStartTime")
_INPUT: Final = ("inputUsage", "promptTokens", "prompt_tokens")
_OUTPUT: Final = ("outputUsage", "completionTokens", "completion_tokens")
_COST: Final = ("total_cost", "totalCost", "calculatedTotalCost", "calculated_total_cost")
_OWN: Final = (
    *_DETAILS,
    "provided_model_name",
    "providedModelName",
    "modelParameters",
    "model_parameters",
    *_INPUT[:2],
)
_ERROR: Final = re.compile(r"[A-Za-z_.]*(?:Error|Exception|Timeout)\b")
_LATENCY_RATIO_MIN: Final = 100.0
"""Integrations made before 2026-04-01 export latencies in milliseconds: far more than the seconds between the times."""


def _confidence(head: Head) -> float:
    for place in ("", "data[].", "observations[]."):
        has_tree = head.has(*(place + name for name in _TRACE)) and head.has(*(place + name for name in _PARENT))
        if has_tree and head.has(*(place + name for name in _START)):
            return 1.0 if head.has(*(place + name for name in _OWN)) else 0.6
    is_from_ui = head.has("traceId") and head.has("startTime") and head.has("timeToFirstToken")
    return 0.95 if is_from_ui and head.has(*_OWN) else 0.0


def _unpack(packed: Packed) -> Iterator[dict[str, object] | Unfit]:
    """Reads the file twice: a generation around another repeats its tokens, and may stand before or after it."""
    families = SpanFamilies()
    for row in _observations(packed.log, _tree_only(packed.head)):
        if not isinstance(row, Unfit):
            is_call = _is_call(row) and (_has_usage(row) or not _failure(row))
            families.add(*_place(row), is_call=is_call, has_tokens=_has_usage(row))
    repeats = families.repeats()
    del families
    for row in _observations(packed.log, packed.head):
        if isinstance(row, Unfit):
            yield row
        elif (repeats.outer or repeats.inner) and _is_call(row):
            key = span_key(*_place(row)[:2])
            if key in repeats.outer:
                yield Unfit("a generation around another one, whose tokens it repeats", str(row.get("name", "")))
            elif key in repeats.inner:
                yield Unfit("a generation without tokens inside another one of the same call", str(row.get("name", "")))
            else:
                yield _call(row)
        else:
            yield _call(row)


def _tree_only(head: Head) -> Head:
    """Of a Parquet file, the few columns that the first reading needs."""
    if head.shape != "parquet":
        return head
    wanted = ("id", "type", "level", *_TRACE, *_PARENT, *_DETAILS, *_INPUT, *_OUTPUT, "usage")
    return replace(head, names=frozenset(name for name in head.names if name.startswith(wanted)))


def _observations(log: LogFile, head: Head) -> Iterator[Mapping[str, Any] | Unfit]:
    """Rows; an answer of the API or a downloaded trace has them in a list."""
    for document in documents(log, head):
        if isinstance(document, Unfit):
            yield document
            continue
        inner = next((document[key] for key in ("data", "observations") if isinstance(document.get(key), list)), None)
        for each in [document] if inner is None else inner:
            yield each if isinstance(each, dict) else Unfit("not an observation", type(each).__name__)


def _place(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(first_of(row, *_TRACE) or ""), str(row.get("id") or ""), str(first_of(row, *_PARENT) or "")


def _is_call(row: Mapping[str, Any]) -> bool:
    """An export of generations alone has no type."""
    return str(row.get("type") or "GENERATION").upper() in _CALLS


def _has_usage(row: Mapping[str, Any]) -> bool:
    return bool(_details(row)) or any(number(first_of(row, *names)) for names in (_INPUT, _OUTPUT))


def _details(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Usage types; a Parquet file that somebody made of the JSON has a column for each."""
    found = mapping(first_of(row, *_DETAILS))
    return found or {name.partition(".")[2]: each for name, each in row.items() if name.startswith(_DETAIL_COLUMNS)}


def _call(row: Mapping[str, Any]) -> dict[str, object] | Unfit:
    kind = str(row.get("type") or "GENERATION").upper()
    if kind not in _CALLS:
        return Unfit("not a call to a model", f"{kind.lower()}: {row.get('name', '')}")
    unit = first_of(row, "unit") or mapping(row.get("usage")).get("unit")
    if unit and str(unit).upper() != "TOKENS":
        return Unfit("usage is not counted in tokens", str(unit))
    parameters = mapping(first_of(row, "model_parameters", "modelParameters"))
    tags = (each for each in sequence(row.get("tags")) if isinstance(each, str))
    tokens, cost = (
        _tokens(row),
        first_of(row, *_COST) or mapping(first_of(row, "cost_details", "costDetails")).get("total"),
    )
    return said(
        {
            **tokens,
            **_times(row),
            **_failure(row),
            "record_id": row.get("id"),
            "operation": _CALLS[kind],
            "request_model": first_of(row, *_MODEL),
            "cost_usd": known_cost(cost, tokens.values()),
            "max_tokens": first_of(parameters, "max_tokens", "max_completion_tokens", "maxTokens"),
            "stream": parameters.get("stream"),
            "service_tier": parameters.get("service_tier"),
            "application": first_of(row, "project_id", "projectId"),
            "endpoint": row.get("name"),
            "task": first_of(row, "trace_name", "traceName") or next(tags, None),
            "template_id": first_of(row, "prompt_name", "promptName"),
            "trace_id": first_of(row, *_TRACE),
            "parent_id": first_of(row, *_PARENT),
            "session_id": first_of(row, "session_id", "sessionId"),
            "unit": first_of(row, "user_id", "userId"),
            "prompt_text": _prompt(row),
            "response_text": row.get("output"),
        }
    )


def _tokens(row: Mapping[str, Any]) -> dict[str, object]:
    """From the usage types where there are any, else from the older columns, which are whole already."""
    details = _details(row)
    counts = {str(name).lower(): count for name, each in details.items() if (count := number(each)) is not None}
    sides = {name: _side(name) for name in counts}
    if not any(sides.values()):
        usage = mapping(row.get("usage"))
        output = first_of(row, *_OUTPUT)
        return {
            "input_tokens": first_of(row, *_INPUT) if usage.get("input") is None else usage["input"],
            "output_tokens": output if usage.get("output") is None else usage["output"],
        }
    parts = {
        side: {name: count for name, count in counts.items() if sides[name] == side and name not in names}
        for side, names in _WHOLES.items()
    }
    sent, got = ((_base(counts, side, parts[side]), parts[side].values()) for side in parts)
    into, out = whole_counts(sent, got, counts.get("total"), holds_parts=False)
    return {
        "input_tokens": into,
        "output_tokens": out,
        "cache_read_tokens": _sum(parts["input"], "cache", unlike=("creation", "write")),
        "cache_write_tokens": _sum(parts["input"], "creation", "cache_write"),
        "cache_write_1h_tokens": _sum(parts["input"], "creation_1h", "write_1h", "ephemeral_1h"),
        "reasoning_tokens": _sum(parts["output"], "reasoning", "thinking", "thoughts"),
        "audio_input_tokens": _sum(parts["input"], "audio"),
        "audio_output_tokens": _sum(parts["output"], "audio"),
        "image_input_tokens": _sum(parts["input"], "image"),
    }


_WHOLES: Final = {
    "input": ("input", "input_tokens", "prompt_tokens", "prompt"),
    "output": ("output", "output_tokens", "completion_tokens", "completion"),
}
"""Usage types that are the side itself; every other type of that side is a part."""


def _side(name: str) -> str:
    """Langfuse sums the types with 'input' in their name as input, with 'output' as output."""
    if name == "total":
        return ""
    if "output" in name or "completion" in name or any(word in name for word in ("reasoning", "thinking", "thoughts")):
        return "output"
    return "input" if "input" in name or "prompt" in name or "cache" in name else ""


def _base(counts: Mapping[str, float], side: str, parts: Mapping[str, float]) -> float | None:
    """The count of a side itself: 0 where only its parts are told, None where nothing is."""
    found: float | None = first_of(counts, *_WHOLES[side])
    return 0 if found is None and parts else found


def _sum(parts: Mapping[str, float], *words: str, unlike: tuple[str, ...] = ()) -> float | None:
    found = [
        count
        for name, count in parts.items()
        if any(word in name for word in words) and not any(word in name for word in unlike)
    ]
    return sum(found) if found else None


def _times(row: Mapping[str, Any]) -> dict[str, object]:
    """Times without a zone are UTC, as documented. Latencies are in s or ms, so the times themselves are used."""
    start, end = first_of(row, *_START), first_of(row, *_END)
    latency, ttft = number(row.get("latency")), number(first_of(row, "time_to_first_token", "timeToFirstToken"))
    between, begun = seconds_between(start, end), first_of(row, *_BEGUN)
    is_ms = latency is not None and between is not None and latency > _LATENCY_RATIO_MIN * max(between, 0.001)
    reported_s = ttft / 1000 if ttft is not None and is_ms else ttft
    is_in_s = between is not None or "timeToFirstToken" in row
    return {
        "start_time": start,
        "end_time": end,
        "duration_s": latency if end is None and "startTime" in row else None,
        "ttft_s": seconds_between(start, begun) if begun is not None else (reported_s if is_in_s else None),
        "tz_assumed": False,
    }


def _failure(row: Mapping[str, Any]) -> dict[str, object]:
    if str(row.get("level", "")).upper() != "ERROR":
        return {}
    match = _ERROR.match(str(first_of(row, "status_message", "statusMessage") or ""))
    return {"status": "error", "error_type": match[0] if match else None}


def _prompt(row: Mapping[str, Any]) -> object:
    tools = mapping(first_of(row, "tool_definitions", "toolDefinitions"))
    sent = parsed(row.get("input"))
    if tools and isinstance(sent, list):
        return {"messages": sent, "tools": [{"name": name} for name in tools]}
    return sent or None


_FIELDS: Final = (
    *("record_id", "start_time", "end_time", "duration_s", "ttft_s", "tz_assumed", "operation", "request_model"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    *("reasoning_tokens", "audio_input_tokens", "audio_output_tokens", "image_input_tokens", "cost_usd", "status"),
    *("error_type", "stream", "max_tokens", "service_tier", "application", "endpoint", "task", "template_id"),
    *("trace_id", "parent_id", "session_id", "unit", "prompt_text", "response_text"),
)

IMPORTER = Importer(
    name="langfuse",
    title="Langfuse observations (blob export, UI export, API)",
    shapes=frozenset({"csv", "parquet", "json", "jsonl"}),
    fields={name: (name,) for name in _FIELDS},
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    holds=Holds("request", prompts="yes", latency=True, first_token=True, cost=True),
    concludes=(
        "Calls with prompts, tokens, latency, cost by Langfuse's own price list, traces and users. Not which provider "
        "served them, nor what it billed; input that an SDK logged with its cached part inside counts that part twice, "
        "here as there, unless the total says otherwise."
    ),
    unpack=_unpack,
)
