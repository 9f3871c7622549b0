"""Guide terminal: the guide's claims as text: one table, then one paragraph each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.reports.guide_document import GuideClaimPart, GuideDocument, GuideTablePart
from breakeven.reports.guide_page import prices_sentence, traffic_sentence, verdict_words
from breakeven.reports.safe_text import safe
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, next_step, print_parts, section

VERDICT_STYLES: Final = {
    "holds": "bold green",
    "depends": "bold yellow",
    "does not hold": "bold red",
    "not tested": "dim",
}


def render_guide(document: GuideDocument, console: Console) -> None:
    """Print all claims; with one claim alone, its tables too."""
    alone = len(document.claims) == 1
    print_parts(
        console,
        (
            Paragraph(document.summary, "bold"),
            Paragraph(traffic_sentence(document)),
            None if alone else _table(document),
            *(part for each in document.claims for part in _claim(each, with_tables=alone)),
            section("Warnings", bullets(document.warnings), "bold yellow"),
            Paragraph(prices_sentence(document), "dim"),
            None
            if alone
            else Paragraph("The tables behind a claim: breakeven claims --only ID; all of them: --json.", "dim"),
            next_step(document.next_command),
        ),
    )


def _table(document: GuideDocument) -> Table:
    table = plain_table()
    table.add_column("The guide says", ratio=5, overflow="fold")
    table.add_column("We find", ratio=8, overflow="fold")
    table.add_column("Verdict", ratio=5, overflow="fold")
    for each in document.claims:
        table.add_row(
            safe(each.says), Text(safe(each.found)), Text(safe(verdict_words(each)), VERDICT_STYLES[each.verdict])
        )
        table.add_section()
    return table


def _claim(each: GuideClaimPart, *, with_tables: bool) -> Iterator[RenderableType]:
    heading = Text.assemble((safe(each.words), "bold"), f"  [{safe(each.id)}]", overflow="fold")
    verdict = Paragraph(f"{verdict_words(each)[:1].upper()}{verdict_words(each)[1:]}.", VERDICT_STYLES[each.verdict])
    yield Group(heading, verdict, Paragraph(" ".join((each.because, *each.details))))
    if with_tables:
        for table in each.tables:
            yield Group(Text(safe(table.title), style="bold"), _cells(table))
        yield Paragraph(f"Compared: {each.scenario}.", "dim")


def _cells(part: GuideTablePart) -> Table:
    table = plain_table()
    for index, column in enumerate(part.columns):
        table.add_column(safe(column), justify="right" if index else "left", overflow="fold")
    for row in part.rows:
        table.add_row(*(Text(safe(cell.text)) for cell in row))
    return table
