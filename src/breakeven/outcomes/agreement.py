"""Agreement: how often a model's answer is that of a reference model, or of most models; a stand-in for success.

Nobody has to judge, so it is the cheapest of all sources. It ranks models well (Spearman 0.89 with true accuracy on
public outcomes of six models) and says little of how good they are: it overstated quality by up to 14 points, and
understates it where the reference is wrong. Use it to rank and to see drift, never as the quality.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.errors import OutcomeError, nearest
from breakeven.outcomes.outcome import Floats, OutcomeTable

MAJORITY: Final = "majority"
"""Reference: what most models answer; needs three."""
OVERSTATES_POINTS_COUNT: Final = 14
SHORT_WORDS_COUNT: Final = 12
"""Answers of so many words must be the same but for case and punctuation."""
WORDS_ALIKE_FRACTION: Final = 0.6
"""Longer texts agree when so much of their words is shared (F1)."""
TAIL_CHARACTERS_COUNT: Final = 2000
"""An answer says at its end what it is."""
_FINAL: Final = re.compile(
    r"(?:####|\\boxed\{|(?i:final answer|the answer)\s*(?:is)?\s*[:=]?)\s*[$(]?\s*([-+]?\d[\d,]*(?:\.\d+)?|[A-J]\b)"
)
_CHOICE: Final = re.compile(r"\(?([A-Za-z])\)?\s*(?:[.):]|$)")
_NUMBER: Final = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_WORD: Final = re.compile(r"\w+")


def agreement(table: OutcomeTable, reference: str = MAJORITY) -> Floats:
    """Agreement of each answer with the reference's, 0 or 1, NaN where either is missing; shape (requests, models).

    The reference itself gets NaN: it always agrees with itself. Raises OutcomeError where no answers are kept.
    """
    if len(table.responses) < 2:
        raise OutcomeError("agreement needs the answers of two models or more, in a column `response`")
    if reference != MAJORITY and reference not in table.responses:
        raise OutcomeError(f"no answers of '{reference}' are kept; {nearest(reference, list(table.responses))}")
    if reference == MAJORITY and len(table.responses) < 3:
        raise OutcomeError("a majority needs the answers of three models; name one as the reference")
    keys = {name: [key_of(text) for text in texts] for name, texts in table.responses.items()}
    found = np.full(table.success.shape, np.nan)
    for row in range(table.requests_count):
        of_row = {name: column[row] for name, column in keys.items() if table.responses[name][row]}
        for name in of_row:
            against = None if name == reference else _reference(of_row, reference, name)
            if against is not None:
                found[row, table.models.index(name)] = float(same(of_row[name], against))
    return found


def table_by_agreement(table: OutcomeTable, reference: str = MAJORITY) -> OutcomeTable:
    """The table with agreement in place of success, and that as its source."""
    return replace(table, success=agreement(table, reference), source="agreement")


@dataclass(frozen=True, slots=True)
class Key:
    """What of an answer is compared."""

    final: str
    """The number or letter that it names as its answer; JSON with sorted keys; "" where it names none."""
    last_numbers: frozenset[str]
    """Numbers of its last sentence."""
    words: tuple[str, ...]


def key_of(answer: str) -> Key:
    """What of an answer is compared.

    >>> key_of("3 x 20 = 60.0 #### 1,060").final, key_of("(B) because").final, key_of('{"b": 1, "a": 2}').final
    ('1060', 'b', '{"a": 2, "b": 1}')
    """
    text = answer.strip()
    return Key(_final(text), _last_numbers(text), tuple(_WORD.findall(text.casefold())))


def same(one: str | Key, other: str | Key) -> bool:
    """Whether two answers agree: in what they name as their answer, else in their words.

    An answer that names none agrees with one that does where its last sentence holds that number.

    >>> same("#### 64", "That makes $60 + $4. She pays $64 for the 16 glasses."), same("Yes.", "yes"), same("yes", "no")
    (True, True, False)
    """
    mine, theirs = (each if isinstance(each, Key) else key_of(each) for each in (one, other))
    if mine.final and theirs.final:
        return mine.final == theirs.final
    if mine.final or theirs.final:
        return mine.final in theirs.last_numbers or theirs.final in mine.last_numbers
    if mine.words == theirs.words:
        return True
    if min(len(mine.words), len(theirs.words)) <= SHORT_WORDS_COUNT:
        return False
    shared = sum((Counter(mine.words) & Counter(theirs.words)).values())
    return 2 * shared / (len(mine.words) + len(theirs.words)) >= WORDS_ALIKE_FRACTION


def _final(text: str) -> str:
    if text.startswith(("{", "[")):
        try:
            return json.dumps(json.loads(text), sort_keys=True)
        except (ValueError, RecursionError):
            pass
    if finals := _FINAL.findall(text[-TAIL_CHARACTERS_COUNT:]):
        return _plain(finals[-1])
    if choice := _CHOICE.match(text):
        return choice[1].lower()
    return _plain(text.strip("$ .")) if _NUMBER.fullmatch(text.strip("$ .")) else ""


def _last_numbers(text: str) -> frozenset[str]:
    last = re.split(r"(?<=[.!?])\s+|\n+", text[-TAIL_CHARACTERS_COUNT:].strip())[-1]
    return frozenset(_plain(each) for each in _NUMBER.findall(last))


def _plain(text: str) -> str:
    number = text.replace(",", "").lower()
    return number.rstrip("0").rstrip(".") if "." in number else number


def _reference(of_row: Mapping[str, Key], reference: str, name: str) -> Key | None:
    if reference != MAJORITY:
        return of_row.get(reference)
    return _most([key for other, key in of_row.items() if other != name])


def _most(keys: Sequence[Key]) -> Key | None:
    """The answer that most of the others agree with; none where two have as many."""
    agreeing = [sum(same(each, other) for other in keys) for each in keys]
    best = max(agreeing, default=0)
    first = [key for key, count in zip(keys, agreeing, strict=True) if count == best]
    return first[0] if first and all(same(first[0], each) for each in first) else None
