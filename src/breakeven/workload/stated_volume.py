"""Stated volume: calls that somebody tells of and nobody logged: so many, of such a size, with one model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import pyarrow as pa

from breakeven.errors import UsageError
from breakeven.usage.call import Call, broken_invariant
from breakeven.usage.store.schema import call_schema

if TYPE_CHECKING:
    from ibis import Table


@dataclass(frozen=True, slots=True)
class StatedVolume:
    """Calls that are all alike."""

    calls_count: int
    input_tokens: int
    """Of one call, cached tokens included."""
    output_tokens: int
    """Of one call."""
    model: str
    day: date
    provider: str | None = None
    cache_read_tokens: int = 0
    is_batch: bool = False

    def calls(self) -> Table:
        """One Call that stands for all of them; raises UsageError for impossible counts."""
        import ibis

        call = Call(
            "stated",
            "stated",
            datetime.combine(self.day, time(12), tzinfo=UTC),
            weight=float(self.calls_count),
            provider=self.provider,
            request_model=self.model,
            input_tokens=self.input_tokens,
            cache_read_tokens=self.cache_read_tokens,
            output_tokens=self.output_tokens,
            is_batch=self.is_batch,
        )
        if broken := broken_invariant(call):
            raise UsageError(f"the stated volume is not possible: it breaks {broken}")
        row = {each.name: getattr(call, each.name) for each in fields(Call)}
        return ibis.memtable(pa.Table.from_pylist([row], schema=call_schema()))
