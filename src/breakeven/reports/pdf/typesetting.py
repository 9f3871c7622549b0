"""Typesetting: a Typst template, data and pictures in, a PDF out; the only file that knows the `typst` package.

Nothing outside is read: no file, no package, no font of the machine (Typst carries its own), no clock. The data reach
the template as a JSON file of its own, so a text from a log is a string there and never markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Final

from breakeven.errors import OutputError

TEMPLATE: Final = "decision.typ"
FONT: Final = "Libertinus Serif"
"""Typst carries it, so that no line breaks differently on another machine."""


def typeset(data: Mapping[str, Any], pictures: Mapping[str, str], template: str = TEMPLATE) -> bytes:
    """The PDF of `data`; each picture is SVG text under the name by which the template calls it."""
    need_typst()
    import typst

    # the names of the files are ours, so that nothing in the document can choose one
    made: dict[str, bytes] = {
        "main": files("breakeven.reports.pdf").joinpath(template).read_bytes(),
        "data.json": json.dumps(data, ensure_ascii=False, allow_nan=False).encode(),
        **{f"{name}.svg": text.encode() for name, text in pictures.items()},
    }
    compile_files: Any = typst.compile  # its stub does not know that files may be given by name
    try:
        return bytes(compile_files(made, font_paths=typst.Fonts(include_system_fonts=False)))
    except typst.TypstError as error:
        raise OutputError(f"the PDF could not be typeset: {error.message}; this is a fault of breakeven") from None


def need_typst() -> None:
    """Say how to get the package when it is not there."""
    if find_spec("typst") is None:
        raise OutputError("a PDF needs the typst package, which is not installed: pip install 'breakeven[pdf]'")


def date_parts(iso: str) -> dict[str, int] | None:
    """Year, month and day for the template; None when there is no date.

    >>> date_parts("2026-11-23"), date_parts("soon")
    ({'year': 2026, 'month': 11, 'day': 23}, None)
    """
    try:
        day = date.fromisoformat(iso[:10])
    except ValueError:
        return None
    return {"year": day.year, "month": day.month, "day": day.day}
