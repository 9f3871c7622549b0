"""Risk build: the doubt in a decision becomes the part of the document that every surface shows."""

from __future__ import annotations

import math
from typing import Final

from breakeven.decision.risk.breakeven_odds import BreakEvenOdds, VolumeRange
from breakeven.decision.risk.risk import Information, Risk, Variance
from breakeven.decision.risk.tornado import Swing
from breakeven.facts.source import Grade
from breakeven.reports.amounts import counted, fact_title, fraction, money, volume
from breakeven.reports.option_titles import Titles
from breakeven.reports.risk_part import BreakEvenOddsPart, InformationPart, RiskPart, SobolPart, TornadoPart

SMALLEST_SHOWN_FRACTION: Final = 0.001
"""Smaller shares of the variance are left out."""


def build_risk(risk: Risk, titles: Titles, *, horizon_months: float) -> RiskPart:
    """The part; `titles` are those of the options."""
    return RiskPart(
        recommended=risk.recommended,
        rival=risk.rival,
        evpi_usd=risk.evpi_usd,
        measure_next=measure_next_sentence(risk, horizon_months),
        information=tuple(_information(each) for each in risk.information),
        tornado=tuple(_tornado(each) for each in risk.swings),
        sobol=tuple(_sobol(each) for each in risk.variances if each.index.total_fraction >= SMALLEST_SHOWN_FRACTION),
        breakeven_odds=tuple(_odds(each, titles.start(each.option)) for each in risk.breakeven_odds),
        correlations=risk.correlations,
        draws_count=risk.draws_count,
    )


def measure_next_sentence(risk: Risk, horizon_months: float) -> str:
    """Which number to measure next, what that is worth, and how; or why none is worth it."""
    span = f"over {counted(horizon_months, 'month')}"
    if risk.evpi_usd <= 0:
        return "Nothing is worth measuring first: the same option is the cheapest in every future."
    found = risk.measure_next
    if found is None:
        return (
            f"No single number is worth measuring first: each is worth less than 1 % of knowing everything "
            f"({_about(risk.evpi_usd)} {span}), is a trifle beside the cost, or is chance."
        )
    worth = (
        f"Measure {_title(found)} next: knowing it exactly is worth about {_about(found.evppi_usd)} {span} "
        f"({fraction(found.evppi_fraction)} of knowing everything); {found.how_to_measure}"
    )
    if found.evsi_usd is None:
        return f"{worth}."
    return f"{worth}, which is worth about {_about(found.evsi_usd)}."


def odds_sentence(odds: BreakEvenOdds, title: str) -> str:
    """Where one option gets cheaper than the status quo, over the futures; never is said apart."""
    reach = f"up to {volume(odds.axis_high_mtok_per_month)} a month"
    here = f"At your volume it costs less in {fraction(odds.here_fraction)} of the futures."
    if odds.never_fraction >= 1:
        return f"{title} costs less than today's API in no future, at any volume {reach}."
    never = f" In {fraction(odds.never_fraction)} of the futures never, {reach}." if odds.never_fraction else ""
    first, low = odds.first.p50_mtok_per_month, odds.axis_low_mtok_per_month
    if math.isinf(first):
        return f"{title} costs less than today's API in a minority of the futures.{never} {here}"
    if odds.last.p90_mtok_per_month <= low:
        return (
            f"{title} costs less than today's API at every volume {reach}, in at least 9 of 10 futures.{never} {here}"
        )
    start = f"from {volume(first)} a month on in the median future ({_span(odds.first)} in 80 % of them)"
    safe = odds.last.p50_mtok_per_month
    if math.isinf(safe):
        always = "for good at no volume"
    elif safe > first * (1 + _SAME_RATIO):
        always = f"for good above {volume(safe)}"
    else:
        always = "and for good"
    return f"{title} costs less than today's API {start}, {always}.{never} {here}"


_SAME_RATIO: Final = 0.005
"""Volumes closer than this read the same."""


def _span(found: VolumeRange) -> str:
    high = found.p90_mtok_per_month
    return f"{volume(found.p10_mtok_per_month)} to {'never' if math.isinf(high) else volume(high)}"


def _about(usd: float) -> str:
    """Three digits: a regression on draws knows no more."""
    return money(float(f"{usd:.3g}"))


def _title(found: Information) -> str:
    """The name of the fact inside a sentence; an acronym at its beginning stays."""
    title = fact_title(found.of.name)
    first = title.partition(" ")[0]
    return title if any(letter.isupper() for letter in first[1:]) else title[0].lower() + title[1:]


def _information(found: Information) -> InformationPart:
    fact = found.of.fact
    grade = fact.source.grade if fact.source else Grade.GUESS
    return InformationPart(
        name=fact.name,
        unit=fact.unit,
        low=fact.low,
        typical=fact.typical,
        high=fact.high,
        grade=grade.value,
        evppi_usd=found.evppi_usd,
        evppi_fraction=found.evppi_fraction,
        evsi_usd=found.evsi_usd,
        samples_count=found.samples_count,
        how_to_measure=found.how_to_measure,
        is_noise=found.is_noise,
    )


def _tornado(found: Swing) -> TornadoPart:
    fact = found.of.fact
    return TornadoPart(
        name=fact.name,
        unit=fact.unit,
        low=fact.low,
        typical=fact.typical,
        high=fact.high,
        saves_at_low_usd=found.saves_at_low_usd,
        saves_at_high_usd=found.saves_at_high_usd,
        saves_usd=found.saves_usd,
        flips=found.flips,
    )


def _sobol(found: Variance) -> SobolPart:
    index = found.index
    return SobolPart(
        name=found.of.name, first_order_fraction=index.first_order_fraction, total_fraction=index.total_fraction
    )


def _odds(found: BreakEvenOdds, title: str) -> BreakEvenOddsPart:
    return BreakEvenOddsPart(
        option=found.option,
        first_p10_mtok_per_month=_or_never(found.first.p10_mtok_per_month),
        first_p50_mtok_per_month=_or_never(found.first.p50_mtok_per_month),
        first_p90_mtok_per_month=_or_never(found.first.p90_mtok_per_month),
        last_p10_mtok_per_month=_or_never(found.last.p10_mtok_per_month),
        last_p50_mtok_per_month=_or_never(found.last.p50_mtok_per_month),
        last_p90_mtok_per_month=_or_never(found.last.p90_mtok_per_month),
        never_fraction=found.never_fraction,
        here_fraction=found.here_fraction,
        sentence=odds_sentence(found, title),
    )


def _or_never(mtok_per_month: float) -> float | None:
    return None if math.isinf(mtok_per_month) else mtok_per_month
