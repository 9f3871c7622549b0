"""Volume wording: which days today's volume is the mean of, where the log has days without a call in a row."""

from __future__ import annotations

from datetime import date

from breakeven.reports.amounts import counted, date_text, tokens
from breakeven.reports.document import WorkloadPart
from breakeven.workload.daily_series import WEEK_DAYS
from breakeven.workload.observation import HOURS_PER_DAY


def volume_details(workload: WorkloadPart) -> list[str]:
    """That a log fell silent, and that days of outages count as empty; nothing for a log without either."""
    steady = workload.stability
    if steady is None:
        return []
    silence = steady.silence
    outages = [each for each in steady.gaps if each.days_count >= WEEK_DAYS and each != silence]
    if silence is None:
        return [_outages(sum(each.days_count for each in outages), workload)] if outages else []
    days = f"{counted(silence.days_count, 'day')} from {date_text(silence.first_day)} on"
    said = f"The log fell silent: no call on the {days}, and use has not come back"
    before = _mean_before_tokens_per_month(workload, silence.first_day)
    volume = "what is called today's volume is the mean of the whole log, these days counted as empty"
    if before:
        volume += f" ({tokens(workload.tokens_per_month)} a month; the days before them make {tokens(before)})"
    return [f"{said}. Nobody knows whether it will: {volume}."]


def _outages(days_count: int, workload: WorkloadPart) -> str:
    """By how much days without a call lower the mean."""
    left_days = workload.observed_hours / HOURS_PER_DAY - days_count
    more = f": {tokens(workload.tokens_per_month)} a month"
    if left_days > 0:
        without = workload.tokens_per_month * (left_days + days_count) / left_days
        more += f", {tokens(without)} without them"
    return f"The log has outages of {counted(days_count, 'day')} in all; today's volume counts them as empty{more}."


def _mean_before_tokens_per_month(workload: WorkloadPart, first_silent_day: str) -> float:
    """Tokens of the whole days before a silence, stretched to a month; 0 without such days."""
    whole = [each for each in workload.days if each.complete and each.day < first_silent_day]
    if not whole:
        return 0.0
    days_count = (date.fromisoformat(first_silent_day) - date.fromisoformat(min(each.day for each in whole))).days
    seen = sum(each.input_tokens + each.output_tokens for each in whole)
    month_days = workload.tokens_per_month * workload.observed_hours / HOURS_PER_DAY
    month_days /= max(workload.input_tokens + workload.output_tokens, 1)
    return seen / days_count * month_days
