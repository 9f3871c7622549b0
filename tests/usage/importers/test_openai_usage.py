"""OpenAI usage API: inclusive tokens, groups, empty buckets, pages that overlap."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from breakeven.usage.store import CallStore

from ..logs import NOW, Imported, imported, imported_paths, stored_calls, write

DAY = 1_793_577_600
"""2026-11-02T00:00:00Z."""


def result(**fields: Any) -> dict[str, Any]:
    good = {
        "object": "organization.usage.completions.result",
        "input_tokens": 1000,
        "output_tokens": 500,
        "input_cached_tokens": 800,
        "num_model_requests": 5,
        "project_id": None,
        "user_id": None,
        "api_key_id": None,
        "model": "gpt-5",
        "batch": None,
    }
    return {**good, **fields}


def page(*buckets: list[Any], first_day: int = 0) -> dict[str, Any]:
    data = [
        {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": results}
        for start, results in zip(range(DAY + first_day * 86_400, DAY + 10**7, 86_400), buckets, strict=False)
    ]
    return {"object": "page", "data": data, "has_more": False, "next_page": None}


def read(folder: Path, *pages: dict[str, Any]) -> Imported:
    return imported(folder, "\n".join(json.dumps(each) for each in pages), "usage.json")


def test_the_fixture(tmp_path: Path) -> None:
    folder = Path(__file__).parent / "fixtures" / "openai_usage"
    found = imported_paths(folder / "completions.json", folder / "embeddings.json")
    by_requests = {c["request_count"]: c for c in found.calls}
    large = by_requests[470]
    assert (large["input_tokens"], large["cache_read_tokens"], large["cache_write_tokens"]) == (141_201, 100_800, 2000)
    assert (large["output_tokens"], large["audio_input_tokens"], large["audio_output_tokens"]) == (9756, 1000, 56)
    assert (large["request_model"], large["service_tier"], large["is_batch"]) == ("gpt-5-2025-08-07", "default", False)
    assert (large["grain"], large["provider"], large["application"]) == ("bucket", "openai", "proj_abc")
    assert large["start_time"] == datetime(2026, 11, 2, tzinfo=UTC)
    assert large["end_time"] == datetime(2026, 11, 3, tzinfo=UTC)
    assert not large["tz_assumed"]
    assert by_requests[12]["is_batch"]
    assert by_requests[12]["api_key_hash"] == large["api_key_hash"]
    assert "key_1" not in str(large)
    assert (by_requests[2]["operation"], by_requests[2]["input_tokens"], by_requests[2]["output_tokens"]) == (
        "embeddings",
        16,
        0,
    )


def test_an_empty_bucket_was_observed(tmp_path: Path) -> None:
    call = read(tmp_path, page([])).only
    assert (call["request_count"], call["input_tokens"], call["output_tokens"], call["request_model"]) == (
        0,
        0,
        0,
        None,
    )


def test_a_page_of_nothing_is_no_error(tmp_path: Path) -> None:
    found = read(tmp_path, page([result()]), page())
    assert (found.report.rows_in, found.report.calls) == (1, 1)


def test_exports_that_overlap_by_a_day_become_the_same_calls(tmp_path: Path) -> None:
    """The second export saw more of the shared day; the order of results differs."""
    early = page([result(), result(model="gpt-5-mini")], [result(input_tokens=10, input_cached_tokens=0)])
    late = page([result(model="o3"), result(input_tokens=2000)], [result()], first_day=1)
    first = write(tmp_path, json.dumps(early), "a.json")
    second = write(tmp_path, json.dumps(late), "b.json")
    with CallStore(tmp_path / "store") as store:
        assert store.ingest([first], now=NOW).calls == 3
        report = store.ingest([second], now=NOW)
        assert (report.calls, report.duplicates) == (2, 1)
        calls = stored_calls(store)
    assert sorted((c["start_time"].day, c["request_model"], c["input_tokens"]) for c in calls) == [
        (2, "gpt-5", 1000),
        (2, "gpt-5-mini", 1000),
        (3, "gpt-5", 2000),
        (3, "o3", 1000),
        (4, "gpt-5", 1000),
    ]


def test_one_page_twice_in_a_file_counts_once(tmp_path: Path) -> None:
    found = read(tmp_path, page([result()]), page([result()]))
    assert (found.report.calls, found.report.duplicates) == (1, 1)


def test_results_of_one_group_in_one_bucket_stay_apart(tmp_path: Path) -> None:
    found = read(tmp_path, page([result(), result()]))
    assert (found.report.calls, found.report.duplicates) == (2, 0)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"input_tokens": "4115", "num_model_requests": "3.0", "input_cached_tokens": "0"}, (4115, 500, 3)),
        ({"input_audio_tokens": 5000}, (6000, 500, 5)),
        ({"output_audio_tokens": 700}, (1000, 1200, 5)),
        ({"input_audio_tokens": 100, "input_image_tokens": 50}, (1000, 500, 5)),
        ({"object": None}, (1000, 500, 5)),
        ({"object": "organization.usage.moderations.result", "output_tokens": None}, (1000, 0, 5)),
    ],
    ids=["numbers as texts", "audio beside text", "spoken output", "audio inside", "no kind", "moderations"],
)
def test_counts(tmp_path: Path, fields: dict[str, Any], wanted: tuple[int, int, int]) -> None:
    call = read(tmp_path, page([result(**fields)])).only
    assert (call["input_tokens"], call["output_tokens"], call["request_count"]) == wanted


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"object": "organization.usage.images.result", "images": 3}, "this result counts no tokens"),
        (result(input_tokens=-1), "input_tokens is negative"),
        (result(input_tokens={"a": 1}), "input_tokens is not a number"),
        (result(input_cached_tokens=1001), "cache_read_tokens + cache_write_tokens is more than input_tokens"),
        (result(output_tokens=None), "output_tokens is missing"),
        (result(num_model_requests=-1), "request_count is not possible"),
        (result(input_tokens=10**14), "input_tokens is absurdly large"),
        ("text", "not a result"),
        (None, "not a result"),
    ],
    ids=[
        "images",
        "negative",
        "an object",
        "too many cached",
        "no output",
        "negative requests",
        "huge",
        "text",
        "null",
    ],
)
def test_a_bad_result_is_a_reject_and_the_others_stay(tmp_path: Path, bad: object, reason: str) -> None:
    found = read(tmp_path, page([result(), bad, result(model="o3")]))
    assert found.reasons == {2: reason}
    assert found.report.calls == 2


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"data": [7]}, "not a bucket"),
        ({"data": {"results": 1}}, "a bucket without a list of results"),
        ({"data": [{"start_time": DAY, "results": {}}]}, "a bucket without a list of results"),
        ({"data": [{"start_time": "soon", "results": []}]}, "start_time is not a time"),
    ],
)
def test_a_broken_page_is_a_reject(tmp_path: Path, broken: dict[str, Any], reason: str) -> None:
    assert list(read(tmp_path, page([result()]), broken).reasons.values()) == [reason]


def test_single_buckets_one_a_line(tmp_path: Path) -> None:
    found = read(tmp_path, *page([result()], [result(), result(model="o3")])["data"])
    assert (found.report.formats, found.report.calls) == (("openai_usage",), 3)


def test_the_older_name_of_results(tmp_path: Path) -> None:
    old = page([result()])
    old["data"][0]["result"] = old["data"][0].pop("results")
    assert read(tmp_path, old).only["input_tokens"] == 1000


def test_a_pretty_printed_page_gives_the_same_calls(tmp_path: Path) -> None:
    pages = page([result(), result(model="o3", batch=True)], [])
    flat = imported(tmp_path, json.dumps(pages), "flat.json")
    assert imported(tmp_path, json.dumps(pages, indent=4), "pretty.json").digest == flat.digest
    assert imported(tmp_path, json.dumps([pages]), "array.json").digest == flat.digest


def test_users_and_keys_are_hashed(tmp_path: Path) -> None:
    call = read(tmp_path, page([result(user_id="someone@example.com", api_key_id="key_secret")])).only
    assert call["unit_hash"]
    assert call["api_key_hash"]
    assert "someone" not in str(call)
    assert "key_secret" not in str(call)
