"""Skips of calls: in the order in which they come again, never a label, and no reason to stop."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from breakeven.audit.label_skips import read_skips, skip, skip_file, unskip
from breakeven.audit.labels import append_label, label_file, read_labels
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


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[" * 100_000, b'{"record_id": "a\xff", "skipped": true}'])
def test_no_line_stops_the_labelling(line: bytes, tmp_path: Path) -> None:
    skip(skip_file(tmp_path), "a", NOW, "x")
    with skip_file(tmp_path).open("ab") as file:
        file.write(line + b"\n")
    skip(skip_file(tmp_path), "b", NOW, "x")
    found = read_skips(skip_file(tmp_path))
    assert found[0] == "a" and found[-1] == "b"


def test_a_folder_in_its_place_says_what_to_do(tmp_path: Path) -> None:
    skip_file(tmp_path).mkdir()
    with pytest.raises(AuditError, match=r"label_skips.jsonl: cannot be read as skipped calls .* may be deleted"):
        read_skips(skip_file(tmp_path))


def test_a_last_line_without_its_end_is_kept(tmp_path: Path) -> None:
    lines = [f'{{"record_id": "{each}", "label": "can"}}' for each in "ab"]
    label_file(tmp_path).write_text("\n".join(lines), encoding="utf-8")
    append_label(label_file(tmp_path), "c", "cannot", NOW, "x")
    assert [each.record_id for each in read_labels(label_file(tmp_path))] == ["a", "b", "c"]
