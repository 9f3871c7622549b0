"""Calls under the names of the conventions come back as the same Calls."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.usage.logs import NOW, stored_calls

from breakeven.errors import OutputError
from breakeven.usage.call import CALL_COLUMNS, Call, broken_invariant
from breakeven.usage.export import otel_parquet
from breakeven.usage.export.otel_parquet import otel_names, write_otel_parquet
from breakeven.usage.store import CallStore
from breakeven.usage.store.schema import call_schema

START = datetime(2026, 11, 2, 10, 0, 0, 123456, tzinfo=UTC)
FULL = Call(
    record_id="=cmd|' /C calc'!A0",
    source="gateway",
    start_time=START,
    weight=12.5,
    end_time=START + timedelta(seconds=2),
    tz_assumed=True,
    duration_s=2.0,
    ttft_s=0.25,
    operation="chat",
    provider="anthropic",
    request_model="claude-sonnet-4",
    response_model="claude-sonnet-4-20250514",
    model_key="claude-sonnet-4-0",
    input_tokens=1000,
    cache_read_tokens=300,
    cache_write_tokens=200,
    cache_write_1h_tokens=50,
    output_tokens=90,
    reasoning_tokens=40,
    audio_input_tokens=7,
    audio_output_tokens=3,
    image_input_tokens=11,
    tokens_source="estimated",
    tokens_error_fraction=0.15,
    usage_estimated=True,
    cost_usd=0.0125,
    cost_source="billed",
    status="error",
    http_status=529,
    error_type="overloaded",
    finish_reason="length",
    stream=True,
    max_tokens=4096,
    service_tier="priority",
    is_batch=True,
    application="shop",
    endpoint="/v1/messages",
    task="faq",
    task_source="rule",
    template_id="t1",
    trace_id="trace",
    parent_id="parent",
    retry_of="other",
    unit_hash="ab" * 8,
    api_key_hash="cd" * 8,
    session_id="session",
    arm="a",
    propensity=0.5,
    policy_hash="p",
    outcome=1.0,
    outcome_source="person",
    prompt_hash="ef" * 8,
    system_hash="s",
    schema_hash="h",
    has_tools=False,
    prompt_words=(1, 2**62),
    prompt_terms=(3,),
    prompt_counts=(4, 5),
    prefix_hashes=(6, 7),
    redaction="prompt dropped",
)
BARE = Call("bare", "gateway", START, input_tokens=1, output_tokens=2)
BUCKET = Call(
    "b",
    "gateway",
    START,
    grain="bucket",
    request_count=None,
    end_time=START + timedelta(days=1),
    input_tokens=10**9,
    output_tokens=5,
)


def store_of(folder: Path, *calls: Call) -> CallStore:
    """A store with exactly these calls."""
    assert not [broken for each in calls if (broken := broken_invariant(each))]
    rows = [{column.name: getattr(each, column.name) for column in CALL_COLUMNS} for each in calls]
    path = folder / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=call_schema()), path)
    store = CallStore(folder / "store")
    store.ingest(path, now=NOW)
    return store


def content(store: CallStore) -> list[dict[str, Any]]:
    """Calls without where they were read."""
    provenance = {column.name for column in CALL_COLUMNS if not column.is_content}
    return [{name: value for name, value in each.items() if name not in provenance} for each in stored_calls(store)]


def test_every_column_comes_back(tmp_path: Path) -> None:
    assert all(getattr(FULL, each.name) is not None for each in fields(Call) if not each.name.startswith("source_"))
    with store_of(tmp_path, FULL, BARE, BUCKET) as store, CallStore(tmp_path / "back") as back:
        assert write_otel_parquet(store.calls(), tmp_path / "otel.parquet") == 3
        back.ingest(tmp_path / "otel.parquet", now=NOW)
        assert content(back) == content(store)
        assert back.digest() == store.digest()


def test_names_are_those_of_the_conventions(tmp_path: Path) -> None:
    names = otel_names()
    assert names["input_tokens"] == "gen_ai.usage.input_tokens"
    assert names["response_model"] == "gen_ai.response.model"
    assert names["unit_hash"] == "unit_hash"  # the convention's user.id is no hash
    assert len(set(names.values())) == len(names)
    with store_of(tmp_path, BARE) as store:
        write_otel_parquet(store.calls(), tmp_path / "otel.parquet")
    assert pq.read_schema(tmp_path / "otel.parquet").names == list(names.values())


def test_rows_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel_parquet, "CHUNK_ROWS", 2048)
    many = [
        Call(f"c{n}", "gateway", START + timedelta(seconds=n), input_tokens=n, output_tokens=1) for n in range(5000)
    ]
    told: list[int] = []
    with store_of(tmp_path, *many) as store:
        assert write_otel_parquet(store.calls(), tmp_path / "otel.parquet", told.append) == 5000
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == pq.read_metadata(tmp_path / "otel.parquet").num_rows == 5000


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with store_of(tmp_path, BARE) as store, pytest.raises(OutputError, match="give another path"):
        write_otel_parquet(store.calls(), tmp_path / "file" / "otel.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "rows.parquet", "store"]
