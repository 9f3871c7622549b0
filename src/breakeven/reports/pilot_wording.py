"""Pilot wording: how the figures of a pilot's document read: evidence, ratios, money, states, guards and promises.

Every surface (terminal, page, Markdown, spreadsheet, PDF) takes its words from here; none says more than another.
"""

from __future__ import annotations

from math import exp, log
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.pilot_parts import (
    ForecastPart,
    GuardPart,
    PilotDocument,
    PlanPart,
    ProblemPart,
    QualityPart,
    RangePart,
)
from breakeven.reports.safe_text import safe, short
from breakeven.units import UNIT_BY_SUFFIX

PER_REQUESTS: Final = 1000.0
"""Requests to which money in tables refers: one call costs too little to read."""
LN_SHOWN_MAX_RATIO: Final = 27.6
"""Evidence beyond a million millions is not told apart."""
HALF_A_MONTH_MONTHS: Final = 0.5
EVERY_TASK: Final = "every other task"
GUARD_TITLES: Final = {
    "inferior": "Success against the margin",
    "error_rate": "Failed requests",
    "latency_p95": "Time to answer, 95th percentile",
    "spend": "The pilot's own cost",
}
MODES: Final = {
    "shadow": "shadow: both models answered the same requests, clients saw the baseline's answers",
    "canary": "canary: each unit was dealt to one of the models by lot",
    "offline": "offline: outcomes of both models from files",
}
TESTS: Final = {
    "paired": "both models on the same requests",
    "two-sample": "different requests, dealt by lot",
    "audited": "a judge model's labels, corrected by an audit by people",
}


def task_name(task: str, is_overall: bool = False, alone: bool = False) -> str:
    """How a task is called; "" is every task that no other plan names.

    >>> task_name("faq"), task_name(""), task_name("", alone=True), task_name("", is_overall=True)
    ('faq', 'every other task', 'all requests', 'all tasks together')
    """
    if is_overall:
        return "all tasks together"
    return safe(task) or ("all requests" if alone else EVERY_TASK)


def models_of(document: PilotDocument) -> str:
    """Who is tried in whose place.

    The models of a pilot with several pairs are told task by task.
    """
    pairs = {(each.candidate_model, each.baseline_model) for each in document.design.plans}
    if len(pairs) != 1:
        return f"{len(pairs)} pairs of models"
    candidate, baseline = pairs.pop()
    return f"{short(candidate, 60)} in place of {short(baseline, 60)}"


def plan_models(plan: PlanPart) -> str:
    """The models of one task."""
    return f"{short(plan.candidate_model, 40)} for {short(plan.baseline_model, 40)}"


def evidence_number(ln_e_ratio: float) -> str:
    """An e-value: how much a bet that the candidate loses more than the margin has lost, as a multiple of its stake.

    >>> evidence_number(0.0), evidence_number(3.0), evidence_number(20.5133), evidence_number(200), evidence_number(-30)
    ('1', '20.1', '811 M', 'over 1 T', 'below 0.01')
    """
    if ln_e_ratio > LN_SHOWN_MAX_RATIO:
        return "over 1 T"
    if ln_e_ratio < -4.6:
        return "below 0.01"
    return amounts.magnitude(exp(ln_e_ratio))


def evidence_words(quality: QualityPart, document: PilotDocument) -> str:
    """Evidence beside what is needed: that the margin is kept, or where it is proven, that it is not."""
    if quality.is_inferior and not quality.is_overall:
        stop = 1 / document.design.inferior_alpha_fraction
        return f"{evidence_number(quality.ln_inferior_e_ratio)}; {amounts.magnitude(stop)} proves a loss"
    return f"{evidence_number(quality.ln_e_ratio)} of {evidence_number(quality.ln_boundary_ratio)}"


def evidence_fraction(quality: QualityPart, document: PilotDocument) -> float:
    """How far the evidence has come on a scale of logarithms, 0 to 1.

    On that scale each outcome adds the same on average, so it reads like a bar of progress.
    """
    if quality.is_inferior and not quality.is_overall:
        return min(1.0, max(0.0, quality.ln_inferior_e_ratio / -log(document.design.inferior_alpha_fraction)))
    if quality.ln_boundary_ratio <= 0:
        return 1.0 if quality.is_accepted else 0.0
    return min(1.0, max(0.0, quality.ln_e_ratio / quality.ln_boundary_ratio))


