"""Rows: numbered text of a log, in Arrow batches, with the rows that are no text at all set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

RAW_CHARACTERS_MAX: Final = 300
"""How much of a rejected row is kept."""
LINE_BYTES_MAX: Final = 64 << 20
"""A longer line is rejected; nothing keeps more than one such line in memory."""


@dataclass(frozen=True, slots=True)
class RawReject:
    """A row that could not even be read as text."""

    row: int
    reason: str
    value: str
    raw: str


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some rows of one file, in order."""

    rows: pa.RecordBatch
    """`row_no` (line number, or row number in Parquet, from 1), `text` (the row as it stood), then `c0`, `c1`, ...:
    the wanted columns as text, where the shape has columns."""
    rejects: tuple[RawReject, ...] = ()

    @property
    def rows_count(self) -> int:
        """Rows read, good or not."""
        return int(self.rows.num_rows) + len(self.rejects)


def shortened(raw: str | bytes) -> str:
    """The beginning of a row, without its line end, for a reject file."""
    if isinstance(raw, bytes):
        raw = raw[: 4 * RAW_CHARACTERS_MAX].decode("utf-8", "backslashreplace")
    raw = raw.rstrip("\r\n")
    return raw if len(raw) <= RAW_CHARACTERS_MAX else raw[:RAW_CHARACTERS_MAX] + "..."
