"""Line ends: a percent sign stays with its number where a line ends; what is typed or copied stays as it is."""

from __future__ import annotations

import re
from typing import Final

_SPACED: Final = re.compile(r"\d %")
_AS_IT_IS: Final = ("<code", "<textarea", "<pre", "<option", "<title")
"""Elements whose text is copied, typed or no part of a line."""


def kept_together(page: str) -> str:
    """The same HTML with no line to be broken before a percent sign.

    >>> kept_together("<p>held at 95 %</p><code>growth='2 %'</code><input value='2 %'>").replace("\\xa0", "_")
    "<p>held at 95_%</p><code>growth='2 %'</code><input value='2 %'>"
    """
    parts, done = [], 0
    for found in _SPACED.finditer(page):
        at = found.start() + 1
        tag = page.rfind("<", 0, at)
        if page.rfind(">", 0, at) > tag and not page.startswith(_AS_IT_IS, max(tag, 0)):
            parts += [page[done:at], "\u00a0"]
            done = at + 1
    return "".join((*parts, page[done:]))
