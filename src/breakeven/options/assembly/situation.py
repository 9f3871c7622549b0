"""Situation: everything an Option may ask about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from breakeven.catalog.load import Catalog
from breakeven.facts.assumption import Assumption
from breakeven.options.assembly.choices import Choices
from breakeven.options.assembly.demand import Demand


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything an Option may ask about."""

    demand: Demand
    catalog: Catalog
    choices: Choices
    scenario: Mapping[str, Assumption]
    """The user's overrides, by name."""
