"""Region: whose wages and power prices a scenario takes, converted to USD with the range of every factor kept.

A regional fact replaces the default of another name: base pay in the region's currency, times what the employer adds,
times the exchange rate of the day. The factors are independent, so their ranges are combined in quadrature of
logarithms: exact for lognormal factors (Limpert, Stahel & Abbt, BioScience 51, 2001), and narrower than multiplying
all the lows, which would take for granted that everything is cheap at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.errors import UnknownName, UnknownPrice, nearest
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade

ENGINEER: Final = "engineer_usd_per_year"
ELECTRICITY: Final = "electricity_usd_per_kwh"
EMPLOYER_LOAD: Final = "benefit_load_ratio"
_EU_POWER: Final = "electricity_eu_nonhousehold_eur_per_kwh"
_EU_LOAD: Final = "employer_load_eu_ratio"

REGIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "us": {},
    "de": {ENGINEER: "engineer_base_de_eur_per_year", EMPLOYER_LOAD: _EU_LOAD, ELECTRICITY: _EU_POWER},
    "uk": {ENGINEER: "engineer_base_uk_gbp_per_year", EMPLOYER_LOAD: _EU_LOAD, ELECTRICITY: _EU_POWER},
    "ie": {ENGINEER: "engineer_base_ie_eur_per_year", EMPLOYER_LOAD: _EU_LOAD, ELECTRICITY: _EU_POWER},
    "eu": {ENGINEER: "engineer_base_eu_eur_per_year", EMPLOYER_LOAD: _EU_LOAD, ELECTRICITY: _EU_POWER},
}
"""Region -> name of a default -> name of the fact that replaces it. The defaults are those of the United States.

No power price of a single European country was read: all four take the European Union's, the United Kingdom too.
"""
CARBON_ZONES: Final[Mapping[str, str]] = {"us": "USA", "de": "DEU", "uk": "GBR", "ie": "IRL"}
"""Region -> zone of `Catalog.carbon`, for machines that stand where the team is. No zone is named for the Union."""
_WORST_LAST: Final = tuple(Grade)


def regional_facts(catalog: Catalog, region: str) -> dict[str, Assumption]:
    """The facts that hold in `region` instead of the defaults of the same names, in USD; empty for the defaults' own.

    Raises UnknownName for a region that is not there, and UnknownPrice where a regional fact or the exchange rate it
    needs was not known on the catalogue's day.
    """
    if region not in REGIONS:
        raise UnknownName(f"no region '{region}'; {nearest(region, list(REGIONS))}")
    replaced = REGIONS[region]
    return {
        name: _product(_known(catalog, name, region), tuple(_factors(catalog, name, region)), region)
        for name in replaced
    }


def _factors(catalog: Catalog, name: str, region: str) -> Iterator[Assumption]:
    """The regional fact, what turns pay into cost, and the exchange rate."""
    own = _known(catalog, REGIONS[region][name], region)
    yield own
    if name == ENGINEER:
        yield _known(catalog, REGIONS[region][EMPLOYER_LOAD], region)
    currency = own.unit.partition("/")[0]
    if currency in ("eur", "gbp"):
        yield _known(catalog, f"usd_per_{currency}", region)


def _known(catalog: Catalog, name: str, region: str) -> Assumption:
    if name not in catalog.assumptions:
        raise UnknownPrice(f"region {region}: the catalogue knows no {name} on {catalog.as_of}")
    return catalog.assumptions[name]


def _product(default: Assumption, factors: tuple[Assumption, ...], region: str) -> Assumption:
    """The product of independent factors under the name, unit and dimension of `default`."""
    own = factors[0]
    typical = math.prod(each.typical for each in factors)
    down = math.hypot(*(math.log(each.typical / each.low) for each in factors))
    up = math.hypot(*(math.log(each.high / each.typical) for each in factors))
    source = replace(
        own.source,
        read=min(each.source.read for each in factors),
        grade=max((each.source.grade for each in factors), key=_WORST_LAST.index),
    )
    how = " x ".join(f"{each.name} {each.typical:g}" for each in factors)
    note = f"Region {region}: {how}. The grade is that of the weakest factor, the date that of the oldest. {own.note}"
    return replace(
        default, low=typical * math.exp(-down), typical=typical, high=typical * math.exp(up), source=source, note=note
    )
