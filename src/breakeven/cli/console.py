"""Console: where the verbs write: results to stdout, progress and errors to stderr, colours only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def stdout_console(width: int | None = None) -> Console:
    """A console for results; Rich honours NO_COLOR and COLUMNS and drops colour when stdout is not a terminal."""
    from rich.console import Console

    console = Console(highlight=False, emoji=False, width=width)
    if width is None and not console.is_terminal and not os.environ.get("COLUMNS"):
        console = Console(highlight=False, emoji=False, width=max(console.width, 100))
    return console


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Say on stderr what is going on: a spinner on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("starting") as status:
        yield lambda step: status.update(safe(step))


def safe(text: str) -> str:
    """`text` without control characters: names from logs are hostile."""
    from breakeven.reports.safe_text import safe as without_control_characters

    return without_control_characters(text)


def write_text(path: Path, text: str) -> None:
    """Write a result file, creating its folder; where it cannot be written whole, what was there before stays."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Like `write_text`, of bytes."""
    from breakeven.usage.export.whole_file import whole_file

    with whole_file(path) as place:
        place.write_bytes(content)
