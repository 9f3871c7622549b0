"""Pilot files: a pilot's document as each kind of file that people take away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from breakeven.reports.pilot_document import to_json
from breakeven.reports.pilot_parts import PilotDocument


def render_pilot_file(kind: str, document: PilotDocument) -> bytes:
    """The file's content; `kind` is one of `KINDS`. The same document gives the same bytes (but for xlsx, its date)."""
    return KINDS[kind](document)


def _json(document: PilotDocument) -> bytes:
    return to_json(document).encode()


def _html(document: PilotDocument) -> bytes:
    from breakeven.reports.pilot_page import render_pilot_html

    return render_pilot_html(document).encode()


def _markdown(document: PilotDocument) -> bytes:
    from breakeven.reports.pilot_markdown import render_pilot_markdown

    return render_pilot_markdown(document).encode()


def _pdf(document: PilotDocument) -> bytes:
    from breakeven.reports.pdf.pilot_pdf import render_pilot_pdf

    return render_pilot_pdf(document)


def _workbook(document: PilotDocument) -> bytes:
    from breakeven.reports.spreadsheet.pilot_book import write_pilot_xlsx

    with TemporaryDirectory() as folder:
        path = Path(folder) / "pilot.xlsx"
        write_pilot_xlsx(document, path)
        return path.read_bytes()


KINDS: Final[Mapping[str, Callable[[PilotDocument], bytes]]] = {
    "html": _html,
    "pdf": _pdf,
    "xlsx": _workbook,
    "md": _markdown,
    "json": _json,
}
"""Kind of file, as its name ends -> how it is made."""
