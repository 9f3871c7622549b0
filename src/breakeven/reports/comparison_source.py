"""Comparison source: the question that a store of calls and a scenario ask, the same for every surface."""

from __future__ import annotations

from datetime import date
from typing import Final

from breakeven.audit.saved import audit_file
from breakeven.decision.scenario import Scenario
from breakeven.reports.answer import Question
from breakeven.reports.workload_part import import_part
from breakeven.usage.opened_calls import OpenedCalls
from breakeven.usage.store.glance import glance

WITHOUT_OUT: Final = "add --html report.html --out report.json, then breakeven explain report.json"
"""What comes next where the document is written to no file."""


def comparison_question(
    calls: OpenedCalls, scenario: Scenario, today: date, next_command: str = WITHOUT_OUT
) -> Question:
    """What is asked of `calls`; the audit kept in their store is used where the scenario names none.

    Made-up calls make all of it synthetic.
    """
    if calls.report is None and (kept := audit_file(calls.store.path)).exists():
        scenario = scenario.with_audit(kept, f"{calls.label}/{kept.name}")
    return Question(
        calls.store,
        calls.label,
        scenario,
        today,
        synthetic=glance(calls.store.path).is_synthetic,
        imported=import_part(calls.report) if calls.report else None,
        warnings=calls.warnings,
        next_command=next_command,
    )
