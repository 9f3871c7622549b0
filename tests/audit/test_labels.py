"""Labels: the last word counts, an undo is a word, a damaged file says where; tables of any spelling are read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from breakeven.audit.labels import Label, append_label, counts, read_label_table, read_labels
from breakeven.errors import AuditError

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_the_last_word_counts(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    assert read_labels(file) == ()
    for record, judgement in (("a", "can"), ("b", "cannot"), ("a", "unsure"), ("c", "can"), ("c", "withdrawn")):
        append_label(file, record, judgement, NOW)  # type: ignore[arg-type]
    assert read_labels(file) == (Label("b", "cannot"), Label("a", "unsure"))
    assert len(file.read_text().splitlines()) == 5


def test_a_line_that_a_crash_cut_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    append_label(file, "a", "can", NOW)
    file.write_text(file.read_text() + '{"record_id": "b", "la')
    assert read_labels(file) == (Label("a", "can"),)
    append_label(file, "c", "cannot", NOW)
    assert read_labels(file) == (Label("a", "can"), Label("c", "cannot"))


def test_a_damaged_line_in_the_middle_is_said(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text('oops\n{"record_id": "b", "label": "can"}\n')
    with pytest.raises(AuditError, match=r"labels.jsonl:1: not a label"):
        read_labels(file)
    file.write_text('{"record_id": "b", "label": "can"}\ngarbage{\n')
    with pytest.raises(AuditError, match=r"labels.jsonl:2: not a label"):
        read_labels(file)
    file.write_text('{"record": "b"}\n{"record_id": "b", "label": "can"}\n')
    with pytest.raises(AuditError, match=r"labels.jsonl:1: not a label"):
        read_labels(file)
    file.write_text('{"record_id": "b", "label": "perhaps"}\n')
    with pytest.raises(AuditError, match="label 'perhaps'; wanted 1 or can"):
        read_labels(file)


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_table_of_labels(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "labels.csv"
    rows = (("record_id", "label", "who"), ("a", "1", "x"), ("b", "Cannot", "y"), ("c", "", "z"), ("a", "2", "x"))
    file.write_text("\ufeff" + "\n".join(separator.join(row) for row in rows), encoding="utf-8")
    assert set(read_label_table(file)) == {Label("a", "cannot"), Label("b", "cannot"), Label("c", "unsure")}


def test_a_table_without_the_columns_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("id,judgement\na,1\n")
    with pytest.raises(AuditError, match="the columns are id, judgement; wanted record_id and label"):
        read_label_table(file)


def test_labels_of_calls_that_are_gone_count_for_nothing() -> None:
    found = counts([Label("a", "can"), Label("b", "unsure"), Label("gone", "can")], {"a": "t", "b": "t"})
    assert found == {"t": {"can": 1, "cannot": 0, "unsure": 1}}


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text('{"record_id": "cut of', encoding="utf-8")

    def give(person: int) -> None:
        for number in range(25):
            assert append_label(file, f"{person}/{number}", "can", NOW, f"p{person}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(give, range(4)))
    found = read_labels(file)
    assert {each.record_id for each in found} == {f"{person}/{number}" for person in range(4) for number in range(25)}
    assert {each.person for each in found} == {"p0", "p1", "p2", "p3"}


def test_nothing_is_written_over_a_judgement_that_was_not_seen(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    append_label(file, "a", "can", NOW)
    seen_bytes = file.stat().st_size
    append_label(file, "b", "cannot", NOW)
    assert not append_label(file, "b", "can", NOW, unless_judged_since=seen_bytes)
    assert append_label(file, "a", "unsure", NOW, unless_judged_since=seen_bytes)
    assert [(each.record_id, each.judgement) for each in read_labels(file)] == [("b", "cannot"), ("a", "unsure")]
