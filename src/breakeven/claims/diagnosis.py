"""Diagnosis: what a wrong figure might be instead: another quantity or month, a slip of units, a lost fact."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from breakeven.claims.dimensions import unit_of_name
from breakeven.claims.registry import registry
from breakeven.claims.resolver import Resolver

MONTHS: Final = {
    720.0: "30 days",
    728.0: "26 fortnights: 4 1/3 weeks",
    729.6: "30.4 days",
    730.0: "8,760 hours / 12",
    730.5: "365.25 days / 12",
    744.0: "31 days",
    672.0: "4 weeks",
    160.0: "8 hours on 20 days",
    168.0: "8 hours on 21 days",
    173.3: "40 hours a week",
    176.0: "8 hours on 22 days",
}
"""Lengths of a month, in hours, that published claims use."""
UNIT_SLIPS: Final = {
    1e3: "thousands and millions",
    1e6: "single tokens and millions",
    12.0: "months and years",
    24.0: "hours and days",
    30.0: "days and months (of 30 days)",
    365.0: "days and years",
    3600.0: "seconds and hours",
    100.0: "per cent and shares",
    8.0: "a GPU and a server of eight",
}
_NEAR: Final = 0.02
_LEAST_FACTOR: Final = 1.5
_SHOWN_COUNT: Final = 3


@dataclass(frozen=True, slots=True)
class Suspect:
    """A guess at where a wrong figure comes from."""

    text: str


def suspects(
    resolver: Resolver, name: str, wanted: object, value: float, tolerance_fraction: float
) -> tuple[Suspect, ...]:
    """The few best guesses for a published number that is not `value`."""
    if not isinstance(wanted, float | int) or not wanted:
        return ()
    published = float(wanted)
    near = max(tolerance_fraction, 0.005)
    found = [
        *_other_quantities(resolver, name, published, near),
        *_other_months(resolver, name, published, near),
        *_factors(resolver, published, value),
    ]
    return tuple(Suspect(each) for each in dict.fromkeys(found))[:_SHOWN_COUNT]


def _other_quantities(resolver: Resolver, name: str, published: float, near: float) -> Iterator[str]:
    unit = unit_of_name(name)
    same_unit = [each for each in registry().ways if each != name]
    for period in ("", "_per_mtok", "_per_request", "_per_month", "_per_year", "_per_hour"):
        for base in same_unit:
            other = base + period
            if unit_of_name(other) != unit or (period and unit_of_name(base) != "usd"):
                continue
            found = resolver.node(other)
            if found is not None and math.isclose(float(found.value.flat[0]), published, rel_tol=near):
                yield f"the published figure is {other}: {_lower(found.summary)}"


def _other_months(resolver: Resolver, name: str, published: float, near: float) -> Iterator[str]:
    fact = resolver.given.get("hours_per_month")
    if fact is None:
        return
    for hours, words in MONTHS.items():
        given = {**resolver.given, "hours_per_month": replace(fact, low=hours, typical=hours, high=hours)}
        other = Resolver(given, resolver.draw, resolver.unpriced, resolver.definitions)
        found = other.node(name)
        if hours == fact.typical or found is None:
            continue
        if math.isclose(float(found.value.flat[0]), published, rel_tol=min(near, 0.005)):
            yield f"the published figure follows from a month of {hours:g} hours ({words}), not {fact.typical:g}"


def _factors(resolver: Resolver, published: float, value: float) -> Iterator[str]:
    if math.isinf(value) or not value or published * value < 0:
        return
    times = max(published / value, value / published)
    if times < _LEAST_FACTOR:
        return
    for each, fact in resolver.given.items():
        for size, words in ((fact.typical, each), (1 / fact.typical if fact.typical else 0.0, f"1 / {each}")):
            if size > 1 and math.isclose(times, size, rel_tol=0.005):
                yield _by_fact(each, words, size)
    for size, words in UNIT_SLIPS.items():
        if math.isclose(times, size, rel_tol=_NEAR):
            yield f"the factor is about {size:,.0f}: {words} may have been mixed up"


def _by_fact(name: str, words: str, size: float) -> str:
    if name == "busy_fraction":
        return (
            f"the factor is {words} ({size:,.3g}): an always-on rent was multiplied by utilisation, which holds only "
            f"where the fleet scales to zero (say billed_fraction then)"
        )
    return f"the factor is {words} ({size:,.3g}): it may have been left out, or counted twice"


def _lower(text: str) -> str:
    return (text[:1].lower() + text[1:]).rstrip(".")
