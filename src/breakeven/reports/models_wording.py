"""Models wording: the ranking of open models as sentences. Numbers come in, plain English goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from breakeven.decision.comparison import Range
from breakeven.decision.model_claims import ABOUT_RATIO, CLAIMED_RATIO, DuelClaim, RatioClaim
from breakeven.decision.models import ModelCost, ModelRanking, SizeClass
from breakeven.decision.recommendation import confidence_of
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade
from breakeven.options.assembly.measured_success import outcomes_words
from breakeven.reports.amounts import counted, fraction, money_range, odds, ratio

CLASS_TITLES: Final[dict[SizeClass, str]] = {
    "small": "Small, below 14B",
    "mid": "Mid, 14B to 40B (27-30B among them)",
    "large": "Dense above 40B (70B and larger)",
    "moe": "Mixtures of experts above 40B",
}
CLASS_FACTS: Final = frozenset(
    {"success_fraction", "open_model_success_fraction", *(f"{each}_model_success_fraction" for each in CLASS_TITLES)}
)
"""Success rates that hold for more than one model."""
SHOWN_SUCCESSES_COUNT: Final = 1_000
EXCLUDED: Final = (
    "other ways to serve: spot, one-year terms, managed endpoints, GPUs of your own (name them with --options)",
    "smaller precisions than a model is published in, unless the scenario names one (the small GPU always runs 4 bits)",
)
"""What a ranking of models leaves out, beside what every comparison does."""


def verdict_sentence(ranking: ModelRanking) -> str:
    """The cheapest model with its odds, against today."""
    best = ranking.best
    if best is None:
        return "No open model could be costed for this workload: see what is left out, and why."
    futures = f"{odds(best.cheapest_fraction)} futures"
    cost = f"{per_thousand(best.best.usd_per_success)} per 1,000 successful outcomes"
    today = f"today's models cost {per_thousand(ranking.status_quo.usd_per_success)}"
    if confidence_of(best.cheapest_fraction) == "open":
        return (
            f"No open model is clearly the cheapest: {best.name} has the lowest expected cost per success, {cost}, but "
            f"is cheapest of {len(ranking.models)} in only {futures}; {today}."
        )
    return f"{best.name} is the cheapest of {len(ranking.models)} open models: {cost}, in {futures}; {today}."


def verdict_details(ranking: ModelRanking, open_model: str) -> list[str]:
    """Guesses first, then the number that needs no guess; `open_model` is the scenario's."""
    found = []
    guessed = [each for each in ranking.models if is_guess(each.success)]
    if guessed:
        others = (
            "" if len(guessed) == len(ranking.models) else f" of the {counted(len(guessed), 'model')} not named below"
        )
        found.append(
            f"SUCCESS RATES{others} ARE GUESSES, one range per class of model, nobody measured them on your calls: "
            "within a class this ranks prices alone, between classes it ranks prices and guesses (drawn independently)."
        )
    found += measured_details([each.success for each in ranking.models])
    best = ranking.best
    if best is not None:
        found.append(needed_sentence(best))
        if best.name != ranking.models[0].name:
            found.append(f"In the median {ranking.models[0].name} is cheaper; in expectation {best.name} is.")
        if best.name != open_model:
            found.append(
                f"breakeven compare shows the lines of {open_model}, the scenario's open_model; set it to {best.name} "
                f"in a scenario file (breakeven init writes one) to see those of {best.name}."
            )
    return found


def measured_details(facts: Sequence[Assumption]) -> list[str]:
    """Which success rates a file of outcomes measured, one sentence per file."""
    by_file: dict[str, dict[str, None]] = {}
    for each in facts:
        words = outcomes_words(each)
        if words.file:
            by_file.setdefault(words.file, {})[f"{words.model} {fraction(each.typical)}"] = None
    return [f"Measured: {', '.join(rates)} ({file})." for file, rates in by_file.items()]


