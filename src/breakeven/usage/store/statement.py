"""Statement: the one SQL text that turns rows of a log into Calls and says why a row is none.

Layers, so that DuckDB computes nothing twice: text of each field; numbers; times; sums; then the columns of a Call,
times as microseconds since 1970 UTC, or the verdict. `dropped` has a bit for each value that was dispensable and
not readable.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from breakeven.usage.plan import Plan
from breakeven.usage.store.columns import TEXTS, Constant, columns, default_constants, sums
from breakeven.usage.store.fields import DISPENSABLE, NEEDED_NUMBERS, TIMES, TOKENS, Dispensable, Fields
from breakeven.usage.store.json_paths import SOUND_TEXT, json_paths
from breakeven.usage.store.line_code import is_loadable
from breakeven.usage.store.plain_lines import PlainLines, Wanted, is_readable
from breakeven.usage.store.redaction import LABELS, RAW_HASHED
from breakeven.usage.store.schema import FEW_VALUES
from breakeven.usage.store.verdicts import Verdict, is_call, verdicts

_ZERO: Final = "CAST(0 AS BIGINT)"
_FUTURE_ALLOWED: Final = timedelta(days=1)
_ZONE: Final = r"(Z|[+-]\d\d(?::?\d\d)?)"
_SHORT_TIMES: Final = (
    (r"(\d\d)\.(\d\d)\.(\d{4})", r"\3-\2-\1"),
    (rf"(\d\d)\.(\d\d)\.(\d{{4}}),? +(\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?){_ZONE}?", r"\3-\2-\1 \4\5"),
    (rf"(\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d){_ZONE}", r"\1:00\2"),
    (rf"(\d{{4}})(\d\d)(\d\d)T(\d\d)(\d\d){_ZONE}?", r"\1-\2-\3T\4:\5:00\6"),
    (rf"(\d{{4}})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d(?:[.,]\d+)?){_ZONE}?", r"\1-\2-\3T\4:\5:\6\7"),
)
"""Forms of ISO 8601, and days with points as in 02.11.2026 (never the month first), that the cast does not read -> the
form that it does."""
_SINCE_1970: Final = (
    "WHEN {n} < 1e8 THEN NULL"
    " WHEN {n} < 1e11 THEN CAST(round({n} * 1e6) AS BIGINT)"
    " WHEN {n} < 1e14 THEN CAST(round({n} * 1e3) AS BIGINT)"
    " WHEN {n} < 1e17 THEN CAST(round({n}) AS BIGINT)"
)
"""A number is a time in seconds, milliseconds, microseconds, by its size."""
_ASKED: Final = re.compile(r"\b(?:(?:[tnsiz]|us)_\w+|status|has_no_zone|row_no|file_no|base|text)\b")
"""Columns of the layers, in an expression."""
_HAS_NO_ZONE: Final = (
    "CASE WHEN n_start_time IS NOT NULL OR ends_with(t_start_time, 'Z') OR ends_with(t_start_time, '+00:00')"
    " THEN false ELSE NOT regexp_matches(substr(t_start_time, 14), '[A-Za-z+-]') END"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL texts over a relation `chunk`: the Calls, and for the few other rows the reason."""

    calls: str
    """`is_call`, `file_no`, `source_line`, `dropped`, then columns of a Call, for every row in order."""
    reasons: str
    """`verdict`, an index into `verdicts`, `seen`, the text to blame, and `record_id`, for every row in order."""
    verdicts: tuple[Verdict, ...]
    constants: dict[str, Constant]
    """Columns that are the same in every row, and so not computed."""
    usual: str | None = None
    """Gives the same as `calls`, in less time, and takes only rows with none but the names seen before for Calls."""
    plain: PlainStatement | None = None
    """Gives the same in the least time, for rows that the line kernel takes."""


@dataclass(frozen=True, slots=True)
class PlainStatement:
    """How rows that the line kernel takes become Calls."""

    lines: PlainLines
    sql: str
    """Over a relation `chunk` with the columns of `lines`: `is_call`, `dropped`, then columns of a Call."""
    copied: Mapping[str, str]
    """Column of a Call -> the column of `lines` that it is."""
    zeros: tuple[str, ...]
    """Columns of a Call that are 0."""
    rest: str
    """Like `sql`, without the columns that `by_word` gives."""
    by_word: Mapping[str, str]
    """Column of `lines` with few distinct texts -> like `sql`, for the columns that hang on nothing but this text."""


