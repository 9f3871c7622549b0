"""Anthropic's reports, by API and from the Console: exclusive tokens, cents in texts, the label that breaks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from breakeven.usage.store import CallStore

from ..logs import NOW, Imported, imported, imported_paths, write

FIXTURES = Path(__file__).parent / "fixtures"
TOKENS = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count,inference_geo,speed\n"
)
COSTS = (
    "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type,"
    "inference_geo,speed\n"
)


def bucket(*results: Any, day: int = 2) -> dict[str, Any]:
    span = {"starting_at": f"2026-11-{day:02d}T00:00:00Z", "ending_at": f"2026-11-{day + 1:02d}T00:00:00Z"}
    return {**span, "results": list(results)}


def page(*buckets: Any) -> dict[str, Any]:
    return {"data": list(buckets), "has_more": False, "next_page": None}


def read(folder: Path, *buckets: Any) -> Imported:
    return imported(folder, json.dumps(page(*buckets)), "report.json")


def usage(**fields: Any) -> dict[str, Any]:
    written = {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500}
    good = {
        "uncached_input_tokens": 1500,
        "cache_creation": written,
        "cache_read_input_tokens": 200,
        "output_tokens": 500,
        "model": "claude-opus-4-6",
    }
    return {**good, **fields}


def cost(amount: object = "123.78912", currency: object = "USD", **fields: Any) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "model": "claude-opus-4-6", "token_type": "output_tokens", **fields}


def tokens(call: dict[str, Any]) -> tuple[int, ...]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens")
    return tuple(call[name] for name in names)


def test_the_usage_fixture(tmp_path: Path) -> None:
    found = imported_paths(FIXTURES / "anthropic_usage" / "usage.json")
    full, empty = found.calls
    assert tokens(full) == (3200, 200, 1500, 1000, 500)
    assert full["request_count"] is None  # the report never says
    assert (full["start_time"], full["end_time"]) == (
        datetime(2026, 11, 2, tzinfo=UTC),
        datetime(2026, 11, 3, tzinfo=UTC),
    )
    assert (full["provider"], full["service_tier"], full["is_batch"]) == ("anthropic", "standard", False)
    assert "apikey_01Rj" not in str(full)
    assert (tokens(empty), empty["request_count"]) == ((0, 0, 0, 0, 0), 0)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"cache_creation": None}, (1700, 200, 0, 0, 500)),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 7}}, (1707, 200, 7, 0, 500)),
        ({"cache_creation": None, "cache_creation_input_tokens": 30}, (1730, 200, 30, 0, 500)),
        ({"uncached_input_tokens": "1500", "cache_read_input_tokens": "200.0"}, (3200, 200, 1500, 1000, 500)),
        ({"uncached_input_tokens": 0, "cache_read_input_tokens": 10**9}, (10**9 + 1500, 10**9, 1500, 1000, 500)),
    ],
    ids=["no writes", "5 minutes only", "older flat name", "texts", "nearly all cached"],
)
def test_input_is_the_sum_of_its_parts(tmp_path: Path, fields: dict[str, Any], wanted: tuple[int, ...]) -> None:
    assert tokens(read(tmp_path, bucket(usage(**fields))).only) == wanted


def test_batch_and_fast_are_part_of_the_price(tmp_path: Path) -> None:
    rows = (usage(service_tier="batch"), usage(service_tier="standard", speed="fast"), usage(service_tier="priority"))
    calls = read(tmp_path, bucket(*rows)).calls
    assert {(c["service_tier"], c["is_batch"]) for c in calls} == {
        ("batch", True),
        ("fast", False),
        ("priority", False),
    }


def test_context_windows_and_places_are_rows_of_their_own(tmp_path: Path) -> None:
    rows = [usage(context_window=size, inference_geo=geo) for size in ("0-200k", "200k-1M") for geo in ("us", "global")]
    assert read(tmp_path, bucket(*rows)).report.calls == 4


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"model": "x"}, "this result counts no tokens"),
        (usage(output_tokens=-1), "output_tokens is negative"),
        (usage(uncached_input_tokens=1.5), "input_tokens is not a whole number"),
        ([], "not a result"),
    ],
)
def test_a_bad_usage_result_is_a_reject(tmp_path: Path, bad: Any, reason: str) -> None:
    found = read(tmp_path, bucket(usage(), bad))
    assert found.reasons == {2: reason}
    assert found.report.calls == 1


@pytest.mark.parametrize("is_late_first", [False, True])
def test_reports_that_overlap_by_a_day_in_either_order(tmp_path: Path, is_late_first: bool) -> None:
    early = write(tmp_path, json.dumps(page(bucket(usage()), bucket(usage(), day=3))), "a.json")
    late = write(tmp_path, json.dumps(page(bucket(usage(output_tokens=900), day=3), bucket(usage(), day=4))), "b.json")
    with CallStore(tmp_path / "store") as store:
        for path in (late, early) if is_late_first else (early, late):
            store.ingest([path], now=NOW)
        assert store.calls().count().to_pyarrow().as_py() == 3
        assert store.calls().output_tokens.sum().to_pyarrow().as_py() == 500 + 900 + 500


def test_the_cost_fixture_is_in_cents(tmp_path: Path) -> None:
    found = imported_paths(FIXTURES / "anthropic_costs" / "cost.json")
    assert not found.calls
    assert sorted(
        (b["start_time"].day, b["cost_usd"], b["model_key"] or "", b["operation"] or "") for b in found.bills
    ) == [
        (2, 1.2378912, "claude-sonnet-4-5", "uncached_input_tokens"),
        (2, 3.0, "", "web_search"),
        (3, 0.0, "", ""),
    ]
    assert {b["is_batch"] for b in found.bills if b["model_key"]} == {True}


@pytest.mark.parametrize(("amount", "dollars"), [("100", 1.0), (100, 1.0), ("0.001", 0.00001), (0, 0.0), ("1e2", 1.0)])
def test_cents(tmp_path: Path, amount: object, dollars: float) -> None:
    (bill,) = read(tmp_path, bucket(cost(amount))).bills
    assert bill["cost_usd"] == dollars


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (cost(currency="EUR"), "the amount is not in US dollars; convert it before the import"),
        (cost(currency=None), "the amount has no currency"),
        (cost("a lot"), "the amount is not a number of cents"),
        (cost("NaN"), "the amount is not a number of cents"),
        (cost(None), "the amount is not a number of cents"),
        (cost({"value": 1}), "the amount is not a number of cents"),
        (cost("-100"), "cost_usd is not an amount"),
    ],
)
def test_what_is_no_amount_of_cents_is_a_reject(tmp_path: Path, bad: dict[str, Any], reason: str) -> None:
    found = read(tmp_path, bucket(cost(), bad))
    assert found.reasons == {2: reason}
    assert len(found.bills) == 1


def test_the_console_fixture(tmp_path: Path) -> None:
    (path,) = (FIXTURES / "anthropic_console_usage").glob("*.csv")
    calls = imported_paths(path).calls
    assert {tokens(c) for c in calls} == {
        (102_340, 2000, 340, 40, 5000),
        (50_000, 0, 0, 0, 2000),
        (200_000, 0, 0, 0, 10_000),
    }
    assert {(c["request_model"], c["is_batch"]) for c in calls} == {
        ("claude-sonnet-4-20250514", False),
        ("claude-haiku-4-5-20251001", True),
    }
    assert {c["request_count"] for c in calls} == {None}
    assert not any(c["tz_assumed"] for c in calls)
    assert {c["start_time"].day for c in calls} == {2, 3}
    assert "test-key" not in str(calls)


def test_an_older_file_lacks_columns(tmp_path: Path) -> None:
    header = (
        "usage_date_utc,model_version,api_key,workspace,usage_type,usage_input_tokens_no_cache,"
        "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
        "usage_output_tokens,web_search_count\n"
    )
    row = "2025-06-12,claude-3-5-haiku-20241022,claude_code_key_user_abc,Claude Code,standard,8,0,0,0,1,0\n"
    assert tokens(imported(tmp_path, header + row, "old.csv").only) == (8, 0, 0, 0, 1)
    oldest = (
        "usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens\n2025-06-12,claude-3-opus,8,1\n"
    )
    assert tokens(imported(tmp_path, oldest, "oldest.csv").only) == (8, 0, 0, 0, 1)


ROW = "2026-11-02,claude-sonnet-4-20250514,k,Größe,standard,{},100,0,0,0,5,0,not_available,\n"


@pytest.mark.parametrize(
    "content",
    [
        (TOKENS + ROW.format("≤ 200k")).encode(),
        ("\ufeff" + TOKENS + ROW.format("≤ 200k")).encode(),
        (TOKENS + ROW.format("≤ 200k")).encode("utf-16"),
        (TOKENS + ROW.format("? 200k")).encode("cp1252"),
        (TOKENS + ROW.format("= 200k")).encode("cp1252"),
    ],
    ids=["utf-8", "bom", "utf-16", "cp1252 with ?", "cp1252 with ="],
)
def test_the_label_survives_every_spreadsheet(tmp_path: Path, content: bytes) -> None:
    """The id is the same, so a file saved by a spreadsheet does not count twice beside the original."""
    original = imported(tmp_path, TOKENS + ROW.format("≤ 200k"), "original.csv").only
    call = imported(tmp_path, content, "saved.csv").only
    assert call["record_id"] == original["record_id"]
    assert (call["application"], call["input_tokens"]) == ("Größe", 100)


def test_bytes_of_no_code_page_lose_no_row(tmp_path: Path) -> None:
    content = TOKENS.encode() + ROW.format("?").encode().replace(b"?", b"\xb2\x81 200k")
    found = imported(tmp_path, content, "mac.csv")
    assert (found.report.calls, found.report.rejects_count) == (1, 0)


def test_larger_contexts_are_rows_of_their_own(tmp_path: Path) -> None:
    found = imported(tmp_path, TOKENS + ROW.format("≤ 200k") + ROW.format("> 200k"), "log.csv")
    assert (found.report.calls, found.report.duplicates) == (2, 0)


def test_the_console_costs_are_in_dollars(tmp_path: Path) -> None:
    (path,) = (FIXTURES / "anthropic_console_costs").glob("*.csv")
    found = imported_paths(path)
    assert not found.calls
    assert sorted((b["start_time"].day, b["cost_usd"], b["model_key"], b["operation"]) for b in found.bills) == [
        (2, 0.5, "Claude Opus 4.6", "output"),
        (2, 1.5, "Claude Opus 4.6", "input_no_cache"),
        (3, 0.1, "Claude Sonnet 4.6", "input_cache_read"),
    ]
    assert "OB-1" not in str(found.bills)


def test_console_costs_with_newer_columns_and_bad_rows(tmp_path: Path) -> None:
    header = COSTS.rstrip("\n") + ",api_key_id,api_key_status\n"
    row = "2026-11-02,Claude Haiku 4.5,Default,demo,message,≤ 200k,{},{},0.05,token,not_available,,apikey_01,active\n"
    rows = row.format("output", "0.05") + row.format("input_no_cache", "") + row.format("input_cache_read", "x")
    found = imported(tmp_path, header + rows, "cost.csv")
    assert [b["cost_usd"] for b in found.bills] == [0.05]
    assert list(found.reasons.values()) == ["cost_usd is missing on a bill", "cost_usd is not an amount"]


def test_a_bad_day_is_a_reject(tmp_path: Path) -> None:
    row = ROW.format("≤ 200k")
    found = imported(
        tmp_path, TOKENS + row + row.replace("2026-11-02", "2026-13-40") + row.replace("2026-11-02", ""), "x.csv"
    )
    assert found.report.calls == 1
    assert list(found.reasons.values()) == ["start_time is not a time", "start_time is missing"]
