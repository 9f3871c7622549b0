"""Guide answer: the guide's claims tested on the invented reference workload, or on the calls of a log."""

from __future__ import annotations

from collections.abc import Callable

from breakeven.catalog.load import Catalog
from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.discover import guide_claims
from breakeven.claims.guide.reference_workload import WORDS, reference_situation
from breakeven.decision.baseline import demand_of
from breakeven.decision.scenario import Scenario
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.mix import describe
from breakeven.options.discover import discover_options
from breakeven.options.option import Situation
from breakeven.reports import amounts, wording
from breakeven.reports.answer import Question, catalogue_warnings, profile
from breakeven.reports.guide_build import build_guide_document
from breakeven.reports.guide_document import GuideDocument

Progress = Callable[[str], None]


def reference_answer(catalog: Catalog, scenario: Scenario, only: tuple[str, ...] = ()) -> GuideDocument:
    """The claims on the reference workload."""
    situation = reference_situation(catalog, scenario)
    bench = Bench(situation, _draws(scenario, catalog), discover_options(), WORDS, is_reference=True)
    return build_guide_document(bench, scenario, only=only, next_command="breakeven claims --usage YOUR-LOG")


def answer_claims(question: Question, only: tuple[str, ...] = (), progress: Progress = lambda _: None) -> GuideDocument:
    """The claims on the calls of a log."""
    guide_claims(only)  # an unknown id is an error before anything is read
    catalog, scenario = question.catalog, question.scenario
    workload = profile(question, progress)
    progress("pricing the calls at today's prices")
    demand = demand_of(question.store.calls(), workload, catalog, scenario, question.label)
    situation = Situation(demand, catalog, scenario.choices(), scenario.facts(catalog))
    volume = amounts.volume(float(demand.volume_mtok_per_month(question.hours_per_month)))
    words = f"your log {question.label}: {volume} a month, {describe(demand)}"
    bench = Bench(situation, _draws(scenario, catalog), discover_options(), words, is_reference=False)
    progress("testing the claims")
    warnings = (
        *question.warnings,
        *wording.demand_warnings(demand, workload),
        *catalogue_warnings(catalog, question.today),
    )
    return build_guide_document(bench, scenario, only=only, warnings=warnings, next_command=question.next_command)


def _draws(scenario: Scenario, catalog: Catalog) -> DrawSet:
    return DrawSet(scenario.seed, scenario.draws_log2, scenario.copula(catalog))
