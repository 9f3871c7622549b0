"""Evaluation terminal: how a policy did on a file of outcomes, as a page."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from breakeven.reports.evaluation_answer import Evaluated
from breakeven.reports.evaluation_wording import choice_lines, drift_lines, off_policy_headline, off_policy_lines
from breakeven.reports.routing_terminal import render_evaluation
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section


def render_evaluated(found: Evaluated, console: Console, *, warnings: Sequence[str] = ()) -> None:
    """Print what was found."""
    if found.document is not None:
        assert found.document.verdict is not None
        render_evaluation(
            found.document,
            console,
            title=found.document.verdict.sentence,
            details=[*choice_lines(found), *drift_lines(found.drift)],
            warnings=warnings,
        )
        return
    assert found.off_policy is not None
    print_parts(
        console,
        (
            Paragraph(off_policy_headline(found.off_policy), "bold"),
            bullets([*off_policy_lines(found.off_policy), *choice_lines(found), *drift_lines(found.drift)]),
            section("Weak spots", bullets([*filter(None, (found.off_policy.caution,)), *warnings]), "bold yellow"),
        ),
    )
