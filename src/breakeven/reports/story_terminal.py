"""Story in a terminal: a chapter as soon as it has been played."""

from __future__ import annotations

from rich.console import Console, Group
from rich.text import Text

from breakeven.reports.findings import Badge
from breakeven.reports.safe_text import safe
from breakeven.reports.story_document import ChapterPart, StoryDocument
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Badges, Paragraph, bullets, print_parts


def render_story_head(document: StoryDocument, console: Console) -> None:
    """Who it is about, and that it is made up."""
    title = Text(safe(document.title), style="bold")
    badge = Badges((Badge("SYNTHETIC DATA", "warning"),))
    print_parts(console, (badge, title, Paragraph(document.about), Paragraph(document.made_up, "dim")))


def render_chapter(chapter: ChapterPart, console: Console, chapters_count: int) -> None:
    """One chapter: why, the commands, what came out."""
    console.print()
    head = Text(f"{chapter.number} of {chapters_count}  {safe(chapter.title)}", style="bold")
    commands = Group(*(Text(f"$ {safe(each)}", style="cyan", overflow="fold") for each in chapter.commands))
    print_parts(console, (head, Paragraph(chapter.why, "dim"), commands, bullets(chapter.sentences)))
    if chapter.figures:
        table = plain_table()
        for name in ("", "", ""):
            table.add_column(name, overflow="fold")
        table.columns[1].justify = "right"
        table.show_header = False
        for each in chapter.figures:
            table.add_row(safe(each.label), Text(safe(each.value), style="bold"), Text(safe(each.note), style="dim"))
        console.print(table)


def render_story_end(document: StoryDocument, console: Console, folder: str) -> None:
    """How many planted figures were found, and where everything lies."""
    claimed = [each for each in document.truth if each.is_inside is not None]
    inside = sum(bool(each.is_inside) for each in claimed)
    console.print()
    words = f"Of {len(claimed)} planted figures {inside} lie in the ranges that were found; the page lists them all."
    print_parts(console, (Paragraph(words), Paragraph(f"The story as a page: {folder}/story.html (and story.md)")))
    console.print(Text.assemble(("See it: ", "bold"), (safe(f"breakeven ui --folder {folder}"), "bold cyan")))
