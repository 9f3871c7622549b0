"""Cell mark: the apostrophe before a text that a spreadsheet would take for a formula.

Put on when a CSV is written, taken off when it is read.
"""

from __future__ import annotations

import re
from typing import Final

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_MARKED: Final = re.compile(r"'+[=+\-@\t\r]")


def marked(text: str) -> str:
    """`text` as a cell that no spreadsheet calculates.

    >>> marked("=HYPERLINK(1)"), marked("gpt-5"), marked("'-1")
    ("'=HYPERLINK(1)", 'gpt-5', "''-1")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unmarked(text: str) -> str:
    """The text of a cell that `marked` wrote.

    >>> unmarked("'=HYPERLINK(1)"), unmarked("'tis"), unmarked("-1")
    ('=HYPERLINK(1)', "'tis", '-1')
    """
    return text[1:] if text[:1] == "'" and _MARKED.match(text) else text