def statement(plan: Plan, now: datetime, *, keeps_texts: bool = False) -> Statement:
    """Build the statement of `plan`; times more than a day after `now` are rejected."""
    latest_us = microseconds(now + _FUTURE_ALLOWED)
    fields = Fields(plan, frozenset(name for name, _ in plan.fields), latest_us)
    rows = _rows(fields)
    found = columns(fields, keeps_texts=keeps_texts)
    calls = _calls(fields, found)
    judged = verdicts(fields)
    codes = " ".join(f"WHEN {each.condition} THEN {code}" for code, each in enumerate(judged))
    seen = " ".join(f"WHEN {code} THEN {each.value}" for code, each in enumerate(judged) if each.value)
    reasons = f"""{rows}, judged AS (SELECT *, CASE {codes} END AS verdict FROM sums)
SELECT verdict, CASE verdict {seen} END AS seen, {fields.text("record_id")} AS record_id FROM judged"""
    constants = {name: value for name, value in default_constants(plan).items() if name not in found}
    usual, plain = _usual(fields, found, keeps_texts=keeps_texts) if plan.unseen else (None, None)
    return Statement(calls, reasons, tuple(judged), constants, usual, plain)


def _usual(fields: Fields, found: Mapping[str, str], *, keeps_texts: bool) -> tuple[str | None, PlainStatement | None]:
    """The Calls of rows without the unseen names, with the columns `found`; None where these cannot be told."""
    narrow = fields.plan.narrowed()
    some = Fields(narrow, frozenset(name for name, _ in narrow.fields), fields.latest_us)
    fewer = columns(some, keeps_texts=keeps_texts)
    zeros = {name for name, value in default_constants(narrow).items() if value == 0 and name.endswith("_tokens")}
    if any(name not in fewer and name not in zeros for name in found):
        return None, None
    selected = {name: fewer.get(name, _ZERO) for name in found}
    return _calls(some, selected, fields.plan.unseen), _plain(some, selected)


def _plain(fields: Fields, found: Mapping[str, str]) -> PlainStatement | None:
    """The columns `found` of the rows that the line kernel takes; None where it cannot read such rows."""
    wanted = _wanted(fields)
    has_texts = any(f"raw_{name}" in found for name in TEXTS)
    if (
        not fields.plan.is_huge
        or has_texts
        or fields.plan.importer.relative_time is not None
        or not is_readable(wanted)
        or not is_loadable()
    ):
        return None
    counted = replace(fields, has_counts=True)
    texts = {name: f"t_{name}" for name in wanted.texts}
    copied = {name: value for name, value in found.items() if value in texts.values()}
    if fields.has("record_id"):
        copied["record_id"] = "t_record_id"
    zeros = tuple(name for name, value in found.items() if value == _ZERO)
    computed = {name: f"{found[name]} AS {name}" for name in found if name not in copied and name not in zeros}
    labels = {name: label for name in computed if (label := _only_label(fields, found[name], wanted.labels))}
    numbers = [f"n_{name} AS t_{name}" for name in wanted.numbers]
    numbers += [f"COALESCE(n_{name}, CAST(i_{name} AS DOUBLE)) AS t_{name}" for name in wanted.times]
    numbers += [f"TRY_CAST(t_{each.name} AS {each.type}) AS n_{each.name}" for each in _other_types(fields)]
    times = [
        f"CASE WHEN n_{name} IS NULL THEN i_{name} {_SINCE_1970.format(n='n_' + name)} END AS us_{name}"
        for name in wanted.times
    ]
    layers = f"""WITH numbers AS (SELECT *, true AS is_row, {", ".join(numbers)} FROM chunk),
times AS (SELECT *, n_start_time IS NULL AND NOT z_start_time AS has_no_zone, {", ".join(times)} FROM numbers),
sums AS (SELECT *, {sums(counted)} FROM times)
SELECT"""
    judged = [f"{is_call(counted)} AS is_call", f"{_dropped(fields)} AS dropped"]

    def selected(*names: str) -> str:
        return ", ".join(computed[name] for name in names)

    by_word = {
        label: f"{layers} {selected(*(name for name in labels if labels[name] == label))} FROM sums"
        for label in sorted(set(labels.values()))
    }
    rest = ", ".join([*judged, *(told for name, told in computed.items() if name not in labels)])
    whole = ", ".join([*judged, *computed.values()])
    return PlainStatement(
        PlainLines(wanted), f"{layers} {whole} FROM sums", copied, zeros, f"{layers} {rest} FROM sums", by_word
    )


