"""Stability wording: the verdict's evidence as short sentences that the terminal and the HTML report share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.stability_part import CheckPart, QuarterPart, StabilityPart, TotalPart, TrialPart
from breakeven.workload.daily_series import WEEK_DAYS
from breakeven.workload.stability_rules import (
    AGE,
    EQUAL_MAX_RATIO,
    INTERVAL,
    SILENCE,
    interval_wait_days_counts,
    signed_percent,
)

GAPS_SHOWN_COUNT: Final = 3


def stability_findings(part: StabilityPart) -> list[str]:
    """Next quarter, growth, level shifts, week, how the forecast was tried, gaps."""
    found = [quarter_finding(part.quarter)] if part.quarter else []
    if part.quarter and part.answer == "cannot tell":
        few = "What few equal days show" if is_equal(part.quarter.tokens) else "A wide guess from few days"
        found[0] = f"{few}: {found[0]}"
    if not part.quarter and (silence := silence_finding(part)):
        found.append(silence)
    found += [growth_finding(part), *shift_findings(part), week_finding(part)]
    found += [trial_finding(part.trial)] if part.trial else []
    found += [gaps_finding(part)] if part.gaps else []
    return [each for each in found if each]


def silence_finding(part: StabilityPart) -> str:
    """Why nothing is said of next quarter, where the log fell silent; else empty."""
    said = next((each.finding.split(" (", maxsplit=1)[0] for each in part.checks if each.name == SILENCE), "")
    return f"{said[0].upper()}{said[1:]}." if said else ""


def is_equal(total: TotalPart) -> bool:
    """Whether the days behind a total are all but equal, which leaves nothing to tell an interval from."""
    return total.high - total.low <= 2 * EQUAL_MAX_RATIO * total.typical


def span(total: TotalPart, say: Callable[[float], str]) -> str:
    """The 80 % interval of a total; that there is none where equal days show none."""
    return (
        "no interval: the days are all but equal" if is_equal(total) else f"80 %: {say(total.low)} to {say(total.high)}"
    )


def quarter_finding(quarter: QuarterPart) -> str:
    """Tokens and spend of the next 91 days."""
    tokens, spend = quarter.tokens, quarter.spend_usd
    days = f"{amounts.date_text(quarter.first_day)} to {amounts.date_text(quarter.last_day)}"
    text = f"The quarter after the log, {days}: {amounts.tokens(tokens.typical)} ({span(tokens, amounts.magnitude)})"
    if spend is None:
        return f"{text}; spend UNPRICED."
    text += f"; {amounts.money(spend.typical)} ({span(spend, amounts.money)}) at the prices of the log's days"
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
    """Which model is used, and by how much it is off on the log's own past, all of its tries taken together."""
    weeks = trial.horizon_days // WEEK_DAYS
    text = f"Forecast by: {trial.model}. Tried from {amounts.counted(trial.origins_count, 'past week')}, each time for "
    text += f"the next {weeks} weeks, it was off by {_off(trial.total_wape_fraction, ' of')} all their tokens together"
    if trial.total_wape_fraction < trial.naive_total_wape_fraction:
        text += f" (last week repeated: {_off(trial.naive_total_wape_fraction)})"
    else:
        text += "; no model did better than last week repeated"
    return text + "."


def _off(wape_fraction: float, of: str = "") -> str:
    """An error of more than all that came is told in times, not in thousands of percent."""
    if wape_fraction <= 1:
        return f"{amounts.fraction(round(wape_fraction, 3))}{of}"
    return f"{amounts.ratio(wape_fraction).removesuffix('x')} times"


def gaps_finding(part: StabilityPart) -> str:
    """Days without a call, the longest first."""
    days = sum(each.days_count for each in part.gaps)
    longest = sorted(part.gaps, key=lambda each: (-each.days_count, each.first_day))
    named = [
        amounts.date_text(each.first_day) + (f" ({each.days_count} days)" if each.days_count > 1 else "")
        for each in longest[:GAPS_SHOWN_COUNT]
    ]
    more = len(part.gaps) - len(named)
    outages, shorter = longest[0].days_count >= WEEK_DAYS, longest[-1].days_count < WEEK_DAYS
    text = f"{amounts.counted(days, 'day')} without a call where calls are usual{', taken as zero' * (not outages)}: "
    text += f"{', '.join(named)}{f' and {more} more' if more else ''}."
    if outages:
        text += " Outages of a week or more are left out of level, growth and forecast"
        text += f"{'; shorter gaps count as zero' * shorter}."
    return text


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
    more = amounts.counted(check.more_days_count, "more day")
    if check.name == INTERVAL:
        low, high = interval_wait_days_counts(check.more_days_count)
        more = f"about {more} ({low} to {high})"
    return f"FAILS: {check.finding}; {more}"
