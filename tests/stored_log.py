"""A made-up log in a store, for tests of what is said about any log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from breakeven.usage.store import CallStore
from breakeven.usage.synthetic import write_synthetic_log


def stored_log(folder: Path, calls_count: int) -> Path:
    """The store, below `folder`."""
    log = folder / "calls.jsonl"
    write_synthetic_log(log, seed=1, calls_count=calls_count)
    with CallStore(folder / "store") as kept:
        kept.ingest(log, now=datetime(2026, 11, 23, tzinfo=UTC), reject_path=folder / "rejects.jsonl")
    return folder / "store"
