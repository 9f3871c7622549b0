"""Evaluation wording: how a policy did on a file of outcomes, in lines: its choices, drift, an off-policy estimate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from breakeven.learning.drift import DriftReport, Shift
from breakeven.learning.evaluation_document import EvaluationDocument
from breakeven.learning.off_policy import Estimate, OffPolicy
from breakeven.reports.evaluation_answer import Evaluated
from breakeven.reports.routing_rows import PER

REASONS_MAX_COUNT: Final = 5


def of_json(plain: Mapping[str, Any]) -> Evaluated:
    """What `breakeven evaluate --json` printed, as values again."""
    names = EvaluationDocument.model_fields
    comparison = {name: plain[name] for name in names if name in plain}
    told, drifted = plain["off_policy"], plain["drift"]
    return Evaluated(
        plain["policy_hash"],
        plain["policy_kind"],
        EvaluationDocument.model_validate(comparison) if told is None else None,
        None if told is None else _off_policy(told),
        None if drifted is None else _drift(drifted),
        plain["reasons"],
    )


def choice_lines(found: Evaluated) -> Iterable[str]:
    """Which policy it was, and why it chose so."""
    total = sum(found.reasons.values())
    why = ", ".join(
        f"{name} {100 * (count / total):.0f} %" for name, count in list(found.reasons.items())[:REASONS_MAX_COUNT]
    )
    yield f"Policy {found.policy_hash[:12]} ({found.policy_kind}); why it chose so: {why}."


def drift_lines(report: DriftReport | None) -> Iterable[str]:
    """Whether the requests are still like those learnt from; nothing where nobody can say."""
    if report is None:
        return
    alarm = "Drift" if report.alarm else "No drift that matters"
    yield (
        f"{alarm}: {report.mix.words}; {report.inputs.words} (alarms without drift: "
        f"{100 * report.false_alarm_fraction:.0f} % of windows at most)."
    )


def off_policy_headline(found: OffPolicy) -> str:
    """What the policy would have achieved on a log that was routed by lot."""
    return (
        f"On this log, routed by lot, the policy would have succeeded in {_percent(found.success_dr)} of "
        f"{found.requests_count:,} calls."
    )


def off_policy_lines(found: OffPolicy) -> Iterable[str]:
    """The estimate by other ways, its cost, and how much it rests on."""
    yield f"By weights alone (inverse propensity): {_percent(found.success_ips)}."
    if found.cost_usd_ips is not None:
        cost = found.cost_usd_ips
        yield f"Cost: {PER * cost.value:.4g} USD per {PER:,.0f} calls ({PER * cost.low:.4g} to {PER * cost.high:.4g})."
    yield (
        f"{found.matching_requests_count:,} calls went where the policy sends them, worth "
        f"{found.effective_requests_count:,.0f} calls of its own."
    )


def _percent(each: Estimate) -> str:
    return f"{100 * each.value:.1f} % ({100 * each.low:.1f} % to {100 * each.high:.1f} %)"


def _drift(plain: Mapping[str, Any]) -> DriftReport:
    shifts = {name: Shift(**plain[name]) for name in ("mix", "inputs")}
    return DriftReport(
        **shifts,
        window_requests_count=plain["window_requests_count"],
        false_alarm_fraction=plain["false_alarm_fraction"],
    )


def _off_policy(plain: Mapping[str, Any]) -> OffPolicy:
    values: dict[str, Any] = {
        name: Estimate(**value) if isinstance(value, dict) else value for name, value in plain.items()
    }
    return OffPolicy(**values)
