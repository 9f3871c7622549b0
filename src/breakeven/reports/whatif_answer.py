"""What-if answer: compare as things are and with the changes, and solve for where two options cost the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from breakeven.decision.answers.changes import known_facts, name_of_fact
from breakeven.decision.answers.equal_cost import Solved, option_named, solve, solve_ahead
from breakeven.decision.answers.solve import Bounds
from breakeven.errors import ScenarioError
from breakeven.reports.answer import Question
from breakeven.reports.whatif_document import WhatIfDocument
from breakeven.reports.whatif_session import WhatIfSession, parsed
from breakeven.reports.whatif_state import State

Progress = Callable[[str], None]


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


def answer_whatif(question: Question, asked: WhatIf, progress: Progress = lambda _: None) -> WhatIfDocument:
    """Before, after, and the solution; raises ScenarioError or UnknownName for an impossible change."""
    catalog = question.catalog
    facts = known_facts(catalog, question.scenario)
    parsed(question, catalog, asked.changes)  # an impossible change is refused before anything is read
    target = name_of_fact(asked.solve, facts) if asked.solve else None
    session = WhatIfSession.open(question, progress)
    solved = _solve(session.state(asked.changes), asked, target) if target else None
    return session.answer(asked.changes, solved)


def _solve(state: State, asked: WhatIf, target: str) -> Solved:
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