def percent(value: float | None) -> str:
    """A share with one digit behind the point, as successes are told.

    >>> percent(0.9), percent(0.98347), percent(1.0584), percent(None)
    ('90.0 %', '98.3 %', '105.8 %', 'not known')
    """
    return amounts.NOT_KNOWN if value is None else f"{100 * value:,.1f} %"


def percent_range(each: RangePart) -> str:
    """The interval of a share; empty where there is none.

    >>> percent_range(RangePart(value=1, low=0.989, high=1.059, unit="ratio", confidence_fraction=0.95, method="",
    ...                         why_not=""))
    '98.9 to 105.9 %'
    """
    if each.low is None and each.high is None:
        return ""
    if each.low is None:
        return f"below {percent(each.high)}"
    if each.high is None:
        return f"from {percent(each.low)} on"
    return f"{100 * each.low:,.1f} to {percent(each.high)}"


def confidence(each: RangePart) -> str:
    """The confidence of an interval.

    >>> confidence(RangePart(value=1, low=0, high=2, unit="", confidence_fraction=0.95, method="", why_not=""))
    '95 %'
    """
    return amounts.fraction(each.confidence_fraction)


def saved_words(each: RangePart) -> str:
    """Money saved: "saves $18,400", "costs $310 more", or why nobody can say."""
    return amounts.difference(each.value) if each.value is not None else amounts.NOT_KNOWN


def would_have_saved(each: RangePart) -> str:
    """The same of a candidate that was turned down: "would have saved $18,400"."""
    words = saved_words(each)
    for said, would in (("saves ", "would have saved "), ("costs ", "would have cost ")):
        if words.startswith(said):
            return would + words.removeprefix(said)
    return words


def saved_range(each: RangePart) -> str:
    """The interval of money saved, in words."""
    if each.low is None or each.high is None:
        return safe(each.why_not)
    if amounts.difference(each.low) == amounts.difference(each.high):
        return ""
    return f"{confidence(each)}: {amounts.difference_range(each.low, each.high)}"


def scaled(each: RangePart, times_ratio: float) -> RangePart:
    """The same of so many times as much."""
    ends = {"value": each.value, "low": each.low, "high": each.high}
    return each.model_copy(update={name: None if v is None else v * times_ratio for name, v in ends.items()})


def months_words(each: RangePart) -> str:
    """How many months until the switch has paid for itself."""
    if each.is_value_endless:
        return "never"
    return amounts.NOT_KNOWN if each.value is None else _months(each.value)


def months_range(each: RangePart) -> str:
    """The interval of a payback."""
    if each.low is None or (each.high is None and not each.is_high_endless):
        return safe(each.why_not)
    if each.high is None:
        return f"{confidence(each)}: {_months(each.low)} to never"
    if each.low < HALF_A_MONTH_MONTHS or each.high < HALF_A_MONTH_MONTHS:
        return f"{confidence(each)}: {_months(each.low)} to {_months(each.high)}"
    return f"{confidence(each)}: {amounts.number(each.low, 2)} to {_months(each.high)}"


def amount(value: float | None, unit: str) -> str:
    """A figure with its unit, whatever the unit; units may be written as suffixes of names are."""
    return amounts.NOT_KNOWN if value is None else amounts.quantity(value, unit_words(unit))


def guard_amount(each: RangePart | None) -> str:
    """What a guard has seen, or allows; a part of the baseline's success reads like one."""
    if each is None or each.value is None:
        return ""
    return percent(each.value) if unit_words(each.unit) == "ratio" else amount(each.value, each.unit)


def amount_range(each: RangePart) -> str:
    """The interval of such a figure; empty where there is none."""
    if each.low is None and each.high is None:
        return ""
    if each.low is None or each.high is None:
        end = "up to" if each.low is None else "from"
        return f"{end} {amount(each.high if each.low is None else each.low, each.unit)}"
    return amounts.quantity_range(each.low, each.high, unit_words(each.unit))


def unit_words(unit: str) -> str:
    """The unit as `amounts` knows it.

    >>> unit_words("usd_per_month"), unit_words("s"), unit_words("token/request")
    ('usd/month', 'second', 'token/request')
    """
    return UNIT_BY_SUFFIX.get(unit, unit)


