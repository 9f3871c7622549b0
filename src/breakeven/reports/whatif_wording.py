"""What-if in words: what a change does to the recommendation, and where two options cost the same."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Final

from breakeven.decision.answers.changes import API_PRICE, VOLUME, Change
from breakeven.decision.answers.equal_cost import Solved
from breakeven.decision.comparison import SideBySide
from breakeven.decision.scenario import Scenario
from breakeven.facts.assumption import Assumption
from breakeven.options.assembly.offers import GPU_RENT_RATIO
from breakeven.options.option import Situation
from breakeven.reports.amounts import counted, fact_title, fraction, money, odds, quantity, quantity_range
from breakeven.reports.option_titles import Titles
from breakeven.reports.scope import Readers
from breakeven.reports.whatif_document import VerdictPart
from breakeven.units import unit_of

TITLES: Final = {VOLUME: "the volume", API_PRICE: "the price of today's API, as a multiple of what it is,"}


def sentence(before: VerdictPart, after: VerdictPart, *, changed: bool) -> str:
    """What is recommended before and after; sums over other months are told as such, and never as one that falls."""
    was, becomes = before.present_cost_usd.mean, after.present_cost_usd.mean
    if not changed:
        return (
            f"As things are: {before.title}, {money(was)} over {before.months_count} months (present cost), lowest in "
            f"{odds(before.odds_fraction)} futures."
        )
    chances = f"lowest in {odds(before.odds_fraction)} futures before, {odds(after.odds_fraction)} after"
    if before.months_count != after.months_count:
        return _over_other_months(before, after, chances)
    if before.option == after.option:
        cost = f"its present cost over {after.months_count} months {_moves(was, becomes)} in expectation"
        return f"Still {after.title}: {cost}; {chances}."
    return (
        f"The recommendation changes from {before.title} ({money(was)} over {before.months_count} months, present "
        f"cost) to {after.title} ({money(becomes)}): {chances}."
    )


def _moves(was_usd: float, becomes_usd: float) -> str:
    """From what to what; two sums that read the same have not moved, or hardly."""
    if isclose(was_usd, becomes_usd, rel_tol=1e-9):
        return f"stays at {money(was_usd)}"
    if money(was_usd) == money(becomes_usd):
        return f"hardly moves from {money(was_usd)}"
    return f"goes from {money(was_usd)} to {money(becomes_usd)}"


def _over_other_months(before: VerdictPart, after: VerdictPart, chances: str) -> str:
    was = f"{money(before.present_cost_usd.mean)} over {counted(before.months_count, 'month')}"
    becomes = f"{money(after.present_cost_usd.mean)} over {counted(after.months_count, 'month')}"
    if before.option == after.option:
        return (
            f"Still {after.title}: its present cost is {becomes} in expectation (before: {was}; sums of different "
            f"lengths); {chances}."
        )
    return (
        f"The recommendation changes from {before.title} ({was}, present cost) to {after.title} ({becomes}; sums of "
        f"different lengths): {chances}."
    )


def value_before(
    change: Change,
    scenario: Scenario,
    situation: Situation,
    comparison: SideBySide,
    readers: Readers,
    estimates: Mapping[str, Assumption],
) -> str:
    """What it was; `estimates`: what the log shows of the months to come."""
    if change.kind == "volume":
        return quantity(comparison.typical_volume_mtok, "mtok/month")
    if change.kind == "api_price":
        return quantity(scenario.api_price_ratio, "ratio")
    if change.kind == "choice":
        value = getattr(scenario, change.name)
        return "not set" if value is None else str(value)
    if change.name == GPU_RENT_RATIO and GPU_RENT_RATIO not in situation.scenario:
        return quantity(1.0, "ratio")
    fact = _fact_of(change.name, situation, readers, estimates)
    return "each option's own" if fact is None else _range_words(fact)


def value_after(change: Change) -> str:
    """What it becomes."""
    if isinstance(change.value, str):
        return change.value
    if "fraction_per_" in change.name:
        return f"{fraction(change.value)} {change.name.rpartition('_fraction_')[2].replace('_', ' ')}"
    return quantity(change.value, unit_of(change.name) or "ratio")


def solve_sentence(solved: Solved, titles: Titles) -> str:
    """Where the two cost the same."""
    name, unit = TITLES.get(solved.fact.name, fact_title(solved.fact.name)), solved.fact.unit
    first, second = titles.inside(solved.first), titles.inside(solved.second)
    now = quantity(solved.fact.typical, unit)
    present, months = solved.gap_now_present_usd, counted(solved.months_count or 1, "month")
    now_usd = solved.gap_now_usd_per_month if present is None else present
    cheaper, dearer = (first, second) if now_usd < 0 else (second, first)
    per = "a month less" if present is None else f"less over {months} (expected present cost)"
    gap = f"as things are ({now}) {cheaper} costs {money(abs(now_usd))} {per}"
    basis = "at typical values of one month" if present is None else f"in expectation over {months}"
    span = quantity_range(solved.bounds.low, solved.bounds.high, unit)
    if not solved.found:
        return f"No value of {name} from {span} makes {first} and {second} cost the same {basis}: {gap} than {dearer}."
    marks = [quantity(each.value, unit) for each in solved.found]
    told = f"{first} and {second} cost the same where {name} is {_either(marks)} ({basis}); {gap} than {dearer}"
    if len(solved.found) == 1:
        only = solved.found[0]
        told += f"; {'above' if only.falls else 'below'} it {first} is the cheaper one"
        if only.kind == "jump":
            told += " (a fleet jumps by a replica there)"
        if solved.crossing is not None:
            ends = quantity_range(solved.crossing.p10, solved.crossing.p90, unit)
            never = solved.never_fraction or 0.0
            told += f"; over the futures {ends}" + (f", and none in {fraction(never)} of them" if never else "")
    return f"{told[0].upper()}{told[1:]}."


def shared_note(change: Change, readers: Readers) -> str:
    """That options which had values of their own all take the same one; empty: they had not.

    A rent is that of a GPU: an option on a smaller one becomes dearer where the rent of a larger one falls.
    """
    own: dict[float, list[str]] = {}
    for title, fact in readers.get(change.name, ()):
        titles = own.setdefault(fact.typical, [])
        if title not in titles:
            titles.append(title)
    raised = [
        f"{title} ({quantity(value, unit_of(change.name) or 'ratio')} before)"
        for value, titles in sorted(own.items())
        if isinstance(change.value, float) and value < change.value
        for title in titles
    ]
    if len(own) < 2:
        return ""
    told = "every option that reads it takes this value, whatever its own was"
    return f"{told}; it rises for {', '.join(raised)}" if raised else told


def _either(marks: list[str]) -> str:
    return marks[0] if len(marks) == 1 else f"{', '.join(marks[:-1])} or {marks[-1]}"


def _fact_of(
    name: str, situation: Situation, readers: Readers, estimates: Mapping[str, Assumption]
) -> Assumption | None:
    """The fact as it stands: the scenario's, the one that every option reads alike, or what the log shows."""
    if name in situation.scenario:
        return situation.scenario[name]
    read = [fact for _, fact in readers.get(name, ())]
    ranges = {(each.low, each.typical, each.high) for each in read}
    if len(ranges) == 1:
        return read[0]
    return None if ranges else estimates.get(name) or situation.catalog.assumptions.get(name)


def _range_words(fact: Assumption) -> str:
    if "fraction_per_" in fact.name:
        per = fact.name.rpartition("_fraction_")[2].replace("_", " ")
        return f"{fraction(fact.typical)} {per} ({fraction(fact.low)} to {fraction(fact.high)})"
    typical = quantity(fact.typical, fact.unit)
    return typical if fact.is_certain else f"{typical} ({quantity_range(fact.low, fact.high, fact.unit)})"
