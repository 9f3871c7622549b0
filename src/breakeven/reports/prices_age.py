"""Prices' age: how old the prices were that a comparison read."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from breakeven.catalog.checks import is_price
from breakeven.facts.source import Grade
from breakeven.facts.trace import Layer
from breakeven.reports.amounts import fact_title
from breakeven.reports.document import AssumptionPart, PricesAgePart


def prices_age(read: Sequence[AssumptionPart]) -> PricesAgePart | None:
    """Age of the prices among the facts that were read; None when none was a price that somebody asks.

    Left out: what the user's scenario says, and our own guesses (they have no market to be read in).
    """
    prices = [
        each
        for each in read
        if is_price(each.name) and each.layer != Layer.SCENARIO.value and each.source.grade != Grade.GUESS.value
    ]
    if not prices:
        return None
    oldest = max(prices, key=lambda each: each.source.age_days)
    ages = [each.source.age_days for each in prices]
    return PricesAgePart(
        count=len(prices),
        newest_days=min(ages),
        median_days=float(median(ages)),
        oldest_days=oldest.source.age_days,
        oldest=f"{fact_title(oldest.name)}, {oldest.source.title}",
    )
