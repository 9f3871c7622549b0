"""What-if session: a workload read once, and answered for as many changes of the scenario as somebody tries.

The verb `breakeven whatif` asks one question of a session, and a slider of the dashboard many: the same numbers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.decision.answers.changes import Change, changed_scenario, known_facts, parse_change
from breakeven.decision.answers.equal_cost import Solved
from breakeven.decision.baseline import demand_of_log
from breakeven.decision.compare import compare
from breakeven.decision.scenario import Scenario
from breakeven.options.assembly.demand import Demand
from breakeven.reports.answer import Question, calls_with_tasks, profile
from breakeven.reports.build import breakeven_part
from breakeven.reports.document import BreakEvenPart
from breakeven.reports.sliders import Slider, sliders_of
from breakeven.reports.whatif_build import whatif_document
from breakeven.reports.whatif_document import WhatIfDocument
from breakeven.reports.whatif_state import State, state_of
from breakeven.workload.profile import Workload

__all__ = ["Changes", "Slider", "WhatIfSession", "parsed"]
Progress = Callable[[str], None]
Changes = tuple[tuple[str, str], ...]
"""Name and value of each thing that is different, as `breakeven whatif NAME=VALUE` takes them."""
DEMAND_KEYS: Final = frozenset({"frontier_model"})
"""Choices that change what the log's calls are taken for: the calls are priced anew."""
STATES_COUNT: Final = 4
"""States that are kept."""


@dataclass(slots=True)
class WhatIfSession:
    """What was read once; may be asked from several threads."""

    question: Question
    catalog: Catalog
    workload: Workload
    demand: Demand
    _states: OrderedDict[Changes, State] = field(default_factory=OrderedDict)
    _lock: RLock = field(default_factory=RLock)

    @classmethod
    def open(cls, question: Question, progress: Progress = lambda _: None) -> WhatIfSession:
        """Read the calls and cost things as they are; its store need not stay open."""
        workload = profile(question, progress)
        found = cls(question, question.catalog, workload, _demand(question, workload, question.scenario, progress))
        found._state((), progress)
        return found

    def answer(self, changes: Changes, solved: Solved | None = None) -> WhatIfDocument:
        """Before and after; raises ScenarioError or UnknownName for an impossible change."""
        with self._lock:
            return whatif_document(
                self.question, self.catalog, self._parsed(changes), self.state(()), self.state(changes), solved
            )

    def state(self, changes: Changes) -> State:
        """Things with some changes."""
        return self._state(changes, lambda _: None)

    def scenario(self, changes: Changes) -> Scenario:
        """The scenario that says the same as the changes, to be written to a file."""
        return changed_scenario(self.question.scenario, self._parsed(changes))

    def sliders(self) -> tuple[Slider, ...]:
        """What may be moved, from where to where."""
        return sliders_of(self.state(()))

    def curves(self, changes: Changes) -> BreakEvenPart:
        """Cost against volume with every crossing and "you are here"."""
        state = self.state(changes)
        return breakeven_part(compare(state.situation, state.options, state.draws))

    def _state(self, changes: Changes, progress: Progress) -> State:
        with self._lock:
            if changes in self._states:
                self._states.move_to_end(changes)
                return self._states[changes]
            made = self._made(self._parsed(changes), progress)
            self._states[changes] = made
            while len(self._states) > STATES_COUNT:
                self._states.pop(next(each for each in self._states if each))
            return made

    def _parsed(self, changes: Changes) -> list[Change]:
        return parsed(self.question, changes, self.demand.burst_headroom_ratio)

    def _made(self, changes: Sequence[Change], progress: Progress) -> State:
        scenario = changed_scenario(self.question.scenario, changes)
        demand = self.demand
        if any(each.name in DEMAND_KEYS for each in changes):
            demand = _demand(self.question, self.workload, scenario, progress)
        return state_of(self.catalog, self.workload, demand, scenario, progress)


def parsed(question: Question, changes: Changes, headroom_ratio: float | None = None) -> list[Change]:
    """The changes as typed; raises ScenarioError or UnknownName for an impossible one."""
    facts = known_facts(question.catalog, question.scenario)
    found = [parse_change(said, text, facts, headroom_ratio) for said, text in changes]
    changed_scenario(question.scenario, found).facts(question.catalog)
    return found


def _demand(question: Question, workload: Workload, scenario: Scenario, progress: Progress) -> Demand:
    progress("pricing the calls at today's prices")
    return demand_of_log(calls_with_tasks(question, progress), workload, question.catalog, scenario, question.label)