def needed_sentence(each: ModelCost) -> str:
    """What the model has to reach, and whether the range that is assumed holds it."""
    needed, assumed = each.needed_success, each.success
    span = f"{fraction(assumed.low)} to {fraction(assumed.high)} is {assumed_word(assumed)}"
    if needed.p50 > 1:
        return f"{each.name} pays at no success rate: right every time, an outcome would still cost more than today."
    rate = f"{each.name} pays from a success rate of {percent(needed.p50)} on ({span})"
    if outcomes_words(assumed).file:
        ends = {"below": "it pays even at its low end", "above": "more than was measured"}
        return f"{rate}: {ends.get(each.needed_within, 'more outcomes would tell on which side it is')}."
    if each.needed_within == "below":
        return f"{rate}: even the low end pays. Measure it on your own tasks before you move."
    if each.needed_within == "above":
        return f"{rate}: more than anybody assumes of its class."
    return f"{rate}: the guess decides, so measure it on your own tasks first."


def assumed_word(assumed: Assumption) -> str:
    """Guessed, or what else the number stands on."""
    if is_guess(assumed):
        return "guessed for its class"
    return "measured" if outcomes_words(assumed).file else f"given ({assumed.source.grade.value})"


def is_guess(assumed: Assumption) -> bool:
    """Whether nobody measured it."""
    return assumed.source.grade is Grade.GUESS


def percent(rate_fraction: float) -> str:
    """A success rate in whole percent: no more is known of it.

    >>> percent(0.6243), percent(0.008)
    ('62 %', '1 %')
    """
    return fraction(round(rate_fraction, 2))


def per_thousand(value: Range) -> str:
    """USD per 1,000 successful outcomes, with the range.

    >>> per_thousand(Range(0.005, 0.0137, 0.03, 0.014))
    '$13.70 (5-30)'
    """
    p50, p10, p90 = (each * SHOWN_SUCCESSES_COUNT for each in (value.p50, value.p10, value.p90))
    return money_range(p50, p10, p90)


def duel_figure(test: DuelClaim) -> str:
    """Our figure in one line."""
    mine, other, bill = test.challenger_usd_per_success, test.rival_usd_per_success, test.bill_ratio
    if mine is None or other is None or bill is None:
        return f"not tested: {test.reason}"
    return (
        f"{test.challenger} {per_thousand(mine)} per 1,000 successes, {test.rival} {per_thousand(other)}; cheaper in "
        f"{odds(test.wins_fraction)} futures; its monthly bill is {bill.p50:.2f} times the other's"
    )


def duel_because(ranking: ModelRanking, test: DuelClaim) -> str:
    """What it depends on: the success rate that draws level, against what is assumed."""
    if test.needed_success is None:
        return test.reason
    assumed, needed = ranking.model(test.challenger).success, test.needed_success
    guess = f"{fraction(assumed.low)} to {fraction(assumed.high)} is {assumed_word(assumed)}"
    if needed.p50 > 1:
        return f"no success rate of {test.challenger} draws level with {test.rival}"
    return f"the success rate: {test.challenger} draws level with {test.rival} at {percent(needed.p50)} ({guess})"


def ratio_figure(test: RatioClaim) -> str:
    """All ratios in one line."""
    if not test.ratios:
        return f"not tested: {test.reason}"
    parts = [f"{each.measure} {ratio(each.ratio.p50)}" for each in test.ratios]
    names = ", ".join(dict.fromkeys(each.small for each in test.ratios))
    return f"{test.ratios[0].large} over {names}: {', '.join(parts)}"


def ratio_because(test: RatioClaim) -> str:
    """What one counts."""
    if test.verdict == "not tested":
        return test.reason
    near = [each.measure for each in test.ratios if each.measure != "parameters" and _is_near(each.ratio.p50)]
    if not near:
        return "only the parameters are in that ratio; no money is"
    if test.verdict == "holds":
        return "every way of counting is within a factor of two of it"
    return f"what is counted: within a factor of two of {CLAIMED_RATIO:g}x only {' and '.join(near)}"


def _is_near(value: float) -> bool:
    return CLAIMED_RATIO / ABOUT_RATIO <= value <= CLAIMED_RATIO * ABOUT_RATIO
