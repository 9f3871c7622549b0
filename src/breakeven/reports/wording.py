"""Wording: the verdict and its footnotes as sentences. Numbers come in, plain English goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from breakeven.decision.breakeven import BreakEvenReport
from breakeven.decision.comparison import Comparison, OptionResult, Pair
from breakeven.decision.recommendation import Recommendation
from breakeven.options.assembly.demand import Demand
from breakeven.reports.amounts import money, volume
from breakeven.reports.document import WorkloadPart
from breakeven.workload.profile import Workload

EXCLUDED: Final = (
    "correcting, retrying or escalating failed answers (success rates only divide the cost)",
    "migration, evaluation and fine-tuning before the first answer",
    "growth of the workload and change of prices over time: one month at today's prices",
    "autoscaling and scale to zero: a rented fleet is always on",
    "over-provisioning for spot shortages and the fallback when spot capacity is gone",
    "business lost while a provider or a fleet is down",
    "taxes, committed-use discounts and negotiated rates that are not in the scenario",
)
"""What the total leaves out, so that nobody finds out later."""


def verdict_sentence(comparison: Comparison, advice: Recommendation) -> str:
    """The answer in one sentence with its odds."""
    odds = f"{round(advice.odds_fraction * 100)} of 100 futures"
    best, rival = advice.option, advice.rival
    if rival is None or advice.saves_usd_per_month is None:
        return f"{best.cost.title} is the only option that could be costed: {_month(best)}."
    saves = advice.saves_usd_per_month
    span = f"{signed(saves.p10)} to {signed(saves.p90)}"
    if advice.confidence == "open":
        return (
            f"Too close to call: {best.cost.title} has the lowest expected cost, but is cheapest in only {odds}; "
            f"against {_lower(rival)} the gap is {signed(saves.p50)} a month ({span})."
        )
    if advice.stays:
        lead = "Stay on the API" if advice.confidence == "clear" else "Probably stay on the API"
        costs = f"{rival.cost.title} would cost about {money(saves.p50)} a month more"
        return f"{lead}: {costs} for the same successful work ({span}); the API is cheapest in {odds}."
    lead = f"Move to {_lower(best)}" if advice.confidence == "clear" else f"Probably move to {_lower(best)}"
    gain = f"about {money(saves.p50)} a month less than today for the same successful work ({span})"
    return f"{lead}: {gain}; cheapest in {odds}, if its answers are good enough."


def signed(usd_per_month: float) -> str:
    """A difference in words: never a negative saving.

    >>> signed(1200.0), signed(-1200.0)
    ('saves $1,200', 'costs $1,200 more')
    """
    if usd_per_month >= 0:
        return f"saves {money(usd_per_month)}"
    return f"costs {money(-usd_per_month)} more"


def quality_detail(comparison: Comparison, advice: Recommendation) -> str:
    """What is assumed about success rates."""
    rates = ", ".join(
        f"{each.cost.title} {each.success_fraction.p50:.0%}"
        for each in comparison.options
        if each.cost.family != "hybrid"
    )
    gate = " Measure the open model on your own tasks before you move." if advice.needs_quality_check else ""
    return f"Success rates are assumed, not measured ({rates}).{gate}"


def pair_sentence(comparison: Comparison, pair: Pair) -> str:
    """Where one Option gets cheaper than the status quo."""
    title = comparison.option(pair.option).cost.title
    report = pair.report
    end = f"up to {volume(report.envelope.high_mtok)} a month"
    if report.b_never:
        return f"{title} never becomes cheaper than the API {'at any volume' if report.b_never_basis == 'proved' else end}."
    first, always = first_cheaper_mtok(report), report.b_always_above_mtok
    if always is None:
        return f"{title} is cheaper than the API on some stretches from {volume(first)} a month on, but not for good {end}."
    checked = "" if report.b_always_basis == "proved" else f" ({end})"
    if always <= report.envelope.low_mtok:
        return f"{title} is cheaper than the API at every volume from {volume(always)} a month on{checked}."
    earlier = f", for the first time at {volume(first)}" if first < always else ""
    here = comparison.typical_volume_mtok
    where = "You are above it" if here > always else "You are below it"
    return (
        f"{title} is always cheaper than the API above {volume(always)} a month{earlier}{checked}. "
        f"{where}, at {volume(here)}."
    )


def first_cheaper_mtok(report: BreakEvenReport) -> float:
    """The smallest volume from which the option is cheaper at least for a while."""
    return next(each.from_mtok for each in report.envelope.stretches if each.option == report.option_b)


def disagreement_details(advice: Recommendation, comparison: Comparison) -> list[str]:
    """Say it when another yardstick would choose differently."""
    found = []
    if "usd_per_month" in advice.disagreements:
        cheapest = min(comparison.options, key=lambda each: each.usd_per_month.mean)
        found.append(f"By the monthly bill alone {_lower(cheapest)} is cheapest; it loses on successful outcomes.")
    if "odds" in advice.disagreements:
        likeliest = max(comparison.options, key=lambda each: each.cheapest_fraction)
        found.append(
            f"{likeliest.cost.title} is cheapest more often ({round(likeliest.cheapest_fraction * 100)} of 100 "
            f"futures), but costs more on average: its bad futures are worse."
        )
    if "with_losses" in advice.disagreements:
        safest = max(comparison.options, key=lambda each: each.cheapest_with_losses_fraction)
        found.append(f"Counting the expected breach loss, {_lower(safest)} is cheapest most often.")
    return found


def _month(option: OptionResult) -> str:
    each = option.usd_per_month
    return f"{money(each.p50)} a month ({money(each.p10)} to {money(each.p90)})"


def _lower(option: OptionResult) -> str:
    """The title in the middle of a sentence."""
    title = option.cost.title
    return title if title[:2].isupper() else title[0].lower() + title[1:]


def list_words(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def data_details(workload: WorkloadPart) -> list[str]:
    """What kind of data the answer stands on; silence would overstate it."""
    found = []
    if workload.synthetic:
        found.append("Synthetic data: these calls were generated, nobody made them.")
    if workload.extrapolated_from_hours is not None:
        hours = f"{workload.extrapolated_from_hours:,.4g}"
        found.append(f"Monthly figures are extrapolated from {hours} hours; nothing is claimed about growth.")
    if workload.unpriced:
        names = list_words([f"{each.provider}/{each.model}" for each in workload.unpriced[:3]])
        more = f" and {len(workload.unpriced) - 3} more" if len(workload.unpriced) > 3 else ""
        found.append(
            f"UNPRICED: {workload.unpriced_tokens_fraction:.1%} of the tokens ({names}{more}) have no known price "
            f"and are left out of every option."
        )
    return found


def totals_detail(comparison: Comparison) -> str:
    """The monthly bill of every option in one line."""
    bills = [f"{each.cost.title} {_bill(each)}" for each in comparison.options]
    return f"Per month: {'; '.join(bills)}."


def lever_details(comparison: Comparison) -> list[str]:
    """The assumption that moves the gap most, and whether it could turn the answer."""
    if not comparison.levers:
        return []
    top = comparison.levers[0]
    effect = "it alone can turn the answer" if top.flips else "it alone does not turn the answer"
    turning = [each.name for each in comparison.levers[1:] if each.flips]
    also = f" Also able to turn it: {list_words(turning[:3])}." if turning else ""
    return [f"Biggest lever: {top.name} ({top.low:,.4g} to {top.high:,.4g} {top.node.unit}); {effect}.{also}"]


def _bill(option: OptionResult) -> str:
    each = option.usd_per_month
    return f"{money(each.p50)} ({money(each.p10)} to {money(each.p90)})"


def demand_warnings(demand: Demand, workload: Workload) -> list[str]:
    """What was assumed about the log's calls before anything could be compared."""
    found = []
    for each in demand.models:
        if each.assumed:
            share = each.mix.tokens / max(workload.tokens, 1)
            found.append(
                f"The log names no model for {share:.0%} of the tokens; {each.label} is assumed there "
                f"(frontier_model in the scenario)."
            )
    if workload.errors_count:
        found.append(f"{workload.errors_count:,} calls failed; their tokens are counted as billed.")
    return found
