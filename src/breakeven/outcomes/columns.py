"""Columns: the rows of an outcome file as one list per column, whatever the file is: CSV, JSON lines, Parquet.

Prompts span lines and hold blank ones, so a CSV is read as records from the whole text. A quote that is never closed
must not swallow the file: the record is taken apart again, its first line is a reject, and reading goes on.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from breakeven.errors import OutcomeError
from breakeven.outcomes.cell_marks import unmarked
from breakeven.usage.ingest_report import Reject
from breakeven.usage.reading.delimited import Layout
from breakeven.usage.reading.first_look import head_of
from breakeven.usage.reading.head import Head, NotALog
from breakeven.usage.reading.log_file import HEAD_BYTES, DamagedFileError, LogFile, open_log
from breakeven.usage.reading.rows import LINE_BYTES_MAX, shortened

ROWS_MAX: Final = 20_000_000
"""A Parquet file of more rows than this is refused before it fills the memory."""
NOT_UTF8: Final = "not valid UTF-8"
NUMBER_CHARACTERS_MAX: Final = 40
"""A longer number in a reject is shown as a text."""
HEAD_LINES_COUNT: Final = 3
"""A first look sees so many lines whole, however long they are: perhaps `sep=;`, a header, a row."""


@dataclass(slots=True)
class Columns:
    """Rows of one file, column by column."""

    path: Path
    name: str
    """What reports call the file."""
    sha256: str
    names: tuple[str, ...]
    """Lower-case, without surrounding blanks, each once."""
    has_decimal_comma: bool = False
    is_csv: bool = False
    """An empty cell says nothing; elsewhere an empty text is a text."""
    has_broken_bytes: bool = False
    """Somewhere in the file are bytes that are no UTF-8."""
    row_nos: list[int] = field(default_factory=list)
    """Line (or Parquet row) on which each row begins, from 1."""
    values: dict[str, list[Any]] = field(default_factory=dict)
    """Texts of a CSV; what JSON or Parquet held; None where there was nothing."""
    rejects: list[Reject] = field(default_factory=list)
    doubled: tuple[str, ...] = ()
    """Names that stand more than once, perhaps in other letters: the first column counts."""

    @property
    def rows_count(self) -> int:
        """Rows that could be read."""
        return len(self.row_nos)

    def reject(self, index: int, reason: str, value: object = None, of: str = "") -> Reject:
        """Row `index` as a reject: what was seen (perhaps `of` a model) and the row, without its words."""
        raw = ",".join(wordless(self.values[name][index]) for name in self.names)
        seen = f"{of}: {wordless(value)}" if of else wordless(value)
        return Reject(self.name, self.row_nos[index], reason, shortened(seen), shortened(raw))


def wordless(value: object) -> str:
    """A number as it is; of anything else no more than its kind and length, because a row may hold anything.

    >>> wordless("7.5"), wordless("it was fine"), wordless({"key": 1}), wordless(None)
    ('7.5', '<text of 11 characters>', '<object of 1>', '')
    """
    if value is None or value == "":
        return ""
    if isinstance(value, dict | list):
        return f"<{'object' if isinstance(value, dict) else 'list'} of {len(value)}>"
    text = str(value)
    if len(text) <= NUMBER_CHARACTERS_MAX and (isinstance(value, bool) or _is_number(text)):
        return text
    return f"<text of {len(text)} characters>"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_columns(path: Path, wanted: Callable[[str], bool]) -> Columns:
    """The columns of `path` whose lower-case name is `wanted`; raises OutcomeError when there are no rows at all."""
    if not path.is_file():
        raise OutcomeError(f"{path}: no such file; wanted a file of outcomes (CSV, JSON lines or Parquet)")
    log = open_log(path, path.name)
    head = head_of(_with_whole_lines(log))
    if isinstance(head, NotALog):
        raise OutcomeError(f"{path}: {head.reason}; wanted rows with a header, as CSV, JSON lines or Parquet")
    if head.shape == "parquet":
        return _of_parquet(log, wanted)
    return _of_csv(log, head, wanted) if head.shape == "csv" else _of_json(log, head, wanted)


def _with_whole_lines(log: LogFile) -> LogFile:
    """The log with a head that holds its first lines whole: one prompt may be longer than a usual head."""
    if log.is_parquet or len(log.head) < HEAD_BYTES - 4 or log.head.count(b"\n") >= HEAD_LINES_COUNT:
        return log
    head = bytearray()
    try:
        for block in log.blocks():
            head += block
            if head.count(b"\n") >= HEAD_LINES_COUNT or len(head) > LINE_BYTES_MAX:
                break
    except DamagedFileError:  # said again, and reported, where the rows are read
        pass
    whole = bytes(head) if head.count(b"\n") < HEAD_LINES_COUNT else bytes(head[: head.rindex(b"\n")])
    return replace(log, head=whole + b"\n")


def _of_parquet(log: LogFile, wanted: Callable[[str], bool]) -> Columns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(log.path) as file:
            if file.metadata.num_rows > ROWS_MAX:
                raise OutcomeError(f"{log.path}: {file.metadata.num_rows:,} rows; at most {ROWS_MAX:,} can be read")
            names, twice = _distinct(file.schema_arrow.names, wanted)
            table = file.read(columns=list(names.values()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise OutcomeError(f"{log.path}: the Parquet file is damaged ({str(error).splitlines()[0]})") from None
    found = Columns(log.path, log.name, log.sha256(), tuple(names), doubled=twice)
    found.row_nos = list(range(1, table.num_rows + 1))
    found.values = {name: table.column(names[name]).to_pylist() for name in names}
    for values in found.values.values():  # pandas writes missing numbers as NaN
        values[:] = [None if each != each else each for each in values]
    return found


def _of_csv(log: LogFile, head: Head, wanted: Callable[[str], bool]) -> Columns:
    assert head.layout is not None
    names, twice = _distinct(head.layout.columns, wanted)
    positions = [head.layout.columns.index(each) for each in names.values()]
    found = Columns(log.path, log.name, log.sha256(), tuple(names), head.has_decimal_comma, is_csv=True, doubled=twice)
    lines = _text(log, found).split("\n")
    records = []
    with _long_fields():
        for row, record in _records(lines, head.layout, found):
            found.row_nos.append(row)
            records.append([unmarked(record[i]) for i in positions])
    by_column: Iterable[Sequence[str]] = zip(*records, strict=True) if records else [()] * len(names)
    found.values = {name: list(column) for name, column in zip(names, by_column, strict=True)}
    return found


def _of_json(log: LogFile, head: Head, wanted: Callable[[str], bool]) -> Columns:
    found = Columns(log.path, log.name, log.sha256(), ())
    text = _text(log, found)
    rows = list(_json_lines(text, found)) if head.shape == "jsonl" else _json_document(text, log)
    names, found.doubled = _distinct(list(dict.fromkeys(key for _, row in rows for key in row)), wanted)
    found.names = tuple(names)
    found.row_nos = [row for row, _ in rows]
    found.values = {name: [row.get(key) for _, row in rows] for name, key in names.items()}
    return found


def _distinct(columns: Sequence[str], wanted: Callable[[str], bool]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Lower-case name -> name as written, of the first column of each wanted name; and the names that have several."""
    found: dict[str, str] = {}
    doubled = set[str]()
    for each in columns:
        key = _key(each)
        if key in found:
            doubled.add(key)
        elif wanted(key):
            found[key] = each
    return found, tuple(key for key in found if key in doubled)


