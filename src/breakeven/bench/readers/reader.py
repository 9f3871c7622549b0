"""Reader: what one file of results must be able to say, and how its numbers are taken out without guessing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.errors import BenchError


@dataclass(frozen=True, slots=True)
class Content:
    """One file of results."""

    name: str
    text: str
    documents: tuple[Any, ...]
    """What the file holds as JSON or YAML, one document or one per line; empty for other text."""

    @property
    def first(self) -> Mapping[str, Any]:
        """The first document when it is an object; else nothing."""
        first = self.documents[0] if self.documents else None
        return first if isinstance(first, dict) else {}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the results of one tool."""

    name: str
    title: str
    recognises: Callable[[Content], bool]
    read: Callable[[Content], tuple[MeasuredPoint, ...]]


@dataclass(frozen=True, slots=True)
class Fields:
    """The numbers of one object, each with its place for the error that says it is missing or odd."""

    where: str
    values: Mapping[str, Any]

    def number(self, name: str) -> float:
        """A finite number, 0 or more."""
        found = self.optional(name)
        if found is None:
            raise BenchError(f"{self.where}: no {name!r}; is the file complete?")
        return found

    def optional(self, name: str) -> float | None:
        """A finite number, 0 or more; None when it is absent or null."""
        value: Any = self.values
        for step in name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise BenchError(f"{self.where}: {name} is {value!r}; wanted a finite number from 0")
        return float(value)

    def positive(self, name: str) -> float | None:
        """As `optional`; None for 0 too, which these tools write for what they did not measure."""
        return self.optional(name) or None

    def text(self, name: str) -> str:
        """A text, empty when there is none."""
        value: Any = self.values
        for step in name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else ""


def checked(point: MeasuredPoint) -> MeasuredPoint:
    """The point, unless one of its figures cannot be one."""
    for name in ("input_tokens", "output_tokens", "concurrency_count", "output_tok_per_s"):
        value = getattr(point, name)
        if not 0 < value < math.inf:
            raise BenchError(f"{point.source}: {name} is {value:g}; wanted a finite number above 0")
    return point


def labels(**given: str) -> dict[str, str]:
    """The labels that say something."""
    return {name: value for name, value in given.items() if value}


def day_of_epoch(epoch_s: float | None) -> date | None:
    """The UTC day of a time in seconds since 1970."""
    try:
        return None if not epoch_s else datetime.fromtimestamp(epoch_s, UTC).date()
    except (OverflowError, OSError, ValueError):
        return None


def day_of_text(text: str, *formats: str) -> date | None:
    """The day that a text says in one of the formats; ISO 8601 when there is none; None when it says none."""
    for each in formats:
        try:
            return datetime.strptime(text, each).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None
