"""Numbers: every way to write a token count, and every count that cannot be one."""

from __future__ import annotations

import pytest

from usage_black_box.logs import calls, counts, csv_text, jsonl, reject_rows, row

HEADER = ("start_time", "input_tokens", "output_tokens", "cost_usd")


CLOTHES = (
    (3.0, 3),
    ("12", 12),
    ("12.0", 12),
    (" 12 ", 12),
    ("1,234", 1234),
    ("1,234,567", 1_234_567),
    (0, 0),
    (-0.0, 0),
    ("+5", 5),
    ("1e3", 1000),
    (100_000_000, 100_000_000),
)
IMPOSSIBLE = (
    "-1",
    "-5.0",
    "3.7",
    "1e30",
    "1e308",
    "1e400",
    "100000001",
    "9223372036854775808",
    "99999999999999999999999999",
    '"NaN"',
    '"Infinity"',
    '"-Infinity"',
    '"inf"',
    '"twelve"',
    '"1 2"',
    '"12k"',
    '"0x10"',
    '"1,23"',
    '"1.2.3"',
    '"--1"',
    '"+-1"',
    '"１２"',
    '"3,7"',
    '"\\u0000"',
    '"5\\u0000"',
)


def among_good_rows(field: str, literals: tuple[str, ...]) -> tuple[str, list[int]]:
    """A log in which every second row has one of `literals` in `field`, and the lines of those rows."""
    lines = []
    for number, literal in enumerate(literals):
        lines.append(jsonl(row(2 * number)))
        lines.append(jsonl(row(2 * number + 1, **{field: "@"})).replace('"@"', literal))
    return "".join(lines), list(range(2, 2 * len(literals) + 1, 2))


def test_counts_in_unusual_clothes(take, store):
    report = take(jsonl(*(row(number, input_tokens=written) for number, (written, _) in enumerate(CLOTHES))))
    assert counts(report) == (len(CLOTHES), len(CLOTHES), 0, 0)
    assert [each["input_tokens"] for each in calls(store)] == [meant for _, meant in CLOTHES]


