"""Constraints: whether a provider meets what the scenario requires of whoever processes the data.

What nobody knows is not met. A machine of one's own processes in one's own house: nothing is asked of it. Where data
may not leave the EU or one's own VPC, machines that one rents pass as well: where they stand is one's own choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.errors import ConstraintNotMet
from breakeven.options.assembly.choices import Choices, DataBorder, ProviderTerms, Requirements
from breakeven.options.assembly.log_models import log_providers
from breakeven.options.assembly.situation import Situation

_MEMBERS: Final = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
EU: Final = frozenset(_MEMBERS.split())
"""Member states of the European Union, ISO 3166-1."""
MARKET: Final = "market"
"""Whoever rents out bare machines: what runs on them is one's own."""


def check_provider(situation: Situation, provider_name: str) -> None:
    """Raise ConstraintNotMet when `provider_name` does not meet the scenario's `require`; passes when there is none."""
    problems = unmet(situation.choices, situation.catalog, provider_name)
    if problems:
        raise ConstraintNotMet(_sentence(provider_name, problems))


def status_quo_outside(situation: Situation) -> str:
    """What must be true for today's providers to be taken all the same; empty when they meet the constraints."""
    outside = [each for each in log_providers(situation.demand) if unmet(situation.choices, situation.catalog, each)]
    if not outside:
        return ""
    return f"your constraints are dropped: {', '.join(outside)} {'do' if len(outside) > 1 else 'does'} not meet them"


def status_quo_warnings(situation: Situation) -> list[str]:
    """One sentence for each provider of the log that does not meet the constraints: it is costed all the same."""
    found = []
    for provider in log_providers(situation.demand):
        problems = unmet(situation.choices, situation.catalog, provider)
        if problems:
            found.append(f"{provider}, which serves calls today, does not meet your constraints: {'; '.join(problems)}")
    return found


def unmet(choices: Choices, catalog: Catalog, provider_name: str) -> list[str]:
    """What of the scenario's `require` the provider does not meet, or is not known to meet."""
    if not choices.require:
        return []
    return list(_unmet(choices.require, known_terms(choices, catalog, provider_name), provider_name))


def known_terms(choices: Choices, catalog: Catalog, provider_name: str) -> ProviderTerms:
    """The catalogue's entry of the provider under what the scenario says of it."""
    listed = catalog.providers.get(provider_name)
    own = choices.providers.get(provider_name, ProviderTerms())
    values = {}
    for each in fields(ProviderTerms):
        stated = getattr(own, each.name)
        values[each.name] = getattr(listed, each.name, None) if stated is None else stated
    return ProviderTerms(**values)


def _unmet(wanted: Requirements, seen: ProviderTerms, name: str) -> Iterator[str]:
    if wanted.jurisdictions:
        yield from _check_places("jurisdiction", _one(seen.jurisdiction), wanted.jurisdictions, name)
    if wanted.processing_regions:
        yield from _check_places("processing regions", seen.processing_regions, wanted.processing_regions, name)
    if wanted.retention_max_days is not None:
        if seen.retention_days is None:
            yield _unknown("retention", name)
        elif seen.retention_days > wanted.retention_max_days:
            yield f"keeps data {seen.retention_days:g} days, wanted at most {wanted.retention_max_days:g}"
    if wanted.no_training:
        if seen.trains_on_data is None:
            yield _unknown("use of data for training", name)
        elif seen.trains_on_data:
            yield "trains on the data, wanted no training"
    if wanted.certifications:
        yield from _check_certifications(seen.certifications, wanted.certifications, name)
    if wanted.data_may_not_leave and name != MARKET and not seen.in_own_vpc:
        yield from _check_border(wanted.data_may_not_leave, seen, name)


def _check_border(border: DataBorder, seen: ProviderTerms, name: str) -> Iterator[str]:
    """What does not run on the user's own machines must process where the data may be."""
    if border == "own_vpc":
        yield "data may not leave your own VPC, and it runs on machines of its own (in_own_vpc under providers: if not)"
        return
    for problem in _check_places("processing regions", seen.processing_regions, ("EU",), name):
        yield f"data may not leave the EU: {problem}"


def _check_places(what: str, seen: tuple[str, ...] | None, wanted: Iterable[str], name: str) -> Iterator[str]:
    """Every place that the provider may use must be one of the wanted."""
    if not seen:
        yield _unknown(what, name)
        return
    allowed = {each.strip().upper() for each in wanted}
    if "EU" in allowed:
        allowed |= EU
    outside = [each for each in seen if not _inside(each, allowed)]
    if outside:
        yield f"{what} {', '.join(seen)}, wanted only {', '.join(wanted)}"


def _inside(place: str, allowed: set[str]) -> bool:
    """A place by its own name, or by the country or area that its name begins with: ``eu-west-1`` is in ``EU``."""
    name = place.strip().upper()
    return name in allowed or name.partition("-")[0] in allowed


def _check_certifications(seen: tuple[str, ...] | None, wanted: tuple[str, ...], name: str) -> Iterator[str]:
    if seen is None:
        yield _unknown("certifications", name)
        return
    held = {_plain(each) for each in seen}
    missing = [each for each in wanted if _plain(each) not in held]
    if missing:
        yield f"holds {', '.join(seen) or 'no certificate'}, wanted also {', '.join(missing)}"


def _plain(certificate: str) -> str:
    """Without case and punctuation: ``SOC 2 Type II`` is ``SOC2 type 2``."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\bii\b", "2", certificate.lower()))


def _one(place: str | None) -> tuple[str, ...] | None:
    return None if place is None else (place,)


def _unknown(what: str, name: str) -> str:
    return f"unknown {what} for {name}: ask them, then write it under providers: in the scenario"


def _sentence(name: str, problems: list[str]) -> str:
    return f"{name} does not meet what the scenario requires: {'; '.join(problems)}"
