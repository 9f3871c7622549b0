"""Report cuts: which two tell of the same hours in different ways, and what they are called."""

from __future__ import annotations

import pytest

from breakeven.usage.report_cut import NO_CUT, Cut

HOUR_S, DAY_S = 3600, 86_400
BY_DAY = Cut(DAY_S, 0, 30 * DAY_S, frozenset({"model"}))
BY_MONTH = Cut(30 * DAY_S, 0, 30 * DAY_S, frozenset({"model"}))


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (NO_CUT, ""),
        (BY_DAY, " by day and model"),
        (BY_MONTH, " by month and model"),
        (Cut(31 * DAY_S), " by month"),
        (Cut(7 * DAY_S, named=frozenset({"project", "model"})), " by week, model and project"),
        (Cut(5 * HOUR_S), " by 5 hours"),
    ],
)
def test_words(cut: Cut, words: str) -> None:
    assert cut.words == words


def test_other_buckets_of_the_same_days_differ_and_of_other_days_do_not() -> None:
    assert BY_DAY.differs(BY_MONTH) and BY_MONTH.differs(BY_DAY)
    assert not BY_DAY.differs(Cut(30 * DAY_S, 30 * DAY_S, 60 * DAY_S, frozenset({"model"})))
    assert not BY_DAY.differs(BY_DAY)


def test_an_instant_within_a_day_meets_it() -> None:
    session = Cut(0, 0, 0, frozenset({"model", "session"}))
    assert session.differs(BY_DAY) and BY_DAY.differs(session)


def test_the_day_on_which_clocks_go_back_is_not_long() -> None:
    assert not Cut(25 * HOUR_S).is_long
    assert Cut(7 * DAY_S).is_long
