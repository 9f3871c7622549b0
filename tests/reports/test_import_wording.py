"""Import wording: many files that gave nothing are counted, not listed; the document names each with its reason."""

from __future__ import annotations

from pathlib import Path

from breakeven.reports.import_wording import FILES_SHOWN_MAX, file_lines, import_document
from breakeven.usage.ingest_report import FileReport, IngestReport

NOTE = "no log"


def folder(count: int) -> IngestReport:
    """Files that are no logs, one that was joined and one that was read."""
    others = tuple(FileReport(f"{number}.txt", "not a log", note=NOTE) for number in range(count))
    return IngestReport((*others, FileReport("in.jsonl", "companion"), FileReport("out.jsonl", "imported", "litellm")))


def test_a_few_files_are_named_each_with_its_reason() -> None:
    lines = file_lines(folder(FILES_SHOWN_MAX))
    assert lines[:FILES_SHOWN_MAX] == tuple(f"{number}.txt: not a log: {NOTE}" for number in range(FILES_SHOWN_MAX))
    assert lines[FILES_SHOWN_MAX:] == ("1 file of requests or of a batch: joined to its answers",)


def test_of_many_files_the_rest_is_counted() -> None:
    lines = file_lines(folder(FILES_SHOWN_MAX + 40))
    assert len(lines) == FILES_SHOWN_MAX + 2
    assert lines[FILES_SHOWN_MAX].startswith("40 more files: not a log")


def test_the_document_names_each_file_that_gave_nothing() -> None:
    left_out = import_document(folder(40), Path("store"))["left_out"]
    assert len(left_out) == 40
    assert left_out[39] == {"name": "39.txt", "status": "not a log", "note": NOTE}
