"""Chunk: rows of one or more files that the same statement turns into Calls."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from breakeven.usage.plan import Plan

_ENGINE_ROWS = 16_384
"""Rows per record batch handed to the engine, so that its threads can share the work."""


@dataclass(slots=True)
class Chunk:
    """Collects batches; `table` adds to each row the number of its file and the file's base name."""

    plan: Plan | None = None
    bytes_count: int = 0
    _batches: list[pa.RecordBatch] = field(default_factory=list)

    def takes(self, plan: Plan) -> bool:
        """True when rows of `plan` can join."""
        return self.plan is None or self.plan.statement_key == plan.statement_key

    def add(self, rows: pa.RecordBatch, file_no: int, base_name: str, plan: Plan) -> None:
        """Take rows of one file."""
        if rows.num_rows == 0:
            return
        self.plan = plan
        self.bytes_count += rows.nbytes
        numbers = pa.array(np.full(rows.num_rows, file_no, np.int32))
        base = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows.num_rows, np.int8)), pa.array([base_name]))
        self._batches.append(rows.append_column("file_no", numbers).append_column("base", base))

    def table(self) -> pa.Table:
        """All rows, in pieces that several threads can take."""
        pieces = [
            batch.slice(start, _ENGINE_ROWS)
            for batch in self._batches
            for start in range(0, batch.num_rows, _ENGINE_ROWS)
        ]
        return pa.Table.from_batches(pieces)
