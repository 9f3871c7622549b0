"""Shortlist: which of many options a reader sees first, which a chart has room for, and what could not be costed.

The rule. First come the status quo, the recommended option, and the best of each family: the one with the lowest
expected cost per successful outcome among those that everybody may take; then, while there is room, whatever is
cheapest in ten of a hundred futures. All others stand behind them, none hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from breakeven.reports.document import Document, OptionPart, UnavailablePart

FAMILY_TITLES: Final = {
    "api": "API of a model's maker",
    "brokered": "Open model at a broker, per token",
    "routed": "Routing: an open model for the easier work",
    "managed": "Managed endpoint, per GPU hour",
    "self_hosted": "Fleet of your own, rented or bought",
    "hybrid": "Hybrid",
}
"""Families in the order of a page; each is a way to buy."""
CHARTED_MAX_COUNT: Final = 7
"""Series that a chart can tell apart: today's, and one per colour of `chart_style.SERIES`."""
MAIN_MAX_COUNT: Final = 8
"""Rows of the first table."""
LIKELY_FROM_FRACTION: Final = 0.1
"""An option that is cheapest in this share of the futures is a main one."""
SHOWN_FROM_FRACTION: Final = 0.05
"""An option that is cheapest on this share of a chart's axis is drawn, whatever it costs at the user's volume."""
ALIKE_FRACTION: Final = 0.6
"""Two reasons are told together when they have as many words and at least this share of them in common."""


@dataclass(frozen=True, slots=True)
class FamilyGroup:
    """The options of one family, cheapest successful outcome first."""

    family: str
    title: str
    options: tuple[OptionPart, ...]


@dataclass(frozen=True, slots=True)
class UnavailableGroup:
    """Options that could not be costed for one reason."""

    kind: str
    titles: tuple[str, ...]
    reason: str
    """What the reasons have in common; … where they differ."""


def status_quo(document: Document) -> str | None:
    """Name of the option that every pair is compared with; None when there is none."""
    paired = {each.option for each in document.breakeven.pairs}
    others = [each.name for each in document.options if each.name not in paired]
    return others[0] if len(others) == 1 else None


def main_options(document: Document) -> tuple[OptionPart, ...]:
    """The status quo, the recommended option, its rival, the best of each family, and others that may well be cheapest.

    In the document's order.
    """
    today = status_quo(document)
    names = {today, document.verdict.recommended, document.verdict.rival}
    for group in families(document):
        contest = [each for each in group.options if each.name != today and not each.same_as]
        for_all = [each for each in contest if not each.only_if] or contest
        if for_all:
            names.add(min(for_all, key=lambda each: each.usd_per_success.mean).name)
    shown = [each for each in document.options if each.name in names]
    likely = [each for each in document.options if each.name not in names and _may_well_be_cheapest(each)]
    likely.sort(key=lambda each: -each.probability_cheapest_fraction)
    shown += likely[: max(0, MAIN_MAX_COUNT - len(shown))]
    return tuple(each for each in document.options if each in shown)


def _may_well_be_cheapest(option: OptionPart) -> bool:
    return not option.only_if and option.probability_cheapest_fraction >= LIKELY_FROM_FRACTION


def other_options(document: Document) -> tuple[OptionPart, ...]:
    """Every option that is no main one, in the document's order: cheapest successful outcome first."""
    shown = {each.name for each in main_options(document)}
    return tuple(each for each in document.options if each.name not in shown)


def families(document: Document) -> tuple[FamilyGroup, ...]:
    """The options by family, in the order of `FAMILY_TITLES`."""
    known = dict.fromkeys((*FAMILY_TITLES, *(each.family for each in document.options)))
    groups = (
        FamilyGroup(
            family,
            FAMILY_TITLES.get(family, family),
            tuple(each for each in document.options if each.family == family),
        )
        for family in known
    )
    return tuple(each for each in groups if each.options)


def charted_options(document: Document) -> tuple[OptionPart, ...]:
    """The options that have a line of their own in the charts, in the document's order; never more than there is room.

    The status quo and the recommended option; then those that are cheapest on a good part of the axis or in a good
    part of the futures; then the best of each family.
    """
    drawn = {each.option for each in document.breakeven.curves}
    wanted = [status_quo(document), document.verdict.recommended, document.verdict.rival]
    wanted += [name for name, share in _axis_shares(document).items() if share >= SHOWN_FROM_FRACTION]
    main = main_options(document)
    wanted += [each.name for each in main if _may_well_be_cheapest(each)]
    wanted += [each.name for each in main]
    names = [name for name in dict.fromkeys(wanted) if name in drawn][:CHARTED_MAX_COUNT]
    return tuple(each for each in document.options if each.name in names)


def unavailable_groups(unavailable: Sequence[UnavailablePart]) -> tuple[UnavailableGroup, ...]:
    """The options that could not be costed, those with like reasons together, in the order of the document."""
    found: list[UnavailableGroup] = []
    for each in unavailable:
        for index, group in enumerate(found):
            merged = _merged(group.reason, each.reason)
            if group.kind == each.kind and merged is not None:
                found[index] = UnavailableGroup(group.kind, (*group.titles, each.title), merged)
                break
        else:
            found.append(UnavailableGroup(each.kind, (each.title,), each.reason))
    return tuple(found)


def _merged(one: str, other: str) -> str | None:
    """The common reason, or None when the two are not alike: clause by clause, as long as they match.

    >>> _merged("no X at a; it has: p, q", "no X at b; it has: r"), _merged("no price", "too small")
    ('no X at …', None)
    """
    clauses = []
    for first, second in zip(one.split(";"), other.split(";"), strict=False):
        clause = _merged_clause(first.split(), second.split())
        if clause is None:
            break
        clauses.append(clause)
    return "; ".join(clauses) or None


def _merged_clause(one: Sequence[str], other: Sequence[str]) -> str | None:
    same = [first == second for first, second in zip(one, other, strict=False)]
    if len(one) != len(other) or not one or sum(same) < ALIKE_FRACTION * len(one):
        return None
    return " ".join(word if alike else "…" for word, alike in zip(one, same, strict=True))


def _axis_shares(document: Document) -> dict[str, float]:
    """Share of the logarithmic axis on which each option is cheapest, largest first."""
    part = document.breakeven
    low, high = part.axis_low_mtok_per_month, part.axis_high_mtok_per_month
    if not 0 < low < high:
        return {}
    shares: dict[str, float] = {}
    for each in part.stretches:
        start, end = max(each.from_mtok_per_month, low), min(each.to_mtok_per_month, high)
        if start < end:
            shares[each.option] = shares.get(each.option, 0.0) + log(end / start) / log(high / low)
    return dict(_largest_first(shares.items()))


def _largest_first(shares: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    return sorted(shares, key=lambda pair: (-pair[1], pair[0]))
