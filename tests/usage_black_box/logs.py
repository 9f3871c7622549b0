"""Logs to import, and one way to import them that checks the books every time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from breakeven.usage.ingest_report import IngestReport
from breakeven.usage.plan import ImportSettings
from breakeven.usage.store.call_store import CallStore

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REJECTS = "rejects-of-this-import.jsonl"


def row(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A good row; `number` makes it another time and other token counts."""
    usual = {
        "start_time": f"2026-11-{1 + number // 1440 % 18:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z",
        "request_model": "gpt-4o",
        "provider": "openai",
        "input_tokens": 100 + number,
        "output_tokens": 10 + number,
    }
    return {**usual, **fields}


def rows(count: int) -> list[dict[str, Any]]:
    """`count` good rows, all different."""
    return [row(number) for number in range(count)]


def jsonl(*each: Mapping[str, Any] | str) -> str:
    """JSON lines; a text is a line as it stands."""
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in each)


def csv_text(header: Sequence[str], lines: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    """A table whose cells are written as they are."""
    return "".join(delimiter.join(cells) + "\n" for cells in (header, *lines))


def write(path: Path, content: str | bytes) -> Path:
    """`content` at `path`, byte for byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def ingest(store: CallStore, *paths: Path, format: str | None = None, **mapping: str) -> IngestReport:  # noqa: A002
    """Import `paths`, and check that no row is unaccounted for."""
    before = store.calls_count
    reject_path = store.path / REJECTS
    reject_path.unlink(missing_ok=True)
    report = store.ingest(
        list(paths), now=NOW, settings=ImportSettings(format=format, mapping=mapping), reject_path=reject_path
    )
    assert report.rows_in == report.calls + report.duplicates + report.rejects_count
    for each in report.files:
        assert each.rows_in == each.calls + each.duplicates + each.rejects_count
        assert min(each.rows_in, each.calls, each.duplicates, each.rejects_count) >= 0
    assert store.calls_count == before + report.calls == store.calls().count().to_pyarrow().as_py()
    assert sum(report.rejects.values()) == report.rejects_count
    check_reject_file(store, report)
    return report


def check_reject_file(store: CallStore, report: IngestReport) -> None:
    """Every reject of a file that was read now is in the reject file, with its reason."""
    fresh = sum(each.rejects_count for each in report.files if each.status == "imported")
    assert len(rejected(store)) == fresh
    assert all(each["reason"] and each["row"] >= 1 for each in rejected(store))


def rejected(store: CallStore) -> list[dict[str, Any]]:
    """The rows of the reject file of the last import."""
    path = store.path / REJECTS
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def reject_rows(store: CallStore) -> list[int]:
    """Row numbers of the last import's rejects."""
    return sorted(each["row"] for each in rejected(store))


def calls(store: CallStore) -> list[dict[str, Any]]:
    """All Calls in order of time."""
    table = store.calls()
    found: list[dict[str, Any]] = table.order_by(["start_time", "record_id"]).to_pyarrow().to_pylist()
    return found


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    """Rows in, calls, duplicates, rejects."""
    return report.rows_in, report.calls, report.duplicates, report.rejects_count
