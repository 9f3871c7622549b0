"""Price watch terminal: the diff of two comparisons as text: what moved, what explains it, what changed."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.reports.price_watch_part import PriceWatchPart
from breakeven.reports.price_watch_wording import (
    EXIT_CODES,
    cause_lines,
    causes_title,
    change_lines,
    difference_lines,
    move_cells,
    moves_note,
    moves_shown,
    since,
)
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section


def render_price_watch(watch: PriceWatchPart, console: Console) -> None:
    """Print the whole diff."""
    title = next((each.title for each in watch.moves if each.option == watch.explained), watch.explained)
    print_parts(
        console,
        (
            Paragraph(watch.sentence, "bold red" if watch.moved else "bold"),
            section(since(watch), bullets(difference_lines(watch) or ["Same log, scenario, catalogue and seed."])),
            _moves(watch),
            Paragraph(moves_note(watch), "dim") if moves_shown(watch) else None,
            section(safe(causes_title(watch, title)), bullets(cause_lines(watch))),
            section("Prices and facts that changed", bullets(change_lines(watch))),
            Paragraph(EXIT_CODES, "dim"),
        ),
    )


def _moves(watch: PriceWatchPart) -> Table | None:
    shown = moves_shown(watch)
    table = plain_table()
    table.add_column("Option", overflow="fold")
    for header in ("before", "now", "move", "bound"):
        table.add_column(header, justify="right", no_wrap=True)
    for each in shown:
        table.add_row(Text(short(each.title, 60)), *map(Text, move_cells(each)), style="bold" if each.beyond else "")
    return table if shown else None
