"""Invoice amounts: numbers as people and spreadsheets write them, and which mark of a column is the decimal one.

`22,455` alone may be twenty-two or twenty-two thousand. The other amounts of its column decide; where none does, a file
whose cells are parted by semicolons has decimal commas, any other has thousands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

DecimalMark = Literal[".", ","]
AMOUNT_MAX: Final = Decimal(10) ** 15
"""No bill has such a line."""
_BLANKS: Final = re.compile(r"[\s'\u2019]")
_DIGITS: Final = re.compile(r"[-+]?[\d.,]+")
_AMBIGUOUS: Final = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")
"""One mark before three digits: it parts thousands, or is the decimal mark."""


@dataclass(frozen=True, slots=True)
class ColumnMark:
    """How the amounts of one column are written."""

    mark: DecimalMark | None
    """None where sure amounts contradict each other."""
    is_proven: bool
    """An amount of the column can be read in one way only."""
    example: str = ""
    """An amount that could be read in two ways."""


def parsed_amount(text: str, mark: DecimalMark | None = None) -> Decimal | None:
    """A number with thousands in groups, a decimal point or comma, or in brackets when negative.

    >>> [str(parsed_amount(each)) for each in ("$1,234.50", "1.234,50", "(12.00)", "0,5", "abc")]
    ['1234.50', '1234.50', '-12.00', '0.5', 'None']
    >>> [str(parsed_amount("22,455", mark)) for mark in (None, ",", ".")]
    ['22455', '22.455', '22455']
    """
    plain = _plain(text)
    if (_own_mark(plain) or mark or ".") == ",":
        plain = plain.replace(".", "").replace(",", ".")
    try:
        number = Decimal(plain.replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < AMOUNT_MAX else None


def is_ambiguous(text: str) -> bool:
    """Whether `text` alone could mean two numbers.

    >>> [is_ambiguous(each) for each in ("22,455", "2.080", "2,25", "0.125", "1,234.5")]
    [True, True, False, False, False]
    """
    return bool(_AMBIGUOUS.fullmatch(_plain(text)))


def column_mark(texts: Iterable[str], delimiter: str) -> ColumnMark:
    """What parts the decimals in a column of amounts.

    >>> column_mark(("22,455", "2,25"), ";").mark, column_mark(("1,234", "$0.50"), ";").mark
    (',', '.')
    >>> column_mark(("1,234", "2,500"), ",").mark, column_mark(("1,234",), ";").mark
    ('.', ',')
    """
    plain = [_plain(each) for each in texts]
    sure = {mark for each in plain if (mark := _own_mark(each))}
    unsure = next((each for each in plain if _AMBIGUOUS.fullmatch(each)), "")
    if sure:
        return ColumnMark(next(iter(sure)) if len(sure) == 1 else None, True, unsure)
    has_commas = any("," in each for each in plain)
    return ColumnMark("," if has_commas and delimiter == ";" else ".", False, unsure)


def _plain(text: str) -> str:
    """Without currency signs and blanks, a minus for brackets."""
    plain = _BLANKS.sub("", text).strip("$€£¥")
    if plain.startswith("(") and plain.endswith(")"):
        plain = "-" + plain[1:-1].strip("$€£¥")
    return plain


def _own_mark(plain: str) -> DecimalMark | None:
    """The decimal mark of an amount that can be read in one way only."""
    commas, points = plain.count(","), plain.count(".")
    if not commas + points or not _DIGITS.fullmatch(plain) or _AMBIGUOUS.fullmatch(plain):
        return None
    if commas and points:
        return "," if plain.rfind(",") > plain.rfind(".") else "."
    if commas:
        return "," if commas == 1 else "."
    return "." if points == 1 else ","
