"""Decide terminal: the decision on one screen: 80 columns and about 40 lines; a wide screen puts parts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.reports import amounts, findings
from breakeven.reports.decide_page import FUTURES, DecidePage, Tile, decide_page
from breakeven.reports.document import Document
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, badges, bullets, next_step, print_parts, section

WIDE_FROM_COLUMNS: Final = 130
LINES_MAX_COUNT: Final = 4
"""Bullets of one section; the rest is in the documents that people take away."""
STEPS_MAX_COUNT: Final = 5
LINE_MAX_COUNT: Final = 170
MISSING_MAX_COUNT: Final = 320
_SAID_ANYWAY: Final = (
    ("Present value over", "NPV,"),
    (" (NPV)", ""),
    (", at today's volume and prices", ""),
    (", all costs, median", ", total"),
)
"""Words of a label that the narrow column leaves out, and what stands for them."""
ABOUT_MAX_COUNT: Final = 100
HASH_SHOWN_COUNT: Final = 8
NEXT: Final = "breakeven compare --out report.json --pdf decision.pdf"


def render_decision(document: Document, console: Console) -> None:
    """Print the page."""
    page = decide_page(document)
    steps = section("On Monday", _bullets(page.monday, most_count=STEPS_MAX_COUNT))
    turns = section(page.turns_title, _bullets(page.change_our_mind, most_count=STEPS_MAX_COUNT))
    print_parts(
        console,
        (
            badges(findings.comparison_badges(document)),
            Paragraph(page.sentence, "bold"),
            _tiles(page),
            section("The numbers that matter", _figures(page)),
            *_beside(console, steps, turns),
            section(page.exit_title, _bullets(page.exits_apart)),
            section(_also_title(page), _bullets((_measure(page), *page.beside, *page.missing), MISSING_MAX_COUNT)),
            next_step(_next(document)),
            Paragraph(_footer(document), "dim"),
        ),
    )


def _measure(page: DecidePage) -> str:
    """What to measure and what that is worth; how is on Monday's list."""
    return page.measure_next.partition("; ")[0].rstrip(".") + "." if page.measure_next else ""


def _also_title(page: DecidePage) -> str:
    return "What to measure next, and what to keep in mind" if page.measure_next else "What to keep in mind"


def _beside(console: Console, *parts: RenderableType | None) -> list[RenderableType | None]:
    """Parts below each other, or side by side where there is room."""
    shown = [each for each in parts if each is not None]
    if console.width < WIDE_FROM_COLUMNS or len(shown) < 2:
        return list(parts)
    table = Table.grid(expand=True, padding=(0, 2))
    for _ in shown:
        table.add_column(ratio=1)
    table.add_row(*shown)
    return [table]


def _tiles(page: DecidePage) -> RenderableType:
    """The headline figures, one line each where the console is wide enough; whose they are stands above."""
    table = plain_table()
    table.show_header = False
    table.box = None
    table.add_column(no_wrap=True, style="dim", max_width=24, overflow="ellipsis")
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for each in page.tiles:
        if each.range == FUTURES and each.value in page.sentence:
            continue  # the sentence says it
        table.add_row(_label(each), Text(safe(each.value)), Text(short(_span(each), LINE_MAX_COUNT)))
    about = next((each.about for each in page.tiles if each.about), "")
    if not about:
        return table
    heading = Text(f"{short(about, ABOUT_MAX_COUNT)}, against staying as today:", style="dim", overflow="fold")
    return Group(heading, table)


def _span(tile: Tile) -> str:
    return f"{tile.range}: {tile.note}" if tile.range == FUTURES else tile.range or tile.note


def _label(tile: Tile) -> Text:
    """The label without what stands above it or in the header of the page anyway."""
    label = tile.label.removeprefix(f"{tile.about}: ") if tile.about else tile.label
    label = label[:1].upper() + label[1:]
    for told, kept in _SAID_ANYWAY:
        label = label.replace(told, kept)
    return Text(safe(label))


def _figures(page: DecidePage) -> Table | None:
    table = plain_table()
    table.show_header = False
    table.box = None
    table.add_column(overflow="fold", max_width=26)
    table.add_column(overflow="fold", max_width=30)
    table.add_column(overflow="fold")
    for each in page.figures:
        span = f"({safe(each.range)})" if each.range else ""
        value = Text.assemble((short(each.value, 60), "bold"), span and f" {short(span, 60)}")
        table.add_row(Text(short(each.label, 60)), value, Text(short(each.why, 160)))
    return table if page.figures else None


def _bullets(
    lines: Sequence[str], length_max_count: int = LINE_MAX_COUNT, most_count: int = LINES_MAX_COUNT
) -> RenderableType | None:
    found = [short(each, length_max_count) for each in lines if each]
    if len(found) > most_count:
        hidden = len(found) - most_count + 1
        found = [*found[: most_count - 1], f"{hidden} more: --json, or the PDF"]
    return bullets(found)


def _next(document: Document) -> str:
    return NEXT if document.answers else document.verdict.next_command


def _footer(document: Document) -> str:
    footer = document.footer
    volume, day = amounts.volume(document.breakeven.volume_mtok_per_month), amounts.date_text(safe(footer.as_of))
    calls = safe(footer.calls_hash[:HASH_SHOWN_COUNT])
    return f"{volume} a month; prices and facts as of {day}; calls hash {calls}"
