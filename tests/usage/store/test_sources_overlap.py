"""Real formats of one traffic: a gateway's log, the provider's usage and its costs, imported in any order."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from tests.usage.logs import NOW

from breakeven.usage.invoice import billed_in_store, read_invoice
from breakeven.usage.store import CallStore

DAY = 1_793_577_600
"""2026-11-02T00:00:00Z."""
CALLS_PER_DAY = 6


def gateway_rows(days: range) -> list[dict[str, Any]]:
    """LiteLLM spend logs."""
    return [
        {
            "request_id": f"chatcmpl-{day}-{n}",
            "call_type": "acompletion",
            "startTime": f"{date(2026, 11, 2) + timedelta(days=day)} {3 * n:02d}:00:00.000",
            "endTime": f"{date(2026, 11, 2) + timedelta(days=day)} {3 * n:02d}:00:02.000",
            "model": "openai/gpt-5",
            "model_group": "gpt-5",
            "custom_llm_provider": "openai",
            "api_base": "https://api.openai.com",
            "prompt_tokens": 1000,
            "completion_tokens": 50,
            "total_tokens": 1050,
            "spend": 0.00175,
            "cache_hit": "False",
            "status": "success",
        }
        for day in days
        for n in range(CALLS_PER_DAY)
    ]


def usage_page(days: range) -> dict[str, Any]:
    """OpenAI's usage by day and model; on top of the gateway's calls a model that the gateway does not see."""
    return {
        "object": "page",
        "data": [
            {
                "object": "bucket",
                "start_time": DAY + day * 86_400,
                "end_time": DAY + (day + 1) * 86_400,
                "results": [
                    {
                        "object": "organization.usage.completions.result",
                        "input_tokens": 1000 * count,
                        "input_cached_tokens": 0,
                        "output_tokens": 50 * count,
                        "num_model_requests": count,
                        "model": model,
                        "batch": None,
                    }
                    for model, count in (("gpt-5-2025-08-07", CALLS_PER_DAY), ("gpt-4o-2024-08-06", 2))
                ],
            }
            for day in days
        ],
        "has_more": False,
    }


def costs_page(days: range) -> dict[str, Any]:
    """OpenAI's costs of the same days."""
    return {
        "object": "page",
        "data": [
            {
                "object": "bucket",
                "start_time": DAY + day * 86_400,
                "end_time": DAY + (day + 1) * 86_400,
                "results": [
                    {
                        "object": "organization.costs.result",
                        "amount": {"value": value, "currency": "usd"},
                        "line_item": line_item,
                    }
                    for line_item, value in (("gpt-5-2025-08-07, input", 0.0075), ("web search tool calls", 0.01))
                ],
            }
            for day in days
        ],
        "has_more": False,
    }


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    contents = {
        "gateway.jsonl": "".join(json.dumps(row) + "\n" for row in gateway_rows(range(3))),
        "usage.json": json.dumps(usage_page(range(4))),
        "costs.json": json.dumps(costs_page(range(4))),
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    return {name: tmp_path / name for name in contents}


@pytest.mark.parametrize("order", list(permutations(("gateway.jsonl", "usage.json", "costs.json")))[::2])
def test_each_call_counts_once(tmp_path: Path, files: dict[str, Path], order: tuple[str, ...]) -> None:
    with CallStore(tmp_path / "store") as store:
        for name in order:
            store.ingest(files[name], now=NOW)
        calls = store.calls()
        found = calls.group_by("source", "grain").aggregate(n=calls.count(), tokens=calls.input_tokens.sum())
        rows = {(row["grain"], row["n"], row["tokens"]) for row in found.to_pyarrow().to_pylist()}
        # 18 calls of three days; of the usage gpt-4o on all days and gpt-5 on the day that the gateway lacks
        assert rows == {("request", 18, 18_000), ("bucket", 5, 4 * 2000 + 6000)}
        assert (store.calls_count, store.bills_count) == (23, 8)
        (told,) = store.overlaps()
        assert (told.left_out, told.days_count, told.models) == ("openai_usage", 3, ("gpt-5",))
        assert (told.tokens_agreement_fraction, told.requests_ratio) == (1.0, 1.0)
        assert "litellm" in told.counted


def test_exports_that_overlap_by_a_day(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        for name, days in (("a.json", range(2)), ("b.json", range(1, 4))):
            (tmp_path / name).write_text(json.dumps(usage_page(days)))
            report = store.ingest(tmp_path / name, now=NOW)
        assert (report.calls, report.duplicates) == (4, 2)
        assert (store.calls_count, store.overlaps()) == (8, ())
        for name, days in (("c.json", range(2)), ("d.json", range(1, 4))):
            (tmp_path / name).write_text(json.dumps(costs_page(days)))
            report = store.ingest(tmp_path / name, now=NOW)
        assert (report.bills, report.duplicates) == (4, 2)


def test_imported_costs_say_what_their_file_says(tmp_path: Path, files: dict[str, Path]) -> None:
    with CallStore(tmp_path / "store") as store:
        store.ingest(files["costs.json"], now=NOW)
        stored = billed_in_store(store.bills())
    read = read_invoice(files["costs.json"], {})
    assert sorted((each.day, each.amount, each.model, each.kind) for each in stored.lines) == sorted(
        (each.day, each.amount, each.model, each.kind) for each in read.lines
    )


def cut(hours: int, **named: object) -> dict[str, Any]:
    """One day of usage in buckets of some hours."""
    buckets = [(DAY + 3600 * n, DAY + 3600 * (n + hours)) for n in range(0, 24, hours)]
    told = {"input_tokens": 1000 * hours, "output_tokens": 50 * hours, "num_model_requests": hours, **named}
    data = [{"start_time": start, "end_time": end, "results": [told]} for start, end in buckets]
    return {"object": "page", "data": data, "has_more": False}


@pytest.mark.parametrize("order", list(permutations(("day.json", "hour.json", "project.json"))))
def test_one_account_exported_in_several_cuts_counts_once(tmp_path: Path, order: tuple[str, ...]) -> None:
    pages = {
        "day.json": cut(24, model="gpt-5"),
        "hour.json": cut(1, model="gpt-5"),
        "project.json": cut(24, model="gpt-5", project_id="p"),
    }
    with CallStore(tmp_path / "store") as store:
        for name in order:
            (tmp_path / name).write_text(json.dumps(pages[name]))
            store.ingest(tmp_path / name, now=NOW)
        calls = store.calls()
        assert calls.source_file.to_pyarrow().to_pylist() == ["hour.json"] * 24
        assert calls.input_tokens.sum().to_pyarrow().as_py() == 24_000
        assert {each.counted for each in store.overlaps()} == {"openai_usage by hour and model"}
        assert len(store.overlaps()) == 2


def agents_report(days: range, *, by: str) -> dict[str, Any]:
    """ccusage of some days of October and November, by day or month, of one model; 200 tokens a day."""
    counts = {"inputTokens": 150, "outputTokens": 50, "cacheCreationTokens": 0, "cacheReadTokens": 0}
    periods: dict[str, int] = {}
    for each in days:
        day = date(2026, 10, 1) + timedelta(days=each)
        period = day.isoformat() if by == "daily" else f"{day:%Y-%m}"
        periods[period] = periods.get(period, 0) + 1
    entries = [
        {
            ("date" if by == "daily" else "month"): period,
            **{name: count * number for name, count in counts.items()},
            "totalCost": 0.5,
            "modelsUsed": ["claude-opus-4-6"],
        }
        for period, number in periods.items()
    ]
    return {by: entries}


@pytest.mark.parametrize("order", list(permutations(("daily", "monthly", "gateway"))))
@pytest.mark.parametrize("days", [range(47), range(31), range(31, 47)], ids=["two months", "one", "the one going on"])
def test_days_and_months_of_one_report_count_once(tmp_path: Path, order: tuple[str, ...], days: range) -> None:
    """The last month has no end yet; a gateway's log of other models changes some of the days in between."""
    for by in ("daily", "monthly"):
        (tmp_path / f"{by}.json").write_text(json.dumps(agents_report(days, by=by)))
    (tmp_path / "gateway.json").write_text("".join(json.dumps(row) + "\n" for row in gateway_rows(range(-32, 3, 7))))
    with CallStore(tmp_path / "store") as store:
        for name in order:
            store.ingest(tmp_path / f"{name}.json", now=NOW)
        calls = store.calls().filter(lambda each: each.source == "ccusage")
        assert calls.count().to_pyarrow().as_py() == len(days)
        assert calls.input_tokens.sum().to_pyarrow().as_py() == 150 * len(days)
        (told,) = store.overlaps()
        assert (told.counted, told.left_out) == ("ccusage by day and model", "ccusage by month and model")
        assert told.tokens_agreement_fraction == 1.0
