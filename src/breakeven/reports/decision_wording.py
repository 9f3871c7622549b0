"""Decision in words: the sentence with its odds, what to do first, when to go back, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from breakeven.decision.answers.advice import Decision, Influence, Step
from breakeven.decision.answers.exit_criteria import ExitCriterion, ExitPlan
from breakeven.decision.answers.expected import Turn
from breakeven.decision.answers.outlook import Outlook
from breakeven.decision.answers.questions import FiveQuestions
from breakeven.decision.comparison import Comparison
from breakeven.decision.recommendation import confidence_of
from breakeven.reports.amounts import (
    counted,
    difference_range,
    fact_title,
    fraction,
    money,
    odds,
    quantity,
    volume,
)
from breakeven.reports.option_titles import Titles
from breakeven.units import HOURS_PER_WEEK


def criterion_condition(each: ExitCriterion) -> str:
    """One measurable condition."""
    way = "above" if each.above else "below"
    if each.metric == "volume":
        return f"{way} {volume(each.value)} a month for two months in a row (now {volume(each.typical)})"
    now, at = quantity(each.typical, each.unit), quantity(each.value, each.unit)
    if each.metric == "api_price":
        return f"{way} {at} for your mix of tokens (now {now})"
    if each.metric == "success":
        return f"{way} {at} on your own tasks (assumed now {now})"
    if each.metric == "incidents":
        return f"{way} {at} (assumed now {now})"
    return f"{way} {at} for a GPU (now {now})"


METRICS: Final = {
    "volume": "volume",
    "api_price": "price of today's API",
    "gpu_rent": "GPU rent",
    "success": "success rate of the new model",
    "incidents": "incidents of the fleet",
}


def criterion_reason(each: ExitCriterion, plan: ExitPlan, today: str, titles: Titles) -> str:
    """Why it is one."""
    mover = titles.inside((each.other if plan.stays else None) or plan.mover or "")
    other = titles.inside(today if plan.stays else plan.other or today)
    jump = ", where one more replica is needed" if each.jump else ""
    basis = f"in expectation over {counted(plan.months_count, 'month')}" if plan.months_count else "at typical values"
    less, more = (mover, other) if plan.stays else (other, mover)
    return f"beyond it {less} costs less than {more}{jump}, {basis}"


def exit_title(plan: ExitPlan) -> str:
    """Heading of the exit criteria."""
    return "When to move" if plan.stays else "When to go back"


def turn_words(turn: Turn, titles: Titles) -> str:
    """One number that turns the decision, and to what."""
    way, at = "above" if turn.above else "below", quantity(turn.value, turn.unit)
    now = quantity(turn.typical, turn.unit)
    return f"{fact_title(turn.name)} {way} {at} (assumed {now}): then {titles.inside(turn.option)} costs less"


def decision_sentence(decision: Decision, months_count: int, titles: Titles) -> str:
    """The decision in one sentence with its odds."""
    name, outlook = decision.recommended, decision.outlook
    horizon = outlook.period == "horizon"
    futures = f"{'lowest present cost' if horizon else 'cheapest'} in {odds(decision.odds_fraction)} futures"
    per = f"over {counted(months_count, 'month')}" if horizon else "a month"
    lead = "Stay on today's API" if name == outlook.status_quo else f"Move to {titles.inside(name)}"
    if decision.rival is None or decision.saves is None:
        return f"{lead}: {money(outlook.mean_usd(name))} {per} in expectation; no other option could be costed."
    saves = decision.saves
    more = "less" if saves.mean >= 0 else "more"
    gap = f"about {money(abs(saves.mean))} {more} {per} than {titles.inside(decision.rival)}"
    span = difference_range(saves.p10, saves.p90)
    confidence = confidence_of(decision.odds_fraction)
    if confidence == "open":
        return f"Too close to call: {titles.inside(name)} has the lowest expected cost ({gap}; {span}), {futures}."
    lead = lead if confidence == "clear" else f"Probably {lead[0].lower()}{lead[1:]}"
    return f"{lead}: {gap} ({span}); {futures}."


def with_losses_words(
    outlook: Outlook, recommended_with_losses: str, with_losses_odds_fraction: float, titles: Titles
) -> str:
    """The decision with breach risk counted, beside the one without."""
    name, chances = outlook.recommended, odds(with_losses_odds_fraction)
    if recommended_with_losses == name:
        return f"The same with expected breach losses counted: {titles.inside(name)}, cheapest in {chances} futures."
    other = titles.inside(recommended_with_losses)
    return (
        f"With expected breach losses counted {other} costs least ({chances} futures); without them "
        f"{titles.inside(name)}."
    )


def influence_reason(each: Influence) -> str:
    """Why a number matters."""
    flips = "; inside its range the answer changes" if each.flips else ""
    if each.kind == "worth":
        return f"knowing it before deciding is worth {money(each.effect_usd)}{flips}"
    return f"alone it moves the difference by {money(each.effect_usd)} a month{flips}"


def step_words(step: Step, titles: Titles) -> str:
    """One thing to do first."""
    title = titles.inside(step.about)
    figure = step.value
    if step.kind == "stay":
        return "Change nothing in production; use the time to make the next decision a better one."
    if step.kind == "measure_success":
        assumed = f" (assumed: {fraction(figure)})" if figure is not None else ""
        return f"Try {title} on a few hundred of your own calls and count the answers that are good enough{assumed}."
    if step.kind == "start":
        return f"Start {title} on a small share of the calls: the models stay those of today."
    if step.kind == "pilot":
        return f"Run {title} in shadow on a random share of the traffic before anything moves."
    if step.kind == "terms":
        return f"Ask the seller of {title} how long it keeps data, where it processes it, and for a price in writing."
    if step.kind == "quote":
        limit = f"; above {quantity(figure, 'usd/hour')} for a GPU it no longer pays" if figure is not None else ""
        return f"Get a written quote for the GPUs of {title}{limit}."
    if step.kind == "bench":
        return "Rent one replica for a day and measure it: `breakeven bench`, then `breakeven calibrate`."
    if step.kind == "people":
        time = f" ({quantity(figure, 'hour/month')})" if figure is not None else ""
        return f"Name the people who will run it{time}; without them it is not an option."
    if step.kind == "import_more":
        return f"Import more days: the log holds {quantity((figure or 0.0) * HOURS_PER_WEEK / 24, 'day')}, wanted 28."
    if step.kind == "measure":
        how = f": {step.how.rstrip('.')}" if step.how else ""
        return f"Measure {fact_title(step.about)} (knowing it is worth {money(figure or 0.0)}){how}."
    if step.kind == "answer":
        flags = [f"--{key.replace('_', '-')}" for key in step.about.split(",")]
        return f"Answer what no log shows, with yes or no: {', '.join(flags)}."
    return f"Set an alarm at {volume(figure or 0.0)} a month, and compare again when it rings."


def mind_changers(
    plan: ExitPlan, decision: Decision, found: FiveQuestions, turns: Sequence[Turn], titles: Titles
) -> list[str]:
    """What would change the decision: the exit criteria, then numbers that turn it, then open questions."""
    told = [f"{_capital(METRICS[each.metric])} {criterion_condition(each)}" for each in plan.criteria]
    named = {each.fact for each in plan.criteria}
    told += [turn_words(each, titles) for each in turns if each.name not in named]
    if decision.new_model and found.questions[4].reply == "unknown":
        left = (
            "then only options with today's models are left."
            if decision.todays_models_left
            else "no option with today's models is allowed, so try another open model or loosen a constraint."
        )
        told.append(f"A new model that fails your own tasks: {left}")
    return told


def today_alone_words(name: str | None, comparison: Comparison, titles: Titles) -> str:
    """What this month alone would say."""
    if name is None:
        return ""
    return (
        f"Today's volume and prices alone would say {titles.inside(name)}: "
        f"{money(comparison.option(name).equal_success_usd_per_month.mean)} a month in expectation."
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
