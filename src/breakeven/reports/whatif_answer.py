"""What-if answer: compare as things are and with the changes, and solve for where two options cost the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.decision.answers.changes import (
    Change,
    changed_demand,
    changed_scenario,
    known_facts,
    name_of_fact,
    parse_change,
)
from breakeven.decision.answers.equal_cost import Solved, option_named, solve, solve_ahead
from breakeven.decision.answers.expected import Expectation
from breakeven.decision.answers.outlook import Outlook, horizon_outlook
from breakeven.decision.answers.questions import behind_the_gate
from breakeven.decision.answers.solve import Bounds
from breakeven.decision.baseline import demand_of
from breakeven.decision.compare import STATUS_QUO, compare, typical
from breakeven.decision.comparison import Comparison, OptionResult
from breakeven.decision.horizon.exact import setting_of
from breakeven.decision.horizon.present import present_costs_usd
from breakeven.decision.scenario import Scenario
from breakeven.errors import ScenarioError
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.demand import Demand
from breakeven.options.discover import select_options
from breakeven.options.option import Option, Situation
from breakeven.reports import whatif_wording as words
from breakeven.reports.answer import Question, catalogue_warnings, profile
from breakeven.reports.further import estimates_of, growth_of
from breakeven.reports.option_part import Amount
from breakeven.reports.option_titles import Titles, titles_of
from breakeven.reports.range_amount import amount
from breakeven.reports.scope import facts_behind
from breakeven.reports.whatif_document import (
    SCHEMA_VERSION,
    ChangePart,
    OptionChangePart,
    SolutionPart,
    SolvePart,
    VerdictPart,
    WhatIfDocument,
)
from breakeven.workload.profile import Workload

Progress = Callable[[str], None]
COST_OF_CAPITAL: Final = "cost_of_capital_fraction_per_year"
DEMAND_KEYS: Final = ("frontier_model",)
"""Choices that change what the log's calls are taken for."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What is asked beside the question itself."""

    changes: tuple[tuple[str, str], ...] = ()
    """Name and value, as typed."""
    solve: str | None = None
    """Fact to solve for, as typed."""
    until: tuple[str, str] | None = None
    """The two options that are to cost the same, as typed; None: the recommended one and its rival."""
    bounds: tuple[float, float] | None = None
    this_month: bool = False
    """Solve for one month at typical values, and not for the expected present costs over the horizon."""


@dataclass(frozen=True, slots=True)
class _State:
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

    def odds(self, name: str) -> float | None:
        """Share of the futures in which an option's present cost is the lowest; None: it could not be costed."""
        return self.outlook.odds_fraction(name) if name in self.outlook.costs else None

    def present(self, name: str) -> Amount | None:
        """Present cost of an option; None: it could not be costed."""
        return amount(self.outlook.range(name), "usd") if name in self.outlook.costs else None

    def always_above(self, name: str) -> float | None:
        """Volume above which an option always costs less than today's API."""
        pair = next((each for each in self.comparison.pairs if each.option == name), None)
        return pair.report.b_always_above_mtok if pair else None

    def result(self, name: str) -> OptionResult | None:
        """An option's result; None: it could not be costed."""
        return next((each for each in self.comparison.options if each.name == name), None)


def answer_whatif(question: Question, asked: WhatIf, progress: Progress = lambda _: None) -> WhatIfDocument:
    """Before, after, and the solution; raises ScenarioError or UnknownName for an impossible change."""
    catalog, scenario = question.catalog, question.scenario
    facts = known_facts(catalog, scenario)
    changes = [parse_change(said, text, facts) for said, text in asked.changes]
    later = changed_scenario(scenario, changes)
    later.facts(catalog)  # an impossible value is refused before anything is read
    target = name_of_fact(asked.solve, facts) if asked.solve else None
    workload = profile(question, progress)
    demand = _demand(question, workload, scenario, progress)
    before = _state(catalog, workload, demand, scenario, (), progress)
    if any(each.name in DEMAND_KEYS for each in changes):
        demand = _demand(question, workload, later, progress)
    after = _state(catalog, workload, demand, later, changes, progress) if changes else before
    solved = _solve(after, asked, target) if target else None
    return _document(question, catalog, changes, before, after, solved)


def _demand(question: Question, workload: Workload, scenario: Scenario, progress: Progress) -> Demand:
    progress("pricing the calls at today's prices")
    return demand_of(question.store.calls(), workload, question.catalog, scenario, question.label)


def _state(
    catalog: Catalog,
    workload: Workload,
    demand: Demand,
    scenario: Scenario,
    changes: Sequence[Change],
    progress: Progress,
) -> _State:
    facts = scenario.facts(catalog)
    hours = {**catalog.assumptions, **facts}["hours_per_month"].typical
    situation = Situation(changed_demand(demand, changes, hours), catalog, scenario.choices(), facts)
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
    return _State(scenario, situation, options, draws, comparison, outlook, known, expected)


