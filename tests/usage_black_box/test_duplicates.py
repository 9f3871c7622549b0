"""Duplicates: found by request id only; importing again changes nothing, whatever the name and the order."""

from __future__ import annotations

import itertools
import random

import pytest

from breakeven.usage.store.call_store import CallStore
from usage_black_box.logs import calls, counts, csv_text, ingest, jsonl, row, rows, write


def test_the_last_of_equal_ids_is_kept(take, store):
    lines = [row(n, id=f"id-{n % 3}", output_tokens=n) for n in range(9)]
    assert counts(take(jsonl(*lines))) == (9, 3, 6, 0)
    assert [each["output_tokens"] for each in calls(store)] == [6, 7, 8]


def test_honest_twins_without_ids_are_kept(take, store):
    assert counts(take(jsonl(*[row(0)] * 5))) == (5, 5, 0, 0)


def test_an_empty_id_is_no_id(take):
    assert counts(take(jsonl(*[row(0, id="")] * 2, *[row(0, id=None)] * 2))) == (4, 4, 0, 0)


def test_an_id_of_blanks_is_no_id(take):
    assert counts(take(jsonl(*[row(0, id="  ")] * 2))) == (2, 2, 0, 0)


def test_a_number_as_id_is_the_same_id_as_its_text(take):
    assert counts(take(jsonl(row(0, id=7), row(0, id="7")))) == (2, 1, 1, 0)


def test_ids_that_differ_in_case_or_inner_blanks_are_different(take):
    assert counts(take(jsonl(row(0, id="a"), row(0, id="A"), row(0, id="a b"), row(0, id="a  b")))) == (4, 4, 0, 0)


def test_a_rejected_row_does_not_displace_a_good_one(take, store):
    report = take(jsonl(row(0, id="x"), row(1, id="x", input_tokens=-1)))
    assert counts(report) == (2, 1, 0, 1)
    assert calls(store)[0]["input_tokens"] == 100


def test_equal_ids_on_different_days_are_one_call(take, store):
    assert counts(take(jsonl(row(0, id="x"), row(1440 * 3, id="x"), row(1440, id="x")))) == (3, 1, 2, 0)
    assert calls(store)[0]["start_time"].day == 2


def test_equal_ids_across_two_imports(take, store):
    take(jsonl(row(0, id="x"), row(1, id="y")), "a.jsonl")
    report = take(jsonl(row(5, id="x", output_tokens=99), row(6, id="z")), "b.jsonl")
    assert counts(report) == (2, 1, 1, 0)
    assert {each["record_id"]: each["output_tokens"] for each in calls(store)} == {"x": 99, "y": 11, "z": 16}


def test_importing_twice_changes_nothing(take, store):
    text = jsonl(*rows(40), row(3, id="x"), row(4, id="x"), "bad", row(5, input_tokens=-1))
    first = take(text)
    before, again = store.digest(), take(text)
    assert counts(first) == (44, 41, 1, 2)
    assert counts(again) == (44, 0, 42, 2)
    assert store.digest() == before


def test_a_copy_under_another_name_adds_nothing(take, store):
    text = jsonl(*rows(20))
    take(text, "a.jsonl")
    before = store.digest()
    assert counts(take(text, "deep/copy of a.txt")) == (20, 0, 20, 0)
    assert store.digest() == before


def test_copies_in_one_folder_add_nothing(store, tmp_path):
    for name in ("a.jsonl", "b.jsonl", "sub/a.jsonl"):
        write(tmp_path / "logs" / name, jsonl(*rows(20)))
    assert counts(ingest(store, tmp_path / "logs")) == (60, 20, 40, 0)


def test_one_file_named_twice_and_inside_its_folder(store, tmp_path):
    file = write(tmp_path / "logs" / "a.jsonl", jsonl(*rows(20)))
    report = ingest(store, file, file, tmp_path / "logs", tmp_path / "logs" / ".." / "logs")
    assert store.calls_count == 20
    assert report.calls == 20


@pytest.mark.parametrize("with_ids", [True, False])
def test_a_grown_file_adds_its_new_rows_only(take, with_ids):
    lines = [row(n, id=f"i{n}") if with_ids else row(n) for n in range(60)]
    take(jsonl(*lines[:40]))
    assert counts(take(jsonl(*lines))) == (60, 20, 40, 0)


def test_a_grown_file_whose_last_line_was_half(take, store):
    text = jsonl(*rows(10))
    half = len(text) - 30
    assert counts(take(text[:half])) == (10, 9, 0, 1)
    assert counts(take(text)) == (10, 1, 9, 0)


def test_a_grown_csv_adds_its_new_rows_only(take):
    lines = [(f"2026-11-01T00:{n:02d}:00Z", str(n), "1") for n in range(30)]
    header = ("start_time", "input_tokens", "output_tokens")
    take(csv_text(header, lines[:20]), "log.csv")
    assert counts(take(csv_text(header, lines), "log.csv")) == (30, 10, 20, 0)


def test_a_grown_file_equals_one_import_of_it(take, store, tmp_path):
    text = jsonl(*rows(30))
    take(jsonl(*rows(12)))
    take(text)
    with CallStore.temporary() as fresh:
        ingest(fresh, write(tmp_path / "log.jsonl", text))
        assert fresh.digest() == store.digest()


def test_the_order_of_imports_makes_no_difference(tmp_path):
    """Deliveries of one id at different times, sizes and days; the store says the same whatever comes first."""
    files = [
        write(tmp_path / "1.jsonl", jsonl(row(0, id="x"), row(1, id="y"), row(1, id="y", output_tokens=500))),
        write(tmp_path / "2.jsonl", jsonl(row(1440, id="x"), row(1, id="y", input_tokens=900))),
        write(tmp_path / "3.jsonl", jsonl(row(0, id="x", application="late"), row(2, id="z"), row(1, id="y"))),
    ]
    digests = set()
    for order in itertools.permutations(files):
        with CallStore.temporary() as fresh:
            for file in order:
                ingest(fresh, file)
            assert fresh.calls_count == 3
            digests.add(fresh.digest())
    with CallStore.temporary() as fresh:
        ingest(fresh, *files)
        digests.add(fresh.digest())
    assert len(digests) == 1


def test_the_digest_depends_on_content_not_on_row_order(tmp_path):
    lines = [row(n, id=f"i{n}") for n in range(50)]
    shuffled = random.Random(1).sample(lines, len(lines))
    digests = []
    for name, each in (("a.jsonl", lines), ("b.jsonl", shuffled), ("a.jsonl", [*lines[:-1], row(999, id="i49")])):
        with CallStore.temporary() as fresh:
            ingest(fresh, write(tmp_path / name, jsonl(*each)))
            digests.append(fresh.digest())
    assert digests[0] == digests[1] != digests[2]


def test_another_mapping_of_a_file_that_is_in_the_store_is_refused_and_harms_nothing(take, store):
    from breakeven.errors import UsageError

    take(jsonl(row(0, other=5)))
    before = store.digest()
    with pytest.raises(UsageError, match="before"):
        take(jsonl(row(0, other=5)), output_tokens="other")
    assert store.digest() == before
