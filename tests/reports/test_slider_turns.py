"""Slider turns: what the comparison found, on the slider that moves that very number, and nothing beside it."""

from __future__ import annotations

import pytest

from breakeven.decision.answers.changes import API_PRICE, VOLUME
from breakeven.reports.answers_part import ExitCriterionPart
from breakeven.reports.slider_turns import place_fraction, slider_turn
from breakeven.reports.sliders import Slider

SUCCESS = "qwen3_success_fraction"


def slider(fact: str, unit: str, typical: float) -> Slider:
    return Slider(
        "name", fact, "Title", unit, typical / 10, typical, typical * 10, 1.1, "log", "about", "source", "guess"
    )


def criterion(fact: str, unit: str, typical: float | None, value: float | None) -> ExitCriterionPart:
    return ExitCriterionPart(
        metric="m", condition="above it (now this)", why="because", fact=fact, unit=unit, typical=typical, value=value
    )


def test_a_volume_is_told_in_tokens() -> None:
    found = slider_turn(slider(VOLUME, "mtok/month", 9_900.0), (criterion(VOLUME, "mtok/month", 9_900.0, 52_700.0),))
    assert found is not None
    assert (found.value, found.words, found.why) == (52_700.0, "at about 52.7 B tokens a month", "because")


@pytest.mark.parametrize("ratio_now", [1.0, 0.5])
def test_the_price_of_a_token_is_a_multiple_of_what_it_is(ratio_now: float) -> None:
    """Under a scenario that halves today's price the slider stands at a half, and the turn follows."""
    price = criterion("token_usd_per_mtok", "usd/mtok", 1.5, 4.5)
    found = slider_turn(slider(API_PRICE, "ratio", ratio_now), (price,))
    assert found is not None and found.value == 3.0 * ratio_now
    assert found.words == f"at about {3 * ratio_now:g} times, $4.50/Mtok"


def test_a_fact_turns_its_own_slider_alone() -> None:
    told = (criterion(SUCCESS, "fraction", 0.86, 0.742), criterion(VOLUME, "mtok/month", 9.0, 4.0))
    found = slider_turn(slider(SUCCESS, "fraction", 0.86), told)
    assert found is not None and found.words == "at about 74.2 %"
    assert slider_turn(slider("other_success_fraction", "fraction", 0.86), told) is None
    assert slider_turn(slider(SUCCESS, "ratio", 0.86), told) is None  # another unit is another number


def test_an_older_document_has_no_turns() -> None:
    older = ExitCriterionPart(metric="volume", condition="above 3 B tokens", why="because")
    assert slider_turn(slider(VOLUME, "mtok/month", 1.0), (older,)) is None
    assert slider_turn(slider(VOLUME, "mtok/month", 1.0), ()) is None


def test_the_place_is_between_the_stops() -> None:
    assert place_fraction((1.0, 10.0, 100.0), 1.0) == 0.0
    assert place_fraction((1.0, 10.0, 100.0), 100.0) == 1.0
    assert place_fraction((1.0, 10.0, 100.0), 55.0) == 0.75
    assert place_fraction((1.0, 10.0), 0.5) is None and place_fraction((1.0,), 1.0) is None
