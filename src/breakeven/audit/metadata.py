"""Metadata: groups of Calls that the log itself tells apart: by task, application, endpoint, key, schema.

A value counts when it is frequent enough (`VALUE_CALLS_COUNT` calls and `VALUE_FRACTION` of all): ids and prompts with
today's date in them are no tasks. A task or template that the log names is a group alone. Else the combination of
application, endpoint, schema and system prompt is; the API key joins in where a call has none of these. A combination
that is rare gives up its system prompt, then its schema, then its endpoint, until it is frequent or nothing is left.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from breakeven.audit.grouping import METADATA, REST, MetadataRule

if TYPE_CHECKING:
    from ibis import Table

VALUE_CALLS_COUNT: Final = 20
VALUE_FRACTION: Final = 0.001
VALUES_MAX_COUNT: Final = 300
"""Values of one column that are kept at most, most calls first."""
COMBINATIONS_MAX_COUNT: Final = 5_000
_NAMED_BY_LOG: Final = ("task", "template_id")
_GIVEN_UP: Final = ("system_hash", "schema_hash", "endpoint", "api_key_hash", "application")
"""In this order, when a combination is rare."""
_PLACE: Final = {name: at for at, name in enumerate(METADATA)}


@dataclass(frozen=True, slots=True)
class MetadataGroup:
    """Calls with one combination of values."""

    id: str
    values: dict[str, str]
    """Column -> value; only columns that tell it apart."""
    rows_count: int

    @property
    def named_by_log(self) -> bool:
        """The log says what the calls are for."""
        return any(name in self.values for name in _NAMED_BY_LOG)

    @property
    def is_known_work(self) -> bool:
        """One program with one prompt or one form of answer: no words need to be looked at to tell its calls apart."""
        return self.named_by_log or "schema_hash" in self.values or "system_hash" in self.values

    @property
    def label(self) -> str:
        """What a person calls it."""
        for name in _NAMED_BY_LOG:
            if name in self.values:
                return self.values[name]
        parts = [self.values[name] for name in ("application", "endpoint") if name in self.values]
        for name, words in (("schema_hash", "schema"), ("system_hash", "prompt"), ("api_key_hash", "key")):
            if name in self.values:
                parts.append(f"{words} {self.values[name][:6]}")
        return " / ".join(parts) or "no metadata"


@dataclass(frozen=True, slots=True)
class Metadata:
    """The groups of a log, and the rules that lead to them."""

    kept: dict[str, tuple[str, ...]]
    rules: tuple[MetadataRule, ...]
    groups: tuple[MetadataGroup, ...]
    """Most calls first; `REST` last."""


def group_by_metadata(calls: Table) -> Metadata:
    """Look at the values of the columns of `METADATA`, one pass per column and one over their combinations."""
    rows_count = int(calls.count().to_pyarrow().as_py())
    least = max(VALUE_CALLS_COUNT, int(VALUE_FRACTION * rows_count))
    kept = {name: _frequent(calls, name, least) for name in METADATA}
    combined = calls.select(**{name: trimmed(calls, name, kept[name]) for name in METADATA})
    counted = combined.group_by(*METADATA).aggregate(rows_count=combined.count())
    ordered = counted.order_by(counted.rows_count.desc(), *METADATA).limit(COMBINATIONS_MAX_COUNT)
    rows = ordered.to_pyarrow().to_pylist()
    return _grouped({tuple(row[name] for name in METADATA): int(row["rows_count"]) for row in rows}, kept, least)


def trimmed(calls: Table, name: str, kept: tuple[str, ...]) -> Any:
    """A column with rare and missing values as an empty text."""
    import ibis

    column = calls[name]
    return ibis.ifelse(column.isin(kept), column, "") if kept else ibis.literal("")


def _frequent(calls: Table, name: str, least: int) -> tuple[str, ...]:
    column = calls[name]
    present = calls.filter(column.notnull() & (column != ""))
    counted = present.group_by(name).aggregate(rows_count=present.count())
    often = counted.filter(counted.rows_count >= least)
    ordered = often.order_by(often.rows_count.desc(), name).limit(VALUES_MAX_COUNT)
    return tuple(row[name] for row in ordered.to_pyarrow().to_pylist())


def _grouped(counts: dict[tuple[str, ...], int], kept: dict[str, tuple[str, ...]], least: int) -> Metadata:
    """Give up columns of rare combinations until each is frequent."""
    current = {values: _telling(values) for values in counts}
    for given_up in (None, *_GIVEN_UP):
        sizes = Counter[tuple[str, ...]]()
        for values, telling in current.items():
            sizes[telling] += counts[values]
        if given_up is None:
            continue
        for values, telling in current.items():
            if sizes[telling] < least and not _is_named(telling):
                current[values] = _without(telling, given_up)
    sizes = Counter[tuple[str, ...]]()
    for values, telling in current.items():
        sizes[telling] += counts[values]
    rules = tuple(MetadataRule(values, _group_id(telling)) for values, telling in current.items())
    groups = [MetadataGroup(_group_id(telling), _by_name(telling), size) for telling, size in sizes.items()]
    return Metadata(kept, rules, tuple(sorted(groups, key=lambda each: (each.id == REST, -each.rows_count, each.id))))


def _telling(values: tuple[str, ...]) -> tuple[str, ...]:
    """The values that count: a named task alone, else all; the key only where nothing else is known."""
    for name in _NAMED_BY_LOG:
        if value := values[_PLACE[name]]:
            return tuple(value if each == name else "" for each in METADATA)
    key = _PLACE["api_key_hash"]
    has_more = any(value for at, value in enumerate(values) if at != key)
    return _without(values, "api_key_hash") if has_more else values


def _is_named(values: tuple[str, ...]) -> bool:
    return any(values[_PLACE[name]] for name in _NAMED_BY_LOG)


def _without(values: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple("" if each == name else value for each, value in zip(METADATA, values, strict=True))


def _by_name(values: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in zip(METADATA, values, strict=True) if value}


def _group_id(values: tuple[str, ...]) -> str:
    """A short id that is the same in every audit of the same team; `REST` for calls without any value."""
    if not any(values):
        return REST
    return hashlib.sha256("\x1f".join(values).encode()).hexdigest()[:10]
