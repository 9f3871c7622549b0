"""Audit wording: an audit as sentences. Numbers come in, plain English goes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from breakeven.audit.task import COMMODITY_FROM_FRACTION, Audit, AuditedTask, Interval, Savings
from breakeven.reports.amounts import counted, fraction, money, money_range
from breakeven.units import DAYS_PER_MONTH

EVIDENCE_WORDS: Final = {"measured outcomes": "measured", "labels": "labels", "prior": "GUESS"}
GROUPED_WORDS: Final = {
    "log": "the name in the log",
    "metadata": "application, prompt or schema",
    "template": "prompt template",
    "cluster": "words in common",
    "rest": "model and length",
}
MOSTLY_FRACTION: Final = 0.5
"""An answer that rests on guesses for more than this is called one."""
EXCLUDED: Final = (
    "people, hosting, migration and monitoring: `breakeven compare` has them",
    "a router that cannot always tell which calls are easy, and answers that are sent again",
)


def verdict_sentence(audit: Audit) -> str:
    """The answer in one sentence."""
    share = audit.commodity
    spend = "" if not audit.spend_usd else f" and {share_range(share.spend)} of spend"
    return (
        f"{share_range(share.calls)} of calls{spend} are work that a small model can do (80 % interval)"
        f"{_savings_words(share.savings)}."
    )


def verdict_details(audit: Audit) -> list[str]:
    """What it rests on, whole tasks that could move, what goes to small models already, and the time that is meant."""
    found = [_resting_words(audit)]
    whole = [each for each in audit.tasks if each.is_commodity]
    if whole:
        calls, spend = sum(each.calls_fraction for each in whole), sum(each.spend_fraction for each in whole)
        money_words = f" and {fraction(spend)} of spend" if audit.spend_usd else ""
        found.append(
            f"Tasks that can move as a whole (a small model does {fraction(COMMODITY_FROM_FRACTION)} of their calls or "
            f"more): {_listed([each.name for each in whole])}: {fraction(calls)} of calls{money_words}."
        )
    else:
        found.append(
            f"No task can move as a whole: of none does a small model do {fraction(COMMODITY_FROM_FRACTION)} or more."
        )
    if audit.commodity.already_small_fraction:
        found.append(f"{fraction(audit.commodity.already_small_fraction)} of calls go to a small model already.")
    return [*found, _period_words(audit)]


def next_command(audit: Audit, store: str) -> str:
    """What comes next: labels, more of them while most is a guess, then the comparison that uses them.

    `store`: the option that names the store, with a space before it; empty for the usual one.
    """
    count = sum(each.suitability.labels_count for each in audit.tasks)
    guessed = audit.commodity.resting_on.get("prior", 0.0)
    if not count and guessed:
        return f"breakeven audit label{store}"
    if guessed > MOSTLY_FRACTION:
        return f"breakeven audit label{store}  ({counted(count, 'label')} so far; {fraction(guessed)} is still a guess)"
    if not any(each.is_commodity for each in audit.tasks):
        return f"breakeven compare{store}  (no task moves as a whole, so neither routing nor a hybrid is costed)"
    seen = f"{counted(count, 'label')} of yours" if count else "outcomes of the log"
    return f"breakeven compare{store}  (routing and a hybrid move these tasks, with the success that {seen} show)"


def savings_lines(savings: Savings | None) -> list[str]:
    """The price that was taken, and how it was chosen."""
    if savings is None:
        return []
    return [
        f"{savings.small_model}: ${savings.input_usd_per_mtok:g} in, ${savings.cache_read_usd_per_mtok:g} cached, "
        f"${savings.output_usd_per_mtok:g} out per million tokens; {savings.chosen}. --small-model names another one.",
        f"Today all audited calls cost {money(savings.today_usd_per_month)} a month.",
    ]


def share_range(share: Interval) -> str:
    """A share with its interval.

    >>> share_range(Interval(0.561, 0.758, 0.89))
    '76 % (56-89 %)'
    """
    return f"{share.typical * 100:.0f} % ({share.low * 100:.0f}-{share.high * 100:.0f} %)"


def evidence_words(task: AuditedTask) -> str:
    """What the suitability of a task rests on."""
    found = task.suitability
    labels = counted(found.labels_count, "label")
    if found.evidence[0] == "labels":
        return labels
    if found.evidence[0] == "measured outcomes":
        return f"{found.outcomes_count:,} outcomes" + (f", {labels}" if found.labels_count else "")
    return EVIDENCE_WORDS["prior"] + (f", {labels}" if found.labels_count else "")


def why_lines(audit: Audit, tasks_count: int) -> Iterator[str]:
    """Per task: how it was found, why it is of its kind, what stands out."""
    for each in audit.tasks[:tasks_count]:
        signals = each.difficulty.words()
        more = f"; {', '.join(signals)}" if signals else ""
        terms = f"; words: {', '.join(each.terms[:6])}" if each.terms else ""
        note = f"; {each.suitability.note}" if each.suitability.note else ""
        kind = f"{each.kind.kind} ({fraction(each.kind.confidence_fraction)} sure: {each.kind.because})"
        yield f"{each.name}: found by {GROUPED_WORDS[each.grouped_by]}; {kind}{more}{terms}{note}"


def _savings_words(savings: Savings | None) -> str:
    if savings is None:
        return ""
    saved = savings.usd_per_month
    return (
        f"; routing them to {savings.small_model} would save about "
        f"{money_range(saved.typical, saved.low, saved.high)} of {money(savings.today_usd_per_month)} a month in tokens"
    )


def _resting_words(audit: Audit) -> str:
    resting = audit.commodity.resting_on
    weights = "spend" if audit.spend_usd else "calls"
    guessed = resting.get("prior", 0.0)
    labels = counted(sum(each.suitability.labels_count for each in audit.tasks), "label")
    seen = [
        f"{fraction(share)} on {labels if name == 'labels' else name}"
        for name, share in resting.items()
        if name != "prior" and share
    ]
    if not seen:
        return (
            "THIS IS A GUESS: nothing measured, nothing labelled, only what kind of work each task seems to be. "
            "`breakeven audit label` takes 50 calls and a quarter of an hour."
        )
    rests = f"of {weights}, {' and '.join(seen)} and {fraction(guessed)} on a guess by kind of work."
    return f"THIS IS MOSTLY A GUESS: {rests}" if guessed > MOSTLY_FRACTION else rests[0].upper() + rests[1:]


def _period_words(audit: Audit) -> str:
    """Sums by task are of the log, savings of a month: nobody should have to find out."""
    savings = audit.commodity.savings
    said = "Calls, tokens and spend by task are of the whole log"
    if savings is None or not audit.spend_usd or not savings.today_usd_per_month:
        return f"{said}."
    months = audit.spend_usd / savings.today_usd_per_month
    worth = f"{months:.1f} months" if months >= 1 else counted(round(months * DAYS_PER_MONTH), "day")
    return f"{said} ({money(audit.spend_usd)}, about {worth} of it); what routing saves is per month."


def _listed(names: list[str], most_count: int = 5) -> str:
    more = len(names) - most_count
    return ", ".join(names[:most_count]) + (f" and {more} more" if more > 0 else "")
