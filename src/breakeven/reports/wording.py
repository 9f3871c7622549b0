"""Wording: the verdict and its footnotes as sentences. Numbers come in, plain English goes out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from breakeven.decision.breakeven import BreakEvenReport
from breakeven.decision.comparison import Comparison, OptionResult, Pair, SideBySide, open_to_all
from breakeven.decision.failure_flip import failure_flip
from breakeven.decision.recommendation import Recommendation, changes_model, likeliest
from breakeven.facts.source import Grade
from breakeven.facts.trace import Layer, Node
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.measured_success import outcomes_words
from breakeven.options.option import OF_PARTS
from breakeven.reports.amounts import counted, date_text, difference, difference_range, fraction, money, odds, volume
from breakeven.reports.document import WorkloadPart
from breakeven.reports.option_titles import Titles
from breakeven.reports.volume_wording import volume_details
from breakeven.workload.daily_series import WEEK_DAYS
from breakeven.workload.observation import HOURS_PER_DAY
from breakeven.workload.profile import Workload
from breakeven.workload.stability_rules import AGE_MAX_DAYS_COUNT

FEW_CALLS_COUNT: Final = 100
SUCCESS: Final = "success_fraction"


def verdict_sentence(advice: Recommendation) -> str:
    """The answer in one sentence with its odds."""
    best, rival, saves = advice.option, advice.rival, advice.saves_usd_per_month
    if rival is None or saves is None:
        bill = best.usd_per_month
        span = f"{money(bill.p10)} to {money(bill.p90)}"
        return f"{best.cost.title} is the only option that could be costed: {money(bill.p50)} a month ({span})."
    over = f" over {counted(advice.months_count, 'month')}" if advice.months_count else ""
    futures = f"{odds(advice.odds_fraction)} futures{over}"
    today = " at today's volume and prices" if over else ""
    span = difference_range(saves.p10, saves.p90)
    if advice.confidence == "open":
        least = f"lowest expected cost{over}" if over else "lowest expected cost per success"
        return (
            f"Too close to call: {_inside(best)} has the {least}, but is cheapest in only "
            f"{odds(advice.odds_fraction)} futures. The difference to {_inside(rival)}{today}: "
            f"{difference(saves.p50)} a month ({span})."
        )
    gap = f"{money(abs(saves.p50))} a month {'more' if (saves.p50 >= 0) == advice.stays else 'less'}"
    hedge = "" if advice.confidence == "clear" else "Probably "
    if advice.stays:
        lead = f"{hedge}stay on the API".capitalize().replace("api", "API")
        return (
            f"{lead}: {_inside(rival)} would cost about {gap} for the same successful work (staying: {span}); "
            f"the API is cheapest in {futures}."
        )
    lead = f"{hedge}move to {_inside(best)}"
    gate = ", if its answers are good enough" if advice.needs_quality_check else ""
    return (
        f"{lead[0].upper()}{lead[1:]}: about {gap} than today for the same successful work ({span}); "
        f"cheapest in {futures}{gate}."
    )


def data_details(workload: WorkloadPart) -> list[str]:
    """What kind of data the answer stands on; silence would overstate it."""
    found = []
    if workload.synthetic:
        found.append("Synthetic data: these calls were generated, nobody made them.")
    if workload.extrapolated_from_hours is not None:
        found.append(_stretched(workload, workload.extrapolated_from_hours))
    steady = workload.stability
    found += volume_details(workload)
    if steady and steady.as_of and (steady.age_days_count or 0) > AGE_MAX_DAYS_COUNT:
        ended = f"The log ended {steady.age_days_count:,} days before {date_text(steady.as_of)}"
        found.append(f"{ended}: what is called today's volume is that of the log; import newer days.")
    if workload.unpriced:
        names = [f"{each.provider}/{each.model}" if each.provider else each.model for each in workload.unpriced]
        found.append(
            f"UNPRICED: {fraction(workload.unpriced_tokens_fraction)} of the tokens ({_some(names)}) have no known "
            f"price and are left out of every option alike."
        )
    return found


def _stretched(workload: WorkloadPart, hours: float) -> str:
    """From how little a month is made."""
    days = hours / HOURS_PER_DAY
    seen = f"{hours:,.3g} hours" + (f" ({days:.3g} days)" if days >= _SAID_IN_DAYS_FROM else "")
    tokens = workload.input_tokens + workload.output_tokens
    times = f", times {workload.tokens_per_month / tokens:,.3g}" if tokens else ""
    week = " Days of the week that the log does not hold may differ." if days < WEEK_DAYS else ""
    return f"Monthly figures are extrapolated from {seen}{times}; their growth is assumed, not seen.{week}"


_SAID_IN_DAYS_FROM: Final = 2


def quality_detail(comparison: Comparison, advice: Recommendation) -> str:
    """How often each kind of answerer succeeds, and which of it is measured or judged, by whom; else it is assumed."""
    rates: dict[str, list[float]] = {}
    for each in sorted(comparison.options, key=lambda each: -each.success_fraction.p50):
        rates.setdefault(_answerer(comparison, each), []).append(each.success_fraction.p50)
    told = []
    for who, found in rates.items():
        low, high = fraction(min(found)), fraction(max(found))
        told.append(f"{who} {low if low == high else f'{low} to {high}'}")
    facts = _success_facts(comparison)
    known = [each for each in facts if each.layer is not Layer.CATALOGUE]
    lead = "Success rates" if known and len(known) == len(facts) else "Success rates are assumed, not measured"
    if known and len(known) < len(facts):
        lead = "Success rates are assumed where nothing else is said"
    gate = " Measure the new model on your own tasks before you move." if advice.needs_quality_check else ""
    return f"{lead}: {_listed(told)}.{_by_whom(known)}{gate}"


def _success_facts(comparison: Comparison) -> list[Node]:
    """Every success rate that some Option starts from, each once."""
    found: dict[tuple[str, str], Node] = {}
    for option in comparison.options:
        for name, leaf in option.cost.success.leaves().items():
            if leaf.assumption is not None and name.endswith(SUCCESS):
                found.setdefault((name, leaf.assumption.source.title), leaf)
    return list(found.values())


def _by_whom(known: Sequence[Node]) -> str:
    """What is measured, judged or stated, with its source."""
    by_source: dict[tuple[Grade, str], list[str]] = {}
    files = set()
    for each in known:
        if each.assumption is not None:
            source = each.assumption.source
            told_of = outcomes_words(each.assumption)
            rate = f"{told_of.model or _fact_words(each.name)} {fraction(each.assumption.typical)}"
            files |= {told_of.file} - {""}
            by_source.setdefault((source.grade, told_of.file or source.title), []).append(rate)
    told = []
    for (grade, title), rates in by_source.items():
        verb = "is" if len(rates) == 1 else "are"
        those = _listed(rates) if len(rates) <= _LISTED_COUNT else _some(rates)
        if title in files:  # names of models keep their case
            told.append(f"measured: {those} ({title})")
        else:
            told.append(f"{those} {verb} {_GRADE_WORDS.get(grade, 'stated')} ({title})")
    return "".join(f" {each[0].upper()}{each[1:]}." for each in told)


def _fact_words(name: str) -> str:
    """Whose success a Fact is.

    >>> _fact_words("cheaper_tier_success_fraction"), _fact_words("frontier_success_fraction")
    ('cheaper tier', "today's models")
    """
    return _RATE_WORDS.get(name) or name.removesuffix(SUCCESS).replace("_", " ").strip() or "every option"


_LISTED_COUNT: Final = 3
_RATE_WORDS: Final = {
    "frontier_success_fraction": "today's models",
    "open_model_success_fraction": "any open model",
    "open_model_commodity_success_fraction": "an open model on the work that moves",
}
_GRADE_WORDS: Final = {Grade.MEASURED: "measured", Grade.EXPERT: "judged by people", Grade.GUESS: "guessed"}


def _answerer(comparison: Comparison, option: OptionResult) -> str:
    """Who answers under an Option, as far as its success rate tells."""
    family = option.cost.family
    if family in OF_PARTS:
        return "the hybrid's mix" if family == "hybrid" else "the mix by routing"
    if family != "api":
        return "open models"
    today = comparison.option(comparison.status_quo).cost.success
    same = not changes_model(option) or np.array_equal(option.cost.success.value, today.value)
    return "today's models" if same else _inside(option)


def failure_details(comparison: Comparison) -> list[str]:
    """What a failed answer is taken to cost, and from which cost on another option would be cheapest this month."""
    flip = failure_flip(comparison)
    if flip is None:
        return []
    cost, name = money(flip.more_usd_per_request), _inside(flip.option)
    if flip.is_beyond_counted:
        return [f"Were each failed answer {cost} dearer than counted, {name} would be cheapest this month."]
    return [
        f"A failed answer is taken to break nothing (failure_usd_per_request); from {cost} for each one on, {name} "
        f"would be cheapest this month."
    ]


def constraint_details(comparison: Comparison) -> list[str]:
    """Say first that today's option is no answer, where the scenario's hard constraints rule it out."""
    condition = comparison.option(comparison.status_quo).cost.only_if
    return [f"Staying as today is no answer: only if {condition}."] if condition else []


def disagreement_details(advice: Recommendation, comparison: Comparison) -> list[str]:
    """Say it when another yardstick would choose differently."""
    found = []
    if "today" in advice.disagreements:
        now = comparison.best_today
        found.append(
            f"Today's volume and prices alone would say {_inside(now)}: the months to come, with the cost of moving, "
            f"turn the answer."
        )
    if "median" in advice.disagreements:
        found.append(
            f"In the median {_inside(open_to_all(comparison.options)[0])} is cheaper per success; in expectation "
            f"{_inside(advice.option)} is, because its bad futures are less bad."
        )
    if "usd_per_month" in advice.disagreements:
        cheapest = min(open_to_all(comparison.options), key=lambda each: each.usd_per_month.mean)
        found.append(f"By the monthly bill alone {_inside(cheapest)} is cheapest; it loses on successful outcomes.")
    if "odds" in advice.disagreements:
        title = _inside(likeliest(comparison))
        found.append(
            f"{title[:1].upper()}{title[1:]} is cheapest more often than any other option, but costs more in "
            f"expectation: its bad futures are worse."
        )
    if "with_losses" in advice.disagreements and not advice.months_count:  # the months have a sentence of their own
        safest = max(open_to_all(comparison.options), key=lambda each: each.cheapest_with_losses_fraction)
        found.append(f"With the expected breach loss counted, {_inside(safest)} is cheapest most often.")
    return found


def demand_warnings(demand: Demand, workload: Workload) -> list[str]:
    """What was assumed about the log's calls before anything could be compared."""
    found = []
    for each in demand.models:
        if each.assumed:
            share = each.mix.tokens / max(workload.tokens, 1)
            found.append(
                f"The log names no model for {fraction(share)} of the tokens; {each.label} is assumed there "
                f"(frontier_model in the scenario)."
            )
    if demand.left_out:
        found.append(f"Calls to {_some(demand.left_out)} make no text and are left out of every option (embeddings).")
    if workload.requests_count < FEW_CALLS_COUNT:
        found.append(f"Only {workload.requests_count:,} calls: chance alone could make a usual month quite different.")
    if workload.errors_count:
        found.append(f"{workload.errors_count:,} calls failed; their tokens are counted as billed.")
    return found


