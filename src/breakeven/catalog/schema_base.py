"""What every row of the catalogue's YAML is made of: strict fields, sources, ranges."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from breakeven.facts.source import Grade

Number = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(allow_inf_nan=False, ge=0)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]


class Entry(BaseModel):
    """Strict, closed and frozen: what is not a field is refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SourceEntry(Entry):
    """Where a number comes from. All four fields are mandatory."""

    title: Text
    """What was read, or how it was measured."""
    link: Text
    """An address, or a citation that finds it."""
    read: date
    """The day the number was read there (for a measurement: taken); the earliest day the record allows."""
    grade: Annotated[Grade, Field(strict=False)]
    """measured, official, quoted, expert or guess."""


class RangeEntry(Entry):
    """5 %, 50 % and 95 % quantiles. Three equal numbers: certain."""

    low: Number
    typical: Number
    high: Number

    @model_validator(mode="after")
    def _in_order(self) -> RangeEntry:
        if not self.low <= self.typical <= self.high:
            raise ValueError(f"wanted low <= typical <= high, saw {self.low:g}, {self.typical:g}, {self.high:g}")
        return self
