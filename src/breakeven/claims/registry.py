"""Registry: every Formula that a claim may be recomputed with, and every sum, by the name of what it gives.

Claims come first with their own simple arithmetic, then the rooms of the cost model with theirs. Formulas of options
are left out: they mean something only inside their option.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final

from breakeven.claims.dimensions import factor, split_period, stem_of, unit_of_name
from breakeven.claims.sums import Sum
from breakeven.facts.formula import Formula

ROOMS: Final = ("breakeven.claims.quantities", "breakeven.costs", "breakeven.outcomes", "breakeven.serving")
AMOUNT_UNITS: Final = frozenset({"usd", "token", "mtok", "request", "hour", "kwh"})
"""Units of what adds up over a period; a price, a share, a count or a speed does not."""


@dataclass(frozen=True, slots=True)
class Way:
    """One formula for a quantity."""

    formula: Formula
    one_period: bool
    """Holds for any period: its amounts are then all of that period."""
    only_given: frozenset[str] = frozenset()
    """Inputs that the claim must state itself."""
    last_resort: int = 0
    """0: none; else taken only where nothing else leads there, the smaller ones first."""

    def input_names(self, period: str) -> tuple[str, ...]:
        """Names of the inputs when the result is wanted for `period` (empty: as the formula stands)."""
        return tuple(for_period(each, period) for each in self.formula.parameters)


@dataclass(frozen=True, slots=True)
class Registry:
    """All ways to all quantities."""

    ways: dict[str, tuple[Way, ...]] = field(default_factory=dict)
    sums: dict[str, Sum] = field(default_factory=dict)
    by_stem: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of quantities by what they are about, whatever their unit."""
    inner: frozenset[str] = frozenset()
    """Formulas that are only a further way to a quantity of another name."""

    def knows(self, name: str) -> bool:
        """Whether `name` can be worked out from something."""
        stem, unit = stem_of(name), unit_of_name(name)
        if name in self.ways or name in self.sums or unit is None:
            return unit is not None
        if stem is None:
            return False
        return any(same_kind(each, name) for each in self.by_stem.get(stem, ()))

    def names(self) -> list[str]:
        """Every quantity, as its formula stands."""
        return sorted({*self.ways, *self.sums} - self.inner)

    def ways_in_words(self, name: str) -> tuple[str, ...]:
        """What each way to a quantity needs."""
        ways = [", ".join(way.formula.parameters) for way in self.ways.get(name, ())]
        if name in self.sums:
            ways.append("any of " + ", ".join(each.name for each in self.sums[name].addends))
        return tuple(dict.fromkeys(ways))

    def input_names(self) -> set[str]:
        """Every name that some formula or sum reads, as it stands."""
        read = {name for ways in self.ways.values() for way in ways for name in way.formula.parameters}
        return read | {each.name for total in self.sums.values() for each in total.addends}


def for_period(name: str, period: str) -> str:
    """The name of an amount for `period`; a name that is no amount stays as it is.

    >>> for_period("api_usd", "month"), for_period("input_usd_per_mtok", "month"), for_period("gpus_count", "month")
    ('api_usd_per_month', 'input_usd_per_mtok', 'gpus_count')
    """
    return f"{name}_per_{period}" if period and unit_of_name(name) in AMOUNT_UNITS else name


def same_kind(one: str, two: str) -> bool:
    """Whether two names measure the same thing, for whatever period and in whatever unit of it.

    >>> same_kind("breakeven_mtok_per_month", "breakeven_tokens_per_day"), same_kind("api_usd", "api_requests")
    (True, False)
    """
    if stem_of(one) is None or stem_of(one) != stem_of(two):
        return False
    pairs = (
        (one, two),
        (split_period(one)[0], split_period(two)[0]),
        (one, split_period(two)[0]),
        (split_period(one)[0], two),
    )
    return any(factor(unit_of_name(a) or "", unit_of_name(b) or "") is not None for a, b in pairs)


@cache
def registry() -> Registry:
    """The registry of this version."""
    ways: dict[str, list[Way]] = {}
    sums: dict[str, Sum] = {}
    further: list[tuple[str, Way]] = []
    inner: set[str] = set()
    for module in _modules():
        only_given = getattr(module, "ONLY_GIVEN", {})
        one_period = getattr(module, "ONE_PERIOD", False)
        also = getattr(module, "WAYS", {})
        last = getattr(module, "LAST_RESORT", ())
        for each in vars(module).values():
            if isinstance(each, Formula) and each.__module__ == module.__name__:
                rank = last.index(each.name) + 1 if each.name in last else 0
                way = Way(each, one_period, frozenset(only_given.get(each.name, ())), rank)
                ways.setdefault(each.name, []).append(way)
                further += [(name, way) for name, others in also.items() if each in others]
        sums.update({each.name: each for each in getattr(module, "SUMS", ())})
        for name, way in further:
            ways.setdefault(name, []).append(way)
            inner.add(way.formula.name)
        further.clear()
    by_stem: dict[str, list[str]] = {}
    for name in (*ways, *sums):
        stem = stem_of(name)
        if stem is not None and name not in inner:
            by_stem.setdefault(stem, []).append(name)
    return Registry(
        {name: tuple(each) for name, each in ways.items()},
        sums,
        {stem: tuple(dict.fromkeys(each)) for stem, each in by_stem.items()},
        frozenset(inner),
    )


def _modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        package = import_module(room)
        for found in sorted(
            pkgutil.walk_packages(package.__path__, package.__name__ + "."), key=lambda each: each.name
        ):
            yield import_module(found.name)
