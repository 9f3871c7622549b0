"""Answer: the whole chain from a store of Calls and a scenario to the comparison document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from breakeven.audit.small_model import SMALL_BELOW_PARAMS_COUNT
from breakeven.catalog.load import Catalog, load_catalog, with_model_aliases
from breakeven.decision.baseline import demand_of, unused_contracts
from breakeven.decision.compare import STATUS_QUO, compare
from breakeven.decision.outcomes_file import outcomes_warnings
from breakeven.decision.scenario import Scenario
from breakeven.errors import CatalogError
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.audited_work import SUCCESS
from breakeven.options.assembly.constraints import status_quo_warnings
from breakeven.options.discover import select_options
from breakeven.options.option import Situation
from breakeven.reports import wording
from breakeven.reports.build import Inputs, build_document
from breakeven.reports.document import Document, ImportPart
from breakeven.reports.further import look_further
from breakeven.reports.workload_part import workload_part
from breakeven.usage.store import CallStore
from breakeven.workload.profile import Workload, profile_workload

if TYPE_CHECKING:
    from ibis import Table

    from breakeven.decision.audit_file import AuditFile

Progress = Callable[[str], None]
AUDIT_AGE_MAX_FRACTION: Final = 0.05
"""An audit that does not say of which calls it is, and of a number that differs by more, is out of date."""
CATALOGUE_BEGAN: Final = date(2026, 1, 1)
"""No fact of the catalogue is dated earlier."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: calls, their name, and what was given."""

    store: CallStore
    label: str
    scenario: Scenario
    today: date
    """Used when the scenario pins no date."""
    synthetic: bool = False
    imported: ImportPart | None = None
    warnings: tuple[str, ...] = ()
    next_command: str = "breakeven explain REPORT.json"

    @property
    def catalog(self) -> Catalog:
        """The catalogue on the question's date; raises CatalogError when it does not reach back so far."""
        as_of = self.scenario.as_of or self.today
        catalog = load_catalog(as_of)
        missing = sorted(set(load_catalog(self.today).assumptions) - set(catalog.assumptions))
        if missing and as_of < self.today:
            raise CatalogError(
                f"the catalogue does not reach back to {as_of}: {missing[0]} and {len(missing) - 1} other facts start "
                f"later; use --as-of {_first_complete_day(as_of, self.today)} or a later date"
            )
        return with_model_aliases(catalog, self.scenario.aliases())

    @property
    def hours_per_month(self) -> float:
        """Hours of a month: the scenario's, or the catalogue's."""
        facts = {**self.catalog.assumptions, **self.scenario.facts(self.catalog)}
        return facts["hours_per_month"].typical


def profile(question: Question, progress: Progress = lambda _: None) -> Workload:
    """Summarise the calls at each day's own prices."""
    progress("pricing and profiling the calls")
    question.store.daily_progress = progress
    return profile_workload(
        question.store.calls(),
        catalog=question.catalog,
        contract=question.scenario.contract(),
        hours_per_month=question.hours_per_month,
        kept=question.store,
    )


def answer(question: Question, progress: Progress = lambda _: None) -> Document:
    """Profile the calls, cost every option, and write the document."""
    catalog, scenario = question.catalog, question.scenario
    workload = profile(question, progress)
    progress("pricing the calls at today's prices")
    demand = demand_of(calls_with_tasks(question, progress), workload, catalog, scenario, question.label)
    situation = Situation(demand, catalog, scenario.choices(), scenario.facts(catalog))
    draws = DrawSet(scenario.seed, scenario.draws_log2, scenario.copula(catalog))
    options = select_options(_names(scenario))
    comparison = compare(situation, options, draws, progress=progress)
    further = look_further(comparison, situation, options, draws, scenario, workload, progress=progress)
    part = workload_part(
        workload, question.label, catalog.as_of, synthetic=question.synthetic, imported=question.imported
    )
    inputs = Inputs(catalog, scenario, question.store.digest(), question.hours_per_month)
    warnings = (
        *_audit_warnings(question),
        *question.warnings,
        *wording.demand_warnings(demand, workload),
        *status_quo_warnings(situation),
        *outcomes_warnings(scenario.outcomes_file(), situation),
        *wording.contract_warnings(unused_contracts(question.store.calls(), catalog, scenario), catalog.as_of),
        *catalogue_warnings(catalog, question.today),
    )
    return build_document(
        further.comparison,
        part,
        inputs,
        next_command=question.next_command,
        warnings=warnings,
        urgent=_stale_audit(question, workload),
        further=further,
    )


def calls_with_tasks(question: Question, progress: Progress) -> Table:
    """The calls, with the tasks of the scenario's audit where the log names none."""
    calls = question.store.calls()
    file = question.scenario.audit_file()
    if file is None:
        return calls
    from breakeven.audit.assignment import assigned

    progress("giving the calls the tasks of the audit")
    return assigned(calls, file.audit)


def _audit_warnings(question: Question) -> list[str]:
    """Of which model an audit speaks."""
    file = question.scenario.audit_file()
    return [] if file is None else _larger_model(file, question)


def _larger_model(file: AuditFile, question: Question) -> list[str]:
    """The audit judges a small model; what moves may go to a larger one."""
    asked, served = question.scenario.options, question.scenario.choices().open_model
    if (asked and not {"hybrid", "routed"} & set(asked)) or SUCCESS in question.scenario.facts(question.catalog):
        return []
    model = question.catalog.models.get(served)
    if model is None or model.params_count < SMALL_BELOW_PARAMS_COUNT:
        return []
    return [
        f"success on the tasks that move is taken from the audit {file.name}, which judges models below "
        f"{SMALL_BELOW_PARAMS_COUNT / 1e9:.0f} billion parameters; {served} is larger and taken to be at least as "
        "able, so this is a lower figure"
    ]


def _stale_audit(question: Question, workload: Workload) -> list[str]:
    """Whether an audit is of other calls than these: a reader must know it before any figure."""
    file = question.scenario.audit_file()
    if file is None:
        return []
    audited_count = file.audit.calls_count + file.audit.left_out_count
    if file.audit.calls_digest:
        if file.audit.calls_digest == question.store.digest():
            return []
    elif abs(audited_count - workload.requests_count) <= AUDIT_AGE_MAX_FRACTION * workload.requests_count:
        return []
    return [
        f"STALE AUDIT: {file.name} is of other calls ({audited_count:,}, these are {workload.requests_count:,}); the "
        "tasks that move and their success rates are those of then. Run `breakeven audit` again."
    ]


def _first_complete_day(as_of: date, today: date) -> date:
    """The first day on which the catalogue knows every fact that it knows today."""
    known = set(load_catalog(today).assumptions)
    day = max(as_of, CATALOGUE_BEGAN)
    while day < today and set(load_catalog(day).assumptions) != known:
        day += timedelta(days=1)
    return day


def _names(scenario: Scenario) -> tuple[str, ...]:
    """The options asked for; the status quo is always among them."""
    asked = scenario.options
    return asked if not asked or STATUS_QUO in asked else (STATUS_QUO, *asked)


def catalogue_warnings(catalog: Catalog, today: date) -> list[str]:
    """What about the catalogue itself a reader must know."""
    found = []
    if catalog.as_of > today:
        found.append(f"{catalog.as_of} lies in the future: prices and facts are those known today")
    if catalog.unconfirmed:
        found.append(f"announced and never confirmed: {', '.join(sorted(catalog.unconfirmed))}")
    if catalog.genai_prices_read is None:
        found.append(f"nobody has checked the prices of genai-prices {catalog.genai_prices_version} yet")
    return found
