"""Traffic told twice counts once, bills are no calls, and the order of imports makes no difference."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.usage.logs import NOW, jsonl, row, write

from breakeven.usage.ingest_report import IngestReport
from breakeven.usage.store import CallStore

LOG, OTHER_LOG = "azure_llm_trace", "mooncake_trace"
"""Two formats that are always there; what matters is that they are two."""


def bucket(day: int, source: str = OTHER_LOG, **fields: object) -> dict[str, Any]:
    """A day's bucket."""
    span = {"start_time": f"2026-11-{day:02d}T00:00:00Z", "end_time": f"2026-11-{day + 1:02d}T00:00:00Z"}
    told = {"source": source, "grain": "bucket", "id": f"{source}-{day}", "timestamp": None, "request_count": 3}
    return row(0, **{**told, **span, "input_tokens": 3000, "output_tokens": 30, **fields})


def bill(day: int, cost_usd: float = 1.5) -> dict[str, Any]:
    """A day's bill."""
    return bucket(day, grain="bill", id=f"bill-{day}", cost_usd=cost_usd, input_tokens=0, output_tokens=0)


def call(number: int, day: int = 2, **fields: object) -> dict[str, Any]:
    """One call of the first format."""
    told = {"source": LOG, "timestamp": f"2026-11-{day:02d}T{number % 24:02d}:00:00Z", "input_tokens": 1000}
    return row(number, **{**told, **fields})


def take(store: CallStore, folder: Path, name: str, *rows: dict[str, Any], **options: Any) -> IngestReport:
    """Import rows as a file called `name`."""
    return store.ingest(write(folder, jsonl(*rows), name), now=NOW, **options)


def ids(table: Any) -> list[str]:
    """The ids of a table."""
    return sorted(table.record_id.to_pyarrow().to_pylist())


CALLS = [call(n) for n in range(5)] + [call(n, day=3) for n in range(10, 13)]
BUCKETS = [bucket(day) for day in (2, 3, 4)]


@pytest.mark.parametrize("order", list(permutations(("calls", "buckets", "bills"))))
def test_any_order_gives_the_same_store(tmp_path: Path, order: tuple[str, ...]) -> None:
    files = {"calls": CALLS, "buckets": BUCKETS, "bills": [bill(2), bill(3)]}
    with CallStore(tmp_path / "store") as store, CallStore.temporary() as expected:
        for name in order:
            take(store, tmp_path, f"{name}.jsonl", *files[name])
        take(expected, tmp_path / "expected", "expected.jsonl", *CALLS, BUCKETS[2])
        assert store.digest() == expected.digest()
        assert ids(store.calls()) == ids(expected.calls())
        assert ids(store.left_out()) == [f"{OTHER_LOG}-2", f"{OTHER_LOG}-3"]
        assert ids(store.bills()) == ["bill-2", "bill-3"]
        assert (store.calls_count, store.bills_count) == (9, 2)
        (told,) = store.overlaps()
        assert (told.counted, told.left_out, told.days_count) == (LOG, OTHER_LOG, 2)
        assert told.counted_totals.requests_count == 8
        assert told.left_out_totals.input_tokens == 6000


