"""Slider turns: from which value of a slider on the answer is another one, where the comparison has found it.

What is told is what "what could change the answer" tells: each number moved alone, in expectation. A slider that moves
another number than a criterion is about has no turn; nothing is guessed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from breakeven.decision.answers.changes import API_PRICE, VOLUME
from breakeven.reports import amounts
from breakeven.reports.answers_part import ExitCriterionPart
from breakeven.reports.sliders import Slider

API_TOKEN_PRICE = "token_usd_per_mtok"  # noqa: S105 the price of a token, no secret
"""What a criterion on the price of today's API is about; the slider moves it as a multiple."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a slider turns the answer."""

    value: float
    """In the slider's unit."""
    words: str
    """E.g. at about 52.7 B tokens a month: criteria are sought over fewer futures than a slider asks."""
    why: str


def slider_turn(slider: Slider, criteria: Sequence[ExitCriterionPart]) -> Turn | None:
    """The turn of one slider; None where the comparison has none for what it moves."""
    for each in criteria:
        if each.value is None or not each.typical:
            continue
        if each.fact == slider.fact and each.unit == slider.unit:
            return Turn(each.value, f"at about {_words(slider, each.value)}", each.why)
        if each.fact == API_TOKEN_PRICE and slider.fact == API_PRICE:
            ratio = slider.typical * each.value / each.typical
            price = amounts.quantity(each.value, each.unit)
            return Turn(ratio, f"at about {amounts.number(ratio)} times, {price}", each.why)
    return None


def _words(slider: Slider, value: float) -> str:
    return f"{amounts.volume(value)} a month" if slider.fact == VOLUME else amounts.quantity(value, slider.unit)


def place_fraction(stops: Sequence[float], value: float) -> float | None:
    """How far along the stops of a slider a value lies; None: beyond its ends.

    >>> place_fraction((1.0, 2.0, 4.0), 3.0), place_fraction((1.0, 2.0, 4.0), 2.0), place_fraction((1.0, 2.0), 9.0)
    (0.75, 0.5, None)
    """
    if len(stops) < 2 or not stops[0] <= value <= stops[-1]:
        return None
    after = max(bisect_left(stops, value), 1)
    low, high = stops[after - 1], stops[after]
    return (after - 1 + (value - low) / (high - low)) / (len(stops) - 1)