def _solve(state: _State, asked: WhatIf, target: str) -> Solved:
    comparison = state.comparison
    if asked.until is not None:
        first, second = (option_named(each, comparison) for each in asked.until)
    else:
        first, rival = comparison.option(state.outlook.recommended), state.outlook.rival
        if rival is None:
            raise ScenarioError("only one option could be costed, so there is nothing to be equal to; see --options")
        second = comparison.option(rival)
    if first.name == second.name:
        raise ScenarioError(f"--until {asked.until}: both are {first.name}; name two options")
    bounds = Bounds(*asked.bounds) if asked.bounds else None
    if not asked.this_month:
        return solve_ahead(state.expected, comparison, target, first, second, bounds=bounds)
    return solve(state.situation, state.options, comparison, target, first, second, bounds=bounds, draws=state.draws)


def _document(
    question: Question,
    catalog: Catalog,
    changes: Sequence[Change],
    before: _State,
    after: _State,
    solved: Solved | None,
) -> WhatIfDocument:
    titles = titles_of(after.comparison)
    first, second = _verdict(before), _verdict(after)
    return WhatIfDocument(
        schema_version=SCHEMA_VERSION,
        kind="whatif",
        sentence=words.sentence(first, second, changed=bool(changes)),
        changes=tuple(_change(each, before, after) for each in changes),
        before=first,
        after=second,
        options=tuple(_options(before, after)),
        solved=_solved(solved, titles) if solved else None,
        warnings=(*question.warnings, *catalogue_warnings(catalog, question.today)),
        as_of=catalog.as_of.isoformat(),
        seed=after.scenario.seed,
        draws_count=after.comparison.draws_count,
    )


def _verdict(state: _State) -> VerdictPart:
    name = state.outlook.recommended
    best = state.comparison.option(name)
    return VerdictPart(
        option=name,
        title=best.cost.title,
        odds_fraction=state.outlook.odds_fraction(name),
        present_cost_usd=amount(state.outlook.range(name), "usd"),
        months_count=state.months_count,
        usd_per_month=amount(best.equal_success_usd_per_month, "usd/month"),
    )


def _change(change: Change, before: _State, after: _State) -> ChangePart:
    was = words.value_before(change, before.scenario, before.situation, before.comparison)
    note = ""
    if change.kind == "fact" and change.name not in after.path_facts and not _is_read(change.name, after.comparison):
        note = "changed nothing: no option that could be costed reads it"
    elif change.kind == "fact":
        note = words.shared_note(change, before.comparison)
    return ChangePart(name=change.name, said=change.said, before=was, after=words.value_after(change), note=note)


def _is_read(name: str, comparison: Comparison) -> bool:
    return any(node.name == name for result in comparison.options for node in facts_behind(result))


def _options(before: _State, after: _State) -> list[OptionChangePart]:
    names = dict.fromkeys(
        each.name
        for state in (after, before)
        for each in sorted(state.comparison.options, key=lambda one: state.outlook.mean_usd(one.name))
    )
    found = []
    for name in names:
        old, new = before.result(name), after.result(name)
        known = new or old
        assert known is not None
        found.append(
            OptionChangePart(
                option=name,
                title=known.cost.title,
                before_usd_per_month=_monthly(old),
                after_usd_per_month=_monthly(new),
                before_cheapest_fraction=before.odds(name),
                after_cheapest_fraction=after.odds(name),
                before_always_above_mtok_per_month=before.always_above(name),
                after_always_above_mtok_per_month=after.always_above(name),
                before_present_cost_usd=before.present(name),
                after_present_cost_usd=after.present(name),
            )
        )
    return found


def _monthly(result: OptionResult | None) -> Amount | None:
    return amount(result.equal_success_usd_per_month, "usd/month") if result else None


def _solved(solved: Solved, titles: Titles) -> SolvePart:
    spread = solved.crossing
    return SolvePart(
        name=solved.fact.name,
        unit=solved.fact.unit,
        typical=solved.fact.typical,
        first=solved.first,
        second=solved.second,
        low=solved.bounds.low,
        high=solved.bounds.high,
        solutions=tuple(
            SolutionPart(value=each.value, kind=each.kind, first_is_cheaper="above" if each.falls else "below")
            for each in solved.found
        ),
        gap_now_usd_per_month=solved.gap_now_usd_per_month,
        crossing=amount(spread, solved.fact.unit) if spread else None,
        never_fraction=solved.never_fraction,
        sentence=words.solve_sentence(solved, titles),
        basis="horizon" if solved.months_count else "month",
        gap_now_present_usd=solved.gap_now_present_usd,
    )
