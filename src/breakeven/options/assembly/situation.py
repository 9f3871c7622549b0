"""Situation: everything an Option may ask about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from breakeven.catalog.load import Catalog
from breakeven.facts.assumption import Assumption
from breakeven.options.assembly.choices import Choices
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.task_split import audited_by_name, named_tasks


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything an Option may ask about."""

    demand: Demand
    catalog: Catalog
    choices: Choices
    scenario: Mapping[str, Assumption]
    """The user's overrides, by name."""

    @property
    def movable_tasks(self) -> tuple[str, ...]:
        """Tasks of the log that may move as a whole: by the scenario's names, or by an audit where it names none."""
        audited = self.choices.audited
        if audited is not None and not self.choices.names_commodity_tasks:
            return audited_by_name(self.demand, audited.tasks)
        return named_tasks(self.demand, self.choices.commodity_tasks)
