"""Comparison source: the comparison document that a log, or the store, and a scenario give."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from breakeven.cli.usage_source import UsageSource, opened_calls

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.document import Document


def compared(source: UsageSource, scenario: Scenario, next_command: str | None, say: Callable[[str], None]) -> Document:
    """Read the calls, cost every option, and write the document; `next_command`: None where no file is written."""
    from breakeven.clock import today
    from breakeven.reports.answer import answer
    from breakeven.reports.comparison_source import WITHOUT_OUT, comparison_question

    with opened_calls(source, say) as calls:
        return answer(comparison_question(calls, scenario, today(), next_command or WITHOUT_OUT), say)
