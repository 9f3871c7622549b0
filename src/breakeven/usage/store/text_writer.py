"""TextWriter: kept prompts and answers as Parquet files by UTC day, readable by their owner only."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from breakeven.usage.prompts.texts import TEXTS_SCHEMA

_HELD_BYTES_MAX: Final = 64 << 20
_US_PER_DAY: Final = 86_400_000_000


@dataclass(slots=True)
class TextWriter:
    """Writes below `root`; `close` gives the files, by their path below `root`."""

    root: Path
    _held: list[pa.Table] = field(default_factory=list)
    _held_bytes: int = 0
    _done: list[Path] = field(default_factory=list)

    def add(self, texts: pa.Table) -> None:
        """Take texts with the times of their Calls in microseconds."""
        self._held.append(texts)
        self._held_bytes += texts.nbytes
        if self._held_bytes >= _HELD_BYTES_MAX:
            self._flush()

    def close(self) -> list[Path]:
        """Write what is held."""
        self._flush()
        done, self._done = self._done, []
        return done

    def _flush(self) -> None:
        if not self._held:
            return
        whole = pa.concat_tables(self._held)
        self._held, self._held_bytes = [], 0
        days = whole["start_time"].to_numpy() // _US_PER_DAY
        for day in np.unique(days).tolist():
            name = Path("texts") / f"day={datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}"
            (self.root / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            path = name / f"texts-{uuid.uuid4().hex}.parquet"
            os.close(os.open(self.root / path, os.O_CREAT | os.O_WRONLY, 0o600))
            rows = whole.filter(pa.array(days == day)).select(TEXTS_SCHEMA.names)
            pq.write_table(rows, self.root / path, compression="zstd")
            self._done.append(path)
