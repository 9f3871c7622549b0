"""Head: what the beginning of a log file shows: its shape, and the names of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from breakeven.usage.reading.delimited import Layout

Shape = Literal["jsonl", "csv", "parquet", "json", "metrics"]
"""JSON lines; a table with a header; Parquet; JSON documents that are not one object a line; Prometheus text."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a sniffer may look at."""

    shape: Shape
    names: frozenset[str]
    """Column names as written, dotted paths of JSON keys (`[]` behind a key: inside the list there), or metrics."""
    layout: Layout | None = None
    """Only for CSV."""
    has_decimal_comma: bool = False
    """Commas in numbers are decimal points."""
    groups_with_dots: bool = False
    """Dots in numbers may part thousands: decimal commas were seen."""
    dotted_keys: frozenset[str] = frozenset()
    """Of the JSON names those that are one key with dots in it, such as 'gen_ai.usage.input_tokens'."""
    is_whole: bool = field(default=False, compare=False)
    """Every row of the file was looked at, and is a JSON object: there are no other names in it."""

    def has(self, *paths: str) -> bool:
        """True when one of `paths` is there."""
        return any(self.name_of(path) is not None for path in paths)

    def name_of(self, path: str) -> str | None:
        """The name under which `path` appears; letter case matters in JSON only."""
        if path in self.names:
            return path
        if self.shape in ("jsonl", "json"):
            return None
        return next((name for name in self.names if name.casefold() == path.casefold()), None)

    def present(self, fields: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Of each field, the names that are there; fields without any are left out."""
        found = {
            field: tuple(n for p in paths if (n := self.name_of(p)) is not None) for field, paths in fields.items()
        }
        return {field: names for field, names in found.items() if names}


@dataclass(frozen=True, slots=True)
class NotALog:
    """Why a file cannot be read as rows."""

    reason: str
    is_empty: bool = False
