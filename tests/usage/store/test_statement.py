"""Values of every kind: what is read, what is rejected and why, what is dropped."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from breakeven.usage.redact import without_words
from breakeven.usage.store.fields import DISPENSABLE
from breakeven.usage.store.statement import microseconds

from ..logs import imported, jsonl, row

TEN = datetime(2026, 11, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1_793_613_600, TEN),
        (1_793_613_600.5, TEN.replace(microsecond=500_000)),
        (1_793_613_600.123457, TEN.replace(microsecond=123_457)),
        (1_793_613_600_250, TEN.replace(microsecond=250_000)),
        (1_793_613_600_000_250, TEN.replace(microsecond=250)),
        (1_793_613_600_123_456_789, TEN.replace(microsecond=123_456)),
        ("1793613600", TEN),
        ("2026-11-02T10:00:00Z", TEN),
        ("2026-11-02T12:00:00+02:00", TEN),
        ("2026-11-02T02:00:00.25-08:00", TEN.replace(microsecond=250_000)),
        ("2026-11-02 10:00:00", TEN),
        ("2026-11-02 10:00:00,125", TEN.replace(microsecond=125_000)),
        ("2026-11-02 10:00:00.1234567", TEN.replace(microsecond=123_456)),
        ("2026-11-02", TEN.replace(hour=0)),
        ("2026-11-02T10:00Z", TEN),
        ("2026-11-02 12:00+02:00", TEN),
        ("20261102T100000Z", TEN),
        ("20261102T1000Z", TEN),
        ("20261102T120000.5+02:00", TEN.replace(microsecond=500_000)),
        ("02.11.2026", TEN.replace(hour=0)),
        ("02.11.2026 10:00", TEN),
        ("02.11.2026, 10:00:00", TEN),
        ("02.11.2026 10:00:00,25", TEN.replace(microsecond=250_000)),
        ("02.11.2026 12:00+02:00", TEN),
    ],
)
def test_times(tmp_path: Path, written: object, read: datetime) -> None:
    call = imported(tmp_path, jsonl(row(0, timestamp=written))).only
    assert call["start_time"] == read
    has_zone = not isinstance(written, str) or written.isdigit() or written[-1] == "Z" or written[-6] in "+-"
    assert call["tz_assumed"] == (not has_zone or written in ("2026-11-02", "02.11.2026"))


@pytest.mark.parametrize(
    ("fields", "reason", "value"),
    [
        ({"timestamp": "yesterday"}, "start_time is not a time", "yesterday"),
        ({"timestamp": "02/11/2026"}, "start_time is not a time", "02/11/2026"),
        ({"timestamp": "11.22.2026 10:00"}, "start_time is not a time", "11.22.2026 10:00"),
        ({"timestamp": "20261302T100000Z"}, "start_time is not a time", "20261302T100000Z"),
        ({"timestamp": "2026-11-02T10:00+99:00"}, "start_time is not a time", "2026-11-02T10:00+99:00"),
        ({"timestamp": "infinity"}, "start_time is not a time", "infinity"),
        ({"timestamp": 12}, "start_time is not a time", "12"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "start_time is not a time", "2026-02-30T00:00:00Z"),
        ({"timestamp": "1999-12-31T00:00:00Z"}, "start_time is before the year 2000", "1999-12-31T00:00:00Z"),
        ({"timestamp": "2026-11-25T00:00:00Z"}, "start_time is more than a day in the future", "2026-11-25T00:00:00Z"),
        ({"timestamp": None}, "start_time is missing", ""),
        ({"end_time": "2026-11-01T00:00:00Z"}, "end_time is before start_time", "2026-11-01T00:00:00Z"),
        ({"input_tokens": -1}, "input_tokens is negative", "-1"),
        ({"input_tokens": 100_000_001}, "input_tokens is absurdly large", "100000001"),
        ({"input_tokens": 1e30}, "input_tokens is absurdly large", "1e+30"),
        ({"input_tokens": float("nan")}, "input_tokens is not a finite number", "NaN"),
        ({"input_tokens": float("inf")}, "input_tokens is not a finite number", "Infinity"),
        ({"output_tokens": 3.7}, "output_tokens is not a whole number", "3.7"),
        ({"output_tokens": "many"}, "output_tokens is not a number", "many"),
        ({"output_tokens": [1]}, "output_tokens is not a number", "[1]"),
        ({"input_tokens": None}, "input_tokens is missing", ""),
        ({"output_tokens": None}, "output_tokens is missing", ""),
        ({"reasoning_tokens": 11}, "reasoning_tokens is more than output_tokens", "11 > 10"),
        (
            {"cache_read_tokens": 60, "cache_write_tokens": 41},
            "cache_read_tokens + cache_write_tokens is more than input_tokens",
            "60 + 41 > 100",
        ),
        (
            {"cache_write_tokens": 4, "cache_write_1h_tokens": 5},
            "cache_write_1h_tokens is more than cache_write_tokens",
            "",
        ),
        ({"weight": 0}, "weight is not possible", "0"),
        ({"sampling_rate": 2}, "sampling_rate is not possible", "2"),
        ({"request_count": -1}, "request_count is not possible", "-1"),
        ({"cost": "free"}, "cost_usd is not an amount", "free"),
    ],
)
def test_reasons(tmp_path: Path, fields: dict[str, object], reason: str, value: str) -> None:
    found = imported(tmp_path, jsonl(row(1), row(0, **fields)))
    assert found.report.calls == 1
    (reject,) = found.rejects
    assert (reject["row"], reject["reason"], reject["value"]) == (2, reason, value)
    assert reject["file"] == "log.jsonl"
    assert reject["raw"] == without_words(json.dumps(row(0, **fields)))


@pytest.mark.parametrize("written", [12, 12.0, "12", " 12 ", "12.0", "1.2e1", "+12"])
def test_whole_numbers_in_any_dress(tmp_path: Path, written: object) -> None:
    assert imported(tmp_path, jsonl(row(0, input_tokens=written))).only["input_tokens"] == 12


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1, 2]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('"text"', "not a JSON object"),
        ("{}", "start_time is missing"),
        ('{"a": 1', "not valid JSON"),
        ('{"a": 1} {"b": 2}', "not valid JSON"),
        ("{'a': 1}", "not valid JSON"),
    ],
)
def test_lines_that_are_no_objects(tmp_path: Path, line: str, reason: str) -> None:
    assert imported(tmp_path, jsonl(row(0), row(1), line)).reasons == {3: reason}


def test_a_text_cut_in_the_middle_of_a_character_loses_that_half_alone(tmp_path: Path) -> None:
    """JavaScript's `slice` cuts an emoji in two, and `JSON.stringify` writes the half as `\\ud83d`."""
    whole = [{"role": "user", "content": "whole \U0001f600, half "}]
    half = [{"role": "user", "content": "whole \U0001f600, half \ud83d"}]
    rows = row(0, messages=whole), row(1, messages=half), row(2, messages="\ude00 and \ud83d\ud83d")
    found = imported(tmp_path, jsonl(*rows, r'["\ud83d"]', r'{"a": "\uD83D"}'))
    assert found.reasons == {4: "not a JSON object", 5: "start_time is missing"}
    hashes = [call["prompt_hash"] for call in found.calls]
    assert len(hashes) == 3 and hashes[0] == hashes[1] != hashes[2]


