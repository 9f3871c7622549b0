"""Lines: the numbered lines of a log. Blank ones are no rows; over-long ones and invalid UTF-8 are rejects.

The fast path touches no line in Python: line ends are found with NumPy and become the offsets of an Arrow array
over the block itself. A block that holds anything unusual goes line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from breakeven.usage.reading.log_file import DamagedFileError, LogFile, Piece
from breakeven.usage.reading.rows import LINE_BYTES_MAX, RawReject, RowBatch, shortened

LINES_SCHEMA = pa.schema([("row_no", pa.int64()), ("text", pa.string())])
_SCAN_BYTES = 1 << 20
_SPACE = 32
"""The largest byte a blank line can begin with."""
_LINE_FEED = 10
_ASCII_COUNT = 128
_AFTER_ONLY_BIT = np.zeros(256, np.int64)
"""One past the only bit that is set in a byte; 0 where several are."""
_AFTER_ONLY_BIT[1 << np.arange(8)] = np.arange(1, 9)
_IS_BLANK = np.array([bytes([byte]).isspace() for byte in range(256)])
_TOO_LONG = "the line is too long"


@dataclass(frozen=True, slots=True)
class FoundLines:
    """Where the whole lines of some bytes are."""

    offsets: NDArray[np.int32]
    """Where each begins, and the end of the last."""
    is_ascii: bool
    may_be_blank: bool
    """Whether any begins like a blank one."""
    longest_bytes_count: int


Finder = Callable[[Piece], FoundLines]


def found_lines(data: Piece) -> FoundLines:
    """The lines of `data`, which has a line feed."""
    view = np.frombuffer(data, np.uint8)
    ends = _line_ends(view)
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    is_ascii = data.isascii() if isinstance(data, bytes) else not (view >= _ASCII_COUNT).any()
    return FoundLines(offsets, is_ascii, bool((view[offsets[:-1]] <= _SPACE).any()), int(np.diff(offsets).max()))


def read_lines(log: LogFile, line_bytes_max: int = LINE_BYTES_MAX, find: Finder = found_lines) -> Iterator[RowBatch]:
    """The lines of `log`. The last line needs no line end."""
    row, carry, is_skipping = 1, b"", False
    try:
        for piece in log.pieces():
            if isinstance(piece, bytes) or is_skipping or carry or not _is_whole(piece):
                block = piece if isinstance(piece, bytes) else piece.tobytes()
                if is_skipping:
                    _, line_end, block = block.partition(b"\n")
                    row, is_skipping = row + len(line_end), not line_end
                data = carry + block
                cut = data.rfind(b"\n") + 1
                carry = data[cut:]
                whole: Piece = data if cut else b""
            else:
                whole = piece
            if len(whole):
                batch, lines_count = _batch(whole, row, line_bytes_max, find)
                row += lines_count
                yield batch
            if len(carry) > line_bytes_max:
                yield _rejected(RawReject(row, _TOO_LONG, "", shortened(carry)))
                carry, is_skipping = b"", True
    except DamagedFileError as error:
        yield _rejected(RawReject(row, error.reason, error.detail, shortened(carry)))
        return
    if carry:
        yield _batch(carry + b"\n", row, line_bytes_max, find)[0]


def _is_whole(piece: NDArray[np.uint8]) -> bool:
    """Whether it ends with a line, and says more than nothing."""
    return len(piece) > 0 and piece[-1] == _LINE_FEED and not (piece[0] <= _SPACE and piece.tobytes().isspace())


def _rejected(reject: RawReject) -> RowBatch:
    return RowBatch(pa.RecordBatch.from_pylist([], schema=LINES_SCHEMA), (reject,))


def _batch(data: Piece, first_row: int, line_bytes_max: int, find: Finder) -> tuple[RowBatch, int]:
    """Rows of the whole lines in `data`, and how many lines these are."""
    if isinstance(data, bytes) and data.isspace():
        return RowBatch(pa.RecordBatch.from_pylist([], schema=LINES_SCHEMA)), data.count(b"\n")
    found = find(data)
    offsets, lines_count = found.offsets, len(found.offsets) - 1
    text = _as_text(data, found)
    if text is None or found.longest_bytes_count > line_bytes_max:
        return _line_by_line(bytes(data), offsets[:-1], offsets[1:], first_row, line_bytes_max), lines_count
    rows = pa.record_batch([pa.array(np.arange(first_row, first_row + lines_count)), text], schema=LINES_SCHEMA)
    if found.may_be_blank:
        is_blank = np.logical_and.reduceat(_IS_BLANK[np.frombuffer(data, np.uint8)[: offsets[-1]]], offsets[:-1])
        rows = rows.filter(pa.array(~is_blank))
    return RowBatch(rows), lines_count


def _line_ends(view: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Offsets one past each line feed, searched in pieces that fit the processor's cache.

    Eight bytes become one of bits, of which few are not zero: looking through all bytes takes twice as long.
    """
    pieces = []
    is_feed = np.empty(min(len(view), _SCAN_BYTES), np.bool_)
    for start in range(0, len(view), _SCAN_BYTES):
        some = view[start : start + _SCAN_BYTES]
        is_end = np.equal(some, _LINE_FEED, out=is_feed[: len(some)])
        packed = np.packbits(is_end, bitorder="little")
        at = np.flatnonzero(packed != 0)
        after = _AFTER_ONLY_BIT[packed[at]]
        pieces.append((at * 8 + after if after.all() else np.flatnonzero(is_end) + 1) + start)
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)


def _as_text(data: Piece, found: FoundLines) -> pa.StringArray | None:
    """An Arrow array over `data` without copying it; None when `data` is not UTF-8."""
    buffers = [None, pa.py_buffer(found.offsets), pa.py_buffer(data)]
    if found.is_ascii:
        return pa.Array.from_buffers(pa.string(), len(found.offsets) - 1, buffers)
    lines = pa.Array.from_buffers(pa.binary(), len(found.offsets) - 1, buffers)
    try:
        return lines.cast(pa.string())
    except pa.ArrowInvalid:
        return None


def _line_by_line(
    data: bytes, starts: NDArray[np.int32], ends: NDArray[np.int32], first_row: int, line_bytes_max: int
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
