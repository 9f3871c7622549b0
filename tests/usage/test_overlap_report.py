"""The words about two sources name what their difference looks like."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from breakeven.usage.overlap_report import DayOverlap, SourceOverlap, SourceTotals, over_all_days

DAY = date(2026, 11, 2)


def overlapped(ours: SourceTotals, theirs: SourceTotals) -> SourceOverlap:
    """One pair on one day."""
    (found,) = over_all_days([DayOverlap(DAY, "gateway", "buckets", ("gpt-5",), ours, theirs)])
    return found


def test_days_are_compared_one_by_one() -> None:
    days = [
        DayOverlap(DAY, "a", "b", ("m",), SourceTotals(1, 100), SourceTotals(1, 50)),
        DayOverlap(DAY + timedelta(1), "a", "b", ("n",), SourceTotals(1, 50), SourceTotals(1, 100)),
    ]
    (found,) = over_all_days(days)
    assert found.tokens_agreement_fraction == 0.5  # sums agree, days do not
    assert (found.days_count, found.models, found.requests_ratio) == (2, ("m", "n"), 1.0)
    assert "a and b cover the same 2 days (2026-11-02 to 2026-11-03); a counted, b left out" in found.sentence
    assert "agreement 50.0 % of tokens" in found.sentence


def test_pairs_are_told_apart() -> None:
    one = SourceTotals(1, 1)
    days = [DayOverlap(DAY, "a", name, ("m",), one, one) for name in ("b", "c")]
    assert [each.left_out for each in over_all_days(days)] == ["b", "c"]
    assert over_all_days([]) == ()


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (SourceTotals(9, 1000, 0, 0, 100), SourceTotals(9, 1000, 0, 0, 101), ""),
        (SourceTotals(9, 1000, 600), SourceTotals(9, 400), "buckets leaves cached tokens out of its input"),
        (SourceTotals(9, 300), SourceTotals(9, 1000, 500, 200), "gateway leaves cached tokens out of its input"),
        (SourceTotals(9, 1000, 600), SourceTotals(9, 1000), "buckets does not tell cached tokens from others"),
        (SourceTotals(9, 2000), SourceTotals(9, 1000), "gateway has twice the tokens"),
        (SourceTotals(9, 500, 0, 0, 300, 200), SourceTotals(9, 500, 0, 0, 100), "buckets leaves reasoning out"),
        (SourceTotals(9, 1000), SourceTotals(0, 1300), "buckets saw 30.0 % more: other keys"),
        (SourceTotals(24, 1000), SourceTotals(2400, 100_000), "buckets saw 100 times as much: other keys"),
        (SourceTotals(1, 1000), SourceTotals(2400, 2_400_000), "buckets saw 2,400 times as much: other keys"),
        (SourceTotals(2400, 2_400_000), SourceTotals(1, 1000), "buckets saw 1/2,400 of it: it was cut short"),
        (SourceTotals(9, 1300), SourceTotals(0, 1000), "buckets saw 23.1 % less: it was cut short"),
    ],
)
def test_suggestions(ours: SourceTotals, theirs: SourceTotals, words: str) -> None:
    assert " ".join(overlapped(ours, theirs).suggestions()).startswith(words)
    assert bool(overlapped(ours, theirs).suggestions()) == bool(words)


def test_what_may_be_the_same_is_told_apart_from_what_is() -> None:
    one = SourceTotals(10, 1)
    days = [
        DayOverlap(DAY, "a", "b", ("azure m", "openai m"), one, one, is_certain=False),
        DayOverlap(DAY, "a", "b", ("n",), one, one),
    ]
    doubt, same = sorted(over_all_days(days), key=lambda each: each.is_certain)
    assert "under other names (azure m, openai m): POSSIBLY THE SAME TRAFFIC, COUNTED TWICE" in doubt.sentence
    assert doubt.suggestions() == ()
    assert "POSSIBLY" not in same.sentence
    assert DayOverlap.from_json(days[0].to_json()) == days[0]


def test_plain_data_and_back() -> None:
    told = DayOverlap(DAY, "a", "b", ("m", "n"), SourceTotals(1, 2, 3, 4, 5, 6), SourceTotals())
    assert DayOverlap.from_json(told.to_json()) == told


def test_tokens_that_only_the_source_left_out_saw_are_said_with_their_share() -> None:
    """Calls that hold 60 % of what the account's export has count, and what they lack is no small print."""
    found = overlapped(SourceTotals(9, 1_200_000), SourceTotals(0, 2_000_000))
    assert (found.missed_tokens, found.missed_fraction) == (800_000, 0.4)
    assert "IN NO FIGURE: 800,000 tokens that only buckets saw (40.0 % of what it saw)." in found.sentence
    assert found.to_json()["missed_tokens"] == 800_000


@pytest.mark.parametrize("theirs", [500, 1000, 1010])
def test_nothing_is_missed_where_the_source_left_out_saw_no_more(theirs: int) -> None:
    assert "IN NO FIGURE" not in overlapped(SourceTotals(9, 1000), SourceTotals(9, theirs)).sentence


def test_what_is_missed_on_one_day_is_not_made_up_for_by_another() -> None:
    days = [
        DayOverlap(DAY, "a", "b", ("m",), SourceTotals(1, 100), SourceTotals(1, 50)),
        DayOverlap(DAY + timedelta(1), "a", "b", ("m",), SourceTotals(1, 50), SourceTotals(1, 100)),
    ]
    (found,) = over_all_days(days)
    assert (found.missed_tokens, found.missed_fraction) == (50, 1 / 3)


def test_a_month_is_told_with_its_days() -> None:
    month = DayOverlap(DAY, "by day", "by month", ("m",), SourceTotals(0, 9), SourceTotals(0, 9), days_count=30)
    (found,) = over_all_days([month, DayOverlap(DAY, "by day", "by month", ("n",), SourceTotals(0, 9), SourceTotals())])
    assert (found.days_count, found.last_day) == (30, DAY + timedelta(days=29))
    assert DayOverlap.from_json(month.to_json()) == month
