"""Import wording: what an import found, as one document and in sentences, on the terminal and on a page alike."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

from breakeven.reports.amounts import counted
from breakeven.reports.workload_part import import_part
from breakeven.usage.ingest_report import IngestReport

FILES_SHOWN_MAX: Final = 5
"""Files that gave nothing, named for each reason."""


def import_document(report: IngestReport, store: Path) -> dict[str, Any]:
    """What `breakeven import --json` prints."""
    part = import_part(report).model_dump(mode="json")
    left_out = [
        {"name": each.name, "status": each.status, "note": each.note}
        for each in report.files
        if each.status != "imported" and not each.is_joined
    ]
    told = {"bills": report.bills, "overlaps": [each.to_json() for each in report.overlaps], "store": str(store)}
    return {**part, "left_out": left_out, **told}


def counts_sentence(report: IngestReport) -> str:
    """Every row accounted for.

    >>> from breakeven.usage.ingest_report import FileReport
    >>> counts_sentence(IngestReport((FileReport("a.jsonl", "imported", "litellm", 3, 2, 0, {"not valid JSON": 1}),)))
    '3 rows in (litellm) = 2 calls + 0 duplicates + 1 reject'
    """
    formats = f" ({', '.join(report.formats)})" if report.formats else ""
    parts = ((report.calls, "call"), (report.duplicates, "duplicate"), (report.rejects_count, "reject"))
    return f"{counted(report.rows_in, 'row')} in{formats} = {' + '.join(counted(*each) for each in parts)}"


def file_lines(report: IngestReport) -> tuple[str, ...]:
    """A line for each file that gave nothing, and why; many of one kind are counted, and so are those that were joined.

    >>> from breakeven.usage.ingest_report import FileReport
    >>> told = IngestReport((FileReport("b.json", "companion"), FileReport("c.txt", "not a log", note="no rows")))
    >>> file_lines(told)
    ('c.txt: not a log: no rows', '1 file of requests or of a batch: joined to its answers')
    """
    lines: list[str] = []
    shown: Counter[str] = Counter()
    for each in report.files:
        if each.status == "imported" or each.is_joined:
            continue
        shown[each.status] += 1
        if shown[each.status] <= FILES_SHOWN_MAX:
            lines.append(f"{each.name}: {each.status}{': ' + each.note if each.note else ''}")
    for status, count in shown.items():
        if count > FILES_SHOWN_MAX:
            lines.append(
                f"{counted(count - FILES_SHOWN_MAX, 'more file')}: {status} (--json names each, with its reason)"
            )
    if joined := sum(each.is_joined for each in report.files):
        whose = "its" if joined == 1 else "their"
        lines.append(f"{counted(joined, 'file')} of requests or of a batch: joined to {whose} answers")
    return tuple(lines)


def rejects_held(*, keeps_words: bool) -> str:
    """What the file of rejected rows holds of them."""
    return "the beginning of each row as it is" if keeps_words else "their names, numbers and times, no words"


def bills_sentence(bills_count: int) -> str:
    """What to do with amounts; empty where there are none."""
    if not bills_count:
        return ""
    return f"{bills_count:,} of them are bills: `breakeven reconcile --invoice store` compares them"


def stopped_sentence(kept_count: int) -> str:
    """What an import that was ended early has left.

    >>> stopped_sentence(0)
    'nothing was added to the store'
    """
    return f"{kept_count:,} files are in the store" if kept_count else "nothing was added to the store"


def redaction_sentences() -> tuple[str, str]:
    """What is replaced in prompts that are kept redacted, and what is not recognised."""
    from breakeven.usage.prompts.personal_data import DETECTED, NOT_DETECTED

    return (
        f"kept prompts: replaced {'; '.join(DETECTED.values())}",
        f"NOT recognised, and so kept: {'; '.join(NOT_DETECTED)}",
    )
