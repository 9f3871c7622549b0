"""Daily tables: a new day costs a day, an interruption costs nothing, and the profile is the same with and without."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import ibis
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.usage.store import CallStore, daily_tables
from breakeven.workload.profile import profile_workload

from ..logs import NOW, jsonl, row, write

CATALOG = load_catalog(date(2026, 11, 23))


def day_rows(day: int, count: int = 20) -> str:
    return jsonl(
        *(row(day * 1000 + number, timestamp=f"2026-11-{day:02d}T{number:02d}:00:00Z") for number in range(count))
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CallStore]:
    with CallStore(tmp_path / "store") as fresh:
        fresh.kept_from_rows = 0
        fresh.ingest(write(tmp_path, day_rows(1) + day_rows(2) + day_rows(3)), now=NOW)
        yield fresh


class Summing:
    """Counts calls by hour, and remembers how many calls it was asked about each time."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, calls: ibis.Table) -> ibis.Table:
        self.asked.append(calls.count().to_pyarrow().as_py())
        return calls.group_by(hour=calls.start_time.truncate("h")).aggregate(calls=calls.count())


def counted(store: CallStore, summing: Summing) -> int:
    found = store.daily("hours", "", summing)
    assert found is not None
    return found.calls.sum().to_pyarrow().as_py()


def test_a_new_day_costs_a_day(store: CallStore, tmp_path: Path) -> None:
    summing = Summing()
    assert counted(store, summing) == 60
    assert counted(store, summing) == 60
    assert summing.asked == [60]
    store.ingest(write(tmp_path, day_rows(4, 7), "new.jsonl"), now=NOW)
    assert counted(store, summing) == 67
    assert summing.asked == [60, 7]


def test_a_day_that_changed_is_summed_up_again_and_its_old_file_goes(store: CallStore, tmp_path: Path) -> None:
    summing = Summing()
    counted(store, summing)
    late = jsonl(row(2900, timestamp="2026-11-02T23:30:00Z"))
    store.ingest(write(tmp_path, late, "late.jsonl"), now=NOW)
    assert counted(store, summing) == 61
    assert summing.asked == [60, 21]
    assert len(list(store.path.glob("aggregate/day=2026-11-02/*"))) == 1


def test_whoever_is_interrupted_goes_on_where_it_stopped(store: CallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_tables, "BATCH_ROWS", 1)
    summing = Summing()
    said: list[str] = []

    def stop_at_the_third(text: str) -> None:
        said.append(text)
        if len(said) == 3:
            raise KeyboardInterrupt

    store.daily_progress = stop_at_the_third
    with pytest.raises(KeyboardInterrupt):
        counted(store, summing)
    store.daily_progress = said.append
    assert counted(store, summing) == 60
    assert summing.asked == [20, 20, 20]
    assert said[-1] == "summing up hours of 2026-11-03: day 1 of 1 that are new"
    assert not list(store.path.glob("aggregate/*/.*"))


def test_another_question_has_files_of_its_own(store: CallStore) -> None:
    summing = Summing()
    counted(store, summing)
    found = store.daily("hours", "other", summing)
    assert found is not None
    assert summing.asked == [60, 60]


def test_small_stores_and_empty_ones_keep_nothing(store: CallStore, tmp_path: Path) -> None:
    store.kept_from_rows = 61
    assert store.daily("hours", "", Summing()) is None
    assert not (store.path / "aggregate").exists()
    with CallStore(tmp_path / "empty") as empty:
        empty.kept_from_rows = 0
        assert empty.daily("hours", "", Summing()) is None


def test_the_profile_is_the_same_from_kept_days(store: CallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    direct = profile_workload(store.calls(), catalog=CATALOG)
    first = profile_workload(store.calls(), catalog=CATALOG, kept=store)
    monkeypatch.setattr(daily_tables, "BATCH_ROWS", 1)
    again = profile_workload(store.calls(), catalog=CATALOG, kept=store)
    assert first == direct
    assert again == direct
    assert {path.name.split("-")[0] for path in store.path.glob("aggregate/*/*.parquet")} == {
        "spans",
        "cells",
        "lengths",
        "parts",
    }
