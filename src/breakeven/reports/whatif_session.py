"""What-if session: a workload read once, and answered for as many changes of the scenario as somebody tries.

The verb `breakeven whatif` asks one question of a session, and a slider of the dashboard many: the same numbers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from threading import RLock
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.decision.answers.changes import VOLUME, Change, changed_scenario, known_facts, parse_change
from breakeven.decision.answers.equal_cost import Solved
from breakeven.decision.baseline import demand_of_log
from breakeven.decision.compare import BAND_DRAWS_LOG2, STATUS_QUO, compare
from breakeven.decision.last_few import LastFew
from breakeven.decision.repeated import Repeated
from breakeven.decision.scenario import Scenario
from breakeven.decision.told_demand import as_told
from breakeven.errors import BreakevenError
from breakeven.facts.assumption import Assumption
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.choices import Choices
from breakeven.options.assembly.demand import Demand
from breakeven.options.discover import select_options
from breakeven.reports.answer import Question, calls_with_tasks, profile
from breakeven.reports.build import breakeven_part
from breakeven.reports.document import BreakEvenPart
from breakeven.reports.further import estimates_of
from breakeven.reports.sliders import Slider, sliders_of
from breakeven.reports.typical_curves import typical_curves
from breakeven.reports.whatif_build import whatif_document
from breakeven.reports.whatif_document import WhatIfDocument
from breakeven.reports.whatif_state import State, state_of
from breakeven.workload.forecast import GROWTH, forecast
from breakeven.workload.profile import Workload

__all__ = ["Changes", "Slider", "WhatIfSession", "parsed"]
Progress = Callable[[str], None]
Changes = tuple[tuple[str, str], ...]
"""Name and value of each thing that is different, as `breakeven whatif NAME=VALUE` takes them."""
Reopen = Callable[[], AbstractContextManager[Question]]
DEMAND_KEYS: Final = frozenset({"frontier_model"})
"""Choices that change what the log's calls are taken for: the calls are priced anew."""
STATES_COUNT: Final = 4
"""States that are kept, beside things as they are."""
PRACTICE_SHARES: Final = (1.0, 0.75, 0.56, 0.42, 0.3, 0.2, 0.1, 0.05)
"""Of the largest volume that a slider reaches: fleets of many sizes need the most room, and after so many states what
is remembered has taken all the room that it may."""


