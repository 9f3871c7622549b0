"""Import wording: what an import found, as one document and in sentences, on the terminal and on a page alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from breakeven.reports.amounts import counted
from breakeven.reports.workload_part import import_part
from breakeven.usage.ingest_report import IngestReport


def import_document(report: IngestReport, store: Path) -> dict[str, Any]:
    """What `breakeven import --json` prints."""
    part = import_part(report).model_dump(mode="json")
    told = {"bills": report.bills, "overlaps": [each.to_json() for each in report.overlaps], "store": str(store)}
    return {**part, **told}


def counts_sentence(report: IngestReport) -> str:
    """Every row accounted for.

    >>> from breakeven.usage.ingest_report import FileReport
    >>> counts_sentence(IngestReport((FileReport("a.jsonl", "imported", "litellm", 3, 2, 0, {"not valid JSON": 1}),)))
    '3 rows in (litellm) = 2 calls + 0 duplicates + 1 reject'
    """
    formats = f" ({', '.join(report.formats)})" if report.formats else ""
    parts = ((report.calls, "call"), (report.duplicates, "duplicate"), (report.rejects_count, "reject"))
    return f"{counted(report.rows_in, 'row')} in{formats} = {' + '.join(counted(*each) for each in parts)}"


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
