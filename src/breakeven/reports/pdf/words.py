"""Words: texts for a printed page: of bounded length, and breakable where a line is too long for its column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from breakeven.reports.safe_text import safe, short

RUN_MAX_COUNT: Final = 16
"""Characters without a blank that the narrowest column holds."""
BREAK: Final = "\u200b"
"""A blank of no width: a line may break there."""
JOIN: Final = "\u2060"
"""No line may break there."""
_OPTION: Final = re.compile(r"(?<=(?<!\S)--)(?=\w)")
"""After the dashes of a command-line option."""


def printed(text: str, length_max_count: int = 240) -> str:
    """`text` without control characters, not longer than `length_max_count`, breakable inside long words.

    >>> printed("gpt-5 mini"), printed("x" * 20) == "x" * 16 + BREAK + "xxxx"
    ('gpt-5 mini', True)
    """
    joined = " ".join(_breakable(each) for each in short(text, length_max_count).split(" "))
    return _OPTION.sub(JOIN, joined)


def beginning(text: str, length_max_count: int) -> str:
    """The first words of `text`.

    >>> beginning("At 2 B tokens a month it costs more.", 20), beginning("Short.", 20)
    ('At 2 B tokens a…', 'Short.')
    """
    clean = safe(text)
    if len(clean) > length_max_count:
        clean = clean[: length_max_count - 1].rpartition(" ")[0].rstrip(" ,;") + "…"
    return printed(clean, length_max_count)


def listed(lines: Iterable[str], most_count: int, length_max_count: int, more: str) -> list[str]:
    """The first lines, and how many more there are.

    >>> listed(["a", "b", "c"], 2, 80, "in the JSON document")
    ['a', '2 more: in the JSON document']
    """
    found = [each for each in lines if each.strip()]
    if len(found) > most_count:
        hidden = len(found) - most_count + 1
        return [*(printed(each, length_max_count) for each in found[: most_count - 1]), f"{hidden} more: {more}"]
    return [printed(each, length_max_count) for each in found]


def _breakable(word: str) -> str:
    """A long word may break after a sign that joins two words, and inside what is still too long."""
    if len(word) <= RUN_MAX_COUNT:
        return word
    parts = re.findall(r"[_/.,:;=-]*[^_/.,:;=-]+[_/.,:;=-]*|[_/.,:;=-]+", word)
    return BREAK.join(part[at : at + RUN_MAX_COUNT] for part in parts for at in range(0, len(part), RUN_MAX_COUNT))