@dataclass(slots=True)
class WhatIfSession:
    """What was read once; may be asked from several threads."""

    question: Question
    catalog: Catalog
    workload: Workload
    demand: Demand
    """As the log shows it, whatever volume or price the scenario says."""
    estimates: Mapping[str, Assumption]
    """Facts that the log shows."""
    choices: Choices
    repeated: Repeated
    reopen: Reopen | None
    _states: OrderedDict[Changes, State] = field(default_factory=OrderedDict)
    _priced: LastFew[Demand] = field(default_factory=lambda: LastFew(STATES_COUNT))
    _lock: RLock = field(default_factory=RLock)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="what-if"))
    """Whoever asks, one thread computes: memory that was used before is found again by the same thread alone, and new
    memory costs a large answer half of its time once more."""

    @classmethod
    def open(
        cls, question: Question, progress: Progress = lambda _: None, reopen: Reopen | None = None
    ) -> WhatIfSession:
        """Read the calls and cost things as they are.

        The question's store need not stay open: `reopen` gives the question again with one that is, for the one change
        that reads the calls anew (another `frontier_model`).
        """
        scenario, catalog = question.scenario, question.catalog
        workload = profile(question, progress)
        demand = _demand(question, workload, scenario, progress)
        estimates = estimates_of(forecast(workload, catalog.assumptions[GROWTH], demand.source.link))
        asked = scenario.options
        options = select_options(asked if not asked or STATUS_QUO in asked else (STATUS_QUO, *asked))
        repeated = Repeated(options, DrawSet(scenario.seed, scenario.draws_log2, scenario.copula(catalog)))
        found = cls(question, catalog, workload, demand, estimates, scenario.choices(), repeated, reopen)
        progress("costing the options")
        found.state(())
        repeated.pin()
        return found

    def answer(self, changes: Changes, solved: Solved | None = None) -> WhatIfDocument:
        """Before and after; raises ScenarioError or UnknownName for an impossible change."""
        with self._lock:
            before, after = self.state(()), self.state(changes)
            return whatif_document(self.question, self.catalog, self._parsed(changes), before, after, solved)

    def state(self, changes: Changes) -> State:
        """Things with some changes."""
        with self._lock:
            if changes in self._states:
                self._states.move_to_end(changes)
                return self._states[changes]
            made = self._states[changes] = self._made(self._parsed(changes))
            while len(self._states) > 1 + STATES_COUNT:
                self._states.pop(next(each for each in self._states if each))
            return made

    def practise(self) -> None:
        """Answer what needs the most room, for nobody: new memory costs a move tens of milliseconds, and later ones
        find it there."""
        volume = next(each for each in self.sliders() if each.fact == VOLUME)
        for share in PRACTICE_SHARES:
            with suppress(BreakevenError):
                self.state(((volume.name, repr(volume.high * share)),))
        with self._lock:
            for each in [each for each in self._states if each]:
                self._states.pop(each)

    def scenario(self, changes: Changes) -> Scenario:
        """The scenario that says the same as the changes, to be written to a file."""
        return changed_scenario(self.question.scenario, self._parsed(changes))

    def sliders(self) -> tuple[Slider, ...]:
        """What may be moved, from where to where."""
        return sliders_of(self.state(()))

    def curves(self, changes: Changes) -> BreakEvenPart:
        """Cost against volume at typical values, exact, with every crossing and "you are here"; without ranges."""
        return typical_curves(self.state(changes).comparison)

    def curves_with_ranges(self, changes: Changes) -> BreakEvenPart:
        """The same with the range of each option along the axis, and its odds, which takes a second or two."""
        state = self.state(changes)
        return breakeven_part(compare(state.situation, state.options, state.draws.first(BAND_DRAWS_LOG2)))

    def _parsed(self, changes: Changes) -> list[Change]:
        return parsed(self.question, self.catalog, changes, self.demand.burst_headroom_ratio)

    def _made(self, changes: Sequence[Change]) -> State:
        scenario = changed_scenario(self.question.scenario, changes)
        choices = scenario.choices() if any(each.kind == "choice" for each in changes) else self.choices
        demand = self._demand_under(scenario, anew=any(each.name in DEMAND_KEYS for each in changes))
        made = self._thread.submit(state_of, self.repeated, self.catalog, demand, self.estimates, scenario, choices)
        return made.result()

    def _demand_under(self, scenario: Scenario, *, anew: bool) -> Demand:
        """The demand at the scenario's volume and price; one object for one price, so that it is known again."""
        if anew:
            with self.reopen() if self.reopen else nullcontext(self.question) as asked:
                demand = _demand(asked, self.workload, scenario, lambda _: None)
            return as_told(demand, self.catalog, scenario)
        price = scenario.api_price_ratio
        priced = self._priced.get(price)
        if priced is None:
            at_price = scenario.model_copy(update={"volume_mtok_per_month": None})
            priced = self._priced.keep(price, as_told(self.demand, self.catalog, at_price))
        at_volume = scenario.model_copy(update={"api_price_ratio": 1.0})
        return as_told(priced, self.catalog, at_volume)


def parsed(question: Question, catalog: Catalog, changes: Changes, headroom_ratio: float | None = None) -> list[Change]:
    """The changes as typed; raises ScenarioError or UnknownName for an impossible one."""
    facts = known_facts(catalog, question.scenario)
    found = [parse_change(said, text, facts, headroom_ratio) for said, text in changes]
    changed_scenario(question.scenario, found).facts(catalog)
    return found


def _demand(question: Question, workload: Workload, scenario: Scenario, progress: Progress) -> Demand:
    progress("pricing the calls at today's prices")
    return demand_of_log(calls_with_tasks(question, progress), workload, question.catalog, scenario, question.label)
