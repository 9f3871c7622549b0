"""Design check: what a pilot's design must satisfy before anything is started or judged by it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from breakeven.errors import PilotError, PolicyError
from breakeven.pilot.design import Design, TaskPlan
from breakeven.routing.validators import validators_of

CREATED_FIRST_YEAR: Final = 2000
CREATED_LAST_YEAR: Final = 2100


def check_design(design: Design, where: str = "the design") -> None:
    """Refuse a design that contradicts itself; PilotError says where."""
    if not design.tasks:
        raise PilotError(f"{where}: tasks: saw none; wanted one or more (`--task faq`, or none for all requests)")
    names = [each.task for each in design.tasks]
    if twice := [each for each in names if names.count(each) > 1]:
        raise PilotError(f"{where}: the task {twice[0]!r} has two plans; wanted one for each task")
    for each in design.tasks:
        _check_plan(each, f"{where}: task {each.task!r}" if each.task else f"{where}: all requests")
    _within(design.margin_ratio, 0.5, 1.0, f"{where}: margin_ratio", "0.95", has_high=True)
    _within(design.alpha_fraction, 0.0, 0.5, f"{where}: alpha_fraction", "0.05")
    _within(design.power_fraction, 0.0, 1.0, f"{where}: power_fraction", "0.8")
    _within(design.share_fraction, 0.0, 1.0, f"{where}: share_fraction", "1", has_high=True)
    _within(design.audit_fraction, -1e-9, 1.0, f"{where}: audit_fraction", "0.2", has_high=True)
    _within(design.guards.inferior_alpha_fraction, 0.0, 0.5, f"{where}: guards.inferior_alpha_fraction", "0.01")
    _within(design.days_max_days, 0.0, 3660.0, f"{where}: days_max_days", "28", has_high=True)
    _within(design.outcome_wait_hours, -1e-9, 8784.0, f"{where}: outcome_wait_hours", "24", has_high=True)
    _check_amounts(design, where)
    _check_created(design, where)
    _check_ramp(design, where)
    _check_unit(design, where)
    _check_checks(design.checks_by_task, where)


def _check_plan(plan: TaskPlan, where: str) -> None:
    for model in (plan.baseline_model, plan.candidate_model):
        if not model.strip():
            raise PilotError(f"{where}: a model has no name; wanted --baseline and --candidate")
    if plan.baseline_model == plan.candidate_model:
        raise PilotError(
            f"{where}: baseline and candidate are both {plan.baseline_model!r}; wanted the model in use and another one"
        )
    _within(plan.baseline_success_fraction, 0.0, 1.0, f"{where}: baseline_success_fraction", "0.9", has_high=True)
    _within(plan.candidate_to_baseline_ratio, 0.0, 2.0, f"{where}: candidate_to_baseline_ratio", "1", has_high=True)
    if plan.baseline_success_fraction * plan.candidate_to_baseline_ratio > 1 + 1e-9:
        raise PilotError(
            f"{where}: a baseline that succeeds in {plan.baseline_success_fraction:g} and a candidate with "
            f"{plan.candidate_to_baseline_ratio:g} of it: more than every request; wanted a product of 1 at most"
        )
    _within(plan.correlation_fraction, -1.0, 1.0, f"{where}: correlation_fraction", "0.3", has_high=True)
    for name in ("requests_per_hour", "baseline_usd_per_request", "candidate_usd_per_request"):
        value = getattr(plan, name)
        if value is not None and not (0 <= value < math.inf):
            raise PilotError(f"{where}: {name} is {value}; wanted 0 or more")


def _check_amounts(design: Design, where: str) -> None:
    """Money, limits and the seed: what `init` would refuse, a file edited by hand may not say either."""
    guards = design.guards
    for name in ("label_usd", "migration_usd", "idle_usd_per_month", "human_correction_usd"):
        _at_least_zero(getattr(design, name), f"{where}: {name}")
    for name in ("latency_p95_max_s", "latency_p95_max_ratio", "spend_max_usd"):
        _at_least_zero(getattr(guards, name), f"{where}: guards.{name}")
    if guards.error_rate_max_fraction is not None:
        _within(guards.error_rate_max_fraction, -1e-9, 1.0, f"{where}: guards.error_rate_max_fraction", "0.05")
    if design.seed < 0:
        raise PilotError(f"{where}: seed is {design.seed}; wanted 0 or more")
    try:
        _names(design).encode()
    except UnicodeEncodeError:
        raise PilotError(f"{where}: a task or model has a name that is no Unicode text; wanted plain text") from None


def _names(design: Design) -> str:
    return "".join(name for each in design.tasks for name in (each.task, each.baseline_model, each.candidate_model))


def _at_least_zero(value: float | None, where: str) -> None:
    if value is not None and not 0 <= value < math.inf:
        raise PilotError(f"{where}: saw {value:g}; wanted 0 or more, or nothing where it is not stated")


def _check_created(design: Design, where: str) -> None:
    try:
        year = datetime.fromisoformat(design.created).year
    except ValueError:
        year = 0
    if not CREATED_FIRST_YEAR <= year <= CREATED_LAST_YEAR:
        raise PilotError(
            f"{where}: created is {design.created[:40]!r}; wanted a time of these years, such as "
            "2026-11-02T08:00:00+00:00"
        )


def _check_ramp(design: Design, where: str) -> None:
    if design.mode == "canary" and not design.ramp:
        raise PilotError(f"{where}: ramp: a canary needs one step or more, such as 0.01, 0.05, 0.2, 0.5")
    shares = [each.share_fraction for each in design.ramp]
    if any(not 0 < each < 1 for each in shares) or shares != sorted(set(shares)):
        raise PilotError(f"{where}: ramp: saw {shares}; wanted rising shares above 0 and below 1: both arms need units")
    for each in design.ramp:
        if each.requests_min_count < 0 or each.hours_min_hours < 0:
            raise PilotError(f"{where}: ramp: a step asks for fewer than 0 requests or hours")


def _check_unit(design: Design, where: str) -> None:
    unit = design.unit
    named = unit in ("request", "key", "session", "user") or (unit.startswith("header:") and len(unit) > len("header:"))
    if not named:
        raise PilotError(f"{where}: unit is {unit!r}; wanted request, key, session, user or header:NAME")


def _check_checks(checks_by_task: Mapping[str, Mapping[str, Any]], where: str) -> None:
    for task, checks in checks_by_task.items():
        try:
            validators_of(dict(checks))
        except (PolicyError, ValueError, TypeError) as error:
            raise PilotError(f"{where}: checks of {task or 'all tasks'!r}: {error}") from None


def _within(value: float, low: float, high: float, where: str, example: str, *, has_high: bool = False) -> None:
    is_in = low < value < high or (has_high and value == high)
    if not is_in:
        raise PilotError(
            f"{where}: saw {value:g}; wanted a number above {max(low, 0):g}, to {high:g}, such as {example}"
        )
