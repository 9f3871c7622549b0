"""Terminal table: columns where a line has room for them, else each row as a name with its values below."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

NARROW_BELOW_COLUMNS = 60
"""Wider lines always get a table."""
MARK_HEAD_COLUMNS = 1
"""A column before the names whose heading is no longer holds a mark or a rank."""
BARE_COLUMNS = 3
"""Names that are no longer, such as a number of requests, say with their heading what they are."""
READABLE_COLUMNS = 12
"""Characters that a column of words needs; names broken into fewer cannot be read."""


class PlainTable(Table):
    """A table without outer lines that turns into a list on a narrow line, instead of cutting names and figures."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, or its rows one below the other."""
        if options.max_width >= NARROW_BELOW_COLUMNS or self._fits(console, options):
            yield from super().__rich_console__(console, options)
        else:
            yield from self._listed(console, options)

    def _fits(self, console: Console, options: ConsoleOptions) -> bool:
        """Do all figures stand whole, and words in pieces that can be read?"""
        needed = 0
        for column in self.columns:
            wide = options.update(max_width=10_000)
            widths = [Measurement.get(console, wide, cell).maximum for cell in (column.header, *column.cells)]
            most = max(widths)
            needed += most if column.no_wrap or column.justify == "right" else min(most, READABLE_COLUMNS)
        return needed + 2 * (len(self.columns) - 1) <= options.max_width

    def _listed(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Each row as its name, after a mark or rank, then a line for every value with what it is."""
        heads = [_one_line(each.header) for each in self.columns]
        rows = [[_one_line(each) for each in row] for row in zip(*(each.cells for each in self.columns), strict=True)]
        at = next((index for index, head in enumerate(heads) if head.cell_len > MARK_HEAD_COLUMNS), 0)
        is_bare = max((row[at].cell_len for row in rows), default=0) <= BARE_COLUMNS
        for row in rows:
            name = Text.assemble(heads[at], " ", row[at]) if is_bare else row[at]
            yield from _hanging(Text(" ").join(each for each in (*row[:at], name) if each.plain), "", console, options)
            for head, text in zip(heads[at + 1 :], row[at + 1 :], strict=True):
                if text.plain:
                    line = Text.assemble(head, ": ", text) if head.plain else text
                    yield from _hanging(line, "  ", console, options)


def plain_table() -> PlainTable:
    """A table without outer lines; columns are added by the caller."""
    return PlainTable(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False, show_edge=False)


def _one_line(cell: object) -> Text:
    """What a cell says, without its line ends."""
    text = cell.copy() if isinstance(cell, Text) else Text.from_markup(str(cell))
    lines = text.split("\n")
    for line in lines:
        line.rstrip()
    return Text(" ").join(line for line in lines if line.plain)


def _hanging(text: Text, indent: str, console: Console, options: ConsoleOptions) -> Iterator[Text]:
    """A text wrapped behind an indent, what follows its first line two characters deeper."""
    room = max(options.max_width - len(indent) - 2, 1)
    for index, line in enumerate(text.wrap(console, room, overflow="fold")):
        line.rstrip()
        yield Text.assemble(indent, "  " if index else "", line)
