"""Opened calls: a store with calls in it, what it is called, and what reading them lost or changed, in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from breakeven.errors import UsageError
from breakeven.usage.ingest_report import IngestReport, Progress

if TYPE_CHECKING:
    from breakeven.usage.store import CallStore


@dataclass(frozen=True, slots=True)
class OpenedCalls:
    """A store with calls in it, and what reading them gave."""

    store: CallStore
    label: str
    report: IngestReport | None
    """None when the calls were imported earlier."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What reading lost or changed, and which sources told the same traffic."""
        found = [*reading_warnings(self.report), *(each.sentence for each in self.store.overlaps())]
        if self.report is None and (estimated := self.store.estimated_count):
            found.append(f"{estimated:,} rows of the logs had no token counts; these were estimated from their texts.")
        return tuple(found)


def kept_calls(store: CallStore, folder: Path, called: str = "") -> OpenedCalls:
    """The calls that `breakeven import` kept in `folder`; raises UsageError where there are bills and no calls.

    Readers know the folder as `called`; without one, by its path.
    """
    label = called or str(folder)
    refuse_bills_alone(store, label)
    return OpenedCalls(store, label, None)


def has_store(folder: Path) -> bool:
    """Whether something was ever imported into `folder`."""
    return (folder / "manifest.json").exists()


def no_calls(folder: Path) -> UsageError:
    """What is said of a folder into which nothing was imported."""
    return UsageError(f"no calls in {folder}; run `breakeven import YOUR-LOG`, or give the log with --usage")


def refuse_bills_alone(store: CallStore, where: str) -> None:
    """Raise UsageError when there are amounts billed and no calls."""
    if store.bills_count and not store.calls_count:
        raise UsageError(
            f"{where} holds {store.bills_count:,} bills and no calls: amounts say nothing of requests and tokens;"
            " import a usage log as well, then `breakeven reconcile --invoice store` compares them"
        )


def progress_text(at: Progress) -> str:
    """One line about how far an import is."""
    files = f"file {at.files_done + 1} of {at.files_count}, " if at.files_count > 1 else ""
    return f"reading {at.file}: {files}{at.rows_in:,} rows"


def reading_warnings(report: IngestReport | None) -> tuple[str, ...]:
    """What reading lost or changed, for the report's warnings."""
    if report is None:
        return ()
    found = list(report.warnings)
    if report.rejects_count:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in list(report.rejects.items())[:3])
        where = f"; all of them are in {report.reject_path}" if report.reject_path else ""
        found.append(f"{report.rejects_count:,} of {report.rows_in:,} rows were rejected ({reasons}){where}.")
    for each in report.files:
        if each.status in ("empty", "not a log", "companion") and not each.is_joined:
            found.append(f"{each.name} was left out: {each.note or each.status}")
    return tuple(found)
