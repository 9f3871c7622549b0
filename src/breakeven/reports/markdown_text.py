r"""Markdown text: a text from anywhere as GitHub-flavoured Markdown that shows it and does nothing else.

Markup, HTML and table bars are escaped; what GitHub would turn into a mention, an issue, a link or a picture is broken
by a blank of no width.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from breakeven.reports.safe_text import safe

GAP: Final = "\u200b"
"""A blank of no width."""
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~!&$^])")
_MENTION: Final = re.compile(r"(?<=[@#])(?=\w)")
_LINK: Final = re.compile(r"(?i)(?<=\bhttp)(?=:)|(?<=\bhttps)(?=:)|(?<=\bftp)(?=:)|(?<=\bmailto)(?=:)|(?<=\bwww)(?=\.)")
_EMOJI: Final = re.compile(r"(?<=:)(?=[\w+-]+:)")
_ISSUE: Final = re.compile(r"(?i)(?<=\bGH)(?=-\d)")
_LIST: Final = re.compile(r"^(?:[-+=](?=[-+=\s]|$)|\d+(?=[.)](?:\s|$)))")


def escaped(text: str) -> str:
    r"""`text` as words alone.

    >>> escaped("a|b `c` <i> @me $1"), escaped("1. x")
    ('a\\|b \\`c\\` \\<i\\> @\u200bme \\$1', '1\u200b. x')
    """
    clean = safe(text)
    for each in (_MENTION, _LINK, _EMOJI, _ISSUE):
        clean = each.sub(GAP, clean)
    return _LIST.sub(lambda sign: sign.group() + GAP, _MARKUP.sub(r"\\\1", clean))


def code(text: str) -> str:
    """`text` as code, on one line; a back tick inside it becomes a prime.

    >>> code("breakeven import x`y")
    '`breakeven import x′y`'
    """
    return "`" + safe(text).replace("`", "′") + "`"


def bullets(lines: Iterable[str]) -> list[str]:
    """One escaped bullet per line."""
    return [f"- {escaped(each)}" for each in lines]


def table(head: Sequence[str], rows: Sequence[Sequence[str]], aligned: Sequence[Literal["left", "right"]]) -> list[str]:
    """A table of cells that are Markdown already."""
    rule = [":--" if each == "left" else "--:" for each in aligned]
    return [_row(head), _row(rule), *(_row(each) for each in rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
