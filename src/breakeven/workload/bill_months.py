"""Bill months: a bill with one date a month is often of the whole month, dated at its end or when it was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import inf, log

from breakeven.workload.invoice_gap import Bill

MONTH_DAYS_COUNT = 28
"""Of the shortest month."""
BETTER_FRACTION = 0.5
"""Whole months are taken where they leave less than this of the (logarithmic) distance that the dates leave."""


@dataclass(frozen=True, slots=True)
class BillMonths:
    """Whole months, and why they are taken for what a bill covers."""

    first: date
    last: date
    sentence: str


def has_one_date_a_month(days: Iterable[date]) -> bool:
    """Whether no month has two dates.

    >>> has_one_date_a_month([date(2026, 9, 30), date(2026, 10, 31)]), has_one_date_a_month([])
    (True, False)
    """
    found = set(days)
    return bool(found) and len({(each.year, each.month) for each in found}) == len(found)


def whole_months(days: Iterable[date], bill_usd: float, ours_usd: Callable[[date, date], float]) -> BillMonths | None:
    """The months of the dates, or those before them, where they fit far better than the dates; None where they do not.

    `ours_usd` is our figure from a first to a last day, both included.
    """
    found = sorted(set(days))
    if not has_one_date_a_month(found) or bill_usd <= 0:
        return None
    alone_usd = sum(ours_usd(each, each) for each in found)
    spans = [(_month_of(found[0], back)[0], _month_of(found[-1], back)[1]) for back in (0, 1)]
    best = min(spans, key=lambda span: _distance(ours_usd(*span), bill_usd))
    if _distance(ours_usd(*best), bill_usd) >= BETTER_FRACTION * _distance(alone_usd, bill_usd):
        return None
    dates = ", ".join(each.isoformat() for each in found[:3]) + (", ..." if len(found) > 3 else "")
    alone = "that day" if len(found) == 1 else "those days"
    return BillMonths(
        *best,
        f"The bill has one date a month ({dates}), and {best[0]} to {best[1]} fits it far better than {alone} alone "
        f"(ours {alone_usd:,.2f} USD): it is taken to be of whole months; --from and --to say otherwise.",
    )


def without_days(bill: Bill) -> Bill:
    """The bill with lines that name no day."""
    lines = tuple(replace(each, line=replace(each.line, day=None)) for each in bill.lines)
    invoice = replace(bill.invoice, lines=tuple(replace(each, day=None) for each in bill.invoice.lines))
    return replace(bill, invoice=invoice, lines=lines)


def _month_of(day: date, months_back: int) -> tuple[date, date]:
    first = day.replace(day=1)
    for _ in range(months_back):
        first = (first - timedelta(days=1)).replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _distance(ours_usd: float, bill_usd: float) -> float:
    return abs(log(ours_usd / bill_usd)) if ours_usd > 0 else inf
