"""Terminal what-if: the sentence, what is different, every option before and after, and what was solved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.table import Table

from breakeven.reports import whatif_rows as rows
from breakeven.reports.safe_text import safe
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section
from breakeven.reports.whatif_document import ChangePart, OptionChangePart, WhatIfDocument

AFTER: Final = "After, for as many successful outcomes as today"
WIDE_FROM_COLUMNS: Final = 112
"""From this width on, a change stands beside its amount; below, under it."""
ODDS_FROM_COLUMNS: Final = 56
BREAKEVEN_FROM_COLUMNS: Final = 72
"""A narrow console drops what matters less: never half a word."""
_Cell = Callable[[OptionChangePart], str]


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
            section(AFTER, _table(document, console.width)) if changed else None,
            section("Worth knowing", bullets(document.warnings)) if document.warnings else None,
        ),
    )


def _change(part: ChangePart) -> str:
    name = part.name if part.said == part.name else f"{part.name} (you typed {part.said})"
    note = f"; {part.note}" if part.note else ""
    return f"{name}: {part.before} becomes {part.after}{note}"


def _table(document: WhatIfDocument, width: int) -> Table:
    """Every option; an option's title is broken at words, figures never are."""
    beside = width >= WIDE_FROM_COLUMNS
    months = f"{document.after.months_count} months"
    sums = [(months, _present, _present_change)] if not rows.lengths_words(document) else []
    columns: list[tuple[str, _Cell]] = []
    for heading, amount, change in (("a month", _month, _month_change), *sums):
        columns += [(heading, amount), ("change", change)] if beside else [(heading, _under(amount, change))]
    if not sums:  # present costs over other months have no difference to tell
        columns.append((months, _present))
    if width >= ODDS_FROM_COLUMNS:
        columns.append(("lowest in", _odds))
    if width >= BREAKEVEN_FROM_COLUMNS:
        columns.append(("below API from", _breakeven if beside else _broken_at_the_arrow))
    table = plain_table()
    words = [word for each in document.options for word in safe(each.title).split()]
    table.add_column("option", overflow="fold", min_width=max(map(len, words), default=0))
    for heading, _ in columns:
        table.add_column(heading if beside else heading.replace("below ", "below\n"), justify="right", no_wrap=True)
    for each in document.options:
        table.add_row(safe(each.title), *(cell(each) for _, cell in columns))
    return table


def _month(part: OptionChangePart) -> str:
    return rows.expected_usd(part.after_usd_per_month)


def _month_change(part: OptionChangePart) -> str:
    return rows.difference_words(part.before_usd_per_month, part.after_usd_per_month)


def _present(part: OptionChangePart) -> str:
    return rows.expected_usd(part.after_present_cost_usd)


def _present_change(part: OptionChangePart) -> str:
    return rows.difference_words(part.before_present_cost_usd, part.after_present_cost_usd)


def _under(amount: _Cell, change: _Cell) -> _Cell:
    """A change in the line below its amount."""
    return lambda part: f"{amount(part)}\n{change(part)}"


def _broken_at_the_arrow(part: OptionChangePart) -> str:
    return _breakeven(part).replace(" -> ", " ->\n")


def _odds(part: OptionChangePart) -> str:
    return rows.becomes(rows.odds_before(part), rows.odds_after(part))


def _breakeven(part: OptionChangePart) -> str:
    return rows.becomes(rows.breakeven_before(part), rows.breakeven_after(part))
