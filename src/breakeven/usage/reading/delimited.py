"""Delimited: the records of a CSV-like log. A quoted field may span lines; a stray quote must not swallow the file.

Every record with another number of fields than the header is a reject. A record that spans lines and does not fit
the header is taken apart again: its first line is judged alone, and reading goes on with the next line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from breakeven.usage.reading.lines import read_lines
from breakeven.usage.reading.log_file import LogFile
from breakeven.usage.reading.rows import LINE_BYTES_MAX, RawReject, RowBatch, shortened

RECORD_LINES_MAX: Final = 1_000
"""A record of more lines than this is a stray quote."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the records of a file are laid out."""

    delimiter: str
    columns: tuple[str, ...]
    """The header, as written, without surrounding blanks."""
    header_row: int = 1
    """Line on which the header stands."""


def read_records(log: LogFile, layout: Layout, wanted: Sequence[str]) -> Iterator[RowBatch]:
    """The records of `log`; `wanted` columns become `c0`, `c1`, ... in that order."""
    positions = [layout.columns.index(name) for name in wanted]
    reader = _RecordReader(layout, positions)
    with _long_fields():
        for batch in read_lines(log):
            yield reader.batch(batch)
        yield reader.rest()


@dataclass(slots=True)
class _RecordReader:
    layout: Layout
    positions: list[int]
    held: list[tuple[int, str]] | None = None
    """Lines of a record that the next batch may continue."""

    def batch(self, lines: RowBatch) -> RowBatch:
        numbers = lines.rows["row_no"].to_pylist()
        texts = lines.rows["text"].to_pylist()
        kept = [(n, t) for n, t in zip(numbers, texts, strict=True) if n > self.layout.header_row]
        if len(kept) != len(texts):
            numbers, texts = [n for n, _ in kept], [t for _, t in kept]
        if self.held is None:
            records = self._all_single(texts)
            if records is not None:
                return self._batch(numbers, texts, records, list(lines.rejects))
        return self._one_by_one((self.held or []) + kept, is_last=False, rejects=list(lines.rejects))

    def rest(self) -> RowBatch:
        return self._one_by_one(self.held or [], is_last=True, rejects=[])

    def _all_single(self, texts: list[str]) -> list[list[str]] | None:
        """The records, when each line is one record that fits the header; else None."""
        if texts and _is_open(texts[-1]):
            return None
        try:
            records = list(csv.reader(texts, delimiter=self.layout.delimiter))
        except csv.Error:
            return None
        width = len(self.layout.columns)
        if len(records) != len(texts) or any(len(each) != width for each in records):
            return None
        return records

    def _one_by_one(self, lines: list[tuple[int, str]], *, is_last: bool, rejects: list[RawReject]) -> RowBatch:
        numbers: list[int] = []
        texts: list[str] = []
        records: list[list[str]] = []
        self.held = None
        i = 0
        while i < len(lines):
            span = _lines_of_record([text for _, text in lines[i : i + RECORD_LINES_MAX]])
            if span is None and not is_last and len(lines) - i < RECORD_LINES_MAX:
                self.held = lines[i:]
                break
            used, fields, problem = self._record([text for _, text in lines[i : i + (span or 1)]])
            text = "".join(each for _, each in lines[i : i + used])
            if fields is None:
                rejects.append(RawReject(lines[i][0], problem, "", shortened(text)))
            else:
                numbers.append(lines[i][0])
                texts.append(text)
                records.append(fields)
            i += used
        return self._batch(numbers, texts, records, rejects)

    def _record(self, span: list[str]) -> tuple[int, list[str] | None, str]:
        """Lines used, fields, and what is wrong: of the whole `span`, or of its first line when that does not fit."""
        fields, problem = self._parsed(span)
        if fields is None and len(span) > 1:
            return 1, *self._parsed(span[:1])
        return len(span), fields, problem

    def _parsed(self, lines: list[str]) -> tuple[list[str] | None, str]:
        """The fields of one record. Over several lines quotes must be in order, or a stray one would swallow rows."""
        reader = csv.reader([*lines, "x"], delimiter=self.layout.delimiter, strict=len(lines) > 1)
        try:
            fields = next(reader)
        except (csv.Error, StopIteration) as error:
            return None, f"not a CSV record ({str(error).partition(' - ')[0]})"
        if reader.line_num > len(lines):
            return None, "a quote is not closed"
        if len(fields) != len(self.layout.columns):
            return None, f"the record does not have the header's {len(self.layout.columns)} fields"
        return fields, ""

    def _batch(
        self, numbers: list[int], texts: list[str], records: list[list[str]], rejects: list[RawReject]
    ) -> RowBatch:
        columns = list(zip(*records, strict=True)) or [()] * len(self.layout.columns)
        arrays = [pa.array(numbers, pa.int64()), pa.array(texts, pa.string())]
        arrays += [pa.array(columns[position], pa.string()) for position in self.positions]
        names = ["row_no", "text", *(f"c{i}" for i in range(len(self.positions)))]
        return RowBatch(pa.RecordBatch.from_arrays(arrays, names=names), tuple(rejects))


def _is_open(text: str) -> bool:
    """True when a quote is left open at the end of `text`."""
    return text.count('"') % 2 == 1


def _lines_of_record(texts: list[str]) -> int | None:
    """How many of `texts` the first record takes; None when its quote is never closed in them."""
    is_open = False
    for i, text in enumerate(texts):
        is_open ^= _is_open(text)
        if not is_open:
            return i + 1
    return None


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let `csv` take fields as long as a line may be; its limit is global, so it is put back."""
    before = csv.field_size_limit(LINE_BYTES_MAX)
    try:
        yield
    finally:
        csv.field_size_limit(before)
