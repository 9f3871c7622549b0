"""Models answer: the whole chain from a store of Calls and a scenario to the models document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from breakeven.decision.baseline import demand_of, unused_contracts
from breakeven.decision.model_context import too_long_fractions
from breakeven.decision.models import rank_models, ways_of
from breakeven.decision.outcomes_file import outcomes_warnings
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.constraints import status_quo_warnings
from breakeven.options.assembly.retries import TRIES
from breakeven.options.discover import discover_options, select_options
from breakeven.options.option import Situation
from breakeven.reports import wording
from breakeven.reports.answer import Question, catalogue_warnings, profile
from breakeven.reports.build import Inputs
from breakeven.reports.models_build import build_models_document
from breakeven.reports.models_document import ModelsDocument
from breakeven.reports.workload_part import workload_part

Progress = Callable[[str], None]
LENGTHS_UNKNOWN: Final = (
    "The log has buckets of calls only: nobody knows how long a call is, so no model is left out for its context."
)
ONE_TRY: Final = f"This ranking tries each request once: {TRIES} is for comparisons of options."
OTHER_WAYS: Final = "None of the options named serves any open model: {} are taken instead."


def answer_models(question: Question, progress: Progress = lambda _: None) -> ModelsDocument:
    """Profile the calls, cost every open model, and write the document."""
    catalog, scenario = question.catalog, question.scenario
    select_options(scenario.options)  # an unknown name is an error, as in a comparison
    workload = profile(question, progress)
    progress("pricing the calls at today's prices")
    calls = question.store.calls()
    demand = demand_of(calls, workload, catalog, scenario, question.label)
    facts = scenario.facts(catalog)
    retried = facts.pop(TRIES, None)
    situation = Situation(demand, catalog, scenario.choices(), facts)
    too_long = too_long_fractions(calls, catalog.models.values())
    progress("costing the open models")
    options = discover_options()
    draws = DrawSet(scenario.seed, scenario.draws_log2, scenario.copula(catalog))
    ways = ways_of(scenario.options, options)
    ranking = rank_models(situation, options, draws, ways=ways, too_long=too_long)
    warnings = (
        *question.warnings,
        *wording.demand_warnings(demand, workload),
        *status_quo_warnings(situation),
        *outcomes_warnings(scenario.outcomes_file(), situation),
        *wording.contract_warnings(unused_contracts(calls, catalog, scenario), catalog.as_of),
        *([] if too_long else [LENGTHS_UNKNOWN]),
        *([ONE_TRY] if retried else []),
        *([] if not scenario.options or set(ways) & set(scenario.options) else [OTHER_WAYS.format(", ".join(ways))]),
        *catalogue_warnings(catalog, question.today),
    )
    return build_models_document(
        ranking,
        workload_part(
            workload, question.label, catalog.as_of, synthetic=question.synthetic, imported=question.imported
        ),
        Inputs(catalog, scenario, question.store.digest(), question.hours_per_month),
        next_command=question.next_command,
        warnings=warnings,
    )
