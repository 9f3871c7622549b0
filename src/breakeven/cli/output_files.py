"""Output files: what a verb writes from one comparison document: HTML, PDF, spreadsheet and Markdown."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from breakeven.reports.document import Document
    from breakeven.reports.price_watch_part import PriceWatchPart

Command = TypeVar("Command", bound=Callable[..., Any])
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """Where each kind of file goes; None: it is not asked for."""

    html: Path | None = None
    pdf: Path | None = None
    xlsx: Path | None = None
    md: Path | None = None

    @property
    def asked(self) -> dict[str, Path]:
        """Kind -> path, of those asked for."""
        kinds = {"html": self.html, "pdf": self.pdf, "xlsx": self.xlsx, "md": self.md}
        return {kind: path for kind, path in kinds.items() if path is not None}

    @property
    def draws_charts(self) -> bool:
        """True: the drawing engine will be needed."""
        return self.html is not None or self.pdf is not None

    def check(self, *, beside: Mapping[str, Path | None] | None = None, reads: Sequence[Path | None] = ()) -> None:
        """Refuse what cannot be written before any long work; `beside` are other outputs, `reads` what is read.

        Raises OutputError when two outputs are one file, an output is an input, or a place cannot be written to.
        """
        from breakeven.errors import OutputError

        inputs = {each.resolve() for each in reads if each is not None}
        taken: dict[Path, str] = {}
        others = {kind: path for kind, path in (beside or {}).items() if path is not None}
        for kind, path in {**self.asked, **others}.items():
            place = path.resolve()
            if place in taken:
                raise OutputError(f"--{taken[place]} and --{kind} both write {path}; give each a path of its own")
            if place in inputs:
                raise OutputError(f"--{kind} would write over {path}, which is read; give another path")
            taken[place] = kind
            _check_place(kind, path)
        if self.pdf:
            from breakeven.reports.pdf.typesetting import need_typst

            need_typst()

    def write(self, document: Document, say: Say, watch: PriceWatchPart | None = None) -> None:
        """Write every file asked for; `watch` goes into the Markdown.

        The spreadsheet comes first: it alone can be refused, by a document that is too old for it.
        """
        from breakeven.cli.console import write_bytes, write_text

        if self.xlsx:
            say("writing the spreadsheet")
            _write_spreadsheet(self.xlsx, document)
        if self.html:
            say("drawing the report")
            from breakeven.reports.html import render_html

            write_text(self.html, render_html(document))
        if self.pdf:
            say("typesetting the PDF")
            from breakeven.reports.pdf.render import render_pdf

            write_bytes(self.pdf, render_pdf(document))
        if self.md:
            from breakeven.reports.markdown import render_markdown

            write_text(self.md, render_markdown(document, watch))


def output_options(command: Command) -> Command:
    """``--html``, ``--pdf``, ``--xlsx``, ``--md``; the command receives one `outputs`."""

    @functools.wraps(command)
    def with_outputs(**given: Any) -> Any:
        return command(outputs=OutputFiles(*(given.pop(kind) for kind in ("html", "pdf", "xlsx", "md"))), **given)

    decorated: Any = with_outputs
    for kind, words in (
        ("md", "Write Markdown for a pull request."),
        ("xlsx", "Write a spreadsheet with live formulas."),
        ("pdf", "Write a PDF of two pages, one for finance and one for engineering (needs breakeven[pdf])."),
        ("html", "Write a self-contained HTML report."),
    ):
        path = click.Path(dir_okay=False, path_type=Path)
        decorated = click.option(f"--{kind}", type=path, metavar="PATH", help=words)(decorated)
    return cast(Command, decorated)


def _check_place(kind: str, path: Path) -> None:
    from breakeven.errors import OutputError

    if path.is_dir():
        raise OutputError(f"--{kind} {path} is a folder; give the path of a file in it")
    nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    if nearest != path and not nearest.is_dir():
        raise OutputError(f"--{kind} {path}: {nearest} is a file, not a folder; give another path")
    if not os.access(nearest, os.W_OK):
        raise OutputError(f"--{kind} {path}: no permission to write there; give another path")


def _write_spreadsheet(path: Path, document: Document) -> None:
    from breakeven.errors import DocumentError
    from breakeven.reports.spreadsheet import write_xlsx
    from breakeven.usage.export.whole_file import whole_file

    with whole_file(path) as place:
        try:
            write_xlsx(document, place)
        except DocumentError as error:
            raise DocumentError(str(error).replace(str(place), str(path))) from None
