"""Recommendation: the Option whose successful outcomes cost least, how sure that is, and against what.

Money decides. Quality is a gate: while success rates are assumed, the recommendation holds only if the open model
is good enough for the work, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from breakeven.decision.comparison import Comparison, Costed, OptionResult, Range, open_to_all
from breakeven.options.assembly.success import evidence_of

Confidence = Literal["clear", "likely", "open"]
CLEAR_FROM_FRACTION: Final = 0.9
LIKELY_FROM_FRACTION: Final = 0.6
WATCHING: Final = "quality_monitoring"
"""End of the name of the line that every Option has in which a new model answers."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do, and the odds."""

    option: OptionResult
    rival: OptionResult | None
    """The status quo; the next best Option when the status quo itself is recommended; None when it stands alone."""
    confidence: Confidence
    odds_fraction: float
    saves_usd_per_month: Range | None
    """Rival minus recommended, for equal successful outcomes."""
    stays: bool
    """True when the status quo is recommended."""
    needs_quality_check: bool
    """True when another model would answer, and nobody has measured whether it is good enough."""
    disagreements: tuple[str, ...]
    """Other yardsticks that would choose differently: ``today``, ``median``, ``usd_per_month``, ``with_losses``,
    ``odds``."""
    months_count: int | None = None
    """The horizon behind it; None: this month alone."""


def recommend(comparison: Comparison) -> Recommendation:
    """The Option with the lowest expected cost for equal successful outcomes, over the horizon where one is known."""
    best, rival = comparison.best, comparison.rival
    stays = best.name == comparison.status_quo
    return Recommendation(
        best,
        rival,
        confidence_of(comparison.odds_fraction),
        comparison.odds_fraction,
        _saving(best, rival, comparison.status_quo) if rival else None,
        stays,
        changes_model(best) and evidence_of(best.cost.success) != "measured",
        _disagreements(comparison, best),
        comparison.choice.months_count if comparison.choice else None,
    )


def confidence_of(odds_fraction: float) -> Confidence:
    """clear from 90 % of the futures on, likely from 60 %, else open.

    >>> confidence_of(0.95), confidence_of(0.7), confidence_of(0.4)
    ('clear', 'likely', 'open')
    """
    if odds_fraction >= CLEAR_FROM_FRACTION:
        return "clear"
    return "likely" if odds_fraction >= LIKELY_FROM_FRACTION else "open"


def _saving(best: OptionResult, rival: OptionResult, status_quo: str) -> Range:
    """Rival minus best, draw by draw: one of the two is the status quo, whose extra cost is zero in every draw."""
    if best.name == status_quo:
        return rival.extra_usd_per_month
    extra = best.extra_usd_per_month
    return Range(-extra.p90, -extra.p50, -extra.p10, -extra.mean)


def changes_model(option: Costed) -> bool:
    """Whether another model answers: then the Option has a line that watches the quality of its answers."""
    return any(line.name.endswith(WATCHING) for line in option.cost.breakdown.lines)


def likeliest(comparison: Comparison) -> OptionResult:
    """The Option that is cheapest in most futures, over whatever was looked at."""
    if comparison.choice:
        return comparison.option(comparison.choice.likeliest)
    return max(open_to_all(comparison.options), key=lambda each: each.cheapest_fraction)


def _disagreements(comparison: Comparison, best: OptionResult) -> tuple[str, ...]:
    found, options = [], open_to_all(comparison.options)
    if comparison.choice and comparison.best_today.name != best.name:
        found.append("today")
    if options[0].name != best.name and "today" not in found:
        found.append("median")
    if min(options, key=lambda each: each.usd_per_month.mean).name != best.name and "today" not in found:
        found.append("usd_per_month")
    if likeliest(comparison).name != best.name:
        found.append("odds")
    if max(options, key=lambda each: each.cheapest_with_losses_fraction).name != best.name:
        found.append("with_losses")
    return tuple(found)
