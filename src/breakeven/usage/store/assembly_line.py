"""AssemblyLine: chunks of rows become Calls on disk, while the next chunk is being read.

Two workers: one runs statements in the engine, one writes. Each has at most one chunk in hand, so memory is bounded
and chunks stay in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from breakeven.usage.ingest_report import Reject
from breakeven.usage.reading.rows import shortened
from breakeven.usage.store.chunk import Chunk
from breakeven.usage.store.day_writer import DayWriter
from breakeven.usage.store.engine import Engine
from breakeven.usage.store.fields import DISPENSABLE
from breakeven.usage.store.redaction import redacted
from breakeven.usage.store.statement import Statement

_SEEN_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Assembled:
    """What is to be booked for one chunk; its Calls are on their way to disk."""

    rejects: list[tuple[int, Reject]]
    """Number of the file, and the reject."""
    dropped: Counter[str]
    """Dispensable field -> values that were unreadable."""


class AssemblyLine:
    """Use as a context manager: leaving it waits for the workers."""

    def __init__(self, engine: Engine, writer: DayWriter) -> None:
        self._engine = engine
        self._writer = writer
        self._engine_worker = ThreadPoolExecutor(1, "engine")
        self._write_worker = ThreadPoolExecutor(1, "writer")
        self._assembling: Future[Assembled] | None = None
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine_worker.shutdown(cancel_futures=True)
        self._write_worker.shutdown(cancel_futures=True)

    def put(self, chunk: Chunk, judged: Statement, names: Sequence[str]) -> Assembled | None:
        """Start on `chunk` (`names` are the files by number); return what the chunk before gave."""
        before = self._assembling.result() if self._assembling else None
        self._assembling = self._engine_worker.submit(self._assemble, chunk, judged, names)
        return before

    def last(self) -> Assembled | None:
        """Wait for the chunk in hand, and for the disk."""
        before = self._assembling.result() if self._assembling else None
        self._assembling = None
        if self._writing:
            self._writing.result()
        return before

    def _assemble(self, chunk: Chunk, judged: Statement, names: Sequence[str]) -> Assembled:
        assert chunk.plan is not None
        rows = chunk.table()
        calls = self._engine.run_over(rows, judged.calls)
        assert calls.num_rows == rows.num_rows, "a row got lost in the statement"
        is_call = pc.fill_null(calls["is_call"], False)
        rejects: list[tuple[int, Reject]] = []
        if not pc.all(is_call).as_py():
            rejects = self._rejects(rows.filter(pc.invert(is_call)), judged, names)
            calls = calls.filter(is_call)
        done = Assembled(rejects, _dropped(calls["dropped"]))
        if self._writing:
            self._writing.result()
        self._writing = self._write_worker.submit(self._write, calls, judged, names, chunk.plan.salt)
        return done

    def _rejects(self, rows: pa.Table, judged: Statement, names: Sequence[str]) -> list[tuple[int, Reject]]:
        """Ask for the reason of each row that is no Call."""
        found = self._engine.run_over(rows, judged.reasons)
        columns = (rows["file_no"], rows["row_no"], found["verdict"], found["seen"], rows["text"])
        return [
            (number, Reject(names[number], row, judged.verdicts[code].reason, _cut(seen), shortened(text)))
            for number, row, code, seen, text in zip(*(each.to_pylist() for each in columns), strict=True)
        ]

    def _write(self, calls: pa.Table, judged: Statement, names: Sequence[str], salt: str) -> None:
        files = pa.DictionaryArray.from_arrays(calls["file_no"].combine_chunks(), pa.array(names, pa.string()))
        named = calls.drop_columns(["is_call", "file_no", "dropped"]).append_column("source_file", files)
        self._writer.add(redacted(named, salt), judged.constants)


def _cut(seen: str | None) -> str:
    return (seen or "")[:_SEEN_CHARACTERS_MAX]


def _dropped(bits: pa.ChunkedArray) -> Counter[str]:
    values = bits.to_numpy()
    if not values.any():
        return Counter()
    counts = {each.name: int(np.count_nonzero(values & (1 << bit))) for bit, each in enumerate(DISPENSABLE)}
    return Counter({name: count for name, count in counts.items() if count})
