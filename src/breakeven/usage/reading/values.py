"""Values: what a cell or a JSON field says, whatever form it came in: numbers as text, JSON in text, times, flags.

For formats that unpack their rows in Python. What cannot be read is None or empty here, never an error; a token count
that is no number is handed on as it stood, so that the import rejects the row and says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final

from breakeven.usage.reading.nested import parsed, text_in

_PAIR: Final = re.compile(r"'((?:[^'\\]|\\.)*)'\s*:\s*(?:'((?:[^'\\]|\\.)*)'|(-?[\d.]+(?:e[+-]?\d+)?))")
"""A pair of ClickHouse's text form of a map."""
_UNITS_PER_S: Final = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (0.0, 1.0))
"""A time since 1970 from this size on -> how many of its units are a second."""


def number(value: object) -> float | None:
    """The finite number in `value`; whole ones stay whole.

    >>> number("12"), number(" 3.5 "), number("n/a"), number(True), number("NaN")
    (12, 3.5, None, None, None)
    """
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() else found


def flag(value: object) -> bool | None:
    """Yes or no, also as text; None where it says neither.

    >>> flag("True"), flag("false"), flag(1), flag("None")
    (True, False, True, None)
    """
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(str(value).lower())


def mapping(value: object) -> Mapping[str, Any]:
    """The object in `value`: JSON, JSON in text, a list of pairs (a Parquet map) or ClickHouse's text; else empty.

    >>> mapping('{"a": 1}'), mapping('[["a", 1]]'), mapping("{'a': 1, 'b': 'c'}"), mapping("x")
    ({'a': 1}, {'a': 1}, {'a': '1', 'b': 'c'}, {})
    """
    if value is None or value == "{}":
        return {}
    found = parsed(value)
    if isinstance(found, dict):
        return found
    if isinstance(found, list) and all(isinstance(each, list | tuple) and len(each) == 2 for each in found):
        return {str(key): inner for key, inner in found}
    if isinstance(found, str) and found.startswith("{'"):
        return {pair[1]: pair[2] if pair[2] is not None else pair[3] for pair in _PAIR.finditer(found)}
    return {}


def sequence(value: object) -> list[Any]:
    """The list in `value`, else empty."""
    found = parsed(value)
    return found if isinstance(found, list) else []


def first_choice(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of an answer's `choices`, as OpenAI and all who copy it write them; else empty."""
    choices = sequence(answer.get("choices"))
    return choices[0] if choices and isinstance(choices[0], dict) else {}


def said(record: Mapping[str, object]) -> dict[str, object]:
    """`record` without the fields that say nothing; what is no plain value as JSON, or not at all if nested too deeply.

    >>> said({"a": None, "b": "", "c": 0, "d": [1]})
    {'c': 0, 'd': '[1]'}
    """
    found: dict[str, object] = {}
    for name, value in record.items():
        plain = text_in(value) if isinstance(value, dict | list) else value
        if plain is not None and plain != "":
            found[name] = plain
    return found


def known_cost(cost: object, tokens: Iterable[object]) -> object:
    """`cost`, but None where tokens cost 0: proxies write 0 for a model whose price they do not know.

    >>> known_cost(0, [12, 0]), known_cost("0.0", [0, None]), known_cost(0.5, [12])
    (None, '0.0', 0.5)
    """
    return None if number(cost) == 0 and any(number(each) for each in tokens) else cost


def epoch_s(value: object) -> float | None:
    """Seconds since 1970 of an ISO time (without a zone: UTC) or of a number in s, ms, us or ns.

    >>> epoch_s("1970-01-01 00:00:02.5"), epoch_s(1_793_613_600_000), epoch_s("soon")
    (2.5, 1793613600.0, None)
    """
    found = number(value)
    if found is not None:
        return found / next(units for least, units in _UNITS_PER_S if found >= least) if found > 0 else None
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def seconds_between(start: object, end: object) -> float | None:
    """How long after `start` `end` was; None when either is unknown or they are the wrong way round."""
    begin, finish = epoch_s(start), epoch_s(end)
    if begin is None or finish is None or finish < begin:
        return None
    return round(finish - begin, 6)


def whole_counts(
    sent: tuple[object, Iterable[object]], got: tuple[object, Iterable[object]], total: object, *, holds_parts: bool
) -> tuple[object, object]:
    """Input and output tokens, each with its parts inside: cached tokens in the one, reasoning in the other.

    `sent` and `got` are a count and its parts. Producers disagree whether a count holds its parts, so the numbers
    decide where they can: a whole cannot be less than its parts, and both wholes are the `total`. Else the rule of
    the format, `holds_parts`. What is no number is handed on.

    >>> whole_counts((31, [1253]), (467, []), 498, holds_parts=True)
    (1284, 467)
    >>> whole_counts((100, [30]), (50, []), 150, holds_parts=False)
    (100, 50)
    >>> whole_counts((70, [30]), (50, []), 150, holds_parts=True)
    (100, 50)
    """
    sides = [_readings(*side, holds_parts) for side in (sent, got)]
    whole = number(total)
    for into, out in product(*sides) if whole is not None else ():
        if (number(into) or 0) + (number(out) or 0) == whole:
            return into, out
    return sides[0][0], sides[1][0]


def _readings(counted: object, parts: Iterable[object], holds_parts: bool) -> list[object]:
    """What `counted` may mean, the likelier first."""
    base, inside = number(counted), sum(number(each) or 0 for each in parts)
    if base is None or base < 0 or inside <= 0:
        return [counted]
    if inside > base:
        return [base + inside]
    return [base, base + inside] if holds_parts else [base + inside, base]