def contract_warnings(idle: Sequence[str], as_of: date) -> list[str]:
    """Contract prices that apply to nothing mislead in silence."""
    if not idle:
        return []
    return [f"Contract prices for {_some(idle)} apply to no call of the log on {as_of}: check names and dates."]


def pair_sentence(comparison: SideBySide, pair: Pair) -> str:
    """Where one Option gets cheaper than the status quo."""
    title = comparison.option(pair.option).cost.title
    report = pair.report
    end = f"up to {volume(report.envelope.high_mtok)} a month"
    if report.b_never:
        reach = "at any volume" if report.b_never_basis == "proved" else end
        return f"{title} never becomes cheaper than today's API {reach}."
    first, always = first_cheaper_mtok(report), report.b_always_above_mtok
    if always is None:
        stretches = f"on some stretches from {volume(first)} a month on"
        return f"{title} is cheaper than today's API {stretches}, but not for good {end}."
    checked = "" if report.b_always_basis == "proved" else f" (checked {end})"
    if always <= report.envelope.low_mtok:
        return f"{title} is cheaper than today's API at every volume from {volume(always)} a month on{checked}."
    earlier = f", for the first time at {volume(first)}" if first < always else ""
    here = comparison.typical_volume_mtok
    where = "above" if here > always else "below"
    return (
        f"{title} is always cheaper than today's API above {volume(always)} a month{earlier}{checked}. "
        f"You are {where} it, at {volume(here)}."
    )


def first_cheaper_mtok(report: BreakEvenReport) -> float:
    """The smallest volume from which the option is cheaper at least for a while."""
    return next(each.from_mtok for each in report.envelope.stretches if each.option == report.option_b)


def _inside(option: OptionResult) -> str:
    """The title in the middle of a sentence: a name (DeepSeek, GPUs) keeps its capital, a comma becomes brackets."""
    return Titles({option.name: option.cost.title}).inside(option.name)


def _some(names: Sequence[str], shown_count: int = 3) -> str:
    """The first few of some names and how many more there are."""
    more = f" and {len(names) - shown_count} more" if len(names) > shown_count else ""
    return ", ".join(names[:shown_count]) + more


def _listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