def _only_label(fields: Fields, expression: str, labels: Collection[str]) -> str | None:
    """The one column of texts that `expression` asks for, where these are few; None where it asks for more."""
    asked = set(_ASKED.findall(expression))
    if asked == {"status"} and not fields.has("http_status", "error_type"):
        asked = {"t_status"}
    (only,) = asked if len(asked) == 1 else ("",)
    return only if only.startswith("t_") and only.removeprefix("t_") in labels else None


def _wanted(fields: Fields) -> Wanted:
    """What the line kernel is to look for."""
    plan = fields.plan
    ways = dict(plan.spellings)
    places = {name: [way for path in paths for way in ways[path]] for name, paths in plan.fields}
    numeric = {*TOKENS, *NEEDED_NUMBERS, *(each.name for each in DISPENSABLE if each.type == "DOUBLE")}
    return Wanted(
        {name: found for name, found in places.items() if name not in numeric and name not in TIMES},
        {name: found for name, found in places.items() if name in numeric},
        frozenset(TOKENS),
        {name: found for name, found in places.items() if name in TIMES},
        [way for path in sorted(plan.unseen) for way in ways[path]],
        frozenset({*FEW_VALUES, *LABELS, *(raw.removeprefix("raw_") for raw in RAW_HASHED)}),
        "record_id" if fields.has("record_id") else None,
    )


def _calls(fields: Fields, found: Mapping[str, str], unseen: Collection[str] = ()) -> str:
    """The Calls with the columns `found`; a row with a name of `unseen` is none."""
    selected = ",\n".join(f"{expression} AS {name}" for name, expression in found.items())
    return f"""{_rows(fields, unseen)}
SELECT {"has_no_unseen AND " if unseen else ""}{is_call(fields)} AS is_call, file_no, row_no AS source_line,
{_dropped(fields)} AS dropped,
{selected}
FROM sums"""


def _rows(fields: Fields, unseen: Collection[str] = ()) -> str:
    """The layers up to `sums`."""
    parsed, sources = _parsed(fields.plan)
    texts = _texts(sources)
    if unseen:
        paths = json_paths(fields.plan.spellings)
        values = [value for path in sorted(unseen) for value in paths.values(path)]
        texts += f", COALESCE({', '.join(values)}) IS NULL AS has_no_unseen"
    return f"""WITH parsed AS ({parsed}),
texts AS (SELECT row_no, file_no, base, text, is_row, {texts} FROM parsed),
numbers AS (SELECT *, {_numbers(fields)} FROM texts),
times AS (SELECT *, {_times(fields)} FROM numbers),
sums AS (SELECT *, {sums(fields)} FROM times)"""


def microseconds(time: datetime) -> int:
    """Microseconds since 1970 UTC.

    >>> from datetime import UTC
    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    1000005
    """
    return (time - datetime.fromtimestamp(0, time.tzinfo)) // timedelta(microseconds=1)


def _parsed(plan: Plan) -> tuple[str, dict[str, list[str]]]:
    """The rows with their values in reach, and for each field the expressions that may hold it."""
    if plan.head.shape == "jsonl":
        paths = json_paths(plan.spellings)
        sources = {name: [value for path in names for value in paths.values(path)] for name, names in plan.fields}
        sound = f"SELECT * REPLACE ({SOUND_TEXT} AS text) FROM chunk"
        return f"SELECT *, j IS NOT NULL AS is_row FROM (SELECT *, {paths.parse} AS j FROM ({sound}))", sources
    sources = {name: [f"trim(c{plan.wanted.index(path)})" for path in names] for name, names in plan.fields}
    return "SELECT *, true AS is_row FROM chunk", sources


def _texts(sources: dict[str, list[str]]) -> str:
    """An empty text is a missing value."""
    sources = {**sources, "record_id": [_trimmed(each) for each in sources.get("record_id", ())]}
    found = {name: [f"NULLIF({each}, '')" for each in values] for name, values in sources.items() if values}
    return ", ".join(f"COALESCE({', '.join(values)}) AS t_{name}" for name, values in found.items())


def _trimmed(text: str) -> str:
    """Without spaces around it. Trimming every text copies it, and few need that."""
    return f"CASE WHEN starts_with({text}, ' ') OR ends_with({text}, ' ') THEN trim({text}) ELSE {text} END"


def _numbers(fields: Fields) -> str:
    numeric = [*TOKENS, *NEEDED_NUMBERS, *(each.name for each in DISPENSABLE if each.type == "DOUBLE")]
    found = [f"{_number(fields, f't_{name}')} AS n_{name}" for name in numeric if fields.has(name)]
    found += [f"TRY_CAST(t_{each.name} AS {each.type}) AS n_{each.name}" for each in _other_types(fields)]
    found += [f"{_time_number(f't_{name}')} AS n_{name}" for name in TIMES if fields.has(name)]
    return ", ".join(found)


