"""Small logs for the tests of usage: write one, import it, look at what came out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from breakeven.usage.ingest_report import IngestReport
from breakeven.usage.plan import ImportSettings
from breakeven.usage.store import CallStore

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CSV_HEADER = "timestamp,model,input_tokens,output_tokens\n"


def row(number: int = 0, **fields: object) -> dict[str, Any]:
    """A good row with an id; a field given as None is left out."""
    minutes, seconds = divmod(number, 60)
    good = {
        "id": f"call-{number}",
        "timestamp": f"2026-11-02T{minutes // 60 % 24:02d}:{minutes % 60:02d}:{seconds:02d}Z",
        "provider": "openai",
        "model": "gpt-5",
        "input_tokens": 100 + number,
        "output_tokens": 10,
    }
    return {name: value for name, value in {**good, **fields}.items() if value is not None}


def jsonl(*rows: Mapping[str, Any] | str) -> str:
    """Rows as JSON lines; a text stands for itself."""
    return "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in rows)


@dataclass(frozen=True)
class Imported:
    """What one import gave."""

    report: IngestReport
    calls: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    digest: str
    bills: list[dict[str, Any]] = field(default_factory=list)

    @property
    def only(self) -> dict[str, Any]:
        """The one call there is."""
        (call,) = self.calls
        return call

    @property
    def reasons(self) -> dict[int, str]:
        """Row -> why it was rejected."""
        return {each["row"]: each["reason"] for each in self.rejects}


def write(folder: Path, content: str | bytes, name: str = "log.jsonl") -> Path:
    """Put a log on disk."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def imported(folder: Path, content: str | bytes, name: str = "log.jsonl", **settings: Any) -> Imported:
    """Write a log, import it into a store of its own."""
    return imported_paths(write(folder, content, name), **settings)


def imported_paths(*paths: Path, **settings: Any) -> Imported:
    """Import files or folders into a store of their own."""
    with CallStore.temporary() as store:
        report = store.ingest(list(paths), now=NOW, settings=ImportSettings(**settings))
        bills: list[dict[str, Any]] = store.bills().order_by("start_time", "record_id").to_pyarrow().to_pylist()
        return Imported(report, stored_calls(store), rejected(report), store.digest(), bills)


def stored_calls(store: CallStore) -> list[dict[str, Any]]:
    """Every call of a store, by time and id."""
    calls: list[dict[str, Any]] = store.calls().order_by("start_time", "record_id").to_pyarrow().to_pylist()
    return calls


def rejected(report: IngestReport) -> list[dict[str, Any]]:
    """The lines of the reject file."""
    if report.reject_path is None:
        return []
    return [json.loads(line) for line in report.reject_path.read_text().splitlines()]
