"""Cell text: words, names and number formats as a spreadsheet takes them, whatever names a log or a scenario holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from breakeven.reports.safe_text import safe, short

_TEXT_MAX_CHARACTERS: Final = 2000
_SHEET_NAME_MAX_CHARACTERS: Final = 31
_FORMULA_BEGINS: Final = ("=", "+", "-", "@")
"""What makes a spreadsheet, or one that reads an export of it, take a text for a formula."""
_LOOKS_LIKE_A_CELL: Final = re.compile(r"(?i)([a-z]{1,4}\d+|r\d*c\d*|r|c|true|false)")
_UNIT_WORDS: Final = {"usd": "USD", "mtok": "million tokens", "kwh": "kWh", "fraction": "share", "count": "number"}


def cell_text(text: str) -> str:
    """`text` on one line, never a formula.

    >>> cell_text("=HYPERLINK(1)"), cell_text("gpt-5")
    ("'=HYPERLINK(1)", 'gpt-5')
    """
    clean = short(text, _TEXT_MAX_CHARACTERS)
    return f"'{clean}" if clean.startswith(_FORMULA_BEGINS) else clean


def unit_text(unit: str) -> str:
    """A unit as a reader writes it.

    >>> unit_text("usd/month"), unit_text("fraction"), unit_text("1/year")
    ('USD/month', 'share', '1/year')
    """
    return "/".join(_UNIT_WORDS.get(part, part) for part in unit.split("/"))


def number_format(name: str, unit: str, sizes: Iterable[float | None]) -> str:
    """A format that shows every one of `sizes` in full view, without digits that nobody knows.

    >>> number_format("total_usd_per_month", "usd/month", [12345.6]), number_format("a_fraction", "fraction", [0.25])
    ('#,##0', '0.0%')
    >>> number_format("outage_events_per_month", "1/month", [0.5])
    '0.000'
    """
    largest = max((abs(each) for each in sizes if each is not None), default=0.0)
    if unit == "fraction" or "fraction_per_" in name:
        return "0.0%" if largest >= 0.01 or largest == 0 else "0.0000%"
    if largest == 0 or (largest < 1e12 and unit in ("count", "token") and largest >= 1):
        return "#,##0.###" if largest and largest < 1000 else "#,##0"
    if largest >= 1e12 or largest < 1e-4:
        return "0.000E+00"
    if largest >= 1000:
        return "#,##0"
    if largest >= 10:
        return "#,##0.00"
    return "0.000" if largest >= 0.1 else "0.00000"


def sheet_names(titles: Sequence[str], taken: Iterable[str]) -> list[str]:
    """A valid name for each of `titles`, no two alike, and none of those `taken`.

    >>> sheet_names(["Owned GPUs: new/old?", "inputs", "Owned GPUs  new old"], ["Inputs"])
    ['Owned GPUs new old', 'inputs 2', 'Owned GPUs new old 2']
    """
    used, found = {each.casefold() for each in taken} | {"history"}, []
    for title in titles:
        words = re.sub(r"[\[\]:*?/\\'\x00-\x1f]+", " ", safe(title))
        stem = re.sub(r" +", " ", words).strip(" =+-@")[:_SHEET_NAME_MAX_CHARACTERS].strip() or "Option"
        name, number = stem, 2
        while name.casefold() in used:
            tail = f" {number}"
            name, number = stem[: _SHEET_NAME_MAX_CHARACTERS - len(tail)].strip() + tail, number + 1
        used.add(name.casefold())
        found.append(name)
    return found


def defined_names(keys: Iterable[str]) -> dict[str, str]:
    """A valid name of a cell for each of `keys`, no two alike.

    >>> defined_names(["gpu_price_usd", "gpu_price_usd.2", "a1"])
    {'gpu_price_usd': 'gpu_price_usd', 'gpu_price_usd.2': 'gpu_price_usd_2', 'a1': 'fact_a1'}
    """
    used: set[str] = set()
    found: dict[str, str] = {}
    for key in keys:
        stem = re.sub(r"[^A-Za-z0-9_]", "_", key)[:200]
        if not re.match(r"[A-Za-z_]", stem) or _LOOKS_LIKE_A_CELL.fullmatch(stem):
            stem = f"fact_{stem}"
        name, number = stem, 2
        while name.casefold() in used:
            name, number = f"{stem}_{number}", number + 1
        used.add(name.casefold())
        found[key] = name
    return found
