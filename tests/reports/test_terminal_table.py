"""Terminal table: what a line has no room for stands below its name, whole."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from breakeven.reports.terminal_table import plain_table


def printed(width: int) -> list[str]:
    table = plain_table()
    table.add_column("", width=1)
    table.add_column("Option", overflow="fold")
    table.add_column("USD a month\nP50 (P10-P90)", justify="right", no_wrap=True)
    table.add_column("cheapest\nin futures", justify="right", no_wrap=True)
    table.add_row(">", "Brokered open model", Text("$5,732\n3.3k-11.8k"), "69 of 100")
    table.add_row("", Text("[not markup] DeepSeek"), "$6,020", "")
    console = Console(file=StringIO(), width=width, highlight=False)
    console.print(table)
    assert isinstance(console.file, StringIO)
    return [each.rstrip() for each in console.file.getvalue().splitlines()]


def test_a_line_with_room_has_columns() -> None:
    lines = printed(100)
    assert ">  Brokered open model" in lines[3] and "$5,732" in lines[3]
    assert "─" in lines[2]


def test_a_narrow_line_has_a_name_and_its_values() -> None:
    assert printed(38)[:5] == [
        "> Brokered open model",
        "  USD a month P50 (P10-P90): $5,732",
        "    3.3k-11.8k",
        "  cheapest in futures: 69 of 100",
        "[not markup] DeepSeek",
    ]


@pytest.mark.parametrize("width", range(8, 130))
def test_no_figure_is_cut_at_any_width(width: int) -> None:
    lines = printed(width)
    assert "…" not in "".join(lines)
    text = "".join(lines).replace(" ", "")
    for figure in ("$5,732", "3.3k-11.8k", "69of100", "$6,020"):
        assert figure in text
    assert max(len(each) for each in lines) <= width
