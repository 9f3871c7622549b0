"""Documents: the JSON objects or table rows of a log in any layout, one after the other, for formats that unpack.

JSON lines, one big object, an array, objects one after the other and pretty-printed ones all give the same records.
What cannot be read is an `Unfit`; memory is bounded by the largest single object.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from breakeven.usage.reading.columnar import read_columns
from breakeven.usage.reading.delimited import read_records
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.lines import read_lines
from breakeven.usage.reading.log_file import DamagedFileError, LogFile
from breakeven.usage.reading.nesting import is_too_deep
from breakeven.usage.reading.rows import RawReject, RowBatch, shortened
from breakeven.usage.reading.unpacked import Unfit

_COMMA_NUMBER: Final = re.compile(r"-?\d{1,3}(\.\d{3})*,\d+|-?\d+,\d+")
OBJECT_BYTES_MAX: Final = 512 << 20
"""A JSON object of more bytes than this is not read into memory."""


def documents(log: LogFile, head: Head) -> Iterator[dict[str, Any] | Unfit]:
    """Every top-level object of a JSON log, every element of a top-level array, or every row of a table as a record.

    Cells of tables are texts, without surrounding blanks; empty ones are left out.
    """
    if head.shape == "jsonl":
        yield from _from_lines(log)
    elif head.shape == "json":
        yield from _from_documents(log)
    elif head.shape == "csv":
        assert head.layout is not None
        found = _from_table(read_records(log, head.layout, head.layout.columns), head.layout.columns)
        yield from map(_with_points, found) if head.has_decimal_comma else found
    elif head.shape == "parquet":
        names = tuple(sorted(head.names))
        yield from _from_table(read_columns(log, names), names)
    else:
        raise AssertionError(f"{head.shape} is no shape of records")


def _from_lines(log: LogFile) -> Iterator[dict[str, Any] | Unfit]:
    for batch in read_lines(log):
        lines: list[tuple[int, str | RawReject]] = [(each.row, each) for each in batch.rejects]
        lines += zip(batch.rows["row_no"].to_pylist(), batch.rows["text"].to_pylist(), strict=True)
        for row, line in sorted(lines, key=lambda each: each[0]):
            yield _unfit(line) if isinstance(line, RawReject) else _parsed(line, row)


def _parsed(line: str, row: int) -> dict[str, Any] | Unfit:
    try:
        value = json.loads(line)
    except RecursionError:
        return Unfit("nested too deeply", f"line {row}", shortened(line))
    except ValueError:
        return Unfit("not valid JSON", f"line {row}", shortened(line))
    return value if isinstance(value, dict) else Unfit("not a JSON object", f"line {row}", shortened(line))


def _from_table(batches: Iterator[RowBatch], names: tuple[str, ...]) -> Iterator[dict[str, Any] | Unfit]:
    for batch in batches:
        columns = [batch.rows[f"c{i}"].to_pylist() if batch.rows.num_columns > 2 else [] for i in range(len(names))]
        for row in zip(*columns, strict=True):
            cells = ((name, cell.strip()) for name, cell in zip(names, row, strict=True) if cell is not None)
            yield {name: cell for name, cell in cells if cell}
        for reject in batch.rejects:
            yield _unfit(reject)


def _with_points(record: dict[str, Any] | Unfit) -> dict[str, Any] | Unfit:
    """Cells such as ``1.234,5`` with a decimal point, since what unpacks a record computes with them."""
    if isinstance(record, Unfit):
        return record
    return {
        name: cell.replace(".", "").replace(",", ".") if _COMMA_NUMBER.fullmatch(cell) else cell
        for name, cell in record.items()
    }


def _unfit(reject: RawReject) -> Unfit:
    return Unfit(reject.reason, reject.value, reject.raw)


def _from_documents(log: LogFile) -> Iterator[dict[str, Any] | Unfit]:
    """Stream the objects with ijson; what comes after a syntax error is lost to everybody, and said once."""
    import ijson

    stream = _Stream(_readable(log.blocks()))
    is_array = log.head.lstrip()[:1] == b"["
    prefix, several = ("item", False) if is_array else ("", True)
    found = ijson.items(stream, prefix, multiple_values=several, use_float=True)
    while True:
        stream.since_last_bytes = 0
        try:
            value = next(found)
        except StopIteration:
            return
        except DamagedFileError as error:
            yield Unfit(error.reason, error.detail)
            return
        except _TooDeepError:
            yield Unfit("nested too deeply from here on")
            return
        except (_TooLargeError, RecursionError):
            yield Unfit(f"one JSON object of more than {OBJECT_BYTES_MAX >> 20} MiB; write one object per line")
            return
        except (ijson.JSONError, UnicodeDecodeError, ValueError) as error:
            yield Unfit("not valid JSON from here on", str(error).splitlines()[0][:200])
            return
        yield value if isinstance(value, dict) else Unfit("not a JSON object", "", shortened(str(value)))


def _readable(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks with a mark in place of what is not UTF-8, or one bad byte would cost everything behind it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for block in blocks:
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()


class _TooLargeError(Exception):
    pass


class _TooDeepError(Exception):
    pass


@dataclass(slots=True)
class _Stream:
    """Blocks as a file for ijson."""

    blocks: Iterator[bytes]
    since_last_bytes: int = 0
    _rest: bytes = field(default=b"")

    def read(self, size: int = -1) -> bytes:
        if not self._rest and size != 0:
            self._rest = next((each for each in self.blocks if each), b"")
        piece, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        self.since_last_bytes += len(piece)
        if self.since_last_bytes > OBJECT_BYTES_MAX:
            raise _TooLargeError
        if is_too_deep(piece):
            raise _TooDeepError
        return piece


def text_of(record: Mapping[str, Any]) -> str:
    """The beginning of a record, for `Unfit.raw`."""
    try:
        return shortened(json.dumps(record, ensure_ascii=False, default=str)[:2_000])
    except RecursionError:
        return ""
