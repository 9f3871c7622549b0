"""Safe text: what is left of a hostile name once it can no longer steer a terminal or reverse a line.

Names come from logs that anybody can write to. Escaping for HTML stays with Jinja2, escaping for Rich is avoided by
building `rich.text.Text`; both show what this module returns.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ESCAPE_SEQUENCE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]"
)
"""Terminal control: CSI (colours, cursor), OSC and other strings (titles, links), and the short two-byte forms."""
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})
"""Categories that print nothing and may do something: controls, formats (bidirectional ones too), surrogates."""
_MARKS_MAX_COUNT: Final = 2
"""Combining marks kept on one letter; more of them climb over the neighbouring lines."""


def safe(text: str) -> str:
    r"""`text` on one line, without escape sequences, control, invisible or direction-changing characters.

    >>> safe("gpt\x1b[31m-5\n mini\u202e"), safe("naïve 模型")
    ('gpt-5 mini', 'naïve 模型')
    """
    plain = _ESCAPE_SEQUENCE.sub("", text)
    kept: list[str] = []
    marks = 0
    for each in plain:
        category = unicodedata.category(each)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if each in "\t\n\r\v\f" or category in {"Zl", "Zp", "Zs"}:
            kept.append(" ")
        elif category not in _DROPPED and marks <= _MARKS_MAX_COUNT:
            kept.append(each)
    return re.sub(r" {2,}", " ", "".join(kept)).strip()


def short(text: str, length_max_count: int) -> str:
    """`safe(text)`, its middle left out when it is longer than `length_max_count` characters.

    >>> short("accounts/acme/models/a-very-long-name", 20), short("gpt-5", 20)
    ('accounts/acm…ng-name', 'gpt-5')
    """
    clean = safe(text)
    if len(clean) <= length_max_count:
        return clean
    tail = (length_max_count - 1) * 2 // 5
    return f"{clean[: length_max_count - 1 - tail]}…{clean[len(clean) - tail :]}"


def web_link(link: str) -> str | None:
    """`link` when a reader may follow it: a plain https or http address; else None.

    >>> web_link("https://example.org/prices"), web_link("javascript:alert(1)")
    ('https://example.org/prices', None)
    """
    return link if re.fullmatch(r"https?://[^\s\"'<>\\]+", link) else None
