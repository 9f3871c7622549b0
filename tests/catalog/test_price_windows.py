"""Price windows: layers cover every moment once, and the first layer that knows it wins."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.catalog.price_windows import (
    BEGINNING,
    END,
    PriceWindow,
    TierPrices,
    filled_tier,
    joined,
    layered,
    utc,
)
from breakeven.facts.source import Grade, Source

SOURCE = Source("T", "L", date(2026, 1, 1), Grade.GUESS)
START = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = PriceWindow(None, None, (), SOURCE, reason="unknown")


def _window(since: int | None, until: int | None, price: float) -> PriceWindow:
    def day(number: int | None) -> datetime | None:
        return None if number is None else START + timedelta(days=number)

    return PriceWindow(day(since), day(until), (filled_tier(price, price),), SOURCE)


@st.composite
def layers(draw: st.DrawFn) -> list[PriceWindow]:
    """Windows in order of time, without overlaps, perhaps with gaps and open ends."""
    edges = sorted(draw(st.sets(st.integers(0, 40), min_size=2, max_size=8)))
    windows = [
        _window(since, until, draw(st.sampled_from([1.0, 2.0, 3.0])))
        for since, until in itertools.pairwise(edges)
        if draw(st.booleans())
    ]
    if draw(st.booleans()):
        windows.append(_window(edges[-1], None, 4.0))
    if draw(st.booleans()):
        windows.insert(0, _window(None, edges[0], 5.0))
    return windows


@settings(deadline=None)
@given(st.lists(layers(), min_size=0, max_size=3), st.integers(-5, 45), st.integers(0, 20))
def test_every_moment_is_covered_once_by_the_first_layer_that_knows(
    stack: list[list[PriceWindow]], begin: int, days: int
) -> None:
    first, last = START + timedelta(days=begin), START + timedelta(days=begin + days)
    found = layered(stack, first, last, NOTHING)
    for half_day in range(2 * days + 1):
        moment = first + timedelta(hours=12 * half_day)
        (window,) = [each for each in found if each.covers(moment)]
        wanted = next((each for layer in stack for each in layer if each.covers(moment)), NOTHING)
        assert window.tiers == wanted.tiers
    for one, other in itertools.pairwise(found):
        assert one.until == other.since


def test_neighbours_that_say_the_same_are_joined() -> None:
    windows = [_window(None, 1, 1.0), _window(1, 2, 1.0), _window(2, None, 2.0), _window(4, 5, 2.0)]
    assert joined(windows) == [_window(None, 2, 1.0), _window(2, None, 2.0), _window(4, 5, 2.0)]


def test_unlisted_cache_prices_are_those_of_the_wider_kind() -> None:
    assert filled_tier(1.0, 2.0) == TierPrices(0, None, 1.0, 1.0, 1.0, 1.0, 2.0)
    assert filled_tier(1.0, 2.0, 0.0, 1.25, 2.0) == TierPrices(0, None, 1.0, 0.0, 1.25, 2.0, 2.0)


def test_moments_are_utc() -> None:
    assert utc(datetime(2026, 1, 1)).tzinfo is UTC  # noqa: DTZ001
    assert BEGINNING < utc(datetime(2026, 1, 1, 1, tzinfo=UTC)) < END
