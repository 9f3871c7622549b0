"""Stability wording: the verdict's evidence as short sentences that the terminal and the HTML report share."""

from __future__ import annotations

from typing import Final

from breakeven.reports import amounts
from breakeven.reports.stability_part import CheckPart, QuarterPart, StabilityPart, TrialPart
from breakeven.workload.stability_rules import AGE, signed_percent

GAPS_SHOWN_COUNT: Final = 3


def stability_findings(part: StabilityPart) -> list[str]:
    """Next quarter, growth, level shifts, week, how the forecast was tried, gaps."""
    found = [quarter_finding(part.quarter)] if part.quarter else []
    if part.quarter and part.answer == "cannot tell":
        found[0] = f"A wide guess from few days: {found[0]}"
    found += [growth_finding(part), *shift_findings(part), week_finding(part)]
    found += [trial_finding(part.trial)] if part.trial else []
    found += [gaps_finding(part)] if part.gaps else []
    return [each for each in found if each]


def quarter_finding(quarter: QuarterPart) -> str:
    """Tokens and spend of the next 91 days."""
    tokens, spend = quarter.tokens, quarter.spend_usd
    days = f"{amounts.date_text(quarter.first_day)} to {amounts.date_text(quarter.last_day)}"
    text = (
        f"The quarter after the log, {days}: {amounts.tokens(tokens.typical)} "
        f"(80 %: {amounts.magnitude(tokens.low)} to {amounts.magnitude(tokens.high)})"
    )
    if spend is None:
        return f"{text}; spend UNPRICED."
    text += (
        f"; {amounts.money(spend.typical)} (80 %: {amounts.money(spend.low)} to {amounts.money(spend.high)}) "
        "at the prices of the log's days"
    )
    if quarter.unpriced_fraction:
        text += f", without the {amounts.fraction(quarter.unpriced_fraction)} of the tokens that are UNPRICED"
    return text + "."


def growth_finding(part: StabilityPart) -> str:
    """Growth per week; empty when nothing is claimed."""
    growth = part.growth
    if growth is None:
        return ""
    low, typical, high = (
        signed_percent(each)
        for each in (growth.low_fraction_per_week, growth.typical_fraction_per_week, growth.high_fraction_per_week)
    )
    beyond = "" if growth.shown else "; chance alone may explain it"
    return f"Growth over {growth.days_count} days: {typical} % week on week (95 %: {low} to {high} %{beyond})."


def shift_findings(part: StabilityPart) -> list[str]:
    """Each level shift with its date and size; that there is none."""
    if part.trial is None and part.growth is None:
        return []
    if not part.shifts:
        return ["No level shift."]
    return [
        f"Level shift on {amounts.date_text(each.day)}: {amounts.ratio(each.ratio)} the level before (95 %: "
        f"{amounts.ratio(each.low_ratio)} to {amounts.ratio(each.high_ratio)})."
        for each in part.shifts
    ]


def week_finding(part: StabilityPart) -> str:
    """How much the day of the week matters; empty when nothing is claimed."""
    strength = part.week_strength_fraction
    if strength is None:
        return ""
    if not strength:
        return "The days of the week do not differ beyond chance."
    return f"The day of the week explains {amounts.fraction(round(strength, 2))} of how days differ within a week."


def trial_finding(trial: TrialPart) -> str:
    """Which model is used, and by how much it is off on the log's own past."""
    weeks = trial.horizon_days // 7
    text = f"Forecast by: {trial.model}. On {amounts.counted(trial.origins_count, 'past week')} tried, totals of the "
    text += f"next {weeks} weeks were off by {amounts.fraction(round(trial.total_wape_fraction, 3))}"
    if trial.total_wape_fraction < trial.naive_total_wape_fraction:
        text += f" (last week repeated: {amounts.fraction(round(trial.naive_total_wape_fraction, 3))})"
    else:
        text += "; no model did better than last week repeated"
    return text + "."


def gaps_finding(part: StabilityPart) -> str:
    """Days without a call, the longest first."""
    days = sum(each.days_count for each in part.gaps)
    longest = sorted(part.gaps, key=lambda each: (-each.days_count, each.first_day))
    named = [
        amounts.date_text(each.first_day) + (f" ({each.days_count} days)" if each.days_count > 1 else "")
        for each in longest[:GAPS_SHOWN_COUNT]
    ]
    more = len(part.gaps) - len(named)
    return (
        f"{amounts.counted(days, 'day')} without a call where calls are usual, taken as zero: {', '.join(named)}"
        f"{f' and {more} more' if more else ''}."
        f"{' Outages of a week or more are left out of level, growth and forecast.' * (longest[0].days_count >= 7)}"
    )


def check_findings(part: StabilityPart) -> list[str]:
    """Every rule."""
    return [check_finding(each) for each in part.checks]


def check_finding(check: CheckPart) -> str:
    """One rule: whether it holds, what was seen, days until it may hold."""
    if check.passed:
        return f"holds: {check.finding}"
    if check.name == AGE:
        return f"FAILS: {check.finding}; import newer days"
    if check.more_days_count is None:
        return f"FAILS: {check.finding}; more days alone may not cure it"
    return f"FAILS: {check.finding}; {amounts.counted(check.more_days_count, 'more day')}"
