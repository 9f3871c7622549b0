"""Text pattern: a regular expression looked for in whatever a client sends, in time that no client can stretch.

A pattern whose every part has a small bound is given to Python's matcher, as it cannot backtrack far. Any other is
walked by `routing.linear_regex`, which is linear in the text but slow. Either can be looked for in so much text only.
"""

from __future__ import annotations

import re
import re._constants as ops  # type: ignore[import-not-found]
import re._parser as sre  # type: ignore[import-not-found]
from collections.abc import Iterable
from typing import Any, Final

from breakeven.routing.linear_regex import LinearRegex, linear_regex

SLOW_TEXT_MAX_COUNT: Final = 100_000
"""Characters of a request that a pattern without bounds is looked for in; about 20 ms."""
TRIES_MAX_COUNT: Final = 5_000_000
"""Places of a text times ways to try a bounded pattern there; about 100 ms at the very worst."""
WAYS_MAX_COUNT: Final = 100
"""Ways in which a bounded pattern may be tried at one place of a text."""
_SINGLE: Final = (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN)


class TextPattern:
    """A pattern, ready to be looked for."""

    __slots__ = ("_fast", "_slow", "text_max_count")

    def __init__(self, pattern: str) -> None:
        ways = ways_count(pattern)
        self._slow: LinearRegex = linear_regex(pattern)
        self._fast = re.compile(pattern) if ways <= WAYS_MAX_COUNT else None
        self.text_max_count = SLOW_TEXT_MAX_COUNT if self._fast is None else int(TRIES_MAX_COUNT / ways)
        """Characters that it can be looked for in."""

    def is_in(self, texts: Iterable[str], characters_count: int) -> bool | None:
        """Whether it occurs in one of the texts; None where they are too long to be searched."""
        if characters_count > self.text_max_count:
            return None
        if self._fast is not None:
            return any(self._fast.search(each) is not None for each in texts)
        return any(self._slow.search(each) for each in texts)


def ways_count(pattern: str) -> float:
    """In how many ways a pattern can be tried at one place, as an upper bound; infinite where nothing bounds it.

    >>> ways_count(r"\\b\\d{3}-\\d{2}-\\d{4}\\b"), ways_count("a{0,9}b?|c"), ways_count("(a+)+$")
    (13.0, 21.0, inf)
    """
    return _ways(sre.parse(pattern))


def _ways(parts: Any) -> float:
    """Steps are counted as ways too, so that a long text of literals is not free."""
    steps, ways = 0.0, 1.0
    for operation, argument in parts:
        if operation in _SINGLE or operation is ops.AT:
            steps += 1
        elif operation is ops.SUBPATTERN:
            inner = _ways(argument[3])
            ways *= max(inner, 1.0)
        elif operation is ops.BRANCH:
            ways *= sum(max(_ways(each), 1.0) for each in argument[1])
        elif operation in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            least, most, inner = argument
            each = max(_ways(inner), 1.0)
            if most == ops.MAXREPEAT:
                return float("inf")
            if least == most and all(operation in _SINGLE for operation, _ in inner):
                steps += most
            else:
                ways *= (most - least + 1) * each**most if each > 1 else most - least + 1
        else:
            return float("inf")
        if ways > 1e9:
            return float("inf")
    return ways * max(steps, 1.0)
