"""Any bytes whatever: no crash, no row lost: rows in = calls + duplicates + rejects."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breakeven.errors import UsageError
from breakeven.usage.ingest_report import IngestReport
from breakeven.usage.plan import ImportSettings
from breakeven.usage.store import CallStore

from ..logs import CSV_HEADER, NOW, row

MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def store() -> Iterator[CallStore]:
    with CallStore.temporary() as store:
        yield store


def taken(store: CallStore, data: bytes, **given_settings: Any) -> IngestReport | None:
    """The report, after checking that no row is lost; None where the file is no log."""
    before = store.calls_count
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.write_bytes(data)
        try:
            report = store.ingest(path, now=NOW, settings=ImportSettings(**given_settings))
        except UsageError:
            return None
    assert report.rows_in == report.calls + report.duplicates + report.rejects_count
    assert store.calls_count == before + report.calls
    return report


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        *("id", "timestamp", "start_time", "end_time", "model", "provider", "input_tokens", "output_tokens", "weight"),
        *("prompt_tokens", "cached_tokens", "cache_read_input_tokens", "reasoning_tokens", "status", "cost", "grain"),
        *("usage", "user", "task", "outcome", "latency_ms", "prefix_hashes", "sampling_rate", "request_count"),
    ]
)
plausible = st.fixed_dictionaries(
    {
        "timestamp": st.sampled_from([1_793_613_600, "2026-11-02T10:00:00Z", "2026-11-02", -1, "x"]) | anything,
        "input_tokens": st.integers(-2, 50) | st.floats() | st.sampled_from(["7", "1,234", "NaN"]),
        "output_tokens": st.integers(-2, 50) | st.none(),
    },
    optional={"id": st.sampled_from(["a", "b", ""]), "usage": anything, "status": anything},
)
objects = st.dictionaries(names, anything, max_size=6) | plausible
lines = objects.map(json.dumps) | st.text(max_size=20).filter(lambda text: not set(text) & set("\n\r"))


@MANY
@given(st.lists(lines, max_size=8))
def test_json_lines(store: CallStore, texts: list[str]) -> None:
    data = "\n".join([json.dumps(row(0, id=None)), *texts]).encode("utf-8", "surrogatepass")
    report = taken(store, data)
    filled = [line for line in data.split(b"\n") if line.strip()]
    if report is not None and report.files[0].status == "imported" and not data.startswith(b"\xef\xbb\xbf"):
        assert report.rows_in == len(filled)


@MANY
@given(st.binary(max_size=200), st.booleans())
def test_bytes_after_a_good_row(store: CallStore, data: bytes, is_table: bool) -> None:
    start = CSV_HEADER + "2026-11-02T10:00:00Z,m,1,1\n" if is_table else json.dumps(row(0)) + "\n"
    taken(store, start.encode() + data)


@MANY
@given(st.binary(max_size=300))
def test_bytes_alone(store: CallStore, data: bytes) -> None:
    taken(store, data)
    taken(store, data, format="breakeven")


cells = st.text(st.sampled_from('0123456789.,-"\n:TZ eN\u00e9;'), max_size=10)


@MANY
@given(st.lists(st.lists(cells, min_size=3, max_size=5).map(",".join), max_size=8))
def test_tables(store: CallStore, records: list[str]) -> None:
    taken(store, (CSV_HEADER + "2026-11-02T10:00:00Z,m,1,1\n" + "\n".join(records)).encode())


deliveries_of_ids = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.integers(0, 3)), max_size=12)


@settings(max_examples=20, deadline=None)
@given(deliveries_of_ids, st.integers(0, 12))
def test_a_store_holds_each_id_once_whatever_the_split(deliveries: list[tuple[str, int, int]], cut: int) -> None:
    """Two files in either order give the same store; every id is there once."""
    rows = [json.dumps(row(minute, id=name, output_tokens=out)) + "\n" for name, minute, out in deliveries]
    parts = ["".join(rows[:cut]), "".join(rows[cut:])]
    digests = set()
    for order in ((0, 1), (1, 0)):
        with CallStore.temporary() as fresh, tempfile.TemporaryDirectory() as folder:
            total = 0
            for number in order:
                if parts[number]:
                    path = Path(folder) / f"{number}.jsonl"
                    path.write_text(parts[number])
                    total += fresh.ingest(path, now=NOW).calls
            assert total == fresh.calls_count == len({name for name, _, _ in deliveries})
            digests.add(fresh.digest())
    assert len(digests) == 1
