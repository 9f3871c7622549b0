"""AssemblyLine: chunks of rows become Calls on disk, while the next chunks are being read.

A few workers run statements, each on one chunk; one worker writes. Chunks stay in order, and only as many are in hand
as there are workers, so memory is bounded.
"""

from __future__ import annotations

import os
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from breakeven.usage.ingest_report import Reject
from breakeven.usage.reading.rows import shortened
from breakeven.usage.store.chunk import Chunk
from breakeven.usage.store.columns import Constant
from breakeven.usage.store.day_writer import DayWriter
from breakeven.usage.store.engine import Engine
from breakeven.usage.store.fields import DISPENSABLE
from breakeven.usage.store.held_calls import Held
from breakeven.usage.store.prompt_reader import PromptReader, TermCounts
from breakeven.usage.store.redaction import ids_hidden, redacted
from breakeven.usage.store.statement import PlainStatement, Statement
from breakeven.usage.store.text_writer import TextWriter
from breakeven.usage.store.verdicts import LACKS_TOKENS
from breakeven.usage.token_estimate.calibration import Sample

WORKERS_MAX: Final = 4
_SEEN_CHARACTERS_MAX: Final = 100
_SQL_TYPES: Final = {pa.float64(): "DOUBLE", pa.int64(): "BIGINT", pa.bool_(): "BOOLEAN", pa.string(): "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no Call."""

    file_no: int
    reject: Reject
    record_id: str | None
    """Its request id, where it only lacks tokens: another row of the same call may have them."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """What one chunk gave."""

    calls: pa.Table
    constants: Mapping[str, Constant]
    rejects: list[Rejected]
    dropped: Counter[str]
    """Dispensable field -> values that were unreadable."""
    terms: TermCounts | None = None
    texts: pa.Table | None = None
    """Texts to keep."""
    held: Held | None = None
    """Calls whose tokens are still to be estimated."""
    samples: Sequence[Sample] = ()


class AssemblyLine:
    """Use as a context manager: leaving it waits for the workers."""

    def __init__(self, engine: Engine, writer: DayWriter, reader: PromptReader, texts: TextWriter) -> None:
        self._engine = engine
        self._writer = writer
        self._reader = reader
        self._texts = texts
        self._workers_count = min(WORKERS_MAX, os.cpu_count() or 1)
        self._assemblers = ThreadPoolExecutor(self._workers_count, "assemble")
        self._write_worker = ThreadPoolExecutor(1, "write")
        self._assembling: deque[Future[Assembled]] = deque()
        self._writing: deque[Future[None]] = deque()
        self._told_by_word: dict[str, tuple[pa.Array, pa.Table]] = {}
        """Statement -> the texts that it was last asked for, and what it said of each."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._assemblers.shutdown(cancel_futures=True)
        self._write_worker.shutdown(cancel_futures=True)
        self._engine.share_no_more()

    def put(self, chunk: Chunk, judged: Statement, names: Sequence[str]) -> Iterator[Assembled]:
        """Start on `chunk` (`names` are the files by number); give what is done, once all workers are busy."""
        assert chunk.plan is not None
        if chunk.plan.is_huge and not self._engine.is_shared:  # there will be work for all workers
            wait(self._assembling)
            self._engine.share(self._workers_count)
        self._assembling.append(self._assemblers.submit(self._assemble, chunk, judged, names))
        while len(self._assembling) > self._workers_count:
            yield self._next()

    def write(self, calls: pa.Table, constants: Mapping[str, Constant]) -> None:
        """Send Calls that were held back to disk."""
        self._writing.append(self._write_worker.submit(self._writer.add, calls, constants))

    def rest(self) -> Iterator[Assembled]:
        """Wait for the chunks in hand, and for the disk."""
        while self._assembling:
            yield self._next()
        self._engine.share_no_more()
        while self._writing:
            self._writing.popleft().result()

    def _next(self) -> Assembled:
        """The oldest chunk in hand; its Calls are on their way to disk."""
        done = self._assembling.popleft().result()
        while len(self._writing) > 1:
            self._writing.popleft().result()
        self._writing.append(self._write_worker.submit(self._write, done))
        return done

    def _write(self, done: Assembled) -> None:
        self._writer.add(done.calls, done.constants)
        if done.texts is not None:
            self._texts.add(done.texts)

    def _assemble(self, chunk: Chunk, judged: Statement, names: Sequence[str]) -> Assembled:
        assert chunk.plan is not None
        calls, constants, rejects = self._judged(chunk.table(), judged, names)
        dropped = _dropped(calls["dropped"])
        read = self._reader.read(ids_hidden(_named(calls, names), chunk.plan.salt))
        clean = redacted(read.calls, chunk.plan.salt, self._reader.settings.prompts)
        held = None
        if read.lacking:
            waits = np.zeros(clean.num_rows, bool)
            waits[[each.row for each in read.lacking]] = True
            held = Held(clean.filter(pa.array(waits)), constants, read.lacking)
            clean = clean.filter(pa.array(~waits))
        return Assembled(clean, constants, rejects, dropped, read.terms, read.texts, held, read.samples)

    def _judged(
        self, rows: pa.Table, judged: Statement, names: Sequence[str]
    ) -> tuple[pa.Table, Mapping[str, Constant], list[Rejected]]:
        """The Calls among `rows`, and the columns that are the same in all of them: by the quick statement those that
        it takes, the others by the whole one."""
        done: list[pa.Table] = []
        zeros: dict[str, Constant] = {}
        if judged.plain is not None and judged.plain.lines.is_worth_it:
            calls, rows = self._plain_calls(rows, judged.plain)
            zeros = dict.fromkeys(judged.plain.zeros, 0)
            done.append(calls)
        for sql in (judged.usual, judged.calls):
            if sql is None or (done and not rows.num_rows):
                continue
            calls = self._engine.run_over(rows, sql)
            assert calls.num_rows == rows.num_rows, "a row got lost in the statement"
            calls, rows = _parted(calls, rows)
            done.append(calls)
        calls = done[-1]
        if len(done) > 1:
            for name, value in zeros.items():
                done[0] = done[0].append_column(name, pa.repeat(pa.scalar(value, pa.int64()), done[0].num_rows))
            zeros = {}
            calls = pa.concat_tables(each.select(calls.column_names).cast(calls.schema) for each in done)
        rejects = self._rejects(rows, judged, names) if rows.num_rows else []
        return calls, {**judged.constants, **zeros}, rejects

    def _plain_calls(self, rows: pa.Table, plain: PlainStatement) -> tuple[pa.Table, pa.Table]:
        """The Calls among the rows that the line kernel takes, and the other rows."""
        read = plain.lines.read(rows["text"])
        others = rows.slice(0, 0)
        if not read.taken.all():
            taken = pa.array(read.taken)
            others, rows = rows.filter(pc.invert(taken)), rows.filter(taken)
        typed = pa.table({**{name: rows[name] for name in rows.column_names}, **read.columns})
        has_labels = all(pa.types.is_dictionary(typed[label].type) for label in plain.by_word)
        sql = plain.rest if has_labels else plain.sql
        calls = self._engine.run_over(*_settled(_used(typed, sql), sql))
        assert calls.num_rows == rows.num_rows, "a row got lost in the statement"
        for label, its_sql in plain.by_word.items() if has_labels else ():
            calls = self._with_told_by_word(calls, typed, label, its_sql)
        for name, place in {**plain.copied, "file_no": "file_no", "source_line": "row_no"}.items():
            calls = calls.append_column(name, typed[place])
        calls, rows = _parted(calls, rows)
        return calls, pa.concat_tables([others, rows]) if rows.num_rows else others

    def _with_told_by_word(self, calls: pa.Table, typed: pa.Table, label: str, sql: str) -> pa.Table:
        """Add the columns that hang on one text alone: each distinct one is asked for once, as chunks have the same."""
        texts = _whole(typed[label])
        words = pa.concat_arrays([texts.dictionary, pa.nulls(1, texts.dictionary.type)])
        known, told = self._told_by_word.get(sql, (words, None))
        if told is None or pc.index_in(words, known).null_count:
            others = [pa.nulls(len(words), each.type) for each in typed.columns]
            asked = pa.table(others, typed.column_names).set_column(typed.column_names.index(label), label, words)
            known, told = words, self._engine.run_over(_used(asked, sql), sql)
            self._told_by_word[sql] = known, told
        places = pc.index_in(words, known).take(pc.fill_null(texts.indices, len(words) - 1))
        for name in told.column_names:
            values = _whole(told[name])
            if pa.types.is_string(values.type):
                coded = values.dictionary_encode()
                column = pa.DictionaryArray.from_arrays(coded.indices.take(places), coded.dictionary)
            else:
                column = values.take(places)
            calls = calls.append_column(name, column)
        return calls

    def _rejects(self, rows: pa.Table, judged: Statement, names: Sequence[str]) -> list[Rejected]:
        """Ask for the reason of each row that is no Call."""
        found = self._engine.run_over(rows, judged.reasons)
        columns = (rows["file_no"], rows["row_no"], found["verdict"], found["seen"], rows["text"], found["record_id"])
        rejects = []
        for number, row, code, seen, text, record_id in zip(*(each.to_pylist() for each in columns), strict=True):
            reason = judged.verdicts[code].reason
            reject = Reject(names[number], row, reason, _cut(seen), shortened(text))
            rejects.append(Rejected(number, reject, record_id if reason in LACKS_TOKENS else None))
        return rejects


def _used(rows: pa.Table, sql: str) -> pa.Table:
    """The columns of `rows` that `sql` asks for."""
    return rows.select([name for name in rows.column_names if name in _words(sql)])


@lru_cache(maxsize=64)
def _words(sql: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", sql))


def _settled(rows: pa.Table, sql: str) -> tuple[pa.Table, str]:
    """Columns of which nothing is there, or all are true, as words of `sql`: the engine need not ask each row."""
    told: dict[str, str] = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if (kind := _SQL_TYPES.get(column.type)) and column.null_count == len(column):
            told[name] = f"CAST(NULL AS {kind})"
        elif pa.types.is_boolean(column.type) and not column.null_count and pc.all(column).as_py():
            told[name] = "true"
    if not told or len(told) == rows.num_columns:
        return rows, sql
    with_told = ", ".join(["*", *(f"{value} AS {name}" for name, value in told.items())])
    return rows.drop_columns([*told]), sql.replace(" FROM chunk)", f" FROM (SELECT {with_told} FROM chunk))")


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _parted(calls: pa.Table, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Those of `calls` that are Calls, and the `rows` of which none was made."""
    is_call = pc.fill_null(calls["is_call"], False)
    if pc.all(is_call).as_py():
        return calls, rows.slice(0, 0)
    return calls.filter(is_call), rows.filter(pc.invert(is_call))


def _named(calls: pa.Table, names: Sequence[str]) -> pa.Table:
    """The Calls with the name of their file instead of its number."""
    files = pa.DictionaryArray.from_arrays(calls["file_no"].combine_chunks(), pa.array(names, pa.string()))
    return calls.drop_columns(["is_call", "file_no", "dropped"]).append_column("source_file", files)


def _cut(seen: str | None) -> str:
    return (seen or "")[:_SEEN_CHARACTERS_MAX]


def _dropped(bits: pa.ChunkedArray) -> Counter[str]:
    values = bits.to_numpy()
    if not values.any():
        return Counter()
    counts = {each.name: int(np.count_nonzero(values & (1 << bit))) for bit, each in enumerate(DISPENSABLE)}
    return Counter({name: count for name, count in counts.items() if count})
