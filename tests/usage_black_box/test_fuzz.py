"""Random damage to valid logs: no crash but a UsageError, every row accounted for, good neighbours untouched."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breakeven.errors import UsageError
from breakeven.usage.store.call_store import CallStore
from usage_black_box.logs import calls, counts, csv_text, ingest, jsonl, reject_rows, row, write

GOOD = [row(n, id=f"id-{n}", user=f"u{n % 3}", duration_s=n / 7, stream=n % 2 == 0) for n in range(12)]
JSON_LOG = jsonl(*GOOD).encode()
CSV_LOG = csv_text(
    ("id", "start_time", "input_tokens", "output_tokens", "note"),
    [(f"id-{n}", f"2026-11-01T00:{n:02d}:00Z", str(n), f'"{n}"', f'"a ""b"" {n}"') for n in range(12)],
).encode()
AZURE_LOG = csv_text(
    ("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
    [(f"2023-11-16 18:17:{n:02d}.9799600", "4808", "10") for n in range(12)],
).encode()
MOONCAKE_LOG = jsonl(
    *({"timestamp": n * 1000, "input_length": n, "output_length": 1, "hash_ids": [n]} for n in range(12))
).encode()
QUICK = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def parquet_log() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(GOOD), sink)
    return bytes(sink.getvalue())


ORIGINALS = (JSON_LOG, CSV_LOG, AZURE_LOG, MOONCAKE_LOG, gzip.compress(JSON_LOG, mtime=0), parquet_log())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid log with a few bytes flipped, cut out, put in, or lines shuffled."""
    data = bytearray(draw(st.sampled_from(ORIGINALS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        kind = draw(st.sampled_from(["flip", "delete", "insert", "cut", "shuffle", "repeat"]))
        if kind == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "delete":
            del data[at : at + draw(st.integers(1, 40))]
        elif kind == "insert":
            data[at:at] = draw(
                st.binary(max_size=20) | st.sampled_from([b'"', b"\n", b",", b"\0", b"\r", b"{", b"\xff"])
            )
        elif kind == "cut":
            del data[at:]
        elif kind == "repeat":
            data[at:at] = data[at : at + 200]
        else:
            data = bytearray(b"\n".join(draw(st.permutations(bytes(data).split(b"\n")))))
    return bytes(data)


def survives(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, CallStore(Path(folder) / "store") as store:
        file = write(Path(folder) / "log", content)
        try:
            report = ingest(store, file)
        except UsageError as error:
            assert str(error)
            assert store.calls_count == 0
            return
        before = store.digest()
        again = ingest(store, file)
        assert (again.rows_in, again.calls, again.rejects_count) == (report.rows_in, 0, report.rejects_count)
        assert store.digest() == before


@QUICK
@given(damaged())
def test_damage_is_survived(content):
    survives(content)


@QUICK
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_random_bytes_are_survived(content):
    survives(content)


@QUICK
@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_random_bytes_behind_a_header_are_survived(content):
    survives(b"start_time,input_tokens,output_tokens\n2026-11-01T00:00:00Z,1,2\n" + content)


VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(st.integers(), max_size=3)
)
KEYS = st.sampled_from(
    (
        *("id", "start_time", "end_time", "duration_s", "duration_ms", "tz_assumed", "grain", "request_count"),
        *("input_tokens", "prompt_tokens", "output_tokens", "reasoning_tokens", "usage", "weight", "sampling_rate"),
        *("cache_read_tokens", "cache_read_input_tokens", "cost_usd", "status", "http_status", "error_type"),
        *("operation", "user", "api_key_id", "prompt", "task", "stream", "propensity", "outcome", "prefix_hashes"),
    )
)


@QUICK
@given(st.lists(st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=2), max_size=8), max_size=8))
def test_good_rows_are_untouched_by_bad_neighbours(bad):
    """Rows of any values between good ones: the good ones are stored exactly as they are without them."""
    lines: list[str] = []
    good_lines = []
    for number, good in enumerate(GOOD):
        lines.append(json.dumps(good))
        good_lines.append(len(lines))
        if number < len(bad):
            lines.append(
                json.dumps({**good, "id": f"bad-{number}", **{k: v for k, v in bad[number].items() if k != "id"}})
            )
    with tempfile.TemporaryDirectory() as folder, CallStore(Path(folder) / "store") as store:
        ingest(store, write(Path(folder) / "log.jsonl", jsonl(*lines)))
        assert not set(reject_rows(store)) & set(good_lines)
        by_id = {each["record_id"]: each for each in calls(store)}
        for number, good in enumerate(GOOD):
            found = by_id[f"id-{number}"]
            assert (found["input_tokens"], found["output_tokens"]) == (good["input_tokens"], good["output_tokens"])
            assert found["start_time"].isoformat() == good["start_time"].replace("Z", "+00:00")
            assert found["stream"] is good["stream"]
        check_invariants(by_id.values())


def check_invariants(found) -> None:
    for call in found:
        limit = 1e8 if call["grain"] == "request" else 1e13
        for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"):
            assert 0 <= call[name] <= limit
        assert call["cache_read_tokens"] + call["cache_write_tokens"] <= call["input_tokens"]
        assert call["reasoning_tokens"] <= call["output_tokens"]
        assert call["weight"] > 0
        assert call["weight"] <= 1e9
        assert call["end_time"] is None or call["start_time"] <= call["end_time"]
        assert call["cost_usd"] is None or 0 <= call["cost_usd"] <= 1e9


@QUICK
@given(st.lists(st.sampled_from(range(12)), min_size=1, max_size=40), st.integers(1, 4))
def test_any_split_and_order_of_deliveries_gives_the_same_store(order, files_count):
    """Equal rows under equal ids, dealt to files at random and in any order: as many calls as ids."""
    with tempfile.TemporaryDirectory() as folder, CallStore(Path(folder) / "store") as store:
        for number in range(files_count):
            dealt = [GOOD[each] for each in order[number::files_count]]
            if dealt:
                write(Path(folder) / "logs" / f"{number}.jsonl", jsonl(*dealt))
        report = ingest(store, Path(folder) / "logs")
        assert counts(report) == (len(order), len(set(order)), len(order) - len(set(order)), 0)
