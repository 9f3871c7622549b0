"""Stability part: the verdict on a log, its evidence and its next quarter, in the words of the document."""

from __future__ import annotations

from datetime import date
from typing import Literal

from breakeven.reports.option_part import Part
from breakeven.workload.bootstrap import Total
from breakeven.workload.daily_series import Gap
from breakeven.workload.day_models import SEASONAL_NAIVE
from breakeven.workload.rolling_origin import Trial
from breakeven.workload.stability import Quarter, Stability


class CheckPart(Part):
    """One rule that a log must meet."""

    name: str
    passed: bool
    finding: str
    """What was seen and what was wanted."""
    more_days_count: int | None
    """Days until it would hold; None: waiting alone does not help, or nobody can say."""


class GapPart(Part):
    """Days in a row without a call, where calls are usual; they count as zero."""

    first_day: str
    days_count: int


class GrowthPart(Part):
    """Growth since the last level shift."""

    low_fraction_per_week: float
    """95 % interval."""
    typical_fraction_per_week: float
    high_fraction_per_week: float
    days_count: int
    shown: bool
    """False: chance alone may explain it."""


class ShiftPart(Part):
    """From one day on the log runs on another level."""

    day: str
    ratio: float
    """New level over old."""
    low_ratio: float
    """95 % interval."""
    high_ratio: float


class TrialPart(Part):
    """How well the log's own past could be forecast (WAPE: sum of absolute errors over the sum)."""

    model: str
    """The one used."""
    origins_count: int
    horizon_days: int
    days_wape_fraction: float
    total_wape_fraction: float
    """Of the totals of each horizon."""
    naive_days_wape_fraction: float
    """Of last week repeated."""
    naive_total_wape_fraction: float


class TotalPart(Part):
    """A sum with its 80 % interval."""

    low: float
    typical: float
    high: float


class QuarterPart(Part):
    """The 91 days after the last whole day of the log."""

    first_day: str
    last_day: str
    tokens: TotalPart
    spend_usd: TotalPart | None
    """At the prices of the log's days; None when no call has a price."""
    unpriced_fraction: float
    """Share of the tokens without a price, which the spend leaves out."""


class StabilityPart(Part):
    """Is the log steady enough to decide on?"""

    answer: Literal["yes", "stale", "not yet", "cannot tell"]
    """Stale: steady up to its end, which is too long ago."""
    sentence: str
    first_day: str | None
    """First and last whole day."""
    last_day: str | None
    days_count: int
    """Whole days, those without a call among them."""
    as_of: str | None = None
    """The day on which the verdict is given."""
    age_days_count: int | None = None
    """From the last day of the log to `as_of`; None when the log has no day."""
    more_days_count: int | None
    """After the last whole day, until every rule may hold; None: waiting alone does not help, or nobody can say."""
    come_back: str | None
    """The day after the last of those days; it may have passed where newer days were not imported."""
    checks: tuple[CheckPart, ...]
    gaps: tuple[GapPart, ...]
    week_strength_fraction: float | None
    """Share of the variance of days around their week that the day of the week explains."""
    growth: GrowthPart | None
    shifts: tuple[ShiftPart, ...]
    trial: TrialPart | None
    quarter: QuarterPart | None
    silence: GapPart | None = None
    """Days without a call at the end of the log, or shortly before it, from which its use has not come back."""


def stability_part(found: Stability) -> StabilityPart:
    """The document's verdict."""
    growth = found.growth
    return StabilityPart(
        answer=found.answer,
        sentence=found.sentence,
        first_day=_iso(found.first_day),
        last_day=_iso(found.last_day),
        days_count=found.days_count,
        as_of=found.today.isoformat(),
        age_days_count=found.age_days_count,
        more_days_count=found.more_days_count,
        come_back=_iso(found.come_back),
        checks=tuple(
            CheckPart(name=each.name, passed=each.passed, finding=each.finding, more_days_count=each.more_days_count)
            for each in found.checks
        ),
        gaps=tuple(_gap(each) for each in found.gaps),
        week_strength_fraction=found.week_strength_fraction,
        growth=None
        if growth is None
        else GrowthPart(
            low_fraction_per_week=growth.low_fraction_per_week,
            typical_fraction_per_week=growth.typical_fraction_per_week,
            high_fraction_per_week=growth.high_fraction_per_week,
            days_count=growth.days_count,
            shown=growth.shown,
        ),
        shifts=tuple(
            ShiftPart(
                day=each.day.isoformat(),
                ratio=each.shift.ratio,
                low_ratio=each.shift.low_ratio,
                high_ratio=each.shift.high_ratio,
            )
            for each in found.shifts
        ),
        trial=_trial(found.trial) if found.trial is not None else None,
        quarter=_quarter(found.quarter) if found.quarter is not None else None,
        silence=None if found.silence is None else _gap(found.silence),
    )


def _gap(gap: Gap) -> GapPart:
    return GapPart(first_day=gap.first_day.isoformat(), days_count=gap.days_count)


def _trial(trial: Trial) -> TrialPart | None:
    """None when nothing could be tried."""
    used, naive = trial.error(trial.chosen), trial.error(SEASONAL_NAIVE)
    if used is None or naive is None:
        return None
    return TrialPart(
        model=trial.chosen,
        origins_count=trial.origins_count,
        horizon_days=trial.horizon_days,
        days_wape_fraction=used.days_wape_fraction,
        total_wape_fraction=used.total_wape_fraction,
        naive_days_wape_fraction=naive.days_wape_fraction,
        naive_total_wape_fraction=naive.total_wape_fraction,
    )


def _quarter(quarter: Quarter) -> QuarterPart:
    return QuarterPart(
        first_day=quarter.first_day.isoformat(),
        last_day=quarter.last_day.isoformat(),
        tokens=_total(quarter.tokens),
        spend_usd=_total(quarter.spend_usd) if quarter.spend_usd is not None else None,
        unpriced_fraction=quarter.unpriced_fraction,
    )


def _total(total: Total) -> TotalPart:
    return TotalPart(low=total.low, typical=total.typical, high=total.high)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
