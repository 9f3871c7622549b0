"""Terminal what-if: the sentence, what is different, every option before and after, and what was solved."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from breakeven.reports.amounts import money, odds, volume
from breakeven.reports.option_part import Amount
from breakeven.reports.safe_text import safe
from breakeven.reports.terminal_text import Paragraph, bullets, plain_table, print_parts, section
from breakeven.reports.whatif_document import ChangePart, OptionChangePart, WhatIfDocument


def render_whatif(document: WhatIfDocument, console: Console) -> None:
    """Print a what-if, the answer first."""
    changed = bool(document.changes)
    solved = document.solved
    print_parts(
        console,
        (
            Paragraph(solved.sentence, "bold") if solved else None,
            Paragraph(document.sentence, "" if solved else "bold"),
            section("What is different", bullets([_change(each) for each in document.changes])) if changed else None,
            section("After, for as many successful outcomes as today", _table(document)) if changed else None,
            section("Worth knowing", bullets(document.warnings)) if document.warnings else None,
        ),
    )


def _change(part: ChangePart) -> str:
    name = part.name if part.said == part.name else f"{part.name} (you typed {part.said})"
    note = f"; {part.note}" if part.note else ""
    return f"{name}: {part.before} becomes {part.after}{note}"


def _table(document: WhatIfDocument) -> Table:
    table = plain_table()
    table.add_column("option", overflow="fold")
    months = f"{document.after.months_count} months"
    for heading in ("a month", "change", months, "change", "lowest in", "below API from"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in document.options:
        month, horizon = each.after_usd_per_month, each.after_present_cost_usd
        table.add_row(
            safe(each.title),
            _usd(month),
            _difference(each.before_usd_per_month, month),
            _usd(horizon),
            _difference(each.before_present_cost_usd, horizon),
            _odds(each),
            _breakeven(each),
        )
    return table


def _usd(value: Amount | None) -> str:
    return "-" if value is None else money(value.mean)


def _difference(before: Amount | None, after: Amount | None) -> str:
    if before is None or after is None:
        return "new" if before is None else "gone"
    usd = after.mean - before.mean
    if money(abs(usd)) == "$0":
        return "the same"
    return f"{money(abs(usd))} {'more' if usd > 0 else 'less'}"


def _odds(part: OptionChangePart) -> str:
    was, becomes = part.before_cheapest_fraction, part.after_cheapest_fraction
    old, new = ("-" if each is None else odds(each).removesuffix(" of 100") for each in (was, becomes))
    return old if old == new else f"{old} -> {new}"


def _breakeven(part: OptionChangePart) -> str:
    if part.option == "frontier_api":
        return ""
    ends = (part.before_always_above_mtok_per_month, part.after_always_above_mtok_per_month)
    known = (part.before_usd_per_month is not None, part.after_usd_per_month is not None)
    old, new = (_mark(each) if there else "-" for each, there in zip(ends, known, strict=True))
    return old if old == new else f"{old} -> {new}"


def _mark(mtok: float | None) -> str:
    return "never" if mtok is None else volume(mtok).removesuffix(" tokens")
