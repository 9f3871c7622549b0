"""Answer: what a model said to one request, and whether two answers say the same, as far as their texts tell.

Agreement of two models is the strongest sign of a right answer that needs no label; it is a sign, not a measurement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from breakeven.routing.validators import ToolCalls, label_of, parsed_answer

Comparison = Literal["text", "number", "label", "json"]
COMPARISONS: Final = ("text", "number", "label", "json")
_NUMBER: Final = re.compile(r"[-+]?\d{1,40}(?:,\d{3}){0,12}(?:\.\d{1,40})?")
_OPTION_LETTER: Final = re.compile(r"\(([A-J])\)|([A-J])(?=[.:)\n]|$)")
_COMPARED_MAX_COUNT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to be judged, with what is known of it."""

    text: str
    task: str = ""
    finish_reason: str | None = None
    tool_calls: ToolCalls | None = None
    other_text: str | None = None
    """What the agreement model answered."""
    is_last: bool = False
    """Of a cascade's last model: nobody is asked after it, so it is compared with nobody."""
    confidence_fraction: float | None = None
    """Predicted success of this answer, or the probability of its tokens."""


def same_answer(one: str, other: str, comparison: str = "text") -> bool:
    """Whether two answers say the same; empty answers never do.

    `text`: the same words; `number`: the same last number; `label`: the same label or the same first option letter;
    `json`: the same value.

    >>> same_answer("So 1,200 / 10 = 120.", "#### 120.0", "number")
    True
    >>> same_answer("(B) because it is blue", "B.", "label")
    True
    """
    one, other = one[-_COMPARED_MAX_COUNT:], other[-_COMPARED_MAX_COUNT:]
    if not one.strip() or not other.strip():
        return False
    if comparison == "number":
        return last_number(one) is not None and last_number(one) == last_number(other)
    if comparison == "label":
        return _label(one) == _label(other)
    if comparison == "json":
        (first, problem), (second, trouble) = parsed_answer(one), parsed_answer(other)
        return not problem and not trouble and _same_value(first, second)
    return one.casefold().split() == other.casefold().split()


def _same_value(one: object, other: object) -> bool:
    """Whether two JSON values are equal; true is not 1, as it is to Python."""
    pairs = [(one, other)]  # no recursion: answers may be nested as deeply as can be parsed
    while pairs:
        a, b = pairs.pop()
        if isinstance(a, bool) or isinstance(b, bool):
            if a is not b:
                return False
        elif isinstance(a, dict) and isinstance(b, dict):
            if a.keys() != b.keys():
                return False
            pairs += [(value, b[key]) for key, value in a.items()]
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            pairs += zip(a, b, strict=True)
        elif a != b:
            return False
    return True


def last_number(text: str) -> float | None:
    """The last number of a text, the form in which worked answers end.

    >>> last_number("3 + 4 = 7, so $1,234.50")
    1234.5
    """
    found = _NUMBER.findall(text)
    return float(found[-1].replace(",", "")) if found else None


def _label(text: str) -> str:
    """An option letter at the start of an answer, or all of it as a label."""
    match = _OPTION_LETTER.match(text.strip())
    return (match.group(1) or match.group(2)).casefold() if match else label_of(text)