def _other_types(fields: Fields) -> list[Dispensable]:
    """What a file supplies that is neither text nor a number."""
    return [each for each in DISPENSABLE if each.type != "DOUBLE" and fields.has(each.name)]


def _number(fields: Fields, text: str) -> str:
    """A number, also as '$1,234.50', or as '1.234,50' where the file writes decimal commas."""
    head = fields.plan.head
    plain = f"TRY_CAST({text} AS DOUBLE)"
    english = f"TRY_CAST(replace(replace({text}, '$', ''), ',', '') AS DOUBLE)"
    local = f"TRY_CAST(replace(replace({text}, '.', ''), ',', '.') AS DOUBLE)"
    if not head.has_decimal_comma:
        is_grouped = rf"regexp_matches({text}, '^-?\$?([1-9]\d{{0,2}}(,\d{{3}})+|\d+)(\.\d+)?$')"
        return f"COALESCE({plain}, CASE WHEN {is_grouped} THEN {english} END)"
    is_english = rf"regexp_matches({text}, '^-?\d{{1,3}}(,\d{{3}})+\.\d+$')"
    cases = f"WHEN contains({text}, ',') THEN CASE WHEN {is_english} THEN {english} ELSE {local} END"
    if head.groups_with_dots:
        cases += rf" WHEN regexp_matches({text}, '^-?[1-9]\d{{0,2}}(\.\d{{3}})+$') THEN {local}"
    return f"CASE {cases} ELSE {plain} END"


def _time_number(text: str) -> str:
    """A failing cast is slow, so what looks like a date is not tried."""
    return f"CASE WHEN {text} LIKE '____-%' THEN NULL ELSE TRY_CAST({text} AS DOUBLE) END"


def _times(fields: Fields) -> str:
    found = [f"{_time_us(fields, name)} AS us_{name}" for name in TIMES if fields.has(name)]
    return ", ".join([*found, f"{_HAS_NO_ZONE} AS has_no_zone"])


def _time_us(fields: Fields, name: str) -> str:
    """Microseconds since 1970 UTC, from ISO text or from a number whose size gives away its unit.

    A cast to TIMESTAMP would silently ignore an offset such as +02:00. A cast to TIMESTAMPTZ honours it, and honours
    one of 99 hours too.
    """
    text, number = f"t_{name}", f"n_{name}"
    if relative := fields.plan.importer.relative_time:
        since = f"{microseconds(relative.anchor)} + CAST(round({number} * {1e6 / relative.units_per_s!r}) AS BIGINT)"
        return f"CASE WHEN {number} BETWEEN 0 AND 1e12 THEN {since} END"
    usual = f"CASE WHEN {text} LIKE '____-__-__%' THEN {_zoned_us(text)} END"
    whole = text
    for pattern, written in _SHORT_TIMES:
        whole = f"regexp_replace({whole}, '^{pattern}$', '{written}')"
    return (
        f"CASE WHEN {number} IS NULL THEN COALESCE({usual}, CASE WHEN {whole} <> {text} THEN {_zoned_us(whole)} END)"
        f" {_SINCE_1970.format(n=number)} WHEN {number} < 9e18 THEN TRY_CAST({text} AS BIGINT) // 1000 END"
    )


def _zoned_us(text: str) -> str:
    zoned = f"COALESCE(TRY_CAST({text} AS TIMESTAMPTZ), TRY_CAST(replace({text}, ',', '.') AS TIMESTAMPTZ))"
    is_utc = f"ends_with({text}, 'Z') OR ends_with({text}, '+00:00')"
    is_nowhere = rf"regexp_matches(substr({text}, 14), '[+-](1[5-9]|[2-9]\d)(:?\d\d)?$')"
    return f"epoch_us(CASE WHEN {is_utc} THEN {zoned} WHEN {is_nowhere} THEN NULL ELSE {zoned} END)"


def _dropped(fields: Fields) -> str:
    """A bit for each dispensable value that is there and not valid."""
    bits = [
        f"CASE WHEN t_{each.name} IS NOT NULL AND {fields.valid(each.name)} IS NULL THEN {1 << bit} ELSE 0 END"
        for bit, each in enumerate(DISPENSABLE)
        if fields.has(each.name)
    ]
    return f"CAST({' + '.join(bits) or '0'} AS INTEGER)"
