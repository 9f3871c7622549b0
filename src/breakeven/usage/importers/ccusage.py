"""ccusage: reports of coding agents' local logs (`ccusage daily --json`, weekly, monthly, session, blocks).

A report's entry is split by model where it says so. Input is counted beside cache writes and reads; the Codex edition
counts cached tokens inside the input. Days are those of the machine's time zone, which the report does not name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.bucket_rows import BucketIds, amount_of, shown
from breakeven.usage.reading.documents import documents, text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit
from breakeven.usage.reading.values import number

_REPORTS: Final = ("daily", "weekly", "monthly", "session", "sessions", "blocks")
_KINDS: Final = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
_OWN_MARKS: Final = ("cacheCreationTokens", "cachedInputTokens", "modelBreakdowns")
_PROJECT: Final = re.compile(r"projects\..+\[\]\.inputTokens")
_DAYS: Final = {"daily": 1, "weekly": 7}
_DAY_S: Final = 86_400
_NAMED_DAY: Final = "%b %d, %Y"


def _confidence(head: Head) -> float:
    for report in _REPORTS:
        place = f"{report}[]."
        if head.has(f"{place}inputTokens") and head.has(*(f"{place}{mark}" for mark in _OWN_MARKS)):
            return 1.0
    if head.has("blocks[].tokenCounts.inputTokens"):
        return 1.0
    return 1.0 if any(_PROJECT.fullmatch(name) for name in head.names) else 0.0


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a report."""

    report: str
    project: str | None
    values: Mapping[str, Any]
    is_last: bool
    """The last period of its report, which may be still going on."""


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    ids = BucketIds("ccusage")
    for document in documents(packed.log, packed.head):
        if isinstance(document, Unfit):
            yield document
            continue
        ids.restart()
        entries = list(_entries(document))
        if not entries:
            yield Unfit("no report of ccusage", "", text_of(document))
        for entry in entries:
            yield from _rows(entry, ids) if isinstance(entry, _Entry) else (entry,)


def _entries(document: Mapping[str, Any]) -> Iterator[_Entry | Unfit]:
    for report in _REPORTS:
        if isinstance(document.get(report), list):
            yield from _of_list(report, None, document[report])
    projects = document.get("projects")
    for name, found in projects.items() if isinstance(projects, dict) else ():
        if isinstance(found, list):
            yield from _of_list("daily", str(name), found)
        else:
            yield Unfit("a project without a list of days", shown(found))


def _of_list(report: str, project: str | None, found: list[Any]) -> Iterator[_Entry | Unfit]:
    periods = [_period_of(each) for each in found if isinstance(each, dict)]
    last = max((each for each in periods if each), default="")
    for each in found:
        if isinstance(each, dict):
            yield _Entry(report, project, each, _period_of(each) == last)
        else:
            yield Unfit("not an entry of a report", shown(each))


def _period_of(values: Mapping[str, Any]) -> str:
    """When an entry was, as ISO text: a day, a month, or the moment of a session's last activity."""
    metadata = values.get("metadata")
    last_activity = values.get("lastActivity") or (metadata.get("lastActivity") if isinstance(metadata, dict) else None)
    said = values.get("startTime") or last_activity
    said = str(said or values.get("date") or values.get("month") or values.get("week") or values.get("period") or "")
    try:
        return datetime.strptime(said, _NAMED_DAY).date().isoformat()  # noqa: DTZ007 (a day has no zone)
    except ValueError:
        return f"{said}-01" if re.fullmatch(r"\d{4}-\d{2}", said) else said


@dataclass(frozen=True, slots=True)
class _Span:
    """When a period ends, and how long it is."""

    end: str | None = None
    """None for a session, and for the last period, which may be still going on."""
    length_s: int | None = None
    """Of a day, week or month, whether it is over or not."""


def _span_of(entry: _Entry, start: str) -> _Span:
    """The end of a day, week or month."""
    if entry.report == "blocks":
        return _Span(str(entry.values.get("endTime") or "") or None)
    try:
        day = date.fromisoformat(start)
    except ValueError:
        return _Span()
    if entry.report not in ("daily", "weekly", "monthly") or day.year >= date.max.year:
        return _Span()
    month = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    end = month if entry.report == "monthly" else day + timedelta(days=_DAYS[entry.report])
    return _Span(None if entry.is_last else end.isoformat(), (end - day).days * _DAY_S)


def _rows(entry: _Entry, ids: BucketIds) -> Iterator[Mapping[str, object]]:
    start = _period_of(entry.values)
    span = _span_of(entry, start)
    project = entry.project or _text(entry.values.get("project"))
    session = _text(entry.values.get("sessionId")) or (
        _text(entry.values.get("period")) if entry.report in ("session", "sessions") else None
    )
    shared = {
        "grain": "bucket",
        "date": start,
        "end_time": span.end,
        "length_s": span.length_s,
        "cost_source": "computed",
        "project": _unnamed(project),
        "sessionId": _unnamed(session),
    }
    key = (entry.report.removesuffix("s"), project, session, entry.values.get("agent"))
    for counts in _by_model(entry.values):
        yield {**shared, **counts, "record_id": ids.of(start, "", *key, counts.get("model"))}


