"""Evaluation terminal: how a policy did on a file of outcomes, as a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console

from breakeven.learning.drift import DriftReport
from breakeven.learning.off_policy import Estimate, OffPolicy
from breakeven.reports.evaluation_answer import Evaluated
from breakeven.reports.routing_terminal import PER, render_evaluation
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section

REASONS_MAX_COUNT: Final = 5


def render_evaluated(found: Evaluated, console: Console, *, warnings: Sequence[str] = ()) -> None:
    """Print what was found."""
    if found.document is not None:
        assert found.document.verdict is not None
        render_evaluation(
            found.document,
            console,
            title=found.document.verdict.sentence,
            details=[*_details(found), *_drift(found.drift)],
            warnings=warnings,
        )
        return
    assert found.off_policy is not None
    print_parts(
        console,
        (
            Paragraph(_headline(found.off_policy), "bold"),
            bullets([*_off_policy(found.off_policy), *_details(found), *_drift(found.drift)]),
            section("Weak spots", bullets([*filter(None, (found.off_policy.caution,)), *warnings]), "bold yellow"),
        ),
    )


def _details(found: Evaluated) -> Iterable[str]:
    total = sum(found.reasons.values())
    why = ", ".join(f"{name} {count / total:.0%}" for name, count in list(found.reasons.items())[:REASONS_MAX_COUNT])
    yield f"Policy {found.policy_hash[:12]} ({found.policy_kind}); why it chose so: {why}."


def _drift(report: DriftReport | None) -> Iterable[str]:
    if report is None:
        return
    alarm = "Drift" if report.alarm else "No drift that matters"
    yield (
        f"{alarm}: {report.mix.words}; {report.inputs.words} (alarms without drift: "
        f"{report.false_alarm_fraction:.0%} of windows at most)."
    )


def _headline(found: OffPolicy) -> str:
    return (
        f"On this log, routed by lot, the policy would have succeeded in {_percent(found.success_dr)} of "
        f"{found.requests_count:,} calls."
    )


def _off_policy(found: OffPolicy) -> Iterable[str]:
    yield f"By weights alone (inverse propensity): {_percent(found.success_ips)}."
    if found.cost_usd_ips is not None:
        cost = found.cost_usd_ips
        yield f"Cost: {PER * cost.value:.4g} USD per {PER:,.0f} calls ({PER * cost.low:.4g} to {PER * cost.high:.4g})."
    yield (
        f"{found.matching_requests_count:,} calls went where the policy sends them, worth "
        f"{found.effective_requests_count:,.0f} calls of its own."
    )


def _percent(each: Estimate) -> str:
    return f"{each.value:.1%} ({each.low:.1%} to {each.high:.1%})"
