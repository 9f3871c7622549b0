"""UTC times taken apart by arithmetic: the same values as DuckDB's calendar gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from breakeven.usage.store.engine import Engine


def parts_of(table: ibis.Table) -> list[dict[str, object]]:
    at = table.at
    found = table.select(hour=at.truncate("h"), day=at.truncate("D"), minute=at.minute(), second=at.second())
    return found.to_pyarrow().to_pylist()


def test_parts_are_those_of_the_calendar(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    start = datetime(1969, 12, 31, tzinfo=UTC)
    times = [start + timedelta(microseconds=int(each)) for each in rng.integers(0, 80 * 365 * 86_400 * 10**6, 500)]
    rows = pa.table({"at": pa.array([*times, None], pa.timestamp("us", "UTC"))})
    path = tmp_path / "times.parquet"
    pq.write_table(rows, path)
    engine = Engine(tmp_path / "spill")
    try:
        found = parts_of(engine.table([path]))
    finally:
        engine.close()
    assert found == parts_of(ibis.memtable(rows))
    assert found[0]["minute"] == times[0].minute
    assert found[0]["hour"] == times[0].replace(tzinfo=None, minute=0, second=0, microsecond=0)
    assert set(found[-1].values()) == {None}
