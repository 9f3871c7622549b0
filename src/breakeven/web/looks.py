"""Looks: the reports' style sheet as the dashboard uses it, and addresses of static files that change with them."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from breakeven.reports.chart_style import DARK, LINES, LOSS

STATIC: Final = Path(__file__).parent / "static"
REPORT_CSS: Final = "report.css"
_DARK_BLOCK: Final = re.compile(
    r"@media screen and \(prefers-color-scheme: dark\) \{\n  :root \{.*?\}\n\}\n", re.DOTALL
)
_NAVIGATION: Final = re.compile(r"^nav(?: a)? \{.*\}\n", re.MULTILINE)


def static_of(name: str) -> str:
    """Address of a static file; it holds a hash of what is in the file, so that it may be kept for good.

    >>> static_of("ui.css").startswith("/static/ui.css?v=")
    True
    """
    return f"/static/{name}?v={_version(name, _stamp(name))}"


@cache
def report_css() -> str:
    """The reports' classes in a layer below the dashboard's own, and the dark colours of charts for either choice."""
    folder = files("breakeven.reports").joinpath("templates")
    text = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "pilot.css"))
    text = _NAVIGATION.sub("", _DARK_BLOCK.sub("", text))
    by_system = "\n".join(_recolour(':root:not([data-theme="light"]) ', light, dark) for light, dark in DARK.items())
    by_choice = "\n".join(_recolour(':root[data-theme="dark"] ', light, dark) for light, dark in DARK.items())
    hatched = "\n".join(f'.chart [fill="{colour}"] {{ fill: url(#hatch-{i}); }}' for i, colour in enumerate(LINES))
    return (
        f"@layer report {{\n{text}\n@media screen and (prefers-color-scheme: dark) {{\n{by_system}\n}}\n"
        f"@media screen {{\n{by_choice}\n}}\n@media print {{\n{hatched}\n}}\n"
        f'.chart [fill="{LOSS}"] {{ fill: url(#hatch-loss); }}\n}}\n'
    )


def _recolour(where: str, light: str, dark: str) -> str:
    return f'{where}.chart [fill="{light}"] {{ fill: {dark}; }} {where}.chart [stroke="{light}"] {{ stroke: {dark}; }}'


def _stamp(name: str) -> int:
    """A file that is edited while the server runs gets a new address."""
    path = STATIC / name
    return path.stat().st_mtime_ns if path.exists() else 0


@cache
def _version(name: str, _stamp_ns: int) -> str:
    path = STATIC / name
    text = report_css().encode() if name == REPORT_CSS else path.read_bytes() if path.exists() else b""
    return hashlib.sha256(text).hexdigest()[:12]
