"""Reconcile terminal: our figure beside the bill: verdict, causes, models and days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.reports.reconcile_document import Reconciled, exact_money, verdict_sentence
from breakeven.reports.safe_text import short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section
from breakeven.workload.gap_causes import Cause
from breakeven.workload.invoice_gap import GapRow

ROWS_SHOWN_COUNT: Final = 14
_EVIDENCE: Final = {
    "billed": "stands on the bill",
    "computed": "priced from the log's calls",
    "shape": "fits the size of the gap",
}


def render_reconciled(found: Reconciled, console: Console) -> None:
    """Print the comparison."""
    gap = found.gap
    span = f", {found.first} to {found.last} UTC" if found.first else ""
    print_parts(
        console,
        (
            Paragraph(verdict_sentence(found), "bold" if gap.fits else "bold red"),
            Paragraph(f"{short(found.label, 200)} against {short(found.bill.invoice.name, 100)}{span}.", "dim"),
            section("Likely causes, each tried alone (shares are not a sum)", bullets(_causes(found))),
            section("By model, net of tax", _table("Model", gap.by_model)),
            section(_days_title(gap.by_day), _table("Day", _days(gap.by_day))),
            section("To know", bullets(found.notes)),
            Paragraph("Exit code 0: fits. 1: does not. 2: something could not be read.", "dim"),
        ),
    )


def _causes(found: Reconciled) -> list[str]:
    if found.causes:
        return [_cause(each) for each in found.causes]
    if found.gap.fits or not found.gap.gap_usd:
        return []
    return ["None of the usual ones closes 5 % of the gap: does the bill cover the same keys, days and models?"]


def _cause(cause: Cause) -> str:
    basis = f"{_signed(cause.moves_usd)}; {_EVIDENCE[cause.evidence]}"
    return f"{100 * cause.share_fraction:.0f} % of the gap ({basis}): {cause.sentence}."


def _days_title(rows: Sequence[GapRow]) -> str:
    if len(rows) <= ROWS_SHOWN_COUNT:
        return "By day, UTC"
    return f"By day, UTC: the {ROWS_SHOWN_COUNT} with the largest difference of {len(rows)}"


def _days(rows: Sequence[GapRow]) -> list[GapRow]:
    largest = sorted(rows, key=lambda each: -abs(each.gap_usd))[:ROWS_SHOWN_COUNT]
    return sorted(largest, key=lambda each: each.name)


def _table(first: str, rows: Sequence[GapRow]) -> Table | None:
    table = plain_table()
    table.add_column(first, overflow="fold")
    for header in ("ours", "bill", "bill - ours", ""):
        table.add_column(header, justify="right", no_wrap=True)
    for each in rows[:ROWS_SHOWN_COUNT]:
        table.add_row(
            Text(short(each.name, 60)),
            _amount(each.ours_usd, each.unpriced_tokens),
            _amount(each.billed_usd),
            Text(_signed(each.gap_usd)),
            Text(_percent(each)),
        )
    if len(rows) > ROWS_SHOWN_COUNT:
        table.add_row(Text(f"and {len(rows) - ROWS_SHOWN_COUNT} more", style="dim"))
    return table if rows else None


def _amount(usd: float | None, unpriced_tokens: int = 0) -> Text:
    if unpriced_tokens:
        return Text("UNPRICED" if not usd else f"{exact_money(usd)} + UNPRICED", style="bold red")
    return Text("none" if usd is None else exact_money(usd))


def _signed(usd: float) -> str:
    return f"{'+' if usd > 0 else ''}{exact_money(usd)}"


def _percent(row: GapRow) -> str:
    if not row.ours_usd or not row.billed_usd:
        return ""
    return f"{100 * (row.gap_usd / row.ours_usd):+.1f} %" if row.gap_usd else "0.0 %"
