"""Buckets of a day hide the hours: no peak is read from them, and the catalogue's assumption stands in."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.clock import UTC
from breakeven.usage.store import CallStore
from breakeven.workload.profile import Workload, profile_workload

START = datetime(2026, 9, 7, tzinfo=UTC)
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def profiled(folder: Path, hours: int, singles_count: int = 0) -> Workload:
    """Two weeks of even buckets of `hours`, and single calls of as many tokens as ten buckets each."""
    rows = []
    for number in range(14 * 24 // hours):
        start = START + timedelta(hours=number * hours)
        end = start + timedelta(hours=hours)
        rows.append(
            {"grain": "bucket", "start_time": start.isoformat(), "end_time": end.isoformat(), "request_count": 9}
        )
    for number in range(singles_count):
        rows.append({"start_time": (START + timedelta(minutes=7 * number)).isoformat(), "scale": 1})
    for row in rows:
        row |= {"model": "gpt-5", "provider": "openai", "input_tokens": 100 * hours, "output_tokens": 10 * hours}
    log = folder / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with CallStore(folder / "store") as store:
        store.ingest([log], now=NOW)
        return profile_workload(store.calls(), catalog=load_catalog(date(2026, 11, 26)))


def test_hourly_buckets_show_the_hours(tmp_path: Path) -> None:
    workload = profiled(tmp_path, 1)
    assert workload.hourly_peak_to_mean_ratio == pytest.approx(1, rel=0.01)
    assert len(workload.hours_of_week) == 168


@pytest.mark.parametrize("hours", [24, 6])
def test_longer_buckets_do_not(hours: int, tmp_path: Path) -> None:
    workload = profiled(tmp_path, hours)
    assert workload.observation.bucket_hours == hours
    assert workload.hourly_peak_to_mean_ratio is None
    assert workload.hours_of_week == ()
    assert f"buckets of {hours} hours" in workload.peak_basis
    assert not any("hours of the week" in each for each in workload.observation.may_conclude())
    assert any("hide them" in each for each in workload.observation.may_not_conclude())


def test_a_few_buckets_beside_many_calls_do_not_matter(tmp_path: Path) -> None:
    workload = profiled(tmp_path, 24, singles_count=14 * 24 * 60 // 7)
    assert workload.observation.bucket_hours == 0
    assert workload.hourly_peak_to_mean_ratio is not None
