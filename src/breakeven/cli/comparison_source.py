"""Comparison source: the comparison document that a log, or the store, and a scenario give."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from breakeven.cli.usage_source import UsageSource, opened_calls

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.document import Document


def compared(source: UsageSource, scenario: Scenario, next_command: str, say: Callable[[str], None]) -> Document:
    """Read the calls, cost every option, and write the document."""
    from breakeven.audit.saved import audit_file
    from breakeven.clock import today
    from breakeven.reports.answer import Question, answer
    from breakeven.reports.workload_part import import_part

    with opened_calls(source, say) as calls:
        if not source.usage and (kept := audit_file(calls.store.path)).exists():
            scenario = scenario.with_audit(kept)
        question = Question(
            calls.store,
            calls.label,
            scenario,
            today(),
            imported=import_part(calls.report) if calls.report else None,
            warnings=calls.warnings,
            next_command=next_command,
        )
        return answer(question, say)
