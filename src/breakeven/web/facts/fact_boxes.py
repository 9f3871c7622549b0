"""Fact boxes: what a person typed for a fact, checked box by box before it is written anywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

from breakeven.decision.bounds import impossible
from breakeven.errors import ScenarioError
from breakeven.units import unit_of

SEEN_CHARACTERS_MAX = 40


@dataclass(frozen=True, slots=True)
class FactValue:
    """What a person typed for a fact: one number, or a range; nothing was checked yet."""

    typical: str
    low: str = ""
    high: str = ""
    note: str = ""
    """Where they have it from."""
    grade: str = ""
    """measured, official, quoted, expert or guess; the loader's own when empty."""

    @property
    def is_range(self) -> bool:
        """Whether the two ends were given."""
        return bool(self.low.strip() or self.high.strip())


def check_boxes(name: str, value: FactValue, example: str = "") -> None:
    """Raise ScenarioError, in words about the box, for what can be no value of this fact.

    `example`: a value that it may have. A name that is no fact's is left to the loader, which knows the nearest one.
    """
    unit = unit_of(name)
    if unit is None:
        return
    wanted = wanted_words(unit) + (f", e.g. {example}" if example else "")
    typical = _number("Typical", value.typical, wanted)
    low, high = typical, typical
    if value.is_range:
        wanted = f"{wanted}, in both Low and High or in neither"
        low, high = _number("Low", value.low, wanted), _number("High", value.high, wanted)
    if not low <= typical <= high:
        seen = f"{value.low.strip()}, {value.typical.strip()} and {value.high.strip()}"
        raise ScenarioError(f"Low, Typical, High: wanted the smallest first and the largest last; saw {seen}")
    if said := impossible(name, unit, low, high):
        raise ScenarioError(said)


def wanted_words(unit: str) -> str:
    """What belongs into a box.

    >>> wanted_words("month"), wanted_words("fraction"), wanted_words("usd/year"), wanted_words("count")
    ('a number of months', 'a share from 0 to 1', 'a number in usd/year', 'a number')
    """
    if unit in ("count", "ratio"):
        return "a number"
    if unit == "fraction":
        return "a share from 0 to 1"
    return f"a number of {unit}s" if unit.isalpha() and unit != "usd" else f"a number in {unit}"


def plain(value: float) -> str:
    """A number as a person types it.

    >>> plain(0.00001), plain(300000.0), plain(1.65)
    ('0.00001', '300000', '1.65')
    """
    import numpy as np

    return str(np.format_float_positional(value, trim="-"))


def _number(box: str, typed: str, wanted: str) -> float:
    text = typed.strip()
    seen = f"saw '{text[:SEEN_CHARACTERS_MAX]}'" if text else "the box is empty"
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ScenarioError(f"{box}: wanted {wanted}; {seen}")
    return found
