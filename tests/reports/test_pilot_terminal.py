"""The pilot on a terminal: the answer first, no line too wide, colour only where a terminal shows it."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.pilot_terminal import render_design, render_status, render_verdict
from reports.made_pilots import PILOTS

PAGES = {"design": render_design, "status": render_status, "verdict": render_verdict}


def shown(document: PilotDocument, page: str, width: int, *, terminal: bool = False) -> str:
    """What is printed."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=terminal,
        color_system="standard" if terminal else None,
        legacy_windows=False,
    )
    PAGES[page](document, console, next_command="breakeven pilot run support-2026")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "page", "width"),
    [
        ("designed", "design", 80),
        ("not_yet", "status", 80),
        ("yes", "verdict", 80),
        ("no", "verdict", 100),
        ("offline", "verdict", 130),
        ("many", "status", 130),
        ("promoted", "status", 80),
    ],
)
def test_the_page_reads_like_this(name: str, page: str, width: int, snapshot: SnapshotAssertion) -> None:
    text = "\n".join(line.rstrip() for line in shown(PILOTS[name](), page, width).splitlines())
    assert text == snapshot


@pytest.mark.parametrize("width", [60, 80, 130, 200])
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", PILOTS)
def test_no_line_is_too_wide_and_nothing_steers_the_terminal(name: str, page: str, width: int) -> None:
    text = shown(PILOTS[name](), page, width)
    assert max(map(len, text.splitlines())) <= width
    assert not set(text) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize("page", ["status", "verdict"])
@pytest.mark.parametrize("name", [each for each in PILOTS if each != "hostile"])
def test_colour_only_on_a_terminal_and_never_alone(name: str, page: str) -> None:
    document = PILOTS[name]()
    plain, coloured = shown(document, page, 100), shown(document, page, 100, terminal=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_names_are_never_markup() -> None:
    text = shown(PILOTS["hostile"](), "verdict", 200)
    assert "[red]rich markup[/red]" in text
    assert "<script>alert(1)</script>" in text


def test_the_answer_stands_first() -> None:
    assert shown(PILOTS["not_yet"](), "status", 80).startswith("[NOT YET]")
    assert shown(PILOTS["offline"](), "verdict", 80).startswith("[YES, FOR 1 OF 3 TASKS]")
    assert shown(PILOTS["designed"](), "status", 80).startswith("[NOT STARTED]")