def test_the_first_of_two_equal_keys_counts(tmp_path: Path) -> None:
    line = json.dumps(row())[:-1] + ', "input_tokens": 999}'
    assert imported(tmp_path, line).only["input_tokens"] == 100


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("duration_s", -1),
        ("duration_ms", "soon"),
        ("ttft_s", float("nan")),
        ("ttft_ms", 1e300),
        ("http_status", 20),
        ("max_tokens", -5),
        ("propensity", 1.5),
        ("outcome", "good"),
        ("stream", "maybe"),
        ("is_batch", "perhaps"),
        ("usage_estimated", 7.5),
        ("prefix_hashes", "abc"),
        ("tokens_error_fraction", -0.1),
        ("has_tools", "perhaps"),
        ("prompt_words", "abc"),
        ("prompt_terms", [1.5, "x"]),
        ("prompt_counts", {"a": 1}),
    ],
)
def test_values_a_call_can_do_without_are_dropped_and_counted(tmp_path: Path, field: str, written: object) -> None:
    found = imported(tmp_path, jsonl(row(0, **{field: written}), row(1)))
    assert found.report.dropped_values == {field: 1}
    assert found.report.calls == 2
    column = {"duration_ms": "duration_s", "ttft_ms": "ttft_s"}.get(field, field)
    assert found.calls[0][column] in (None, False)


def test_every_dispensable_field_is_tested_above() -> None:
    assert len(DISPENSABLE) == 17


def test_microseconds_are_exact() -> None:
    assert microseconds(TEN.replace(microsecond=1)) == 1_793_613_600_000_001


def test_names_may_be_hostile(tmp_path: Path) -> None:
    names = ["'; DROP TABLE chunk; --", '"quoted"', "=cmd|' /C calc'!A0", "\x1b[31mred", "<script>", "a\u2028b", "名"]
    rows = [row(number, model=name, task=name) for number, name in enumerate(names)]
    calls = imported(tmp_path, jsonl(*rows)).calls
    assert [call["request_model"] for call in calls] == names
    assert [call["task"] for call in calls] == names


@pytest.mark.parametrize("path", ["a'b", 'a"b', "a.b", "a..b", ".", "Model", "$.a", "a/b", "{}", "a\\b", "ключ"])
def test_mapped_names_may_be_hostile(tmp_path: Path, path: str) -> None:
    line = {**row(0, model="right"), path: "left"}
    call = imported(tmp_path, jsonl(line), mapping={"task": path}).only
    assert call["task"] == "left"
    assert call["request_model"] == "right"