def test_all_in_one_file_is_split(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        report = take(store, tmp_path, "all.jsonl", *CALLS, *BUCKETS, bill(2))
        assert (report.calls, report.bills, len(report.overlaps)) == (12, 1, 1)
        assert store.calls_count == 9
        assert ids(store.left_out()) == [f"{OTHER_LOG}-2", f"{OTHER_LOG}-3"]
        again = take(store, tmp_path / "again", "all.jsonl", *CALLS, *BUCKETS, bill(2))
        assert (again.calls, again.duplicates, again.bills) == (0, 12, 0)
        assert store.calls_count == 9


def test_one_source_alone_is_left_as_it_was_written(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        take(store, tmp_path, "one.jsonl", *CALLS)
        before = sorted(path.name for path in (tmp_path / "store").glob("day=*/*.parquet"))
        take(store, tmp_path, "two.jsonl", call(50, day=9))
        assert set(before) <= {path.name for path in (tmp_path / "store").glob("day=*/*.parquet")}
        assert store.overlaps() == ()


def test_a_better_source_takes_over_and_a_worse_one_changes_nothing(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        take(store, tmp_path, "buckets.jsonl", bucket(2))
        assert ids(store.calls()) == [f"{OTHER_LOG}-2"]
        take(store, tmp_path, "calls.jsonl", *CALLS[:5])
        assert ids(store.left_out()) == [f"{OTHER_LOG}-2"]
        digest = store.digest()
        take(store, tmp_path, "more.jsonl", bucket(2, id="another", input_tokens=1500))
        assert store.digest() == digest
        assert len(ids(store.left_out())) == 2


def test_one_call_does_not_take_over_a_day_of_buckets(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        take(store, tmp_path, "buckets.jsonl", bucket(2, input_tokens=10**6))
        take(store, tmp_path, "calls.jsonl", call(1))
        assert (ids(store.calls()), ids(store.left_out())) == ([f"{OTHER_LOG}-2"], ["call-1"])


def test_declared_separate_counts_now_and_later(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        take(store, tmp_path, "calls.jsonl", *CALLS)
        take(store, tmp_path, "buckets.jsonl", *BUCKETS)
        assert store.calls_count == 9
        report = take(store, tmp_path, "buckets.jsonl", *BUCKETS, is_separate=True)
        assert [each.status for each in report.files] == ["already imported"]
        assert store.calls_count == 11
        assert store.overlaps() == ()
        take(store, tmp_path, "buckets.jsonl", *BUCKETS, bucket(5))  # the grown file is still traffic of its own
        assert (store.calls_count, ids(store.left_out())) == (12, [])


def test_bills_alone_are_no_calls(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        report = take(store, tmp_path, "bills.jsonl", bill(2), bill(3))
        assert (report.calls, report.bills) == (2, 2)
        assert (store.calls_count, store.bills_count) == (0, 2)
        assert ids(store.calls()) == []
        assert store.bills().cost_usd.sum().to_pyarrow().as_py() == 3.0


def test_exports_of_one_format_that_overlap_by_a_day_count_each_bucket_once(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        take(store, tmp_path, "usage_01_03.jsonl", bucket(2), bucket(3, input_tokens=1000))
        report = take(store, tmp_path, "usage_03_05.jsonl", bucket(3), bucket(4))
        assert (report.calls, report.duplicates) == (1, 1)
        assert store.calls().input_tokens.sum().to_pyarrow().as_py() == 9000  # of the third, the later and larger


def test_parts_of_a_second_are_no_trouble(tmp_path: Path) -> None:
    times = {"start_time": "2026-11-02T00:00:00.123456Z", "end_time": "2026-11-02T23:00:02.5Z"}
    with CallStore(tmp_path / "store") as store:
        take(store, tmp_path, "a.jsonl", call(1, **times, timestamp=None), bucket(2, **times, input_tokens=1000))
        assert (ids(store.calls()), ids(store.left_out())) == (["call-1"], [f"{OTHER_LOG}-2"])


def test_hostile_names_are_split_too(tmp_path: Path) -> None:
    name = 'it\'s; DROP TABLE "calls" --'
    with CallStore(tmp_path / "store") as store:
        take(store, tmp_path, "a.jsonl", call(1, model=name, provider="o'x"), bucket(2, model=name, provider="o'x"))
        assert (store.calls_count, len(ids(store.left_out()))) == (1, 1)


def test_every_row_is_in_one_file(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        for number in range(5):
            take(store, tmp_path, f"{number}.jsonl", call(number), bucket(2, id=f"b{number}"), bill(2 + number % 2))
        kinds = [ids(each) for each in (store.calls(), store.left_out(), store.bills())]
        assert [len(each) for each in kinds] == [5, 5, 2]
    files = (tmp_path / "store").glob("day=*/*.parquet")
    assert sum(pq.read_metadata(path).num_rows for path in files) == 12
