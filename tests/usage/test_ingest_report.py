"""The sum that must hold, and how a reject reads."""

from __future__ import annotations

import pytest

from breakeven.usage.ingest_report import FileReport, IngestReport, Reject


def test_rows_in_are_calls_duplicates_and_rejects() -> None:
    one = FileReport("a", "imported", "breakeven", 10, 6, 1, {"bad": 2, "worse": 1})
    two = FileReport("b", "imported", "breakeven", 5, 4, 0, {"bad": 1})
    report = IngestReport((one, two))
    assert (report.rows_in, report.calls, report.duplicates, report.rejects_count) == (15, 10, 1, 4)
    assert report.rejects == {"bad": 3, "worse": 1}
    assert report.formats == ("breakeven",)


def test_a_lost_row_is_noticed() -> None:
    with pytest.raises(AssertionError, match="rows lost"):
        IngestReport((FileReport("a", "imported", "breakeven", 10, 6, 1, {"bad": 2}),))


def test_a_reject_names_file_row_and_reason() -> None:
    reject = Reject("log.jsonl", 1234, "input_tokens is negative", "-5", "{}")
    assert str(reject) == "log.jsonl, row 1,234: input_tokens is negative ('-5')"
    assert str(Reject("log.jsonl", 1, "not valid JSON", "", "x")) == "log.jsonl, row 1: not valid JSON"