def state_words(quality: QualityPart, document: PilotDocument) -> str:
    """Where a task stands, in a few words."""
    if quality.is_overall:
        low, high, margin = quality.ratio.low, quality.ratio.high, document.design.margin_ratio
        if low is not None and low >= margin:
            return "above the margin as a whole"
        return "below the margin as a whole" if high is not None and high < margin else "open as a whole"
    if quality.is_accepted:
        return f"proven: keeps {amounts.fraction(document.design.margin_ratio)}"
    if quality.is_inferior:
        return f"proven: loses more than {amounts.fraction(1 - document.design.margin_ratio)}"
    if is_stopped(quality, document):
        fired = [title_of_guard(each) for each in document.guards if each.has_fired and each.task in (quality.task, "")]
        return f"stopped: {', '.join(fired).lower()}" if fired else "stopped"
    if quality.more_outcomes_count is None:
        return "open"
    return f"open: about {more_words(quality)}"


def state_kind(quality: QualityPart, document: PilotDocument) -> str:
    """`good`, `bad` or `open`: what a colour and a sign may say beside the words."""
    if quality.is_overall:
        return "open"
    if quality.is_accepted:
        return "good"
    return "bad" if quality.is_inferior or is_stopped(quality, document) else "open"


def is_stopped(quality: QualityPart, document: PilotDocument) -> bool:
    """Whether the candidate answers none of this task's requests any more."""
    return not quality.is_overall and bool(document.verdict and quality.task in document.verdict.stopped_tasks)


def more_words(quality: QualityPart) -> str:
    """Outcomes and days that are probably still missing."""
    count = quality.more_outcomes_count
    outcomes = f"{about(count)} more" if count is not None else ""
    days = days_words(quality.more_days)
    return ", ".join(each for each in (outcomes, days) if each)


def about(count: int) -> str:
    """A count that is only expected, to two digits.

    >>> about(37), about(1_384), about(26_500)
    ('37', '1,400', '26,000')
    """
    step = 10 ** max(0, len(str(abs(count))) - 2)
    return f"{round(count / step) * step:,}"


def ran_words(days: float) -> str:
    """A time that has passed.

    >>> ran_words(0.02), ran_words(0.5), ran_words(6.09), ran_words(1)
    ('less than an hour', '12 hours', '6.1 days', '1 day')
    """
    if days * 24 < 1:
        return "less than an hour"
    if days < 1:
        return amounts.hours(round(days * 24))
    text = amounts.number(days, 2)
    return f"{text} day{'' if text == '1' else 's'}"


def sentence(text: str) -> str:
    """`text` with a capital in front.

    >>> sentence("canary: GPT-5"), sentence("")
    ('Canary: GPT-5', '')
    """
    return text[:1].upper() + text[1:]


def days_words(days: float | None) -> str:
    """A time to wait.

    >>> days_words(0.1), days_words(1.2), days_words(9.6), days_words(None)
    ('under a day', '2 days', '10 days', '')
    """
    if days is None:
        return ""
    if days < 1:
        return "under a day"
    return amounts.counted(-int(-days // 1), "day")


def title_of_guard(each: GuardPart) -> str:
    """What a guard watches."""
    return GUARD_TITLES.get(each.name, safe(each.name).replace("_", " ").capitalize())


def problem_words(each: ProblemPart) -> str:
    """What was seen, and what is not claimed because of it; limits are sentences, or what follows "not claimed:".

    >>> problem_words(ProblemPart(code="a", message="faq: 3 are late", rows_count=3, limits="faq: its success"))
    'Faq: 3 are late. Not claimed: faq: its success.'
    """
    limits = safe(each.limits)
    if limits and not limits[:1].isupper():
        limits = f"Not claimed: {limits}"
    return " ".join(
        told if told.endswith((".", "?", "!")) else f"{told}."
        for told in (sentence(safe(each.message)), limits)
        if told
    )


def promise_words(each: ForecastPart) -> str:
    """How a promise compares with what happened."""
    if each.words:
        return safe(each.words)
    if each.happened.value is None:
        return safe(each.happened.why_not) or "not seen"
    if each.is_within:
        return "as promised"
    if each.error_ratio is None or each.error_ratio <= 0:
        return "not as promised"
    more = each.error_ratio - 1
    return f"{amounts.fraction(abs(more))} {'more' if more > 0 else 'less'} than promised"


def _months(months: float) -> str:
    """A number of months.

    >>> _months(0.2), _months(4.31), _months(1)
    ('less than a month', '4.3 months', '1 month')
    """
    if months < HALF_A_MONTH_MONTHS:
        return "less than a month"
    text = amounts.number(months, 2)
    return f"{text} month{'' if text == '1' else 's'}"
