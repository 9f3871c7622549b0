"""What-if rows: one option before and after a change, in the words that terminal and dashboard share."""

from __future__ import annotations

from typing import Final

from breakeven.decision.compare import STATUS_QUO
from breakeven.reports.amounts import counted, money, money_span, odds, volume
from breakeven.reports.option_part import Amount
from breakeven.reports.whatif_document import OptionChangePart, WhatIfDocument

NOT_COSTED: Final = "-"


def expected_usd(value: Amount | None) -> str:
    """The expected amount.

    >>> expected_usd(Amount(p10=1, p50=2, p90=3, mean=6334.2, unit="usd")), expected_usd(None)
    ('$6,334', '-')
    """
    return NOT_COSTED if value is None else money(value.mean)


def span_usd(value: Amount | None) -> str:
    """P10 to P90; empty where both read the same."""
    return "" if value is None else money_span(value.p10, value.p90)


def difference_words(before: Amount | None, after: Amount | None) -> str:
    """What a change makes of an expected amount.

    >>> was, becomes = (Amount(p10=0, p50=0, p90=0, mean=usd, unit="usd") for usd in (100, 251))
    >>> difference_words(was, becomes), difference_words(was, was), difference_words(None, was)
    ('$151 more', 'the same', 'new')
    """
    if before is None or after is None:
        return "new" if before is None else "gone"
    usd = after.mean - before.mean
    if money(abs(usd)) == "$0":
        return "the same"
    return f"{money(abs(usd))} {'more' if usd > 0 else 'less'}"


def lengths_words(document: WhatIfDocument) -> str:
    """That a change adds up other months, so that a smaller sum is no saving; empty where the months are the same."""
    before, after = document.before.months_count, document.after.months_count
    return "" if before == after else f"over {counted(after, 'month')} instead of {before:,}"


def odds_before(part: OptionChangePart) -> str:
    """Futures of 100 in which it was the lowest."""
    return _odds(part.before_cheapest_fraction)


def odds_after(part: OptionChangePart) -> str:
    """Futures of 100 in which it becomes the lowest."""
    return _odds(part.after_cheapest_fraction)


def breakeven_before(part: OptionChangePart) -> str:
    """Volume above which it always cost less than today's; empty for today's own."""
    return _mark(part, part.before_always_above_mtok_per_month, is_costed=part.before_usd_per_month is not None)


def breakeven_after(part: OptionChangePart) -> str:
    """Volume above which it always costs less than today's, after the change."""
    return _mark(part, part.after_always_above_mtok_per_month, is_costed=part.after_usd_per_month is not None)


def becomes(before: str, after: str) -> str:
    """Both, or one where they read the same.

    >>> becomes("50", "47"), becomes("0", "0")
    ('50 -> 47', '0')
    """
    return before if before == after else f"{before} -> {after}"


def _odds(share_fraction: float | None) -> str:
    return NOT_COSTED if share_fraction is None else odds(share_fraction).removesuffix(" of 100")


def _mark(part: OptionChangePart, mtok: float | None, *, is_costed: bool) -> str:
    if part.option == STATUS_QUO:
        return ""
    if not is_costed:
        return NOT_COSTED
    return "never" if mtok is None else volume(mtok).removesuffix(" tokens")
