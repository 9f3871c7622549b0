"""Range amount: an uncertain amount of the decision as the document writes it."""

from __future__ import annotations

from breakeven.decision.comparison import Range
from breakeven.reports.option_part import Amount


def amount(value: Range, unit: str) -> Amount:
    """A Range with its unit."""
    return Amount(p10=value.p10, p50=value.p50, p90=value.p90, mean=value.mean, unit=unit)
