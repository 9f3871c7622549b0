"""Lines: the numbered lines of a log. Blank ones are no rows; over-long ones and invalid UTF-8 are rejects.

The fast path touches no line in Python: line ends are found with NumPy and become the offsets of an Arrow array
over the block itself. A block that holds anything unusual goes line by line.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from breakeven.usage.reading.log_file import DamagedFileError, LogFile
from breakeven.usage.reading.rows import LINE_BYTES_MAX, RawReject, RowBatch, shortened

LINES_SCHEMA = pa.schema([("row_no", pa.int64()), ("text", pa.string())])
_SCAN_BYTES = 1 << 20
_SPACE = 32
"""The largest byte a blank line can begin with."""
_LINE_FEED = 10
_AFTER_ONLY_BIT = np.zeros(256, np.int64)
"""One past the only bit that is set in a byte; 0 where several are."""
_AFTER_ONLY_BIT[1 << np.arange(8)] = np.arange(1, 9)
_IS_BLANK = np.array([bytes([byte]).isspace() for byte in range(256)])
_TOO_LONG = "the line is too long"


def read_lines(log: LogFile, line_bytes_max: int = LINE_BYTES_MAX) -> Iterator[RowBatch]:
    """The lines of `log`. The last line needs no line end."""
    row, carry, is_skipping = 1, b"", False
    try:
        for block in log.blocks():
            if is_skipping:
                _, line_end, block = block.partition(b"\n")
                row, is_skipping = row + len(line_end), not line_end
            data = carry + block
            cut = data.rfind(b"\n") + 1
            carry = data[cut:]
            if cut:
                batch, lines_count = _batch(data, row, line_bytes_max)
                row += lines_count
                yield batch
            if len(carry) > line_bytes_max:
                yield _rejected(RawReject(row, _TOO_LONG, "", shortened(carry)))
                carry, is_skipping = b"", True
    except DamagedFileError as error:
        yield _rejected(RawReject(row, error.reason, error.detail, shortened(carry)))
        return
    if carry:
        yield _batch(carry + b"\n", row, line_bytes_max)[0]


def _rejected(reject: RawReject) -> RowBatch:
    return RowBatch(pa.RecordBatch.from_pylist([], schema=LINES_SCHEMA), (reject,))


def _batch(data: bytes, first_row: int, line_bytes_max: int) -> tuple[RowBatch, int]:
    """Rows of the whole lines in `data`, and how many lines these are."""
    if data.isspace():
        return RowBatch(pa.RecordBatch.from_pylist([], schema=LINES_SCHEMA)), data.count(b"\n")
    ends = _line_ends(data)
    starts = np.concatenate([[0], ends[:-1]])
    lengths = ends - starts
    text = _as_text(data, ends)
    if text is None or lengths.max() > line_bytes_max:
        return _line_by_line(data, starts, ends, first_row, line_bytes_max), len(ends)
    rows = pa.record_batch([pa.array(np.arange(first_row, first_row + len(ends))), text], schema=LINES_SCHEMA)
    view = np.frombuffer(data, np.uint8)
    if (view[starts] <= _SPACE).any():
        rows = rows.filter(pa.array(~np.logical_and.reduceat(_IS_BLANK[view[: ends[-1]]], starts)))
    return RowBatch(rows), len(ends)


def _line_ends(data: bytes) -> NDArray[np.int64]:
    """Offsets one past each line feed, searched in pieces that fit the processor's cache.

    Eight bytes become one of bits, of which few are not zero: looking through all bytes takes twice as long.
    """
    view = np.frombuffer(data, np.uint8)
    pieces = []
    for start in range(0, len(view), _SCAN_BYTES):
        is_end = view[start : start + _SCAN_BYTES] == _LINE_FEED
        packed = np.packbits(is_end, bitorder="little")
        at = np.flatnonzero(packed != 0)
        after = _AFTER_ONLY_BIT[packed[at]]
        pieces.append((at * 8 + after if after.all() else np.flatnonzero(is_end) + 1) + start)
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)


def _as_text(data: bytes, ends: NDArray[np.int64]) -> pa.StringArray | None:
    """An Arrow array over `data` without copying it; None when `data` is not UTF-8."""
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    if data.isascii():
        return pa.Array.from_buffers(pa.string(), len(ends), buffers)
    lines = pa.Array.from_buffers(pa.binary(), len(ends), buffers)
    try:
        return lines.cast(pa.string())
    except pa.ArrowInvalid:
        return None


def _line_by_line(
    data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], first_row: int, line_bytes_max: int
) -> RowBatch:
    numbers: list[int] = []
    texts: list[str] = []
    rejects: list[RawReject] = []
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        line = data[start:end]
        row = first_row + i
        if len(line) > line_bytes_max:
            rejects.append(RawReject(row, _TOO_LONG, "", shortened(line)))
            continue
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            seen = f"byte 0x{line[error.start]:02x} at column {error.start + 1}"
            rejects.append(RawReject(row, "not valid UTF-8", seen, shortened(line)))
            continue
        if not line.isspace():
            numbers.append(row)
            texts.append(text)
    return RowBatch(pa.record_batch([numbers, texts], schema=LINES_SCHEMA), tuple(rejects))
