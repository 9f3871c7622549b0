"""Terminal text: the few building blocks of every terminal page: bullets, headed sections, badges, parts with air.

Everything is `rich.text.Text` around `safe` strings, so no name is ever read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.text import Text

from breakeven.reports.findings import Badge
from breakeven.reports.safe_text import safe

_BADGE_STYLES = {"warning": "bold yellow", "danger": "bold red", "note": "bold"}


def print_parts(console: Console, parts: Iterable[RenderableType | None]) -> None:
    """Print the parts that are there, one blank line between them."""
    shown = [each for each in parts if each is not None]
    for index, each in enumerate(shown):
        if index:
            console.print()
        console.print(each)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text without blanks at the ends of its lines."""

    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Wrap to the width of the console."""
        for line in Text(safe(self.text), style=self.style).wrap(console, options.max_width, overflow="fold"):
            line.rstrip()
            yield line


@dataclass(frozen=True, slots=True)
class Bullets:
    """One hanging bullet per line, without blanks at the ends of the lines."""

    lines: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Wrap each line to the width left beside the bullet."""
        for each in self.lines:
            wrapped = Text(safe(each)).wrap(console, max(options.max_width - 2, 1), overflow="fold")
            for index, line in enumerate(wrapped):
                line.rstrip()
                yield Text.assemble("  " if index else "- ", line)


@dataclass(frozen=True, slots=True)
class Badges:
    """Labels in brackets, so that they need no colour; a label is never broken where it fits on a line."""

    badges: Sequence[Badge]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Fill lines with whole badges."""
        line = Text()
        for each in self.badges:
            label = Text(f"[{safe(each.text)}]", style=_BADGE_STYLES[each.kind])
            if line and line.cell_len + 2 + label.cell_len > options.max_width:
                yield line
                line = Text()
            line = Text.assemble(line, "  ", label) if line else label
        yield line


def badges(found: Sequence[Badge]) -> Badges | None:
    """Badges, or None when there are none."""
    return Badges(found) if found else None


def bullets(lines: Sequence[str]) -> Bullets | None:
    """Bullets, or None when there are none."""
    return Bullets(lines) if lines else None


def section(title: str, content: RenderableType | None, style: str = "bold") -> Group | None:
    """A heading over something; None when there is nothing below it."""
    return None if content is None else Group(Text(title, style=style), content)


def next_step(command: str) -> Text:
    """What to run next."""
    return Text.assemble(("Next: ", "bold"), (safe(command), "bold cyan"), overflow="fold")
