"""Prometheus: what counters stood at, scrape by scrape: the text that servers expose or answers of the API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.lines import read_lines
from breakeven.usage.reading.log_file import LogFile
from breakeven.usage.reading.nested import object_in, objects_in
from breakeven.usage.reading.rows import shortened
from breakeven.usage.reading.unpacked import Unfit

Labels = tuple[tuple[str, str], ...]
"""Sorted by name."""
_SAMPLE: Final = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+(-?\d[\d.]*))?\s*(?:#.*)?")
_LABEL: Final = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_TIME_COMMENT: Final = re.compile(
    r"#\s*(?:scraped?(?:_at)?|timestamp|time)?\s*[:=]?\s*(\d{4}-\d\d-\d\d[T ]\S+|\d{10}(?:\.\d+)?|\d{13})\s*",
    re.IGNORECASE,
)
_MS_FROM: Final = 1e11
"""Times at least this large are milliseconds."""


@dataclass(slots=True)
class Scrape:
    """What the wanted metrics stood at, at one moment."""

    time_s: float | None = None
    """Seconds since 1970; None when the file does not say."""
    values: dict[tuple[str, Labels], float] = field(default_factory=dict)


def scrapes(log: LogFile, head: Head, wanted: frozenset[str]) -> Iterator[Scrape | Unfit]:
    """The scrapes of a file in its order, `wanted` metrics only; what cannot be read as a sample is an `Unfit`."""
    if head.shape == "metrics":
        yield from _from_text(log, wanted)
    else:
        yield from _from_answers(log, head, wanted)


def _from_text(log: LogFile, wanted: frozenset[str]) -> Iterator[Scrape | Unfit]:
    """A new scrape begins with a comment that says a time, and where a series comes again."""
    scrape = Scrape()
    for batch in read_lines(log):
        yield from (Unfit(each.reason, each.value, each.raw) for each in batch.rejects)
        for line in batch.rows["text"].to_pylist():
            text = line.strip()
            if text.startswith("#"):
                time_s = _said_time(text)
                if time_s is not None:
                    if scrape.values:
                        yield scrape
                    scrape = Scrape(time_s)
                continue
            found = _sample(text)
            if found is None:
                yield Unfit("not a sample of a metric", raw=shortened(text))
                continue
            name, labels, value, at_s = found
            if name not in wanted:
                continue
            if (name, labels) in scrape.values:
                yield scrape
                scrape = Scrape()
            scrape.values[name, labels] = value
            scrape.time_s = at_s if at_s is not None and scrape.time_s is None else scrape.time_s
    if scrape.values:
        yield scrape


def _sample(text: str) -> tuple[str, Labels, float, float | None] | None:
    found = _SAMPLE.fullmatch(text)
    if found is None:
        return None
    name, inside, value, time = found.groups()
    labels = _labels(inside or "")
    try:
        number, at = float(value), None if time is None else float(time)
    except ValueError:
        return None
    return None if labels is None else (name, labels, number, None if at is None else _seconds(at))


def _labels(inside: str) -> Labels | None:
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(inside):
        match = _LABEL.match(inside, position)
        if match is None:
            return None if inside[position:].strip() else tuple(sorted(found))
        found.append((match[1], re.sub(r"\\(.)", lambda each: "\n" if each[1] == "n" else each[1], match[2])))
        position = match.end()
    return tuple(sorted(found))


def _seconds(time: float) -> float:
    return time / 1e3 if abs(time) >= _MS_FROM else time


def _said_time(comment: str) -> float | None:
    """The time in a comment such as ``# scraped_at 2026-11-02T10:00:00Z``."""
    found = _TIME_COMMENT.fullmatch(comment)
    if found is None:
        return None
    try:
        if "-" not in found[1]:
            return _seconds(float(found[1]))
        moment = datetime.fromisoformat(found[1])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _from_answers(log: LogFile, head: Head, wanted: frozenset[str]) -> Iterator[Scrape | Unfit]:
    """Answers of ``/api/v1/query_range`` or ``/api/v1/query``: the points of all series, moment by moment."""
    moments: dict[float, Scrape] = {}
    for answer in documents(log, head):
        if isinstance(answer, Unfit):
            yield answer
            continue
        results = object_in(answer.get("data")).get("result", answer.get("result"))
        if not isinstance(results, list):
            yield Unfit("no answer of Prometheus' query API", raw=shortened(str(answer)[:500]))
            continue
        for series in objects_in(results):
            yield from _series(series, wanted, moments)
    for time_s in sorted(moments):
        yield moments[time_s]


def _series(series: Mapping[str, Any], wanted: frozenset[str], moments: dict[float, Scrape]) -> Iterator[Unfit]:
    metric = object_in(series.get("metric"))
    name = metric.get("__name__")
    if not isinstance(name, str):
        yield Unfit(
            "a series without a name: query the counter itself, not its rate() or increase()", str(dict(metric))[:200]
        )
        return
    if name not in wanted:
        return
    labels = tuple(sorted((key, str(value)) for key, value in metric.items() if key != "__name__"))
    points = series.get("values", [series.get("value")])
    for point in points if isinstance(points, list) else ():
        try:
            time_s, value = (float(each) for each in point)
        except (TypeError, ValueError, OverflowError):
            yield Unfit("not a point of a series", str(point)[:200])
            continue
        moments.setdefault(time_s, Scrape(time_s)).values[name, labels] = value
