"""First look: recognise the shape of a log and collect the names of its fields, from a small part of it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from breakeven.usage.reading.columnar import column_names
from breakeven.usage.reading.delimited import Layout
from breakeven.usage.reading.head import Head, NotALog
from breakeven.usage.reading.log_file import HEAD_BYTES, LogFile
from breakeven.usage.reading.nesting import LEVELS_MAX, is_too_deep

_NESTING_MAX: Final = 4
_LISTS_NESTING_MAX: Final = 8
_ELEMENTS_MAX: Final = 5
_LINES_MAX: Final = 2_000
_SAMPLE_PLACES: Final = 256
_SAMPLE_BYTES: Final = 8 << 10
_DELIMITERS: Final = ",;\t|"
_COMMA_DECIMAL: Final = re.compile(r"-?(0|\d+(\.\d{3})*),(\d{1,2}|\d{4,})|-?0,\d+")
"""A number whose comma cannot part thousands."""
_METRIC: Final = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)(\{.*\})?\s+[-+]?(\d[\d.eE+-]*|NaN|Inf)(\s+-?\d[\d.]*)?\s*")
_SAID: Final = re.compile(rb':\s?(?:"[^"\\]*"|[\d.]+)')
"""Plain values of names. Without them a line that holds no list tells its names, and the same ones tell the same."""
_DOCUMENTS_LOOKED_AT: Final = 50


def head_of(log: LogFile) -> Head | NotALog:
    """Look at the beginning of `log`."""
    if log.is_parquet:
        return column_names(log)
    lines = log.head.decode("utf-8", "replace").split("\n")
    if len(log.head) >= HEAD_BYTES - 4 and len(lines) > 1:
        lines.pop()
    numbered = list(islice(((number, line) for number, line in enumerate(lines, 1) if line.strip()), _LINES_MAX))
    if not numbered:
        return NotALog("the file is empty", is_empty=True)
    objects = [each for each in (_json_object(line) for _, line in numbered) if each is not None]
    if 2 * len(objects) >= len(numbered):
        is_whole = _is_all(log) and len(lines) <= _LINES_MAX and len(objects) == len(numbered)
        return replace(_json_head(objects), is_whole=is_whole)
    if numbered[0][1].lstrip().startswith(("[", "{")):
        if is_too_deep(log.head):
            return NotALog(f"JSON that is nested more than {LEVELS_MAX:,} levels deep")
        if objects and _is_line_of_its_own(numbered[0][1]) and _is_broken(log.head):
            return _json_head(objects)
        return document_head(log.head) or NotALog("this begins like JSON, and is none")
    if metrics := metric_names([line for _, line in numbered]):
        return Head("metrics", metrics)
    return _csv_head(numbered)


def _is_all(log: LogFile) -> bool:
    """True when the head of `log` is all of it."""
    return log.compression == "none" and log.encoding == "utf-8" and log.bytes_count < HEAD_BYTES - 4


def json_paths(value: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterable[str]:
    """Dotted paths of all keys of a JSON object, inner objects and the first elements of lists included.

    >>> sorted(json_paths({"usage": {"prompt_tokens": 3}, "data": [{"id": 1}]}))
    ['data', 'data[].id', 'usage', 'usage.prompt_tokens']
    """
    for key, inner in value.items():
        yield prefix + key
        if isinstance(inner, dict) and depth < _NESTING_MAX:
            yield from json_paths(inner, f"{prefix}{key}.", depth + 1)
        elif isinstance(inner, list) and depth < _LISTS_NESTING_MAX:
            for each in inner[:_ELEMENTS_MAX]:
                if isinstance(each, dict):
                    yield from json_paths(each, f"{prefix}{key}[].", depth + 1)


def document_head(head: bytes) -> Head | None:
    """The names in the JSON documents that `head` begins with, although it may be cut anywhere; None: no JSON.

    >>> sorted(document_head(b'[{"a": 1,\\n "b": [{"c": 2}, {').names)
    ['a', 'b', 'b[].c']
    """
    import ijson

    names: set[str] = set()
    dotted: set[str] = set()
    readable = head.decode("utf-8", "replace").encode()
    try:
        for prefix, event, value in ijson.parse(readable, multiple_values=True):
            if event == "map_key":
                place = re.sub(r"(^|\.)item(?=\.|$)", "[]", prefix).removeprefix("[]").removeprefix(".")
                names.add(f"{place}.{value}" if place else value)
                if "." in value:
                    dotted.add(value)
    except ijson.JSONError as error:
        if not isinstance(error, ijson.IncompleteJSONError) and not names:
            return None
    return Head("json", frozenset(names), dotted_keys=frozenset(dotted)) if names else None


def _is_line_of_its_own(line: str) -> bool:
    """True when `line` is a whole JSON value, or begins an object that it does not leave open for the next lines."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return line.lstrip().startswith("{") and len(line.strip()) > 1
    return True


def _is_broken(head: bytes) -> bool:
    """True when JSON documents stop being JSON within `head`, other than by its end."""
    import ijson

    try:
        for _ in ijson.basic_parse(head.decode("utf-8", "replace").encode(), multiple_values=True):
            pass
    except ijson.JSONError as error:
        return "premature EOF" not in str(error)
    return False


def metric_names(lines: list[str]) -> frozenset[str]:
    """The metrics of a Prometheus text; empty when this is none.

    >>> metric_names(["# TYPE up gauge", 'up{job="vllm"} 1'])
    frozenset({'up'})
    """
    found = [_METRIC.fullmatch(line) for line in lines if not line.startswith("#")]
    has_types = any(line.startswith(("# TYPE ", "# HELP ")) for line in lines)
    if not has_types or sum(each is not None for each in found) < max(1, 0.9 * len(found)):
        return frozenset()
    return frozenset(each.group(1) for each in found if each is not None)


def _json_head(objects: Iterable[Mapping[str, Any]]) -> Head:
    names: set[str] = set()
    dotted: set[str] = set()
    known: set[object] = set()
    for each in objects:
        if (form := _form(each)) not in known:
            known.add(form)
            names.update(json_paths(each))
            dotted.update(key for key in each if "." in key)
    return Head("jsonl", frozenset(names), dotted_keys=frozenset(dotted))


def _form(value: Mapping[str, Any], depth: int = 1) -> object:
    """Equal only for objects with equal paths: most rows of a log are like one that was looked at."""
    inner: list[tuple[str, object]] = []
    for key, each in value.items():
        kind = type(each)
        if kind is dict and each and depth < _NESTING_MAX:
            inner.append((key, _form(each, depth + 1)))
        elif kind is list and each:
            inner.append((key, id(each)))
    return tuple(value), tuple(inner)


def _json_object(line: str) -> dict[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _csv_head(numbered: list[tuple[int, str]]) -> Head | NotALog:
    if numbered[0][1].strip().strip('"').lower().startswith("sep="):
        numbered = numbered[1:]
    if not numbered:
        return NotALog("the file is empty", is_empty=True)
    header_row, header = numbered[0]
    delimiter = max(_DELIMITERS, key=lambda each: len(_fields(header, each)))
    columns = tuple(name.strip() for name in _fields(header, delimiter))
    if any(not name.isprintable() or "\ufffd" in name for name in columns):
        return NotALog("not text")
    if len(columns) < 2 or any(_is_number(name) for name in columns if name):
        return NotALog("neither JSON lines nor a table with a header of two or more columns")
    if len(numbered) == 1:
        return NotALog("the file has a header and no rows", is_empty=True)
    rows = [_fields(line, delimiter) for _, line in numbered[1:200]]
    is_local = delimiter != "," and any(_COMMA_DECIMAL.fullmatch(cell) for row in rows for cell in row)
    layout = Layout(delimiter, columns, header_row)
    return Head("csv", frozenset(columns), layout, delimiter == ";" or is_local, is_local)


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def sampled_head(log: LogFile) -> Head:
    """The JSON names seen in many places of a large uncompressed log, not only at its beginning."""
    objects: list[dict[str, Any]] = []
    outlines: set[bytes] = set()
    step = max(1, log.bytes_count // _SAMPLE_PLACES)
    with log.path.open("rb") as file:
        for place in range(0, log.bytes_count, step):
            file.seek(place)
            for line in file.read(_SAMPLE_BYTES).split(b"\n")[1:-1]:
                outline = line if b"[" in line else _SAID.sub(b"", line)
                if outline not in outlines and (value := _json_object(line.decode("utf-8", "replace"))) is not None:
                    outlines.add(outline)
                    objects.append(value)
    return _json_head(objects)
