"""Cells: what the columns of an outcome file say, as numbers; one cell is one model's outcome of one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.outcomes.outcome import SOURCES, Floats
from breakeven.usage.reading.values import number

Mask = npt.NDArray[np.bool_]

ATTEMPT_MAX: Final = 1_000_000
"""Nobody asks for an answer more often."""
_SUCCESS_WORDS: Final = {
    **dict.fromkeys(("true", "yes", "y", "pass", "passed", "correct", "ok", "success"), 1.0),
    **dict.fromkeys(("false", "no", "n", "fail", "failed", "incorrect", "wrong", "failure"), 0.0),
}
_SOURCE_WORDS: Final = {
    "person": "feedback",
    "user": "feedback",
    "human": "gold",
    "rule": "validator",
    "validators": "validator",
    "test": "validator",
    "model": "judge",
    "llm": "judge",
    "benchmark": "log",
}
"""Words that logs use -> ours."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column as numbers."""

    values: Floats
    """NaN where nothing was said, and where what was said is no good."""
    bad: Mask
    """True where something was said that is no good."""


def successes(values: Sequence[Any], *, decimal_comma: bool = False) -> Numbers:
    """A column of successes, 0 to 1, also as words.

    >>> successes(["1", "", "no", True, "1.5", "nan"]).values.tolist()
    [1.0, nan, 0.0, 1.0, nan, nan]
    >>> successes(["1", "", "no", True, "1.5", "nan"]).bad.tolist()
    [False, False, False, False, True, True]
    """
    read = _numbers(values, _SUCCESS_WORDS, decimal_comma=decimal_comma)
    return _within(read, (read.values >= 0) & (read.values <= 1))


def amounts(values: Sequence[Any], *, decimal_comma: bool = False) -> Numbers:
    """A column of numbers that are not negative: costs, seconds.

    >>> amounts(["0.5", "$0.25", "-1", "n/a"]).values.tolist()
    [0.5, 0.25, nan, nan]
    """
    read = _numbers(values, {}, decimal_comma=decimal_comma)
    return _within(read, read.values >= 0)


def probabilities(values: Sequence[Any], *, decimal_comma: bool = False) -> Numbers:
    """A column of probabilities with which something was chosen: over 0, at most 1."""
    read = _numbers(values, {}, decimal_comma=decimal_comma)
    return _within(read, (read.values > 0) & (read.values <= 1))


def attempt_name(value: Any) -> str | None:
    """The number of a try as text, "" where there is none; None for what is no whole number.

    >>> [attempt_name(each) for each in (None, " 2", 3.0, "1.0", "first", -1, True, 1.5)]
    ['', '2', '3', '1', None, None, None, None]
    """
    said = name(value)
    if not said:
        return ""
    read = None if isinstance(value, bool) else number(said)
    return None if read is None or not 0 <= read <= ATTEMPT_MAX or read != int(read) else str(int(read))


def source_name(value: Any) -> str:
    """The word of `SOURCES` for what a file calls its source; "log" for a word nobody knows.

    >>> source_name("Judge"), source_name("model"), source_name("our QA team"), source_name(None)
    ('judge', 'judge', 'log', '')
    """
    word = "" if value is None else str(value).strip().casefold()
    word = _SOURCE_WORDS.get(word, word)
    return word if word in SOURCES else "log"


def text(value: Any) -> str:
    """A value as text; "" for none. Lists and objects as JSON."""
    from breakeven.usage.reading.nested import text_in

    return value if isinstance(value, str) else text_in(value) or ""


def name(value: Any) -> str:
    """A value as a name: without surrounding blanks."""
    return text(value).strip()


def _numbers(values: Sequence[Any], words: dict[str, float], *, decimal_comma: bool) -> Numbers:
    """All at once where all are plain numbers or nothing, else one by one."""
    quick = _all_plain(values)
    if quick is not None:
        return quick
    found = np.full(len(values), np.nan)
    bad = np.zeros(len(values), dtype=bool)
    for i, value in enumerate(values):
        if value is None or value == "":
            continue
        if isinstance(value, str):
            value = value.strip()
            if not value:
                continue
            value = words.get(value.casefold(), value)
        if isinstance(value, str):
            value = value.lstrip("$").strip()
            value = value.replace(",", ".") if decimal_comma else value
        read = float(value) if isinstance(value, bool) else number(value)
        bad[i] = read is None
        found[i] = np.nan if read is None else read
    return Numbers(found, bad)


def _all_plain(values: Sequence[Any]) -> Numbers | None:
    """The whole column as it stands; None where anything in it is no plain number."""
    said = np.array([each is not None and each != "" for each in values], dtype=bool)
    try:
        found = np.array(
            [each if known else np.nan for each, known in zip(values, said, strict=True)], dtype=np.float64
        )
    except (TypeError, ValueError, OverflowError):
        return None
    if found.ndim != 1:
        return None
    bad = said & ~np.isfinite(found)
    return Numbers(np.where(bad, np.nan, found), bad)


def _within(read: Numbers, allowed: Mask) -> Numbers:
    outside = ~np.isnan(read.values) & ~allowed
    return Numbers(np.where(outside, np.nan, read.values), read.bad | outside)
