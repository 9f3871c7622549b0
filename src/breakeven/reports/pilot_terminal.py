"""Pilot terminal: the design before the start, where a pilot stands, and its verdict, as pages of a terminal.

The answer stands first, in words; a sign and a bar stand beside every state, so nothing needs colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.reports import pilot_wording as told
from breakeven.reports.pilot_design_rows import expected_lines, size_rows
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.pilot_summary import HASH_SHOWN_COUNT, PilotSummary, TaskRow, pilot_summary
from breakeven.reports.pilot_tiles import Tile
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, badges, bullets, next_step, print_parts, section

WIDE_FROM_COLUMNS: Final = 110
BAR_CELLS_COUNT: Final = 10
NAME_MAX_COUNT: Final = 30
SIGNS: Final = {"good": "+", "bad": "x", "open": "."}
STYLES: Final = {"good": "green", "bad": "red", "open": "yellow"}
GUARDS_SHOWN_COUNT: Final = 6
LABEL_COLUMNS: Final = 21


def render_design(document: PilotDocument, console: Console, *, next_command: str = "") -> None:
    """Print what the pilot promises, before anything is sent: how large, how long, at which risk and price."""
    page = pilot_summary(document)
    print_parts(
        console,
        (
            Paragraph(page.kicker, "bold"),
            _pairs([(each.label, each.words) for each in page.design]),
            section("How long it will probably take", _sizes(document)),
            section("What to know", bullets(expected_lines(document.design))),
            Paragraph(f"design hash {document.footer.design_hash[:HASH_SHOWN_COUNT]}", "dim"),
            next_step(next_command) if next_command else None,
        ),
    )


def render_status(document: PilotDocument, console: Console, *, next_command: str = "") -> None:
    """Print where it stands: tasks, evidence against its boundary, days to go, guards."""
    page = pilot_summary(document)
    print_parts(
        console,
        (
            _head(page),
            Paragraph(page.sentence, "bold"),
            _tiles(page.tiles),
            _tasks(page.tasks, console),
            section("Since the rollout", _watch(page)),
            section("Guards", _guards(page, document)),
            section("Limits of what may be claimed", bullets(page.alerts), "bold yellow"),
            section("Seen in the data", bullets(page.remarks)),
            section("Last", _journal(page, 3)),
            Paragraph(_footer(document), "dim"),
            next_step(next_command) if next_command else None,
        ),
    )


def render_verdict(document: PilotDocument, console: Console, *, next_command: str = "") -> None:
    """Print the answer in one sentence, then the figures behind it, the promises, and what is not claimed."""
    page = pilot_summary(document)
    print_parts(
        console,
        (
            _head(page),
            Paragraph(page.sentence, "bold"),
            section("Limits of what may be claimed", bullets(page.alerts), "bold yellow"),
            _tiles(page.tiles),
            bullets(page.details),
            _tasks(page.tasks, console),
            section(f"What it saves, USD per {told.PER_REQUESTS:,.0f} requests", _money(page)),
            section("What was promised, and what happened", _promises(page)),
            section("Since the rollout", _watch(page)),
            section("Guards", _guards(page, document)),
            section("Seen in the data", bullets(page.remarks)),
            section("Not claimed", bullets(page.not_claimed)),
            Paragraph(_footer(document), "dim"),
            next_step(next_command) if next_command else None,
        ),
    )


def _head(page: PilotSummary) -> RenderableType:
    """The answer in brackets, the badges, and what it is about."""
    answer = Text(f"[{page.answer}]", style=f"bold {STYLES[page.kind]}")
    line = Text.assemble(answer, "  ", safe(page.kicker), overflow="fold")
    table = Table.grid()
    table.add_row(line)
    found = badges(page.badges)
    if found:
        table.add_row(found)
    return table


def _tiles(tiles: Sequence[Tile]) -> Table | None:
    table = _grid((LABEL_COLUMNS, "dim"), (None, "bold"), (None, ""))
    for each in tiles:
        rest = "; ".join(part for part in (each.range, each.note) if part)
        table.add_row(Text(short(each.label, 60)), Text(safe(each.value)), Text(safe(rest)))
    return table if tiles else None


def _tasks(rows: Sequence[TaskRow], console: Console) -> RenderableType | None:
    """One row a task; a narrow console has evidence and state below each other."""
    if not rows:
        return None
    wide = console.width >= WIDE_FROM_COLUMNS
    table = plain_table()
    table.add_column("Task", overflow="fold")
    for name in ("Outcomes", "Baseline", "Candidate") if wide else ("Outcomes", "Succeed"):
        table.add_column(name, justify="right")
    table.add_column("Of baseline's", justify="right", no_wrap=True)
    table.add_column("Evidence", no_wrap=wide)
    table.add_column("State", overflow="fold")
    for each in rows:
        told_range = f" ({each.ratio_range})" if wide else f"\n{each.ratio_range}"
        ratio = each.ratio + (told_range if each.ratio_range else "")
        evidence = _bar(each.evidence_fraction, BAR_CELLS_COUNT if wide else BAR_CELLS_COUNT - 2)
        state = Text(f"{SIGNS[each.kind]} {safe(each.state)}", style="" if each.kind == "open" else STYLES[each.kind])
        task = Text(short(each.name, NAME_MAX_COUNT), style="bold")
        success = [each.baseline, each.candidate] if wide else [f"{each.baseline}\n{each.candidate}"]
        gap = " " if wide else "\n"
        cells = (each.outcomes.replace(", ", "\n"), *success, ratio, f"{evidence}{gap}{each.evidence}")
        table.add_row(task, *map(Text, cells), state)
    return table


def _bar(share_fraction: float, cells_count: int) -> str:
    """A bar without colour.

    >>> _bar(0.5, 4), _bar(0.99, 4), _bar(1.0, 4)
    ('[##--]', '[###-]', '[####]')
    """
    full = int(share_fraction * cells_count + 1e-9)
    return f"[{'#' * full}{'-' * (cells_count - full)}]"


def _money(page: PilotSummary) -> RenderableType | None:
    if not (page.money or page.sums):
        return None
    table = plain_table()
    table.add_column("", overflow="fold")
    table.add_column("Baseline", justify="right")
    table.add_column("Candidate", justify="right")
    table.add_column("", overflow="fold")
    for name, baseline, candidate, note in page.money:
        table.add_row(Text(short(name, 60)), Text(baseline), Text(candidate), Text(note, style="dim"))
    sums = _grid((LABEL_COLUMNS + 9, ""), (None, "bold"), (None, ""))
    for label, value, span in page.sums:
        sums.add_row(Text(f"per {label}" if label != "A month" else "a month"), Text(value), Text(span))
    found = Table.grid()
    if page.money:
        found.add_row(table)
    found.add_row(sums)
    if page.not_stated:
        found.add_row(Text(f"Not stated by anybody: {'; '.join(page.not_stated)}.", style="dim", overflow="fold"))
    return found


def _promises(page: PilotSummary) -> Table | None:
    table = plain_table()
    table.add_column("", overflow="fold")
    table.add_column("Promised", justify="right")
    table.add_column("Happened", justify="right")
    table.add_column("", overflow="fold")
    for each in page.promises:
        happened = f"{each.happened}\n{each.happened_range}" if each.happened_range else each.happened
        style = "red" if each.kind == "bad" else ""
        words = Text(f"{SIGNS[each.kind]} {each.words}", style=style)
        table.add_row(Text(short(each.title, 40)), Text(each.promised), Text(happened), words)
    return table if page.promises else None


def _guards(page: PilotSummary, document: PilotDocument) -> RenderableType | None:
    """Those that have fired, then a few that hold, and how many more do."""
    fired = [each for each in page.guards if each.has_fired]
    shown = page.guards[: max(GUARDS_SHOWN_COUNT, len(fired))]
    several = len(document.design.plans) > 1
    table = _grid((9, ""), (None, ""), (None, "dim"))
    for each in shown:
        title = f"{each.title} ({each.task})" if several and each.task not in each.words else each.title
        words = each.words or (f"{each.seen} of {each.allowed}" if each.allowed else each.seen)
        state = Text("FIRED", style="bold red") if each.has_fired else Text("holds", style="green")
        table.add_row(state, Text(short(title, 60)), Text(words))
    more = len(page.guards) - len(shown)
    if more:
        table.add_row("holds", f"{more} more", "")
    return table if page.guards else None


def _watch(page: PilotSummary) -> RenderableType | None:
    return bullets([f"{'ALARM: ' if is_alarm else ''}{words}" for words, is_alarm in page.watch])


def _journal(page: PilotSummary, most_count: int) -> Table | None:
    table = _grid((LABEL_COLUMNS, "dim"), (None, ""))
    for when, words in page.journal[-most_count:]:
        table.add_row(Text(short(when, 40)), Text(words))
    return table if page.journal else None


def _sizes(document: PilotDocument) -> Table | None:
    """Outcomes and days for each task, as it was planned."""
    rows = size_rows(document.design)
    if not rows:
        return None
    table = plain_table()
    heads = ("Task", "Outcomes, mean", "4 of 5 within", "Days, mean", "4 of 5 within", "One look", "Yes in time")
    for at, name in enumerate(heads):
        table.add_column(name, justify="right" if at else "left", overflow="fold")
    for row in rows:
        cells = (row.outcomes, row.outcomes_p80, row.days, row.days_p80, row.fixed, row.within)
        table.add_row(Text(short(row.task, NAME_MAX_COUNT)), *map(Text, cells))
    return table


def _pairs(rows: Sequence[tuple[str, str]]) -> Table:
    table = _grid((LABEL_COLUMNS, "dim"), (None, ""))
    for label, words in rows:
        table.add_row(Text(label), Text(words))
    return table


def _grid(*columns: tuple[int | None, str]) -> Table:
    """Columns without lines."""
    table = plain_table()
    table.show_header = False
    table.box = None
    for width, style in columns:
        table.add_column(style=style, max_width=width, overflow="fold")
    return table


def _footer(document: PilotDocument) -> str:
    footer = document.footer
    found = [f"design {safe(footer.design_hash[:HASH_SHOWN_COUNT])}"]
    if footer.policy_hash:
        found.append(f"policy {safe(footer.policy_hash[:HASH_SHOWN_COUNT])}")
    return "; ".join(found)
