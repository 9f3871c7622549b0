"""Skips of calls: in the order in which they come again, never a label, and no reason to stop."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from breakeven.audit.label_skips import read_skips, skip, skip_file, unskip
from breakeven.audit.labels import label_file, read_labels
from breakeven.errors import AuditError

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_the_call_skipped_last_comes_last(tmp_path: Path) -> None:
    file = skip_file(tmp_path)
    assert read_skips(file) == ()
    for each in ("a", "b", "c", "a"):
        skip(file, each, NOW, "x")
    assert read_skips(file) == ("b", "c", "a")
    unskip(file, "c", NOW, "y")
    assert read_skips(file) == ("b", "a")
    assert read_labels(label_file(tmp_path)) == ()


def test_what_was_not_skipped_needs_no_line(tmp_path: Path) -> None:
    unskip(skip_file(tmp_path), "a", NOW, "x")
    assert not skip_file(tmp_path).exists()


def test_a_damaged_line_loses_nothing_but_itself(tmp_path: Path) -> None:
    file = skip_file(tmp_path)
    skip(file, "a", NOW, "x")
    file.write_text(file.read_text() + 'oops\n[]\n{"record_id": "b"}\n{"record_id": "c", "ski')
    skip(file, "d\n", NOW, "x")
    assert read_skips(file) == ("a", "d\n")


def test_a_file_that_is_no_text_says_what_to_do(tmp_path: Path) -> None:
    skip_file(tmp_path).write_bytes(b"\xff\xfe")
    with pytest.raises(AuditError, match=r"label_skips.jsonl: cannot be read as skipped calls .* may be deleted"):
        read_skips(skip_file(tmp_path))
