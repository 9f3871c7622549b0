"""Times: every way to write one, stored as UTC microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from usage_black_box.logs import calls, counts, csv_text, jsonl, reject_rows, row

MOMENT = datetime(2026, 11, 1, 12, 30, 45, 123456, tzinfo=UTC)
MICROSECONDS = 1_793_536_245_123_456


def test_the_moment_is_the_moment():
    assert datetime.fromtimestamp(0, UTC) + timedelta(microseconds=MICROSECONDS) == MOMENT


WAYS = (
    (MICROSECONDS // 10**6, MOMENT.replace(microsecond=0), False),
    (MICROSECONDS // 10**3, MOMENT.replace(microsecond=123000), False),
    (MICROSECONDS, MOMENT, False),
    (MICROSECONDS * 1000 + 789, MOMENT, False),
    (1793536245.123456, MOMENT, False),
    (str(MICROSECONDS // 10**6), MOMENT.replace(microsecond=0), False),
    (str(MICROSECONDS // 10**3), MOMENT.replace(microsecond=123000), False),
    ("1793536245.123456", MOMENT, False),
    (str(MICROSECONDS * 1000 + 789), MOMENT, False),
    ("2026-11-01T12:30:45.123456Z", MOMENT, False),
    ("2026-11-01T12:30:45.123456+00:00", MOMENT, False),
    ("2026-11-01T14:30:45.123456+02:00", MOMENT, False),
    ("2026-11-01T07:00:45.123456-05:30", MOMENT, False),
    ("2026-11-01 14:30:45.123456+02", MOMENT, False),
    ("2026-11-01T12:30:45.123456", MOMENT, True),
    ("2026-11-01 12:30:45.123456", MOMENT, True),
    ("2026-11-01 12:30:45.1234567", MOMENT, True),
    ("2026-11-01T12:30:45.123456789Z", MOMENT, False),
    ("2026-11-01 12:30:45,123456", MOMENT, True),
    ("2026-11-01 12:30:45 UTC", MOMENT.replace(microsecond=0), False),
    ("2026-11-01 12:30", MOMENT.replace(second=0, microsecond=0), True),
    ("2026-11-01", MOMENT.replace(hour=0, minute=0, second=0, microsecond=0), True),
)


def test_ways_to_write_a_time(take, store):
    report = take(jsonl(*(row(0, start_time=written, id=f"{n:02d}") for n, (written, _, _) in enumerate(WAYS))))
    assert counts(report) == (len(WAYS), len(WAYS), 0, 0)
    found = sorted(calls(store), key=lambda each: each["record_id"])
    for call, (written, meant, is_assumed) in zip(found, WAYS, strict=True):
        assert abs(call["start_time"] - meant) <= timedelta(microseconds=1), written
        assert call["start_time"].utcoffset() == timedelta(0)
        assert call["tz_assumed"] is is_assumed, written


def test_ways_to_write_a_time_in_a_csv(take, store):
    lines = [(f"{n:02d}", f'"{written}"', "1", "1") for n, (written, _, _) in enumerate(WAYS)]
    report = take(csv_text(("id", "start_time", "input_tokens", "output_tokens"), lines), "log.csv")
    assert report.calls == len(WAYS)
    found = sorted(calls(store), key=lambda each: each["record_id"])
    for call, (written, meant, _) in zip(found, WAYS, strict=True):
        assert abs(call["start_time"] - meant) <= timedelta(microseconds=1), written


IMPOSSIBLE: tuple[Any, ...] = (
    "yesterday",
    "01/02/2026",
    "13/11/2026 10:00",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-11-01T25:00:00Z",
    "2026-11-01T00:61:00Z",
    "NaN",
    "Infinity",
    "-1",
    0,
    -1793536245,
    12345,
    1e30,
    1e17,
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-11-22T12:00:01Z",
    "2027-01-01",
    True,
    {"a": 1},
    [1793536245],
    "infinity",
    "epoch",
    "now",
    "2026-11-01T00:00:00+99:00",
    "",
    None,
)


def test_times_that_cannot_be(take, store):
    lines = [each for n, written in enumerate(IMPOSSIBLE) for each in (row(2 * n), row(2 * n + 1, start_time=written))]
    report = take(jsonl(*lines))
    assert counts(report) == (2 * len(IMPOSSIBLE), len(IMPOSSIBLE), 0, len(IMPOSSIBLE))
    assert reject_rows(store) == list(range(2, 2 * len(IMPOSSIBLE) + 1, 2))


def test_a_day_in_the_future_is_forgiven_for_the_sake_of_slow_clocks(take, store):
    assert counts(take(jsonl(row(0, start_time="2026-11-21T11:59:59Z"), row(1)))) == (2, 2, 0, 0)


def test_the_end_must_not_come_before_the_start(take, store):
    early = row(1, end_time="2026-11-01T00:00:00Z")
    equal = row(2, end_time="2026-11-01T00:02:00Z")
    assert counts(take(jsonl(row(0), early, equal))) == (3, 2, 0, 1)
    assert reject_rows(store) == [2]


def test_end_and_duration_complete_each_other(take, store):
    take(jsonl(row(0, end_time="2026-11-01T00:00:02.5Z"), row(1, duration_ms=1500), row(2, duration_s="0.25")))
    found = calls(store)
    assert [each["duration_s"] for each in found] == [2.5, 1.5, 0.25]
    assert [(each["end_time"] - each["start_time"]).total_seconds() for each in found] == [2.5, 1.5, 0.25]


def test_a_duration_that_would_end_after_now_does_not_break_the_invariant(take, store):
    """The end is computed here, so it has to keep the rule that ends given in the log have to keep."""
    take(jsonl(row(0, start_time="2026-11-20T12:00:00Z", duration_s=5e6), row(1)))
    latest = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert all(each["end_time"] is None or each["end_time"] <= latest for each in calls(store))


def test_rows_out_of_order(take, store):
    order = [5, 1, 9, 0, 3]
    assert counts(take(jsonl(*(row(number * 1440) for number in order)))) == (5, 5, 0, 0)
    assert [each["input_tokens"] - 100 for each in calls(store)] == [number * 1440 for number in sorted(order)]


def test_azure_seven_fraction_digits(take, store):
    header = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
    report = take(csv_text(header, [("2023-11-16 18:17:03.9799600", "4808", "10")]), "azure.csv")
    assert counts(report) == (1, 1, 0, 0) and report.formats == ("azure_llm_trace",)
    assert calls(store)[0]["start_time"] == datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)
    assert calls(store)[0]["tz_assumed"] is True


def test_mooncake_relative_milliseconds(take, store):
    line = '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}'
    report = take(line + "\n" + line.replace("27482", "-1") + "\n" + line.replace("27482", "1e300") + "\n")
    assert counts(report) == (3, 1, 0, 2) and report.formats == ("mooncake_trace",)
    found = calls(store)[0]
    assert found["prefix_hashes"] == [46, 47] and found["tz_assumed"] is True
    assert found["start_time"].microsecond == 482_000 and found["start_time"].second == 27


def test_azure_rows_with_absurd_values_are_rejects(take, store):
    header = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
    good = ("2023-11-16 18:17:03.9799600", "4808", "10")
    report = take(csv_text(header, [good, ("", "1", "1"), ("x", "1", "1"), (good[0], "-1", "1")]), "azure.csv")
    assert counts(report) == (4, 1, 0, 3)
