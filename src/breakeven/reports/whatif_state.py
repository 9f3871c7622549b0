"""What-if state: a workload under one scenario, costed for a month and over the horizon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.decision.answers.changes import HEADROOM
from breakeven.decision.answers.expected import Expectation
from breakeven.decision.answers.outlook import Outlook, horizon_outlook
from breakeven.decision.answers.questions import behind_the_gate
from breakeven.decision.compare import STATUS_QUO, compare, typical
from breakeven.decision.comparison import Comparison, OptionResult, range_of
from breakeven.decision.horizon.exact import setting_of
from breakeven.decision.horizon.present import present_costs_usd
from breakeven.decision.scenario import Scenario
from breakeven.decision.told_demand import as_told
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.demand import Demand
from breakeven.options.discover import select_options
from breakeven.options.option import Option, Situation
from breakeven.reports.further import estimates_of, growth_of
from breakeven.reports.option_part import Amount
from breakeven.reports.range_amount import amount
from breakeven.workload.profile import Workload

Progress = Callable[[str], None]
COST_OF_CAPITAL: Final = "cost_of_capital_fraction_per_year"


@dataclass(frozen=True, slots=True)
class State:
    """One of the two worlds."""

    scenario: Scenario
    situation: Situation
    options: Mapping[str, Option]
    draws: DrawSet
    comparison: Comparison
    outlook: Outlook
    """Present costs over the horizon."""
    path_facts: frozenset[str]
    """Names of the facts that the months to come read."""
    expected: Expectation

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
        return self.outlook.odds_fraction(name) if name in self.outlook.costs else None

    def present(self, name: str) -> Amount | None:
        """Present cost of an option; None: it could not be costed."""
        return amount(self.outlook.range(name), "usd") if name in self.outlook.costs else None

    def saves(self, name: str) -> Amount | None:
        """What an option saves over the horizon against staying as today; None: it could not be costed."""
        return amount(range_of(self.outlook.saves(name)), "usd") if name in self.outlook.costs else None

    def always_above(self, name: str) -> float | None:
        """Volume above which an option always costs less than today's API."""
        pair = next((each for each in self.comparison.pairs if each.option == name), None)
        return pair.report.b_always_above_mtok if pair else None

    def result(self, name: str) -> OptionResult | None:
        """An option's result; None: it could not be costed."""
        return next((each for each in self.comparison.options if each.name == name), None)


def state_of(
    catalog: Catalog,
    workload: Workload,
    demand: Demand,
    scenario: Scenario,
    progress: Progress,
) -> State:
    facts = scenario.facts(catalog)
    situation = Situation(as_told(demand, catalog, scenario), catalog, scenario.choices(), facts)
    asked = scenario.options
    options = select_options(asked if not asked or STATUS_QUO in asked else (STATUS_QUO, *asked))
    draws = DrawSet(scenario.seed, scenario.draws_log2, scenario.copula(catalog))
    comparison = compare(situation, options, draws, progress=progress, with_bands=False)
    progress("looking at the months to come")
    usable = {each.name: options[each.name] for each in comparison.options}
    estimates = estimates_of(growth_of(situation, workload, comparison))
    present = present_costs_usd(situation, usable, draws.of, estimates)
    outlook = horizon_outlook(comparison, present).without(behind_the_gate(comparison, scenario))
    paths = setting_of(situation, typical, estimates).facts
    known = frozenset({*paths.nodes, COST_OF_CAPITAL})
    expected = Expectation(situation, usable, draws, estimates)
    return State(scenario, situation, options, draws, comparison, outlook, known, expected)