def _by_model(values: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    """The entry's counts for each of its models; then what of the entry no model has."""
    breakdowns = values.get("modelBreakdowns")
    if isinstance(breakdowns, list) and breakdowns and all(isinstance(each, dict) for each in breakdowns):
        for each in breakdowns:
            yield _counts(each, _text(each.get("modelName")), each.get("cost"))
        yield from _rest(values, breakdowns)
        return
    models = values.get("models")
    if isinstance(models, dict) and models and all(isinstance(each, dict) for each in models.values()):
        yield from (_counts(each, name, each.get("costUSD")) for name, each in models.items())
        return
    names = values.get("modelsUsed", models)
    model = _text(names[0]) if isinstance(names, list) and len(names) == 1 else None
    counts = values.get("tokenCounts")
    cost = values.get("totalCost", values.get("costUSD"))
    counted = _counts(_of_block(counts) if isinstance(counts, dict) else values, model, cost)
    yield {**counted, "entries": values["entries"]} if number(values.get("entries")) is not None else counted


def _of_block(counts: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of a block, under the names of the other reports."""
    names = {"cacheCreationInputTokens": "cacheCreationTokens", "cacheReadInputTokens": "cacheReadTokens"}
    return {names.get(name, name): value for name, value in counts.items()}


def _counts(found: Mapping[str, Any], model: str | None, cost: object) -> dict[str, object]:
    counted: dict[str, object] = {
        "model": model,
        "outputTokens": found.get("outputTokens"),
        "reasoningOutputTokens": found.get("reasoningOutputTokens"),
        "cost": amount_of(cost),
    }
    if "cachedInputTokens" not in found:
        beside = {
            "cacheCreationTokens": found.get("cacheCreationTokens"),
            "cacheReadTokens": found.get("cacheReadTokens"),
        }
        return {**counted, **beside, "inputTokens": found.get("inputTokens")}
    cached = found.get("cachedInputTokens")
    fresh, total = number(found.get("inputTokens")), number(found.get("totalTokens"))
    parts = (fresh, number(cached), number(found.get("outputTokens")))
    if number(cached) and total is not None and None not in parts and total == sum(each or 0 for each in parts):
        return {**counted, "cacheReadTokens": cached, "inputTokens": found.get("inputTokens")}
    return {**counted, "cachedInputTokens": cached, "promptTokens": found.get("inputTokens")}


def _rest(values: Mapping[str, Any], breakdowns: list[dict[str, Any]]) -> Iterator[dict[str, object]]:
    rest: dict[str, float] = {}
    for kind in _KINDS:
        total, parts = number(values.get(kind)), [number(each.get(kind)) for each in breakdowns]
        if total is None or None in parts:
            return
        rest[kind] = max(0.0, total - sum(each or 0.0 for each in parts))
    if any(rest.values()):
        yield {"model": None, **rest}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _unnamed(name: str | None) -> str | None:
    """A project or session. Names made from a path say who the user is, so only their hash is kept."""
    if name is None or not re.search(r"[/\\]|^-|--", name):
        return name
    return f"path-{hashlib.blake2b(name.encode('utf-8', 'replace'), digest_size=6).hexdigest()}"


IMPORTER = Importer(
    name="ccusage",
    title="ccusage report (JSON)",
    shapes=frozenset({"json", "jsonl"}),
    fields={
        "record_id": ("record_id",),
        "grain": ("grain",),
        "start_time": ("date",),
        "end_time": ("end_time",),
        "duration_s": ("length_s",),
        "request_model": ("model",),
        "request_count": ("entries",),
        "input_tokens": ("inputTokens",),
        "prompt_tokens": ("promptTokens",),
        "cache_read_tokens": ("cachedInputTokens",),
        "exclusive_cache_read_tokens": ("cacheReadTokens",),
        "exclusive_cache_write_tokens": ("cacheCreationTokens",),
        "output_tokens": ("outputTokens",),
        "reasoning_tokens": ("reasoningOutputTokens",),
        "cost_usd": ("cost",),
        "cost_source": ("cost_source",),
        "application": ("project",),
        "session_id": ("sessionId",),
    },
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="by_field",
    confidence=_confidence,
    holds=Holds("bucket", cost=True),
    unpack=_unpack,
    concludes=(
        "Tokens of one person's coding agents by day, week, month, session or block and model, with a cost that"
        " ccusage computed from list prices: nobody billed it, subscriptions least of all. No request counts (blocks"
        " have them), no lengths, prompts, latencies or outcome."
    ),
)