@pytest.mark.parametrize(
    "field",
    [
        "input_tokens",
        "output_tokens",
        "prompt_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    ],
)
def test_counts_that_cannot_be(take, store, field):
    text, bad_lines = among_good_rows(field, IMPOSSIBLE)
    report = take(text)
    assert counts(report) == (2 * len(IMPOSSIBLE), len(IMPOSSIBLE), 0, len(IMPOSSIBLE))
    assert reject_rows(store) == bad_lines


def test_counts_that_cannot_be_in_a_csv(take, store):
    lines = [
        ("2026-11-01T00:00:00Z", f'"{each.strip(chr(34))}"', "1", "") for each in IMPOSSIBLE if "u0000" not in each
    ]
    report = take(csv_text(HEADER, lines), "log.csv") if lines else None
    assert report is not None and report.calls == 0 and report.rejects_count == len(lines)


def test_python_style_constants_cost_their_row_only(take, store):
    text, bad_lines = among_good_rows("input_tokens", ("NaN", "Infinity", "-Infinity", "undefined", "01", "1.", ".5"))
    report = take(text)
    assert report.calls >= 7
    assert set(reject_rows(store)) <= set(bad_lines)
    assert {2, 4, 6, 8, 14} <= set(reject_rows(store))


def test_a_missing_count_of_a_call_that_went_well_is_a_reject(take, store):
    text, bad_lines = among_good_rows("input_tokens", ("null", '""', '"  "'))
    absent = row(99)
    del absent["input_tokens"]
    report = take(text + jsonl(absent))
    assert counts(report) == (7, 3, 0, 4)
    assert reject_rows(store) == [*bad_lines, 7]


def test_a_failed_call_may_lack_counts(take, store):
    failed = {"start_time": "2026-11-01T00:01:00Z", "status": "error", "request_model": "m"}
    assert counts(take(jsonl(row(0), failed))) == (2, 2, 0, 0)
    assert calls(store)[1]["tokens_source"] == "missing"


def test_quoted_numbers_and_thousands_separators_in_csv(take, store):
    lines = [
        ("2026-11-01T00:00:00Z", '"4115"', '"1,234"', '"$1,234.50"'),
        ("2026-11-01T00:01:00Z", '"12,345,678"', "3.0", "0.000001"),
        ("2026-11-01T00:02:00Z", '" 7 "', "  8", ""),
    ]
    assert counts(take(csv_text(HEADER, lines), "log.csv")) == (3, 3, 0, 0)
    found = calls(store)
    assert [each["input_tokens"] for each in found] == [4115, 12_345_678, 7]
    assert [each["output_tokens"] for each in found] == [1234, 3, 8]
    assert [each["cost_usd"] for each in found] == [1234.5, 0.000001, None]


def test_semicolons_and_decimal_commas(take, store):
    lines = [
        ("2026-11-01T00:00:00Z", "1.234", "3,0", "0,25"),
        ("2026-11-01T00:01:00Z", "1.234.567", "12", "1.234,50"),
        ("2026-11-01T00:02:00Z", "5,5", "12", "1"),
    ]
    assert counts(take(csv_text(HEADER, lines, ";"), "log.csv")) == (3, 2, 0, 1)
    found = calls(store)
    assert [each["input_tokens"] for each in found] == [1234, 1_234_567]
    assert [each["cost_usd"] for each in found] == [0.25, 1234.5]
    assert reject_rows(store) == [4]


def test_semicolons_with_decimal_points(take, store):
    lines = [("2026-11-01T00:00:00Z", "123", "3.0", "0.25"), ("2026-11-01T00:01:00Z", "124", "1", "1.234")]
    assert counts(take(csv_text(HEADER, lines, ";"), "log.csv")) == (2, 2, 0, 0)
    assert [each["cost_usd"] for each in calls(store)] == [0.25, 1.234]


def test_decimal_commas_that_begin_late_in_the_file(take, store):
    """A decimal comma must not be read as a thousands separator only because the first rows had none."""
    lines = [(f"2026-11-01T{i // 60:02d}:{i % 60:02d}:00Z", "100", "10", "1") for i in range(300)]
    lines.append(("2026-11-01T09:00:00Z", "100", "10", "0,125"))
    report = take(csv_text(HEADER, lines, ";"), "log.csv")
    assert report.rows_in == 301
    assert calls(store)[-1]["cost_usd"] in (0.125, 1.0)


def test_tabs_with_thousands_separators_are_not_decimal_commas(take, store):
    lines = [(f"2026-11-01T00:0{n}:00Z", "1,234", "12,345", "0.25") for n in range(3)]
    report = take(csv_text(HEADER, lines, "\t"), "log.tsv")
    assert report.rows_in == 3
    assert {each["input_tokens"] for each in calls(store)} <= {1234}
    assert report.calls == 3 or report.rejects_count == 3


def test_tabs_and_bars(take):
    lines = [("2026-11-01T00:00:00Z", "123", "3", "0.25")]
    assert counts(take(csv_text(HEADER, lines, "\t"), "tabs.txt")) == (1, 1, 0, 0)
    assert counts(take(csv_text(HEADER, [("2026-11-01T00:01:00Z", "1", "3", "1")], "|"), "bars.txt")) == (1, 1, 0, 0)


def test_costs_that_cannot_be(take, store):
    text, bad_lines = among_good_rows("cost_usd", ("-1", '"NaN"', '"free"', "1e30", '"Infinity"', '"1,5"', "[1]", "{}"))
    assert take(text).calls == 8
    assert reject_rows(store) == bad_lines


@pytest.mark.parametrize(
    ("field", "literals"),
    [
        ("weight", ("0", "-1", '"NaN"', "1e30", '"x"', "[]")),
        ("sampling_rate", ("0", "2", '"x"', '"NaN"', "-0.5", "1e-300")),
        ("request_count", ("-1", "2.5", '"many"', "1e30", '"NaN"')),
    ],
)
def test_weights_that_cannot_be(take, store, field, literals):
    text, bad_lines = among_good_rows(field, literals)
    take(text)
    assert reject_rows(store) == bad_lines


def test_sampling_becomes_a_weight(take, store):
    take(jsonl(row(0, sampling_rate=0.01)))
    assert calls(store)[0]["weight"] == pytest.approx(100)


def test_dispensable_values_are_dropped_and_counted_and_the_calls_stay(take, store):
    bad = {
        "duration_s": -1,
        "ttft_s": "Infinity",
        "http_status": 99_999,
        "max_tokens": -4,
        "propensity": 1.5,
        "outcome": -0.5,
        "stream": "maybe",
        "is_batch": "perhaps",
        "prefix_hashes": "x",
    }
    report = take(jsonl(*(row(number, **{field: value}) for number, (field, value) in enumerate(bad.items()))))
    assert counts(report) == (len(bad), len(bad), 0, 0)
    assert report.dropped_values == dict.fromkeys(bad, 1)
    for found, field in zip(calls(store), bad, strict=True):
        assert found[field] in (None, False)


def test_buckets_may_be_large_and_requests_may_not(take, store):
    bucket = row(0, grain="bucket", input_tokens=5_000_000_000, request_count=1000, end_time="2026-11-01T01:00:00Z")
    report = take(jsonl(bucket, row(1, input_tokens=5_000_000_000), row(2, grain="bucket", input_tokens=1e14)))
    assert counts(report) == (3, 1, 0, 2)
    assert reject_rows(store) == [2, 3]
