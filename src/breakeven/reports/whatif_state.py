"""What-if state: a workload under one scenario, costed for a month and over the horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.decision.answers.changes import HEADROOM
from breakeven.decision.answers.expected import Expectation
from breakeven.decision.answers.outlook import Outlook, horizon_outlook
from breakeven.decision.answers.questions import behind_the_gate
from breakeven.decision.compare import typical
from breakeven.decision.comparison import range_of
from breakeven.decision.horizon.exact import setting_of
from breakeven.decision.repeated import Repeated
from breakeven.decision.scenario import Scenario
from breakeven.decision.standings import Standing, Standings
from breakeven.facts.assumption import Assumption
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.choices import Choices
from breakeven.options.assembly.demand import Demand
from breakeven.options.option import Option, Situation
from breakeven.reports.option_part import Amount
from breakeven.reports.range_amount import amount
from breakeven.reports.scope import Readers, readers_of

COST_OF_CAPITAL: Final = "cost_of_capital_fraction_per_year"


@dataclass(frozen=True)
class State:
    """One of the two worlds."""

    scenario: Scenario
    situation: Situation
    options: Mapping[str, Option]
    """Those that could be costed."""
    draws: DrawSet
    comparison: Standings
    outlook: Outlook
    """Present costs over the horizon."""
    path_facts: frozenset[str]
    """Names of the facts that the months to come read."""
    expected: Expectation
    odds_fractions: Mapping[str, float]
    """Share of the futures in which an option's present cost is the lowest."""
    present_usd: Mapping[str, Amount]
    saves_usd: Mapping[str, Amount]
    """Over the horizon against staying as today."""

    @cached_property
    def readers(self) -> Readers:
        """Which option reads which fact; of things as they are it is asked at every move."""
        return readers_of(self.comparison)

    @property
    def months_count(self) -> int:
        """Months of the horizon."""
        facts = {**self.situation.catalog.assumptions, **self.situation.scenario}
        return round(facts["horizon_months"].typical)

    @property
    def headroom_ratio(self) -> float:
        """Busiest minutes over the mean of their hour: the scenario's, the log's, the catalogue's typical one."""
        if HEADROOM in self.situation.scenario:
            return self.situation.scenario[HEADROOM].typical
        shown = self.situation.demand.burst_headroom_ratio
        return self.situation.catalog.assumptions[HEADROOM].typical if shown is None else shown

    def odds(self, name: str) -> float | None:
        """Share of the futures in which an option's present cost is the lowest; None: it could not be costed."""
        return self.odds_fractions.get(name)

    def present(self, name: str) -> Amount | None:
        """Present cost of an option; None: it could not be costed."""
        return self.present_usd.get(name)

    def saves(self, name: str) -> Amount | None:
        """What an option saves over the horizon against staying as today; None: it could not be costed."""
        return self.saves_usd.get(name)

    def always_above(self, name: str) -> float | None:
        """Volume above which an option always costs less than today's API."""
        pair = next((each for each in self.comparison.pairs if each.option == name), None)
        return pair.report.b_always_above_mtok if pair else None

    def result(self, name: str) -> Standing | None:
        """An option's result; None: it could not be costed."""
        return next((each for each in self.comparison.options if each.name == name), None)


def state_of(
    repeated: Repeated,
    catalog: Catalog,
    demand: Demand,
    estimates: Mapping[str, Assumption],
    scenario: Scenario,
    choices: Choices,
) -> State:
    """The log's `demand` under a scenario, whose `choices` are given so that they are known to be the same.

    Raises UnknownPrice or ScenarioError where nothing can be compared.
    """
    situation = Situation(demand, catalog, choices, scenario.facts(catalog))
    with repeated.remembering():
        standings, present = repeated.answer(situation, estimates)
        outlook = horizon_outlook(standings, present).without(behind_the_gate(standings, scenario))
        paths = setting_of(situation, typical, estimates).facts
    known = frozenset({*paths.nodes, COST_OF_CAPITAL})
    usable = {name: repeated.plain_options[name] for name in present}
    expected = Expectation(situation, usable, repeated.draws, estimates)
    return State(
        scenario,
        situation,
        usable,
        repeated.draws,
        standings,
        outlook,
        known,
        expected,
        outlook.odds_fractions(),
        {name: amount(outlook.range(name), "usd") for name in outlook.costs},
        {name: amount(range_of(outlook.saves(name)), "usd") for name in outlook.costs},
    )
