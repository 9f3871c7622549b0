"""Rules: how one quantity follows from others, as a graph over names that every claim is solved on.

A weight says how far a rule is to be preferred: the first formula of a quantity, then its further ways in order; an
amount scaled from another period comes after those, and the parts of a claim added up come last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from breakeven.claims.dimensions import factor, split_period, stem_of, unit_of_name
from breakeven.claims.registry import AMOUNT_UNITS, Registry, Way, for_period, registry
from breakeven.claims.sums import Sum

Kind = Literal["formula", "sum", "product", "quotient", "unit"]
FORMULA_WEIGHT: Final = 1.0
NEXT_WAY_WEIGHT: Final = 10.0
SCALED_WEIGHT: Final = 15.0
LAST_RESORT_WEIGHT: Final = 1000.0
UNIT_WEIGHT: Final = 0.5
WHOLE_PERIODS: Final = ("", "month", "hour", "day", "year")
"""What a claim may speak of as a whole; the empty one is all of it."""
SCALED_PERIODS: Final = (*WHOLE_PERIODS, "request", "mtok")
COUNTED_IN: Final = {"request": "requests", "mtok": "mtok", "day": "days", "hour": "hours"}
"""How many of a period there are in another one: ``requests_per_month``, ``hours_per_month``."""
_NOT_SCALED: Final = ("hours", "days")
_PEOPLE: Final = ("engineer", "engineering_hours")
"""Their hours are working hours, not those of a calendar."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to one name."""

    target: str
    kind: Kind
    inputs: tuple[str, ...]
    weight: float
    way: Way | None = None
    total: Sum | None = None
    times_ratio: float = 1.0
    given: frozenset[str] = frozenset()
    """Inputs that the claim must state itself."""


@cache
def general_rules() -> dict[str, tuple[Rule, ...]]:
    """The rules of this version, by the name they lead to; the same for every claim."""
    known = registry()
    names = set(known.names()) | known.input_names() | set(known.inner) | {"mtok", "tokens", "requests"}
    return _by_target(rules_for(names, known))


def rules_with(names: Iterable[str]) -> dict[str, tuple[Rule, ...]]:
    """The general rules, and those for the names that only this claim uses."""
    general = general_rules()
    new = {name for name in names if name not in general}
    if not new:
        return general
    found = rules_for(new, registry(), general)
    return {**general, **_by_target(each for each in found if each.target not in general)}


def rules_for(names: Iterable[str], known: Registry, beside: Iterable[str] = ()) -> Iterator[Rule]:
    """Every rule that leads to one of `names`, in any period; `beside`: names that there are rules for already."""
    everything: dict[str, None] = {}
    for name in sorted(names):
        base, _ = split_period(name)
        everything[name] = None
        if unit_of_name(base) in AMOUNT_UNITS:
            everything.update(dict.fromkeys(for_period(base, period) for period in SCALED_PERIODS))
    by_stem: dict[str, list[str]] = {}
    for name in dict.fromkeys((*everything, *beside)):
        stem = stem_of(name)
        if stem is not None:
            by_stem.setdefault(stem, []).append(name)
    for name in everything:
        yield from _formulas(name, known)
        yield from _sums(name, known)
        yield from _scaled(name)
        yield from _units(name, by_stem)


def _formulas(name: str, known: Registry) -> Iterator[Rule]:
    adds_up = unit_of_name(name) in AMOUNT_UNITS
    for index, way in enumerate(known.ways.get(name, ())):
        for period in ("",) if adds_up or not way.one_period else SCALED_PERIODS:
            yield _formula(name, way, period, index)
    base, period = split_period(name)
    if period:
        for index, way in enumerate(known.ways.get(base, ())):
            if way.one_period:
                yield _formula(name, way, period, index)


def _formula(name: str, way: Way, period: str, index: int) -> Rule:
    given = frozenset(for_period(each, period) for each in way.only_given)
    weight = FORMULA_WEIGHT + index * NEXT_WAY_WEIGHT + way.last_resort * LAST_RESORT_WEIGHT
    return Rule(name, "formula", way.input_names(period), weight, way=way, given=given)


def _sums(name: str, known: Registry) -> Iterator[Rule]:
    base, period = (name, "") if name in known.sums else split_period(name)
    total = known.sums.get(base)
    if total is not None and (period in WHOLE_PERIODS or not total.of_the_whole):
        inputs = tuple(for_period(each.name, period) for each in total.addends)
        yield Rule(name, "sum", inputs, FORMULA_WEIGHT, total=total)


def _scaled(name: str) -> Iterator[Rule]:
    base, period = split_period(name)
    if unit_of_name(base) not in AMOUNT_UNITS or base in _NOT_SCALED or base.startswith(_PEOPLE):
        return
    for small, large in _neighbours(period):
        count = f"days_per_{large}" if small == "day" else for_period(COUNTED_IN[small], large)
        amount = f"{base}_per_{small}" if large == period else for_period(base, large)
        if name not in (amount, count) and unit_of_name(count):
            yield Rule(name, "product" if large == period else "quotient", (amount, count), SCALED_WEIGHT)


def _neighbours(period: str) -> Iterator[tuple[str, str]]:
    """Pairs of a shorter and a longer period, of which one is `period`."""
    if period in COUNTED_IN:
        yield from ((period, large) for large in WHOLE_PERIODS if large != period)
    if period in WHOLE_PERIODS:
        yield from ((small, period) for small in COUNTED_IN if small != period)


def _units(name: str, by_stem: dict[str, list[str]]) -> Iterator[Rule]:
    """From the same in another unit that a constant converts."""
    stem, unit = stem_of(name), unit_of_name(name)
    if stem is None or unit is None:
        return
    for other in by_stem[stem]:
        times = factor(unit_of_name(other) or "", unit) if other != name else None
        if times is not None:
            yield Rule(name, "unit", (other,), UNIT_WEIGHT, times_ratio=times)


def _by_target(rules: Iterable[Rule]) -> dict[str, tuple[Rule, ...]]:
    found: dict[str, dict[tuple[object, ...], Rule]] = {}
    for each in rules:
        formula = each.way.formula.qualified_name if each.way else ""
        found.setdefault(each.target, {}).setdefault((each.kind, each.inputs, formula), each)
    return {name: tuple(each.values()) for name, each in found.items()}
