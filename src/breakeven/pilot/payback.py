"""Payback: when a switch has paid for itself, and what the first year returns on it.

The conventions are those of the horizon: what the switch costs is paid at month 0 and not discounted, savings come in
evenly within each month, and a payback may never come (`NEVER`), which is a result and is not averaged.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Final

from breakeven.pilot.verdict import Range
from breakeven.units import MONTHS_PER_YEAR

NEVER: Final = inf
NOT_STATED: Final = "what the switch costs was not stated (migration_usd)"


def payback_months(migration_usd: float | None, saved_usd_per_month: Range) -> Range:
    """Months until the savings have paid for the switch; `high` is `NEVER` where a loss lies in the interval.

    >>> found = payback_months(60_000.0, Range(4_000.0, 3_000.0, 5_000.0))
    >>> found.value, found.low, found.high
    (15.0, 12.0, 20.0)
    >>> payback_months(60_000.0, Range(100.0, -50.0, 250.0)).high
    inf
    """
    if migration_usd is None or saved_usd_per_month.value is None:
        return _none(migration_usd, saved_usd_per_month)
    low, high = saved_usd_per_month.high, saved_usd_per_month.low
    return replace(
        saved_usd_per_month,
        value=_months(migration_usd, saved_usd_per_month.value),
        low=None if low is None else _months(migration_usd, low),
        high=None if high is None else _months(migration_usd, high),
    )


def first_year_return_ratio(migration_usd: float | None, saved_usd_per_month: Range) -> Range:
    """Of the first year: saved less spent, over spent.

    >>> found = first_year_return_ratio(24_000.0, Range(4_000.0, 1_000.0, 5_000.0))
    >>> found.value, found.low, found.high
    (1.0, -0.5, 1.5)
    """
    if migration_usd is None or saved_usd_per_month.value is None:
        return _none(migration_usd, saved_usd_per_month)
    if migration_usd == 0:
        return replace(_none(0.0, saved_usd_per_month), why_not="the switch costs nothing, so there is no return on it")
    saved = saved_usd_per_month
    value, low, high = (
        None if each is None else (each * MONTHS_PER_YEAR - migration_usd) / migration_usd
        for each in (saved.value, saved.low, saved.high)
    )
    return replace(saved, value=value, low=low, high=high)


def _months(migration_usd: float, saved_usd_per_month: float) -> float:
    if migration_usd == 0:
        return 0.0 if saved_usd_per_month >= 0 else NEVER
    return migration_usd / saved_usd_per_month if saved_usd_per_month > 0 else NEVER


def _none(migration_usd: float | None, saved: Range) -> Range:
    why_not = saved.why_not or "no monthly savings are known"
    return Range(None, None, None, saved.confidence_fraction, why_not=NOT_STATED if migration_usd is None else why_not)