def _key(column: str) -> str:
    """A column's name as it is looked for; the model's name in it stays as it is written."""
    stem, mark, model = column.strip().partition("__")
    return stem.casefold() + mark + model


def _text(log: LogFile, into: Columns) -> str:
    """The whole text; bytes that are no UTF-8 stay recognisable, and their rows are rejected later."""
    blocks: list[bytes] = []
    try:
        blocks.extend(log.blocks())
    except DamagedFileError as error:
        if error.reason.startswith("refused"):
            raise OutcomeError(f"{log.path}: {error.reason} ({error.detail})") from None
        row = sum(block.count(b"\n") for block in blocks) + 1
        into.rejects.append(Reject(log.name, row, error.reason, error.detail, ""))
    data = b"".join(blocks)
    try:
        return data.decode()
    except UnicodeDecodeError:
        into.has_broken_bytes = True
        return data.decode("utf-8", "surrogateescape")


def _records(lines: list[str], layout: Layout, into: Columns) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of each record that fits the header."""
    at, width = layout.header_row, len(layout.columns)
    while at < len(lines):
        reader = csv.reader(_from(lines, at), delimiter=layout.delimiter, strict=True)
        used = 0
        try:
            for record in reader:
                if len(record) != width and reader.line_num - used > 1:
                    break
                if record:
                    yield from _judged(record, width, at + used + 1, into)
                used = reader.line_num
            else:
                return
        except csv.Error:
            pass
        at += used
        yield from _lone_line(lines[at], layout.delimiter, width, at + 1, into)
        at += 1


def _from(lines: list[str], start: int) -> Iterator[str]:
    last = len(lines) - 1
    return (lines[i] + ("\n" if i < last else "") for i in range(start, len(lines)))


def _lone_line(line: str, delimiter: str, width: int, row: int, into: Columns) -> Iterator[tuple[int, list[str]]]:
    """A line on which a record begins that does not end well: judged on its own."""
    if not line.strip():
        return
    reader = csv.reader([line, "x"], delimiter=delimiter)
    record = next(reader, [])
    if reader.line_num > 1:
        into.rejects.append(Reject(into.name, row, "a quote is not closed", "", wordless(line)))
    else:
        yield from _judged(record, width, row, into)


def _judged(record: list[str], width: int, row: int, into: Columns) -> Iterator[tuple[int, list[str]]]:
    raw = shortened(",".join(map(wordless, record)))
    if len(record) != width:
        reason = f"the record does not have the header's {width} fields"
        into.rejects.append(Reject(into.name, row, reason, str(len(record)), raw))
    elif into.has_broken_bytes and _is_broken("".join(record)):
        into.rejects.append(Reject(into.name, row, NOT_UTF8, "save it as UTF-8", raw))
    else:
        yield row, record


def _is_broken(text: str) -> bool:
    """True when `text` holds bytes that were no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _json_lines(text: str, into: Columns) -> Iterator[tuple[int, dict[str, Any]]]:
    for row, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            into.rejects.append(Reject(into.name, row, "not valid JSON", "", wordless(line)))
            continue
        if not isinstance(value, dict):
            into.rejects.append(Reject(into.name, row, "not a JSON object", "", wordless(line)))
        elif into.has_broken_bytes and _is_broken(line):
            into.rejects.append(Reject(into.name, row, NOT_UTF8, "save it as UTF-8", wordless(line)))
        else:
            yield row, value


def _json_document(text: str, log: LogFile) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a JSON file that is one list; rows are counted, not lines."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OutcomeError(f"{log.path}: neither JSON lines nor one JSON list ({error})") from None
    rows = value if isinstance(value, list) else [value]
    return [(i, each) for i, each in enumerate(rows, 1) if isinstance(each, dict)]


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let `csv` take fields as long as a line may be; its limit is global, so it is put back."""
    before = csv.field_size_limit(LINE_BYTES_MAX)
    try:
        yield
    finally:
        csv.field_size_limit(before)
