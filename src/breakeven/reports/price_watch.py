"""Price watch: two comparisons of one decision: what changed between them, and whether anybody must look again.

It has moved when the recommendation is another, or when the cost of an option moved beyond the bound.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from breakeven.reports import amounts, findings
from breakeven.reports.document import AssumptionPart, Document, OptionPart
from breakeven.reports.price_watch_causes import causes
from breakeven.reports.price_watch_part import SCHEMA_VERSION, FactChangePart, MovePart, PriceWatchPart, RangePart
from breakeven.reports.safe_text import safe, short

DEFAULT_BOUND_FRACTION: Final = 0.1
SAME: Final = 1e-9
"""Relative difference below which two values are one."""
_VERSION: Final = re.compile(r"\b\d+(?:\.\d+)+\b")
"""A version number in the title of a source; the next version is still the same source."""


def price_watch(before: Document, after: Document, bound_fraction: float = DEFAULT_BOUND_FRACTION) -> PriceWatchPart:
    """What changed from `before` to `after`."""
    chosen_before, chosen_after = _chosen(before, after)
    moves = _moves(before, after, bound_fraction)
    explained = _explained((chosen_after, chosen_before), moves)
    why = causes(before, after, explained) if explained else None
    move = next((each for each in moves if each.option == explained), None)
    moved = chosen_before != chosen_after or any(each.beyond for each in moves)
    return PriceWatchPart(
        schema_version=SCHEMA_VERSION,
        kind="price_watch",
        moved=moved,
        bound_fraction=bound_fraction,
        before_as_of=before.footer.as_of,
        after_as_of=after.footer.as_of,
        recommended_before=chosen_before,
        recommended_after=chosen_after,
        sentence=_sentence(before, after, chosen_before, chosen_after, moves, bound_fraction),
        differences=_differences(before, after),
        volume_before_mtok_per_month=before.breakeven.volume_mtok_per_month,
        volume_after_mtok_per_month=after.breakeven.volume_mtok_per_month,
        moves=moves,
        appeared=_only_in(after, before),
        disappeared=_only_in(before, after),
        changes=_changes(before, after),
        explained=explained,
        explained_move_usd_per_month=move.after_usd_per_month - move.before_usd_per_month if move else 0.0,
        causes=why.causes if why else (),
        rest_usd_per_month=why.rest_usd_per_month if why else 0.0,
    )


def _chosen(before: Document, after: Document) -> tuple[str, str]:
    """The recommendations, by the same yardstick in both: over the horizon only where both documents have one."""
    if before.answers and after.answers:
        return before.answers.decision.recommended, after.answers.decision.recommended
    return before.verdict.recommended, after.verdict.recommended


def _explained(chosen: Sequence[str], moves: Sequence[MovePart]) -> str:
    """The option recommended now; the one recommended before, when its bill alone has moved; empty: there is none."""
    bills = {each.option: (each.before_usd_per_month, each.after_usd_per_month) for each in moves}
    known = [name for name in chosen if name in bills]
    return next((name for name in known if _unlike(*bills[name])), known[0] if known else "")


def _moves(before: Document, after: Document, bound_fraction: float) -> tuple[MovePart, ...]:
    old = {each.name: each for each in before.options}
    found = [_move(before, after, old[each.name], each, bound_fraction) for each in after.options if each.name in old]
    return tuple(sorted(found, key=lambda each: (-_size(each), each.option)))


def _move(before: Document, after: Document, old: OptionPart, new: OptionPart, bound_fraction: float) -> MovePart:
    present = _present(before, old.name), _present(after, new.name)
    pairs = [
        (old.usd_per_month.p50, new.usd_per_month.p50),
        (old.equal_success_usd_per_month.p50, new.equal_success_usd_per_month.p50),
    ]
    if present[0] is not None and present[1] is not None:
        pairs.append((present[0], present[1]))
    moved = _largest([_relative(*each) for each in pairs])
    return MovePart(
        option=new.name,
        title=findings.title_of(after, new.name),
        before_usd_per_month=old.usd_per_month.p50,
        after_usd_per_month=new.usd_per_month.p50,
        equal_success_before_usd_per_month=old.equal_success_usd_per_month.p50,
        equal_success_after_usd_per_month=new.equal_success_usd_per_month.p50,
        present_before_usd=present[0],
        present_after_usd=present[1],
        moved_fraction=moved,
        beyond=moved is None or abs(moved) > bound_fraction + SAME,
    )


def _present(document: Document, option: str) -> float | None:
    options = document.horizon.options if document.horizon else ()
    return next((each.typical_present_cost_usd for each in options if each.option == option), None)


def _relative(before_usd: float, after_usd: float) -> float | None:
    """The move of one amount; None: from nothing to something."""
    if before_usd == after_usd:
        return 0.0
    return (after_usd - before_usd) / abs(before_usd) if before_usd else None


def _largest(moves: Sequence[float | None]) -> float | None:
    known = [each for each in moves if each is not None]
    return None if len(known) < len(moves) else max(known, key=abs)


def _size(move: MovePart) -> float:
    return float("inf") if move.moved_fraction is None else abs(move.moved_fraction)


def _only_in(document: Document, other: Document) -> tuple[str, ...]:
    known = {each.name for each in other.options}
    return tuple(each.name for each in document.options if each.name not in known)


def _sentence(
    before: Document,
    after: Document,
    chosen_before: str,
    chosen_after: str,
    moves: Sequence[MovePart],
    bound_fraction: float,
) -> str:
    """What a reviewer must know, in one line."""
    bound = amounts.fraction(bound_fraction)
    beyond = [each for each in moves if each.beyond]
    costs = (
        f"{amounts.counted(len(beyond), 'option')} moved beyond {bound}" if beyond else f"no cost moved beyond {bound}"
    )
    if chosen_before != chosen_after:
        old, new = findings.title_of(before, chosen_before), findings.title_of(after, chosen_after)
        return f"MOVED: the recommendation was {old} and is now {new}; {costs}."
    same = f"the recommendation is still {findings.title_of(after, chosen_after)}"
    if not beyond:
        return f"WITHIN THE BOUND: {same}; {costs}."
    worst = beyond[0]
    change = moved_words(worst)
    return f"MOVED: {costs}, most of all {worst.title} ({change}); {same}."


def moved_words(move: MovePart) -> str:
    """The largest move of an option in words.

    >>> from breakeven.reports.price_watch_part import MovePart
    >>> same = dict(option="a", title="A", before_usd_per_month=1, after_usd_per_month=1, present_before_usd=None,
    ...     equal_success_before_usd_per_month=1, equal_success_after_usd_per_month=1, present_after_usd=None)
    >>> moved_words(MovePart(moved_fraction=0.123, beyond=True, **same))
    '+12.3 %'
    >>> moved_words(MovePart(moved_fraction=None, beyond=True, **same))
    'from nothing'
    """
    if move.moved_fraction is None:
        return "from nothing"
    if abs(move.moved_fraction) < SAME:
        return "same"
    return ("+" if move.moved_fraction > 0 else "") + amounts.fraction(round(move.moved_fraction, 4))


def _differences(before: Document, after: Document) -> tuple[str, ...]:
    """Whatever makes the two more than two dates of one question."""
    old, new = before.footer, after.footer
    named = (
        ("The logs differ: calls hash", old.calls_hash[:12], new.calls_hash[:12]),
        ("The scenarios differ: hash", old.scenario_hash[:12], new.scenario_hash[:12]),
        ("The catalogues differ: hash", old.catalog_hash[:12], new.catalog_hash[:12]),
        ("Prices and facts are of another date:", amounts.date_text(old.as_of), amounts.date_text(new.as_of)),
        ("genai-prices is another version:", old.prices_version, new.prices_version),
        ("breakeven is another version:", old.breakeven_version, new.breakeven_version),
        ("The document schema is another:", before.schema_version, after.schema_version),
        ("The seed is another:", str(old.seed), str(new.seed)),
        ("The number of draws is another:", f"{old.draws_count:,}", f"{new.draws_count:,}"),
    )
    found = [f"{words} {safe(one)}, now {safe(other)}." for words, one, other in named if one != other]
    volumes = [each.breakeven.volume_mtok_per_month for each in (before, after)]
    if _unlike(*volumes):
        found.append(f"The volume was {amounts.volume(volumes[0])} a month, now {amounts.volume(volumes[1])}.")
    return tuple(found)


def _changes(before: Document, after: Document) -> tuple[FactChangePart, ...]:
    """Facts whose value is another, or that only one of the two reads; prices first."""
    found = []
    for name in dict.fromkeys(each.name for each in (*after.assumptions, *before.assumptions)):
        old = [each for each in before.assumptions if each.name == name]
        new = [each for each in after.assumptions if each.name == name]
        found += [_change(*each) for each in _matched(old, new)]
    return tuple(sorted(found, key=lambda each: (each.kind != "price", -len(each.used_by), each.name)))


def _matched(
    old: list[AssumptionPart], new: list[AssumptionPart]
) -> list[tuple[AssumptionPart | None, AssumptionPart | None]]:
    """Facts of one name in pairs, equal ones left out: first by source, then by the options that read them."""
    for each in tuple(new):
        twin = next((other for other in old if _same(each, other) and _source(each) == _source(other)), None)
        if twin is not None:
            new.remove(each)
            old.remove(twin)
    found: list[tuple[AssumptionPart | None, AssumptionPart | None]] = []
    while old and new:
        one, other = max(((one, other) for one in old for other in new), key=lambda pair: _likeness(*pair))
        if _likeness(one, other) == 0 and len(old) + len(new) > 2:
            break
        old.remove(one)
        new.remove(other)
        if not _same(one, other):
            found.append((one, other))
    return [*found, *((None, each) for each in new), *((each, None) for each in old)]


def _source(fact: AssumptionPart) -> str:
    return _VERSION.sub("", fact.source.title)


def _likeness(one: AssumptionPart, other: AssumptionPart) -> float:
    """Share of the options that read both, and one more when they come from one source."""
    together = set(one.used_by) | set(other.used_by)
    common = len(set(one.used_by) & set(other.used_by)) / len(together) if together else 0.0
    return common + (_source(one) == _source(other))


def _same(one: AssumptionPart, other: AssumptionPart) -> bool:
    return not any(_unlike(getattr(one, each), getattr(other, each)) for each in ("low", "typical", "high"))


def _unlike(one: float, other: float) -> bool:
    return abs(one - other) > SAME * max(abs(one), abs(other))


def _change(old: AssumptionPart | None, new: AssumptionPart | None) -> FactChangePart:
    either = new or old
    assert either is not None
    kind: Literal["price", "fact"] = "price" if either.layer == "offer" and either.unit.startswith("usd") else "fact"
    users = dict.fromkeys(name for each in (new, old) if each for name in each.used_by)
    return FactChangePart(
        name=either.name,
        unit=either.unit,
        kind=kind,
        before=_range(old),
        after=_range(new),
        used_by=tuple(users),
    )


def _range(fact: AssumptionPart | None) -> RangePart | None:
    if fact is None:
        return None
    source = fact.source
    return RangePart(
        low=fact.low, typical=fact.typical, high=fact.high, source=short(source.title, 160), read=source.read
    )
