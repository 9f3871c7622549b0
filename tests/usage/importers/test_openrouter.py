"""OpenRouter: exact times from the id, what it costs with one's own key, daily rows in three spellings."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ..logs import Imported, imported, imported_paths, write

FIXTURES = Path(__file__).parent / "fixtures"
COLUMNS = [
    "generation_id",
    "created_at",
    "cost_total",
    "cost_web_search",
    "cost_cache",
    "cost_file_processing",
    "byok_usage_inference",
    "tokens_prompt",
    "tokens_completion",
    "tokens_reasoning",
    "tokens_cached",
    "model_permaslug",
    "provider_name",
    "variant",
    "cancelled",
    "streamed",
    "user",
    "finish_reason_raw",
    "finish_reason_normalized",
    "generation_time_ms",
    "time_to_first_token_ms",
    "api_key_disabled",
    "api_key_name",
    "app_name",
]
SECOND = 1_782_618_417
"""2026-06-28T03:46:57Z."""
MOMENT = datetime(2026, 6, 28, 3, 46, 57, 713_000, tzinfo=UTC)


def activity(folder: Path, *rows: dict[str, object]) -> Imported:
    good = {
        "generation_id": f"gen-{SECOND}-Abc",
        "created_at": "2026-06-28 03:46:57.713",
        "cost_total": "0.01",
        "tokens_prompt": 100,
        "tokens_completion": 10,
        "model_permaslug": "openai/gpt-5",
        "cancelled": "false",
    }
    lines = [",".join(str({**good, **row}.get(name, "")) for name in COLUMNS) for row in rows]
    return imported(folder, "\n".join([",".join(COLUMNS), *lines]) + "\n", "activity.csv")


def test_the_activity_fixture(tmp_path: Path) -> None:
    (path,) = (FIXTURES / "openrouter_activity").glob("*.csv")
    first, second = imported_paths(path).calls
    assert (first["record_id"], first["start_time"], first["tz_assumed"]) == ("gen-1782618417-Abc", MOMENT, False)
    assert (first["duration_s"], first["ttft_s"], first["stream"]) == (2.345, 0.321, True)
    assert (first["input_tokens"], first["cache_read_tokens"]) == (4115, 2048)
    assert (first["output_tokens"], first["reasoning_tokens"]) == (210, 64)
    assert (first["cost_usd"], first["cost_source"], first["provider"]) == (0.0123, "billed", "openrouter")
    assert (first["request_model"], first["application"]) == ("openai/gpt-5-2025-08-07", "Support Bot")
    assert second["request_model"] == "meta-llama/llama-3.3-70b-instruct:free"
    assert (second["status"], second["cost_usd"], second["cost_source"]) == ("cancelled", 0.2501, "reported")
    assert "customer-7" not in str(second)
    assert "laptop" not in str(second)


@pytest.mark.parametrize(
    "created_at",
    [
        "2026-06-28 03:46:57.713",
        "2026-06-28 05:46:57.713",
        "2026-06-27 20:46:57.713",
        "2026-06-28 09:16:57.713",
        "2026-06-28 09:31:57.713",
        "2026-06-28T03:46:57.713Z",
        "2026-06-28T05:46:57.713+02:00",
    ],
    ids=["utc", "Berlin", "Los Angeles", "Delhi", "Kathmandu", "zoned", "zoned elsewhere"],
)
def test_the_id_tells_the_zone(tmp_path: Path, created_at: str) -> None:
    call = activity(tmp_path, {"created_at": created_at}).only
    assert (call["start_time"], call["tz_assumed"]) == (MOMENT, False)


@pytest.mark.parametrize("created_at", ["2026-06-20 03:40:00", "2026-06-28 03:54:00", "", "28.6.2026"])
def test_a_time_that_does_not_fit_the_id(tmp_path: Path, created_at: str) -> None:
    found = activity(tmp_path, {"created_at": created_at})
    if created_at == "28.6.2026":
        assert list(found.reasons.values()) == ["start_time is not a time"]
    else:
        assert found.only["start_time"] == datetime.fromtimestamp(SECOND, UTC)


def test_an_older_id_has_no_second(tmp_path: Path) -> None:
    call = activity(tmp_path, {"generation_id": "gen-3bhGkxlo4XFrqiabUM7NDtwDzWwG"}).only
    assert (call["start_time"], call["tz_assumed"]) == (MOMENT, True)


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"variant": "standard"}, "openai/gpt-5"),
        ({"variant": "nitro"}, "openai/gpt-5:nitro"),
        ({"variant": "free", "model_permaslug": "openai/gpt-5:free"}, "openai/gpt-5:free"),
    ],
)
def test_the_variant_is_part_of_the_model(tmp_path: Path, row: dict[str, object], wanted: str) -> None:
    assert activity(tmp_path, row).only["request_model"] == wanted


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"cost_total": "x"}, "cost_usd is not an amount"),
        ({"byok_usage_inference": "x"}, "cost_usd is not an amount"),
        ({"tokens_prompt": ""}, "input_tokens is missing"),
        ({"tokens_cached": 101}, "cache_read_tokens + cache_write_tokens is more than input_tokens"),
        ({"tokens_reasoning": 11}, "reasoning_tokens is more than output_tokens"),
    ],
)
def test_bad_rows(tmp_path: Path, row: dict[str, object], reason: str) -> None:
    assert list(activity(tmp_path, {"generation_id": "gen-1782618417-Z"}, row).reasons.values()) == [reason]


def test_a_cancelled_generation_may_lack_counts(tmp_path: Path) -> None:
    call = activity(tmp_path, {"cancelled": "true", "tokens_prompt": "", "tokens_completion": ""}).only
    assert (call["status"], call["tokens_source"], call["input_tokens"]) == ("cancelled", "missing", 0)


def test_a_generation_delivered_twice_is_one_call(tmp_path: Path) -> None:
    found = activity(tmp_path, {"tokens_completion": 5}, {"tokens_completion": 10})
    assert (found.report.duplicates, found.only["output_tokens"]) == (1, 10)


ITEM = {
    "date": "2026-11-02",
    "model": "openai/gpt-4.1",
    "model_permaslug": "openai/gpt-4.1-2025-04-14",
    "endpoint_id": "e-1",
    "provider_name": "OpenAI",
    "usage": 0.015,
    "byok_usage_inference": 0.012,
    "requests": 5,
    "prompt_tokens": 50,
    "completion_tokens": 125,
    "reasoning_tokens": 25,
}
CAMEL = {
    "model_permaslug": "modelPermaslug",
    "endpoint_id": "endpointId",
    "provider_name": "providerName",
    "byok_usage_inference": "byokUsageInference",
    "prompt_tokens": "promptTokens",
    "completion_tokens": "completionTokens",
    "reasoning_tokens": "reasoningTokens",
}


def rollup(folder: Path, *items: Any) -> Imported:
    return imported(folder, json.dumps({"data": list(items)}), "activity.json")


def test_the_rollup_fixture(tmp_path: Path) -> None:
    folder = FIXTURES / "openrouter_rollup"
    calls = imported_paths(folder / "openrouter_usage.csv", folder / "activity.json").calls
    assert sorted((c["start_time"].day, c["request_count"], c["input_tokens"], c["output_tokens"]) for c in calls) == [
        (2, 5, 50, 125),
        (2, 4115, 70_965_665, 3_009_973),
        (3, 4254, 87_199_493, 2_795_119),
    ]
    by_count = {c["request_count"]: c for c in calls}
    assert (by_count[5]["cost_usd"], by_count[5]["cost_source"]) == (0.027, "reported")
    assert (by_count[4115]["cost_usd"], by_count[4115]["cost_source"]) == (430.07, "billed")
    assert by_count[4115]["end_time"] == datetime(2026, 11, 3, tzinfo=UTC)
    assert {(c["grain"], c["tz_assumed"]) for c in calls} == {("bucket", False)}


def test_camel_case_is_the_same(tmp_path: Path) -> None:
    camel = {CAMEL.get(name, name): value for name, value in ITEM.items()}
    assert rollup(tmp_path, camel).digest == rollup(tmp_path, ITEM).digest


def test_one_item_a_line_is_the_same(tmp_path: Path) -> None:
    lines = json.dumps(ITEM) + "\n" + json.dumps({**ITEM, "endpoint_id": "e-2"}) + "\n"
    found = imported(tmp_path, lines, "items.jsonl")
    assert (found.report.formats, found.report.calls) == (("openrouter_rollup",), 2)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({**ITEM, "usage": "free"}, "cost_usd is not an amount"),
        ({**ITEM, "date": "yesterday"}, "start_time is not a time"),
        ({**ITEM, "requests": -1}, "request_count is not possible"),
        ("text", "not an item"),
    ],
)
def test_bad_items(tmp_path: Path, item: Any, reason: str) -> None:
    found = rollup(tmp_path, {**ITEM, "endpoint_id": "e-2"}, item)
    assert list(found.reasons.values()) == [reason]
    assert found.report.calls == 1


def test_the_same_day_again_is_no_second_day(tmp_path: Path) -> None:
    found = rollup(tmp_path, ITEM, {**ITEM, "date": "2026-11-03"})
    both = imported(
        tmp_path,
        json.dumps({"data": [ITEM]}) + "\n" + json.dumps({"data": [ITEM, {**ITEM, "date": "2026-11-03"}]}),
        "two.json",
    )
    assert both.report.calls == 2
    assert both.report.duplicates == 1
    assert both.digest == found.digest


def test_the_page_and_the_api_tell_one_account(tmp_path: Path) -> None:
    """The page's CSV knows no endpoint, so ids differ; it is the same traffic all the same."""
    upstreams = [{**ITEM, "endpoint_id": f"e-{i}", "requests": 5, "prompt_tokens": 500} for i in range(2)]
    names = '"Date","Slug","Usage","BYOK Usage","Requests","Prompt Tokens","Completion Tokens","Reasoning Tokens"\n'
    page = write(tmp_path, names + '"2026-11-02","openai/gpt-4.1","0.03","0.024","10","1000","250","50"\n', "day.csv")
    api = write(tmp_path, json.dumps({"data": upstreams}), "activity.json")
    found = imported_paths(page, api)
    assert found.digest == imported_paths(api, page).digest
    assert sum(each["input_tokens"] for each in found.calls) == 1000
    (overlap,) = found.report.overlaps
    assert overlap.tokens_agreement_fraction == 1.0
